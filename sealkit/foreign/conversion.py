"""Which kind is converted by whom, and the check of what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from sealkit.errors import ManifestError
from sealkit.foreign import (
    external_secret,
    secret_store,
    vault_auth,
    vault_connection,
    vault_dynamic_secret,
    vault_pki_secret,
    vault_static_secret,
)
from sealkit.foreign.context import EXTERNAL_SECRETS, VAULT_SECRETS, Context, Raw, group_of
from sealkit.foreign.source import Note, Source
from sealkit.manifests.sealed import KIND, SealedSecret
from sealkit.manifests.stores import VaultStore

_VERSIONS: Final = {
    f"{EXTERNAL_SECRETS}/v1",
    f"{EXTERNAL_SECRETS}/v1beta1",
    f"{VAULT_SECRETS}/v1beta1",
}
_GROUPS: Final = {EXTERNAL_SECRETS, f"generators.{EXTERNAL_SECRETS}", VAULT_SECRETS}
_MODULES: Final[Mapping[tuple[str, str], ModuleType]] = {
    (EXTERNAL_SECRETS, "ExternalSecret"): external_secret,
    (EXTERNAL_SECRETS, "SecretStore"): secret_store,
    (EXTERNAL_SECRETS, "ClusterSecretStore"): secret_store,
    (VAULT_SECRETS, "VaultAuth"): vault_auth,
    (VAULT_SECRETS, "VaultDynamicSecret"): vault_dynamic_secret,
    (VAULT_SECRETS, "VaultPKISecret"): vault_pki_secret,
    (VAULT_SECRETS, "VaultStaticSecret"): vault_static_secret,
}


@dataclass(frozen=True)
class Conversion:
    """What becomes of one object: `manifest` is put in its place; without one it stays.

    `goes` says that it became a part of others and is to be taken out.
    """

    notes: tuple[Note, ...]
    manifest: Mapping[str, object] | None = None
    goes: bool = False


def convert(raw: Raw, context: Context) -> Conversion | None:
    """Convert an object, or return None: it is none of those kinds.

    Raises:
        ManifestError: a field is wrong in itself; it is named by its path in `raw`.
    """
    group, kind = group_of(raw), str(raw.get("kind"))
    if group not in _GROUPS:
        return None
    if raw["apiVersion"] in _VERSIONS and (group, kind) == (VAULT_SECRETS, "VaultConnection"):
        return _connection(raw, context)
    module = _MODULES.get((group, kind))
    if module is None or raw["apiVersion"] not in _VERSIONS:
        todo = "is not converted, so it stays as it is"
        return Conversion((Note("kind", f"{raw['apiVersion']} {kind}", todo),))
    source = Source(raw)
    manifest = module.convert(source, context)
    if manifest is None:
        return Conversion(source.notes)
    return accepted(manifest, (*source.notes, *source.left_over(module.HINTS)))


def accepted(manifest: Mapping[str, object], notes: tuple[Note, ...]) -> Conversion:
    """Return the conversion, unless our own parser refuses it: then the object stays, noted."""
    parse: Callable[[Mapping[str, object]], object] = VaultStore.from_dict
    if manifest["kind"] == KIND:
        parse = SealedSecret.from_dict
    try:
        parse(manifest)
    except ManifestError as error:
        todo = f"{error.field} of the {manifest['kind']} {error.problem}, so it stays as it is"
        return Conversion((*notes, Note("", "", todo)))
    return Conversion(notes, manifest)


def _connection(raw: Raw, context: Context) -> Conversion:
    source = Source(raw)
    vault_connection.take_connection(source)
    notes = (*source.notes, *source.left_over(vault_connection.HINTS))
    users = context.all(VAULT_SECRETS, "VaultAuth")
    if any(vault_auth.uses(user, raw, context) for user in users):
        return Conversion(notes, goes=True)
    todo = "no VaultAuth among the files becomes a store with it, so it stays as it is"
    return Conversion((*notes, Note("", "", todo)))
