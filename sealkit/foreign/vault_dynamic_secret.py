"""VaultDynamicSecret of the Vault Secrets Operator: credentials that Vault makes when asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sealkit import fields
from sealkit.foreign.context import Context
from sealkit.foreign.source import Source
from sealkit.foreign.vault_destination import COMMON_HINTS, Operated
from sealkit.references.reference import Kv, Method, Reference
from sealkit.references.structured import from_dict

HINTS: Final[Mapping[str, str]] = {
    **COMMON_HINTS,
    "spec.allowStaticCreds": "static roles are read when the interval is over: set refreshInterval",
}
_USUAL_PERCENT: Final = 67  # what the operator has if nothing is said, and sealkit always


def convert(source: Source, context: Context) -> dict[str, object] | None:
    """Return a SealedSecret, or None with notes if it would be none.

    Raises:
        ManifestError: a field is wrong in itself.
    """
    secret = Operated.of(source, context)
    spec = secret.spec
    if "renewalPercent" in spec and (percent := spec.number("renewalPercent")) != _USUAL_PERCENT:
        spec.note("renewalPercent", percent, "leases are always renewed at two thirds")
    references = secret.destination.references(_base(spec))
    template = secret.destination.template()
    return secret.manifest(references, template, revoke=spec.flag("revoke"))


def _base(spec: Source) -> Reference:
    params = spec.strings("params")
    usual = Method.PUT if params else Method.GET
    raw = spec.text("requestHTTPMethod") or usual.value
    method = fields.one_of(Method, raw, spec.at("requestHTTPMethod"))
    if params and method is Method.GET:
        spec.note("params", f"mapping of {len(params)}", "GET has no body: use POST or PUT")
        params = {}
    reference = {
        "mount": spec.required("mount").strip("/"),
        "path": spec.required("path").strip("/"),
        "namespace": spec.text("namespace").strip("/"),
        "method": method.value,
        "kv": Kv.RAW.value if method is Method.GET else Kv.AUTO.value,
        "body": params,
    }
    with spec.as_references({"body": "params", "method": "requestHTTPMethod"}):
        return from_dict(reference)
