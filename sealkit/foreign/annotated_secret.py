"""Secrets with references of the Argo CD Vault Plugin or of bank-vaults in place of values.

What is told by their annotations is read where references are; here is what nobody reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sealkit.foreign.context import Context, Raw
from sealkit.foreign.conversion import Conversion, accepted
from sealkit.foreign.source import Note, Source
from sealkit.manifests.gitops import LAST_APPLIED, belongs_to_a_tool
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.secret import Secret
from sealkit.manifests.template import Template as SecretTemplate
from sealkit.manifests.vault import DEFAULT_STORE, VaultTerms
from sealkit.references.recognise import ANNOTATIONS
from sealkit.references.reference import Store
from sealkit.references.template import Template

_ARGOCD, _BANK_VAULTS = "avp.kubernetes.io/", "vault.security.banzaicloud.io/"
_IN_THE_STORE: Final = f"is a matter of the store: say it in the store `{DEFAULT_STORE.name}`"
_LITERAL: Final = "holds values as well, so it stays as it is: use `sealkit seal`"
_HINTS: Final[Mapping[str, str]] = {
    LAST_APPLIED: "kubectl's copy of the old object: nothing to do",
    f"{_BANK_VAULTS}vault-skip-verify": "there is no way to skip verification: name the CA instead",
    f"{_BANK_VAULTS}vault-ignore-missing-secrets": "say optional: true in the references",
}


def convert_secret(
    raw: Raw, secret: Secret, references: Mapping[str, Template], context: Context
) -> Conversion:
    """Convert a Secret that `sealkit.referring.divide` made these two parts of.

    A Secret that holds values as well stays as it is.

    Raises:
        ManifestError: a field is of the wrong type.
    """
    if secret.data:
        return Conversion((Note("", f"{len(secret.data)} without a reference", _LITERAL),))
    own, rest = _halves(secret.labels), _halves(secret.annotations)
    sealed = SealedSecret(
        name=secret.name,
        namespace=secret.namespace,
        scope=Scope.STRICT,
        envelopes={},
        encrypted_data={},
        references=references,
        vault=VaultTerms(Store(DEFAULT_STORE.name, context.store_kind)),
        template=SecretTemplate(secret.type, secret.immutable, own[1], rest[1]),
        labels=own[0],
        annotations=rest[0],
    )
    return accepted(sealed.to_dict(), tuple(_notes(raw)))


def _halves(entries: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Divide labels or annotations into those of GitOps tools and those of the Secret."""
    tools = {key: value for key, value in entries.items() if belongs_to_a_tool(key)}
    return tools, {key: value for key, value in entries.items() if key not in tools}


def _notes(raw: Raw) -> Iterator[Note]:
    """Yield a note for each field that a SealedSecret of references has not."""
    source = Source(raw)
    for name in ("apiVersion", "kind", "type", "immutable", "data", "stringData"):
        source.take(name)
    metadata = source.inner("metadata")
    for name in ("name", "namespace", "labels"):
        metadata.take(name)
    for key in metadata.strings("annotations"):
        unread = key.startswith((_ARGOCD, _BANK_VAULTS)) and key not in ANNOTATIONS
        if unread or key == LAST_APPLIED:
            yield Note(metadata.at(f"annotations.{key}"), "", _HINTS.get(key, _IN_THE_STORE))
    yield from source.left_over({})
