"""Where a reference is looked up, and how: what manifests of stores speak of, too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sealkit.errors import ReferenceSyntaxError

_STORE_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class StoreKind(StrEnum):
    """Which of the two kinds of store is meant."""

    NAMESPACED = "VaultStore"
    CLUSTER = "ClusterVaultStore"


class Method(StrEnum):
    """How Vault is asked. All but GET go to the path as it is written."""

    GET = "GET"
    LIST = "LIST"
    POST = "POST"
    PUT = "PUT"


READING: Final = (Method.GET, Method.LIST)


@dataclass(frozen=True)
class Store:
    """A store by name: in the namespace of the manifest, or of the cluster."""

    name: str
    kind: StoreKind = StoreKind.NAMESPACED

    def __post_init__(self) -> None:
        if len(self.name) > 253 or not _STORE_NAME.fullmatch(self.name):
            what = "is not a name Kubernetes accepts (RFC 1123 subdomain)"
            raise ReferenceSyntaxError(what, field="store")


def store_to_raw(store: Store) -> str | dict[str, object]:
    """Return a store as a manifest has it: its name, or a mapping for one of the cluster."""
    if store.kind is StoreKind.NAMESPACED:
        return store.name
    return {"name": store.name, "kind": store.kind.value}
