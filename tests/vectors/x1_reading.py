"""Vectors about strict reading: manifests that are refused before anything is decrypted."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from sealkit.encoding import to_base64, to_uuid
from tests.sealkit.samples import REMOVED, Path
from tests.vectors.x1_build import (
    DATA,
    Case,
    envelope_id,
    public,
    put,
    sealed,
    typed,
)
from tests.vectors.x1_build import PROD as SEED

BASE: Final = sealed()
EID: Final = envelope_id(BASE)
KID: Final = public(SEED).kid
ENVELOPE: Final = ("spec", "envelopes", EID)
WRAPS: Final = (*ENVELOPE, "wraps")
WRAP: Final = f"wrap:{to_base64(BASE.envelopes[EID].wraps[KID])}"
VALUE: Final = str(BASE.encrypted_data["user"])
AT_WRAP: Final = f"spec.envelopes.{EID}.wraps.{KID}"
AT_VALUE: Final = "spec.encryptedData.user"
UNKNOWN: Final = to_uuid(bytes(16))
TEMPLATE: Final = ("spec", "template", "type")


def spare_bits(text: str) -> str:
    """Set the lowest spare bit before the padding, which decoders without care ignore."""
    body = text.rstrip("=")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return body[:-1] + letters[letters.index(body[-1]) + 1] + "=" * (len(text) - len(body))


# name: (path, new value, field that the error names, comment)
_EDITS: Final[dict[str, tuple[Path, object, str, str]]] = {
    "kind-other": (("kind",), "Secret", "kind", "another kind"),
    "version-other": (("apiVersion",), "sealkit.dev/v1", "kind", "another version"),
    "unknown-field-root": (("data",), {}, "data", "an unknown field"),
    "unknown-field-metadata": (("metadata", "nmae"), "db", "metadata.nmae", "an unknown field"),
    "unknown-field-spec": (("spec", "data"), {}, "spec.data", "an unknown field"),
    "unknown-field-envelope": (
        (*ENVELOPE, "mac"), "", f"spec.envelopes.{EID}.mac", "an unknown field"),
    "unknown-field-template": (
        ("spec", "template", "text"), {}, "spec.template.text", "an unknown field"),
    "name-missing": (("metadata", "name"), REMOVED, "metadata.name", "no name"),
    "name-number": (("metadata", "name"), 5, "metadata.name", "a number for a name"),
    "namespace-upper-case": (
        ("metadata", "namespace"), "Shop", "metadata.namespace", "no RFC 1123 label"),
    "namespace-missing": (
        ("metadata", "namespace"), REMOVED, "metadata.namespace", "strict needs a namespace"),
    "scope-missing": (("spec", "scope"), REMOVED, "spec.scope", "no scope: there is no default"),
    "scope-unknown": (("spec", "scope"), "everywhere", "spec.scope", "an unknown scope"),
    "suspend-text": (("spec", "suspend"), "true", "spec.suspend", "text for a boolean"),
    "deletion-policy-unknown": (
        ("spec", "deletionPolicy"), "Keep", "spec.deletionPolicy", "an unknown policy"),
    "suite-unknown": (
        (*ENVELOPE, "suite"), "X2", f"spec.envelopes.{EID}.suite", "an unknown suite"),
    "wraps-empty": (WRAPS, {}, f"spec.envelopes.{EID}.wraps", "an envelope for nobody"),
    "kid-upper-case": (
        WRAPS, {KID.upper(): WRAP}, f"spec.envelopes.{EID}.wraps.{KID.upper()}",
        "a key id in upper case"),
    "wrap-spare-bits": (
        (*WRAPS, KID), spare_bits(WRAP), AT_WRAP, "base64 with spare bits that are not zero"),
    "wrap-unpadded": ((*WRAPS, KID), WRAP.rstrip("="), AT_WRAP, "base64 without its padding"),
    "wrap-line-break": ((*WRAPS, KID), WRAP + "\n", AT_WRAP, "base64 with a line break"),
    "wrap-short": ((*WRAPS, KID), f"wrap:{to_base64(bytes(1167))}", AT_WRAP, "1167 bytes"),
    "wrap-long": ((*WRAPS, KID), f"wrap:{to_base64(bytes(1169))}", AT_WRAP, "1169 bytes"),
    "wrap-bare": ((*WRAPS, KID), WRAP.removeprefix("wrap:"), AT_WRAP, "a wrap without its prefix"),
    "value-plain": ((*DATA, "user"), "shop", AT_VALUE, "a value that is not sealed"),
    "value-prefix": (
        (*DATA, "user"), VALUE.replace("sealed:", "SEALED:"), AT_VALUE, "another prefix"),
    "value-separator": (
        (*DATA, "user"), VALUE.replace(".", ":"), AT_VALUE, "another character after the envelope"),
    "value-unknown-envelope": (
        (*DATA, "user"), VALUE.replace(EID, UNKNOWN), AT_VALUE, "names no envelope"),
    "value-spare-bits": (
        (*DATA, "user"), spare_bits(VALUE), AT_VALUE, "base64 with spare bits that are not zero"),
    "value-url-safe": (
        (*DATA, "user"), f"sealed:{EID}.{'-_' * 90}-A==", AT_VALUE, "the other base64 alphabet"),
    "item-length": (
        (*DATA, "user"), f"sealed:{EID}.{to_base64(bytes(137))}", AT_VALUE,
        "a length that no padded value has"),
    "envelope-unused": (
        ("spec", "envelopes", UNKNOWN), {"suite": "X1", "wraps": {KID: WRAP}},
        f"spec.envelopes.{UNKNOWN}", "an envelope that no value uses"),
    "envelope-id-short": (
        ("spec", "envelopes", EID[1:]), {"suite": "X1", "wraps": {KID: WRAP}},
        f"spec.envelopes.{EID[1:]}", "an envelope id of 35 characters"),
    "envelope-id-upper-case": (
        ("spec", "envelopes", EID.upper()), {"suite": "X1", "wraps": {KID: WRAP}},
        f"spec.envelopes.{EID.upper()}", "an envelope id in upper case"),
    "data-key-bad": ((*DATA, "a b"), VALUE, "spec.encryptedData.a b", "no data key of a Secret"),
    "type-service-account-token": (
        TEMPLATE, "kubernetes.io/service-account-token", "spec.template.type", "a refused type"),
    "type-bootstrap-token": (
        TEMPLATE, "bootstrap.kubernetes.io/token", "spec.template.type", "a refused type"),
    "type-empty": (TEMPLATE, "", "spec.template.type", "an empty type"),
    "type-needs-a-key": (
        TEMPLATE, "kubernetes.io/tls", "spec.encryptedData.tls.crt", "a required key is missing"),
}  # fmt: skip


def too_many_envelopes() -> dict[str, Any]:
    eids = [to_uuid(number.to_bytes(16, "big")) for number in range(65)]
    envelope = {"suite": "X1", "wraps": {KID: WRAP}}
    data = {f"k{number}": VALUE.replace(EID, eid) for number, eid in enumerate(eids)}
    raw = put(("spec", "envelopes"), dict.fromkeys(eids, envelope))
    raw["spec"]["encryptedData"] = data
    return raw


READING = (
    *(
        Case(name, comment, "manifest-failure",
             partial(put, path, value, BASE), field)
        for name, (path, value, field, comment) in _EDITS.items()
    ),
    Case("too-many-envelopes", "65 envelopes", "manifest-failure", too_many_envelopes,
         "spec.envelopes"),
    Case("docker-not-json", "opens, but breaks a rule of its type", "manifest-failure",
         lambda: typed("kubernetes.io/dockerconfigjson", {".dockerconfigjson": b"x"}),
         "data..dockerconfigjson"),
    Case("ssh-key-empty", "opens, but breaks a rule of its type", "manifest-failure",
         lambda: typed("kubernetes.io/ssh-auth", {"ssh-privatekey": b""}), "data.ssh-privatekey"),
)  # fmt: skip
