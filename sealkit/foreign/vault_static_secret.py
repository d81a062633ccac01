"""VaultStaticSecret of the Vault Secrets Operator: keys of one key-value secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sealkit.errors import ManifestError
from sealkit.foreign.context import Context
from sealkit.foreign.source import Source
from sealkit.foreign.vault_destination import COMMON_HINTS, Operated
from sealkit.references.reference import Kv, Reference
from sealkit.references.structured import parse_version

HINTS: Final[Mapping[str, str]] = COMMON_HINTS
_TYPES: Final = {"kv-v1": Kv.V1, "kv-v2": Kv.V2}


def convert(source: Source, context: Context) -> dict[str, object] | None:
    """Return a SealedSecret, or None with notes if it would be none.

    Raises:
        ManifestError: a field is wrong in itself.
    """
    secret = Operated.of(source, context)
    spec = secret.spec
    if "hmacSecretData" in spec and not spec.flag("hmacSecretData"):
        spec.note("hmacSecretData", "false", "changes are always told by a keyed hash")
    references = secret.destination.references(_base(spec))
    return secret.manifest(references, secret.destination.template())


def _base(spec: Source) -> Reference:
    kind = spec.required("type")
    if kind not in _TYPES:
        raise ManifestError(f"is not one of {', '.join(_TYPES)}", field=spec.at("type"))
    with spec.as_references({}):
        return Reference(
            mount=spec.required("mount").strip("/"),
            path=spec.required("path").strip("/"),
            namespace=spec.text("namespace").strip("/"),
            kv=_TYPES[kind],
            version=_version(spec, _TYPES[kind]),
        )


def _version(spec: Source, kv: Kv) -> int | None:
    raw = spec.take("version")
    if raw is None or raw == 0:
        return None
    if kv is Kv.V1:
        spec.note("version", "", "there are none in KV version 1")
        return None
    return parse_version(raw)
