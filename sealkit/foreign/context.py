"""What a conversion knows besides the document itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sealkit.references.reference import StoreKind

EXTERNAL_SECRETS: Final = "external-secrets.io"
VAULT_SECRETS: Final = "secrets.hashicorp.com"

Raw = Mapping[str, object]


@dataclass(frozen=True)
class Context:
    """The objects that are converted in the same call, and what the user said about all of them.

    `keys` are the data keys to make where the document says no more than `all`, `store_kind` is
    the kind of store for those who do not say it themselves.
    """

    objects: tuple[Raw, ...] = ()
    keys: tuple[str, ...] = ()
    store_kind: StoreKind = StoreKind.NAMESPACED
    _index: Mapping[tuple[str, str, str, str], Raw] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", dict(_indexed(self.objects)))

    def find(self, group: str, kind: str, namespace: str, name: str) -> Raw | None:
        """Return an object by its place; `namespace` is "" for one of the cluster."""
        return self._index.get((group, kind, namespace, name))

    def all(self, group: str, kind: str, name: str = "") -> list[Raw]:
        """Return the objects of a kind, or those with a name in all namespaces."""
        return [
            raw
            for (in_group, of_kind, _, called), raw in self._index.items()
            if (in_group, of_kind) == (group, kind) and name in {"", called}
        ]


def _indexed(objects: Iterable[Raw]) -> Iterator[tuple[tuple[str, str, str, str], Raw]]:
    for raw in objects:
        metadata = raw.get("metadata")
        place = metadata if isinstance(metadata, Mapping) else {}
        namespace, name = (str(place.get(one) or "") for one in ("namespace", "name"))
        yield (group_of(raw), str(raw.get("kind")), namespace, name), raw


def group_of(raw: Raw) -> str:
    """Return the API group of an object."""
    return str(raw.get("apiVersion")).partition("/")[0]
