"""VaultConnection of the Vault Secrets Operator: becomes a part of each store that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sealkit.foreign.context import VAULT_SECRETS, Context, Raw
from sealkit.foreign.source import Source

HINTS: Final[Mapping[str, str]] = {
    "spec.headers": "no headers can be added to requests",
    "spec.timeout": "timeouts are the same for all stores",
    "spec.caCertPath": "is a file of the operator: put its PEM into spec.tls.caBundle",
    "metadata.labels": "belong to an object that is a part of another now",
    "metadata.annotations": "belong to an object that is a part of another now",
}


def find_connection(ref: str, context: Context, namespace: str) -> Raw | None:
    """Return the VaultConnection that a VaultAuth of `namespace` names.

    Without a name that of the operator is meant, `default` in a namespace that nobody says: the
    only one of that name.
    """
    if ref:
        place, _, name = ref.rpartition("/")
        return context.find(VAULT_SECRETS, "VaultConnection", place or namespace, name)
    named = context.all(VAULT_SECRETS, "VaultConnection", "default")
    return named[0] if len(named) == 1 else None


@dataclass(frozen=True)
class Connection:
    """What a store has of it; `ca` is the name of a Secret in `namespace`."""

    namespace: str
    address: str
    server_name: str
    ca: str


def take_connection(source: Source) -> Connection:
    """Take address and TLS; headers, timeout and what else there is have no equivalent.

    Raises:
        ManifestError: a field is wrong.
    """
    for name in ("apiVersion", "kind"):
        source.take(name)
    metadata = source.inner("metadata")
    metadata.take("name")
    spec = source.inner("spec")
    if spec.flag("skipTLSVerify"):
        todo = "there is no way to skip verification: put the CA's PEM into spec.tls.caBundle"
        spec.note("skipTLSVerify", "true", todo)
    return Connection(
        namespace=metadata.text("namespace"),
        address=spec.required("address"),
        server_name=spec.text("tlsServerName"),
        ca=spec.text("caCertSecretRef"),
    )
