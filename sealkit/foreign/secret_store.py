"""SecretStore and ClusterSecretStore of the External Secrets Operator, v1 and v1beta1."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from sealkit.errors import ManifestError
from sealkit.foreign.context import EXTERNAL_SECRETS, Context, Raw
from sealkit.foreign.head import Head, take_head
from sealkit.foreign.source import Source
from sealkit.foreign.store import Draft, Fields, allow
from sealkit.foreign.store_auth import take_auth, take_client_certificate
from sealkit.foreign.vault_provider import STORE_KINDS, mount_and_version
from sealkit.references.reference import StoreKind

_VAULT: Final = "spec.provider.vault"
HINTS: Final[Mapping[str, str]] = {
    "spec.controller": "a store belongs to every controller that sees it",
    "spec.retrySettings": "retries are the same for all stores",
    "spec.refreshInterval": "says how often the store itself is checked, which is no setting here",
    f"{_VAULT}.headers": "no headers can be added to requests",
    f"{_VAULT}.readYourWrites": "is for writing, and sealkit reads",
    f"{_VAULT}.forwardInconsistent": "is for writing, and sealkit reads",
    f"{_VAULT}.checkAndSet": "is for writing, and sealkit reads",
    f"{_VAULT}.auth.jwt.kubernetesServiceAccountToken.expirationSeconds": "tokens live 10 minutes",
}


def convert(source: Source, context: Context) -> dict[str, object] | None:
    """Return a VaultStore or ClusterVaultStore, or None with notes if it would be none.

    Raises:
        ManifestError: a field is wrong in itself.
    """
    kind = (
        StoreKind.CLUSTER if source.text("kind") == "ClusterSecretStore" else StoreKind.NAMESPACED
    )
    head = take_head(source)
    spec = source.inner("spec")
    provider = spec.inner("provider")
    if "vault" not in provider:
        provider.note("", ", ".join(provider.names), "is not Vault, so it stays as it is")
        return None
    vault = provider.inner("vault")
    draft = Draft(source, kind, head)
    _take_tls(vault, draft)
    auth = take_auth(vault.inner("auth"), draft)
    if auth is None:
        return None
    _note_place(vault, context, head, kind)
    return draft.to_dict(
        {
            "address": vault.required("server"),
            "namespace": vault.text("namespace"),
            "auth": auth,
            "allow": _allow(spec) if draft.is_cluster else [],
        }
    )


def _note_place(vault: Source, context: Context, head: Head, kind: StoreKind) -> None:
    """Take mount and version; they are carried over by the references of who uses the store."""
    used = any(_uses(raw, head, kind) for raw in context.all(EXTERNAL_SECRETS, "ExternalSecret"))
    given = [name for name in ("path", "version") if name in vault]
    mount, kv = mount_and_version(vault)
    for name in given if not used else ():
        todo = "is said by references, not by the store: give its ExternalSecrets in the same call"
        vault.note(name, mount if name == "path" else kv, todo)


def _uses(raw: Raw, head: Head, kind: StoreKind) -> bool:
    with suppress(ManifestError):  # its own conversion says what is wrong with it
        source = Source(raw)
        here = source.inner("metadata").text("namespace") == head.namespace
        if kind is StoreKind.CLUSTER or here:
            return (head.name, kind) in [*_refs(source.inner("spec"))]
    return False


def _refs(spec: Source) -> Iterator[tuple[str, StoreKind]]:
    """Yield the stores that an ExternalSecret names."""
    entries = (*spec.entries("data"), *spec.entries("dataFrom"))
    refs = [entry.inner("sourceRef").inner("storeRef") for entry in entries]
    for ref in (spec.inner("secretStoreRef"), *refs):
        yield ref.text("name"), STORE_KINDS.get(ref.text("kind"), StoreKind.NAMESPACED)


def _take_tls(vault: Source, draft: Draft) -> None:
    if "caBundle" in vault:
        draft.tls["caBundle"] = _pem(vault)
        if "caProvider" in vault:
            vault.drop("caProvider", "caBundle comes first, and only one of them can be")
    elif "caProvider" in vault:
        _take_ca_provider(vault.inner("caProvider"), draft)
    if "tls" in vault:
        take_client_certificate(vault.inner("tls"), "certSecretRef", "keySecretRef", draft)


def _pem(vault: Source) -> str:
    text = vault.text("caBundle")
    with suppress(binascii.Error, UnicodeError):
        decoded = base64.b64decode("".join(text.split()).encode("ascii"), validate=True).decode()
        if "-----BEGIN CERTIFICATE-----" in decoded:
            return decoded
    raise ManifestError("is not the base64 of certificates in PEM", field=vault.at("caBundle"))


def _take_ca_provider(provider: Source, draft: Draft) -> None:
    kinds = {"Secret": "caSecretRef", "ConfigMap": "caConfigMapRef"}
    kind = provider.required("type")
    if kind not in kinds:
        raise ManifestError("is neither Secret nor ConfigMap", field=provider.at("type"))
    ref: Fields = {"name": provider.required("name"), "key": provider.text("key", "ca.crt")}
    draft.set_ca(kinds[kind], ref, provider.path, provider.text("namespace"))


def _allow(spec: Source) -> list[object]:
    if "conditions" not in spec:
        return allow(spec, "conditions", ("*",))
    namespaces: tuple[str, ...] = ()
    for condition in spec.entries("conditions"):
        namespaces += condition.texts("namespaces")
        for name in ("namespaceSelector", "namespaceRegexes"):
            if name in condition:
                todo = "namespaces are named here, with * at the end for all that begin so"
                condition.drop(name, f"{todo}: add them to spec.allow")
    return allow(spec, "conditions", namespaces)
