"""VaultAuth of the Vault Secrets Operator, joined with its VaultConnection: a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from sealkit.errors import ManifestError
from sealkit.foreign.context import Context, Raw
from sealkit.foreign.head import take_head
from sealkit.foreign.source import Source
from sealkit.foreign.store import Draft, Fields, allow, audience
from sealkit.foreign.vault_connection import Connection, find_connection, take_connection

HINTS: Final[Mapping[str, str]] = {
    "spec.headers": "no headers can be added to requests",
    "spec.params": "no parameters can be added to the login",
    "spec.storageEncryption": "tokens are kept in memory only",
    **{
        f"spec.{method}.tokenExpirationSeconds": "tokens live 10 minutes"
        for method in ("kubernetes", "jwt")
    },
}
_STAYS: Final = "so it stays as it is"


def convert(source: Source, context: Context) -> dict[str, object] | None:
    """Return a store of the kind that was asked for, or None with notes if it would be none.

    Raises:
        ManifestError: a field is wrong in itself.
    """
    head = take_head(source)
    spec = source.inner("spec")
    draft = Draft(source, context.store_kind, head)
    address = _connection(spec, context, draft)
    auth = _auth(spec)
    if address is None or auth is None:
        return None
    namespace = spec.text("namespace")
    values = {"address": address, "namespace": namespace, "auth": auth}
    return draft.to_dict({**values, "allow": _allow(spec, draft)})


def uses(raw: Raw, connection: Raw, context: Context) -> bool:
    """Tell whether a VaultAuth becomes a store with this connection in it."""
    with suppress(ManifestError):  # its own conversion says what is wrong with it
        source = Source(raw)
        namespace = source.inner("metadata").text("namespace")
        ref = source.inner("spec").text("vaultConnectionRef")
        same = find_connection(ref, context, namespace) == connection
        return same and convert(Source(raw), context) is not None
    return False


def _connection(spec: Source, context: Context, draft: Draft) -> str | None:
    """Take the connection into the draft, and return its address."""
    if "vaultAuthGlobalRef" in spec:
        todo = f"settings that are somewhere else cannot be joined, {_STAYS}"
        spec.note("vaultAuthGlobalRef", "", todo)
        return None
    ref = spec.text("vaultConnectionRef")
    raw = find_connection(ref, context, draft.head.namespace)
    if raw is None:
        todo = f"is not among the files, {_STAYS}: give its VaultConnection in the same call"
        spec.note("vaultConnectionRef", ref or "default", todo)
        return None
    connection = _read(raw)
    if connection is None:
        return None
    if connection.server_name:
        draft.tls["serverName"] = connection.server_name
    if connection.ca:
        ca: Fields = {"name": connection.ca, "key": "ca.crt"}
        draft.set_ca("caSecretRef", ca, spec.at("vaultConnectionRef"), connection.namespace)
    return connection.address


def _read(raw: Raw) -> Connection | None:
    with suppress(ManifestError):  # its own conversion says what is wrong with it
        return take_connection(Source(raw))
    return None


def _allow(spec: Source, draft: Draft) -> list[object]:
    namespaces = spec.texts("allowedNamespaces")
    if draft.is_cluster:
        own = (draft.head.namespace,) if draft.head.namespace else ()
        return allow(spec, "allowedNamespaces", namespaces or own)
    if namespaces:
        todo = "a VaultStore is for its own namespace: pass --store-kind ClusterVaultStore"
        spec.note("allowedNamespaces", ", ".join(namespaces), todo)
    return []


def _auth(spec: Source) -> Fields | None:
    method = spec.required("method")
    if method not in _METHODS:
        spec.note("method", method, f"is not one of {', '.join(_METHODS)}, {_STAYS}")
        return None
    given = spec.inner(method)
    made = _METHODS[method](given)
    mount = spec.text("mount")
    return made and {method: {**made, **({"mount": mount} if mount else {})}}


def _kubernetes(given: Source) -> Fields:
    account: Fields = {"serviceAccountName": given.required("serviceAccount")}
    return {"role": given.required("role"), **account, **audience(given, given.texts("audiences"))}


def _jwt(given: Source) -> Fields:
    role: Fields = {"role": given.required("role")}
    secret = given.text("secretRef")
    if not secret:
        account: Fields = {"serviceAccountName": given.required("serviceAccount")}
        return {**role, **account, **audience(given, given.texts("audiences"))}
    if "serviceAccount" in given:
        given.drop("serviceAccount", "the Secret comes first")
    return {**role, "secretRef": {"name": secret, "key": "jwt"}}


def _app_role(given: Source) -> Fields | None:
    if "secretIDPath" in given:
        given.note("secretIDPath", "", f"is a file of the operator, {_STAYS}: use a Secret")
        return None
    secret: Fields = {"name": given.required("secretRef"), "key": "id"}
    return {"roleId": given.required("roleId"), "secretIdSecretRef": secret}


_METHODS: Final[Mapping[str, Callable[[Source], Fields | None]]] = {
    "kubernetes": _kubernetes,
    "jwt": _jwt,
    "appRole": _app_role,
}
