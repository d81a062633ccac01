"""VaultPKISecret of the Vault Secrets Operator: a certificate that Vault issues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sealkit.builders import parse_builders
from sealkit.foreign.context import Context
from sealkit.foreign.source import Source
from sealkit.foreign.vault_destination import COMMON_HINTS, Operated
from sealkit.manifests.template import MergePolicy, Template
from sealkit.references.reference import Reference
from sealkit.references.structured import from_dict

HINTS: Final[Mapping[str, str]] = {
    **COMMON_HINTS,
    "spec.expiryOffset": "a certificate is issued anew at two thirds of its life",
    "spec.clear": "the Secret goes with the manifest, or stays with spec.deletionPolicy: Retain",
}
_TLS: Final = "kubernetes.io/tls"
_BUILD: Final = {
    "certificate": "certificate",
    "key": "private_key",
    "chain": "ca_chain",
    "ca": "issuing_ca",
}
_TEXTS: Final = {
    "commonName": "common_name",
    "ttl": "ttl",
    "format": "format",
    "privateKeyFormat": "private_key_format",
    "notAfter": "not_after",
}
_LISTS: Final = {
    "altNames": "alt_names",
    "ipSans": "ip_sans",
    "uriSans": "uri_sans",
    "otherSans": "other_sans",
    "userIDs": "user_ids",
}


_KEYS: Final = ("ca_chain", "certificate", "issuing_ca", "private_key", "serial_number")


def convert(source: Source, context: Context) -> dict[str, object] | None:
    """Return a SealedSecret, or None with notes if it would be none.

    Raises:
        ManifestError: a field is wrong in itself.
    """
    secret = Operated.of(source, replace(context, keys=_KEYS))
    spec, destination = secret.spec, secret.destination
    if spec.flag("revoke"):
        spec.note("revoke", "true", "certificates are not revoked, leases only")
    template = destination.template()
    is_tls = template.type == _TLS
    base = _base(spec, is_tls=is_tls)
    references = destination.references(base)
    if is_tls:
        template = _built(destination.source, template)
        references |= {key: replace(base, key=key) for key in _BUILD.values()}
        references["ca_chain"] = replace(base, key="ca_chain", default="")
    elif "ca_chain" in references:
        references["ca_chain"] = replace(base, key="ca_chain", optional=True)
        todo = "is a JSON list of certificates, not their PEM one after the other"
        destination.source.note("", "ca_chain", todo)
    return secret.manifest(references, template)


def _built(destination: Source, template: Template) -> Template:
    todo = "only tls.crt, tls.key and ca.crt are made, not certificate, private_key and so on"
    destination.note("type", _TLS, todo)
    build = parse_builders({"tls": _BUILD}, "spec.template.build")
    return template._replace(build=build, merge_policy=MergePolicy.REPLACE)


def _base(spec: Source, *, is_tls: bool) -> Reference:
    body: dict[str, object] = {
        theirs: text for ours, theirs in _TEXTS.items() if (text := spec.text(ours))
    }
    body |= {
        theirs: ",".join(texts) for ours, theirs in _LISTS.items() if (texts := spec.texts(ours))
    }
    if spec.flag("excludeCNFromSans"):
        body["exclude_cn_from_sans"] = True
    if is_tls:
        body["remove_roots_from_chain"] = True
    issuer, role = spec.text("issuerRef"), spec.required("role")
    reference = {
        "mount": spec.required("mount").strip("/"),
        "path": f"issuer/{issuer}/issue/{role}" if issuer else f"issue/{role}",
        "namespace": spec.text("namespace").strip("/"),
        "method": "POST",
        "body": body,
    }
    with spec.as_references({"path": "role"}):
        return from_dict(reference)
