"""What every verb works with, and one request after its path has been understood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sealkit_controller.sandbox.kinds import crds
from sealkit_controller.sandbox.kinds.registry import Registry
from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects.jwt import SigningKey
from sealkit_controller.sandbox.objects.status import invalid_options, unsupported_value
from sealkit_controller.sandbox.objects.times import to_time
from sealkit_controller.sandbox.store.database import Database
from sealkit_controller.sandbox.store.records import Key
from sealkit_controller.sandbox.wire.messages import Request


@dataclass(frozen=True)
class Issuer:
    """Who signs the tokens of ServiceAccounts; `url` is the server's own audience as well."""

    url: str
    key: SigningKey = field(repr=False)


@dataclass(frozen=True)
class World:
    """The state of the server and its sources of time and identity."""

    database: Database
    registry: Registry
    issuer: Issuer
    clock: Callable[[], datetime]
    new_uid: Callable[[], str]
    new_suffix: Callable[[], str]  # five characters for `generateName`
    bookmark_seconds: float = 60.0

    def now(self) -> str:
        """Return the time as objects carry it."""
        return to_time(self.clock())

    def serve_definitions(self) -> None:
        """Serve the kinds of the CustomResourceDefinitions that are stored now, and no others."""
        records = self.database.records(crds.STORAGE)
        self.registry.serve((record.document(), record.version) for record in records)


@dataclass(frozen=True)
class Options:
    """The query parameters that writing verbs share."""

    manager: str
    dry_run: bool = False
    force: bool = False
    validation: str = "Warn"  # Strict, Warn or Ignore


@dataclass(frozen=True)
class Call:
    """A request for a resource; `name` is "" for the collection."""

    request: Request
    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    options: Options = field(default_factory=lambda: Options("unknown"))

    @property
    def key(self) -> Key:
        """Where the object is stored."""
        return self.key_of(self.name)

    def key_of(self, name: str) -> Key:
        """Return where an object of this call's resource and namespace is stored."""
        return Key(self.resource.storage, self.namespace, name)


_OPTIONS: Final = {"PUT": "Update", "PATCH": "Patch", "DELETE": "Delete"}
_VALIDATIONS: Final = ("", "Ignore", "Strict", "Warn")


def read_options(request: Request) -> Options:
    """Return the options of a writing request.

    Raises:
        StatusError: 422 for values that are not known.
    """
    query = request.query
    kind = f"{_OPTIONS.get(request.method, 'Create')}Options"
    dry_run = query.get("dryRun", "")
    if dry_run not in {"", "All"}:
        raise invalid_options(kind, unsupported_value("dryRun", [dry_run], ["All"]))
    validation = query.get("fieldValidation") or "Warn"
    if validation not in _VALIDATIONS:
        cause = unsupported_value("fieldValidation", validation, _VALIDATIONS)
        raise invalid_options(kind, cause)
    agent = request.headers.get("user-agent", "").partition("/")[0]
    return Options(
        manager=query.get("fieldManager") or agent[:128] or "unknown",
        dry_run=bool(dry_run),
        force=query.get("force") in {"true", "1", "True"},
        validation=validation,
    )
