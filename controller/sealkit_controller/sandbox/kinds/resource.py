"""What the server knows about one kind of object in one version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sealkit_controller.sandbox.objects import metadata
from sealkit_controller.sandbox.objects.status import Cause, JsonObject, Target

# (new, old): `old` is None when the object is being created. Prepare works in place.
Prepare = Callable[[JsonObject, JsonObject | None], None]
Check = Callable[[JsonObject, JsonObject | None], Iterable[Cause]]
Convert = Callable[[JsonObject], JsonObject]

OBJECT_VERBS = (
    *("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
)


def _leave(_new: JsonObject, _old: JsonObject | None) -> None:
    return


def _accept(_new: JsonObject, _old: JsonObject | None) -> Iterable[Cause]:
    return ()


@dataclass(frozen=True)
class Rules:
    """How a kind differs from any other."""

    prepare: Prepare = _leave
    check: Check = _accept
    name: metadata.NameRule = metadata.subdomain_name
    counts_generations: bool = False
    create_on_update: bool = False
    returns_deleted: bool = False  # a delete is answered with the object instead of a success
    unconditional_update: bool = True
    unowned: frozenset[tuple[str, ...]] = frozenset()  # never in managedFields
    error_group: str | None = None  # the group in messages about content, if it is another one
    stored_field: Callable[[str], str] = str  # of a selectable field, in the stored shape
    to_storage: Convert | None = None  # for a second version of the same stored objects
    from_storage: Convert | None = None


@dataclass(frozen=True)
class Names:
    """What a kind is called."""

    plural: str
    singular: str
    kind: str
    list_kind: str
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column of a table; `path` is a JSONPath, or the name of a special cell."""

    name: str
    path: str
    type: str = "string"
    description: str = ""
    priority: int = 0
    format: str = ""


@dataclass(frozen=True)
class Resource:
    """One kind in one version, as it is served.

    `storage` is the key its objects are stored under: versions of one kind share it.
    """

    group: str
    version: str
    names: Names
    namespaced: bool
    storage: str
    schema: JsonObject = field(default_factory=dict, repr=False)
    rules: Rules = field(default_factory=Rules, repr=False)
    columns: tuple[Column, ...] = ()
    has_status: bool = False
    has_token: bool = False  # the subresource `token`
    custom: bool = False
    selectable: frozenset[str] = frozenset()
    since: int = 0  # objects stored at an earlier version may lack this schema's defaults

    @property
    def from_storage_needed(self) -> bool:
        """Whether this version is another shape of the stored objects."""
        return self.rules.from_storage is not None

    @property
    def subresources(self) -> tuple[str, ...]:
        """The names of the subresources that are served."""
        return ("status",) * self.has_status + ("token",) * self.has_token

    @property
    def api_version(self) -> str:
        """`group/version`, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def target(self, name: str = "", uid: str = "") -> Target:
        """Return how failures name an object of this kind."""
        return Target(name, self.group, self.names.plural, uid)

    def kind_target(self, name: str) -> Target:
        """Return how failures about the content of an object name it."""
        group = self.rules.error_group
        return Target(name, self.group if group is None else group, self.names.kind)
