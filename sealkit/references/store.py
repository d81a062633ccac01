"""Where a reference is looked up, and how: what manifests of stores speak of, too."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

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


class _Store(NamedTuple):
    name: str
    kind: StoreKind


class Store(_Store):
    """A store by name: in the namespace of the manifest, or of the cluster."""

    __slots__ = ()

    def __new__(cls, name: str, kind: StoreKind = StoreKind.NAMESPACED) -> Store:
        """Check the name.

        Raises:
            ReferenceSyntaxError: it is not a name that Kubernetes accepts.
        """
        if len(name) > 253 or not _STORE_NAME.fullmatch(name):
            what = "is not a name Kubernetes accepts (RFC 1123 subdomain)"
            raise ReferenceSyntaxError(what, field="store")
        return super().__new__(cls, name, kind)


def store_to_raw(store: Store) -> str | dict[str, object]:
    """Return a store as a manifest has it: its name, or a mapping for one of the cluster."""
    if store.kind is StoreKind.NAMESPACED:
        return store.name
    return {"name": store.name, "kind": store.kind.value}
