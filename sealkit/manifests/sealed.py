"""The SealedSecret: our manifest, read strictly and written canonically (docs/format.md).

Equal content has one spelling. Whatever this module accepts it writes back byte for byte equal, in
fixed field order with sorted maps. Lengths are those of suite X1; nothing is decrypted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, NewType

from sealkit import fields
from sealkit.encoding import from_base32, from_base64, from_uuid, to_base64
from sealkit.errors import ManifestError
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import MAX_DATA_KEYS, check_data_key, check_keys
from sealkit.manifests.template import Template, metadata_maps, parse_template
from sealkit.manifests.vault import (
    VaultTerms,
    Workload,
    parse_references,
    parse_restarts,
    parse_vault,
)
from sealkit.padding import is_padded_length

if TYPE_CHECKING:
    from sealkit.references.template import Template as ValueTemplate

GROUP: Final = "sealkit.dev"
API_VERSION: Final = f"{GROUP}/v1alpha1"
KIND: Final = "SealedSecret"
MAX_ENVELOPES: Final = 64
MAX_WRAPS: Final = 64

EnvelopeId = NewType("EnvelopeId", str)
DeletionPolicy = Literal["Delete", "Retain"]

_KID_BYTES: Final = 16
_WRAP_BYTES: Final = 1168
_CHUNK: Final = 16 * 1024  # C2SP chunked-encryption: plaintext bytes of a full chunk
_TAG: Final = 16
_ITEM_HEADER: Final = 24 + 32  # salt and commitment
_VALUE_PREFIX: Final = "sealed"
_WRAP_PREFIX: Final = "wrap"

_ROOT_FIELDS: Final = ("apiVersion", "kind", "metadata", "spec", "status")
_SPEC_FIELDS: Final = (
    *("scope", "envelopes", "encryptedData", "references", "vault", "template"),
    *("rolloutRestart", "suspend", "recreate", "deletionPolicy"),
)
_OBJECT_META: Final = (
    *("name", "namespace", "labels", "annotations", "uid", "resourceVersion", "generation"),
    *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "finalizers"),
    *("ownerReferences", "managedFields", "generateName", "selfLink"),
)


class SealedEnvelope(NamedTuple):
    """One data key, encrypted to each cluster: key id to wrap of 1168 bytes."""

    suite: str
    wraps: Mapping[str, bytes]


class SealedValue(NamedTuple):
    """One encrypted value and the envelope whose data key opens it."""

    envelope: EnvelopeId
    item: bytes

    def __str__(self) -> str:
        """Return `sealed:<envelope>.<base64>`; this very form keeps secret scanners quiet."""
        return f"{_VALUE_PREFIX}:{self.envelope}.{to_base64(self.item)}"

    @classmethod
    def parse(cls, text: str, path: str) -> SealedValue:
        """Parse what `str` writes.

        Raises:
            ManifestError: another form, or a length that no padded value has.
        """
        prefix, _, rest = text.partition(":")
        envelope, dot, encoded = rest.partition(".")
        if prefix != _VALUE_PREFIX or not dot:
            raise ManifestError("is not of the form sealed:<envelope>.<base64>", field=path)
        from_uuid(envelope, path)
        item = from_base64(encoded, path)
        if not _is_item_length(len(item)):
            raise ManifestError("has a length that no sealed value has", field=path)
        return cls(EnvelopeId(envelope), item)


class SealedSecret(NamedTuple):
    """A whole manifest. `labels` and `annotations` are those of the manifest itself.

    The values of the Secret are in `encrypted_data` or, as templates of references to Vault, in
    `references`; `vault` says how those are resolved, `restarts` which workloads are restarted
    when the data of the Secret changes.

    `suspend` stops the controller from touching the Secret; `recreate` lets it delete and create a
    Secret whose type or immutability forbids an update; `deletion_policy` says what becomes of the
    Secret when the manifest is deleted.
    """

    name: str
    namespace: str
    scope: Scope
    envelopes: Mapping[EnvelopeId, SealedEnvelope]
    encrypted_data: Mapping[str, SealedValue]
    template: Template = Template()
    references: Mapping[str, ValueTemplate] = {}
    vault: VaultTerms = VaultTerms()
    restarts: tuple[Workload, ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    suspend: bool = False
    recreate: bool = False
    deletion_policy: DeletionPolicy = "Delete"

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> SealedSecret:
        """Parse a manifest, from a file or from the API server. `status` is not looked at.

        Raises:
            ManifestError: a field is unknown, missing, not canonical, too large, or names an
                envelope that is not there; an envelope that no value uses.
        """
        fields.only(fields.mapping(raw, ""), _ROOT_FIELDS, "")
        if (raw.get("apiVersion"), raw.get("kind")) != (API_VERSION, KIND):
            raise ManifestError(f"is not a {KIND} of {API_VERSION}", field="kind")
        metadata = fields.mapping(raw.get("metadata", {}), "metadata")
        fields.only(metadata, _OBJECT_META, "metadata")
        sealed = cls(
            name=fields.object_name(metadata.get("name", "")),
            namespace=fields.namespace_or_none(metadata.get("namespace", "")),
            labels=fields.label_map(metadata.get("labels", {}), "metadata.labels"),
            annotations=fields.annotation_map(
                metadata.get("annotations", {}), "metadata.annotations"
            ),
            **_spec(fields.mapping(raw.get("spec", {}), "spec")),  # type: ignore[arg-type]  # checked there
        )
        sealed.check()
        return sealed

    def check(self) -> None:
        """Check what concerns several fields at once, before writing as well as after reading.

        Raises:
            ManifestError: see `from_dict`.
        """
        self._check_envelopes()
        self._check_names()
        keys = dict.fromkeys(self.template.keys(self.value_names))
        check_keys(self.template.type, keys, self._keys_path, "spec.template.type")

    def _check_envelopes(self) -> None:
        used = {value.envelope for value in self.encrypted_data.values()}
        for key, value in self.encrypted_data.items():
            if value.envelope not in self.envelopes:
                path = f"spec.encryptedData.{key}"
                raise ManifestError("names an envelope that spec.envelopes has not", field=path)
        for envelope in self.envelopes:
            if envelope not in used:
                raise ManifestError("is used by no value", field=f"spec.envelopes.{envelope}")
        if len(self.envelopes) > MAX_ENVELOPES:
            raise ManifestError(f"has more than {MAX_ENVELOPES} entries", field="spec.envelopes")

    def _check_names(self) -> None:
        sources = (
            ("spec.encryptedData", self.encrypted_data),
            ("spec.references", self.references),
        )
        for path, entries in sources:
            if len(entries) > MAX_DATA_KEYS:
                raise ManifestError(f"has more than {MAX_DATA_KEYS} keys", field=path)
            for key in entries:
                check_data_key(key, path)
        if twice := sorted(self.encrypted_data.keys() & self.references.keys()):
            what = "is in spec.encryptedData too"
            raise ManifestError(what, field=f"spec.references.{twice[0]}")
        if self.vault != VaultTerms() and not self.references:
            raise ManifestError("is there without spec.references", field="spec.vault")
        self.template.check(self.value_names)

    @property
    def value_names(self) -> frozenset[str]:
        """The names of all values, sealed or referred to."""
        return frozenset((*self.encrypted_data, *self.references))

    @property
    def _keys_path(self) -> str:
        """Where to say that a data key is missing."""
        return "spec.encryptedData" if not self.references else "spec"

    def to_dict(self) -> dict[str, object]:
        """Return the canonical manifest: fixed field order, sorted maps, defaults left out."""
        metadata: dict[str, object] = {"name": self.name}
        if self.namespace:
            metadata["namespace"] = self.namespace
        metadata |= metadata_maps(self.labels, self.annotations)
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": self._spec()}

    def _spec(self) -> dict[str, object]:
        spec: dict[str, object] = {
            "scope": self.scope.value,
            "envelopes": envelopes_to_dict(self.envelopes),
            "encryptedData": {
                key: str(self.encrypted_data[key]) for key in sorted(self.encrypted_data)
            },
        }
        if self.references:
            spec["references"] = {
                key: self.references[key].to_dict() for key in sorted(self.references)
            }
        if vault := self.vault.to_dict():
            spec["vault"] = vault
        spec["template"] = self.template.to_dict()
        if self.restarts:
            spec["rolloutRestart"] = [workload.to_dict() for workload in self.restarts]
        if self.suspend:
            spec["suspend"] = True
        if self.recreate:
            spec["recreate"] = True
        if self.deletion_policy != "Delete":
            spec["deletionPolicy"] = self.deletion_policy
        return spec

    def kids(self) -> frozenset[str]:
        """Return the ids of all keys that some envelope is wrapped to."""
        return frozenset(kid for envelope in self.envelopes.values() for kid in envelope.wraps)


def _is_item_length(length: int) -> bool:
    body = length - _ITEM_HEADER
    chunks = body // (_CHUNK + _TAG) + 1  # the last chunk is shorter than full, maybe empty
    return body > 0 and is_padded_length(body - chunks * _TAG)


def _spec(spec: Mapping[str, object]) -> dict[str, object]:
    fields.only(spec, _SPEC_FIELDS, "spec")
    if "scope" not in spec:
        raise ManifestError("is missing", field="spec.scope")
    return {
        "scope": _scope(spec["scope"]),
        "envelopes": _envelopes(spec.get("envelopes", {})),
        "encrypted_data": _encrypted_data(spec.get("encryptedData", {})),
        "references": parse_references(spec.get("references", {})),
        "vault": parse_vault(spec.get("vault", {})),
        "template": parse_template(spec.get("template", {})),
        "restarts": parse_restarts(spec.get("rolloutRestart", [])),
        "suspend": fields.flag(spec.get("suspend", False), "spec.suspend"),
        "recreate": fields.flag(spec.get("recreate", False), "spec.recreate"),
        "deletion_policy": _deletion_policy(spec.get("deletionPolicy", "Delete")),
    }


def _scope(raw: object) -> Scope:
    try:
        return Scope(fields.text(raw, "spec.scope"))
    except ValueError:
        known = ", ".join(scope.value for scope in Scope)
        raise ManifestError(f"is not one of {known}", field="spec.scope") from None


def _deletion_policy(raw: object) -> DeletionPolicy:
    if raw == "Delete":
        return "Delete"
    if raw == "Retain":
        return "Retain"
    raise ManifestError("is neither Delete nor Retain", field="spec.deletionPolicy")


def _envelopes(raw: object) -> dict[EnvelopeId, SealedEnvelope]:
    entries = fields.mapping(raw, "spec.envelopes")
    return {EnvelopeId(eid): _envelope(eid, entries[eid]) for eid in sorted(entries)}


def _envelope(eid: str, raw: object) -> SealedEnvelope:
    path = f"spec.envelopes.{eid}"
    from_uuid(eid, path)
    entry = fields.mapping(raw, path)
    fields.only(entry, ("suite", "wraps"), path)
    if entry.get("suite") != "X1":
        hint = "a newer sealkit may know it: see `sealkit version`"
        raise ManifestError(
            "is not a suite this version knows, expected X1", field=f"{path}.suite", hint=hint
        )
    wraps = fields.string_map(entry.get("wraps", {}), f"{path}.wraps")
    if not 0 < len(wraps) <= MAX_WRAPS:
        raise ManifestError(f"has not 1 to {MAX_WRAPS} entries", field=f"{path}.wraps")
    return SealedEnvelope(
        "X1", {kid: _wrap(kid, text, f"{path}.wraps.{kid}") for kid, text in wraps.items()}
    )


def _wrap(kid: str, text: str, path: str) -> bytes:
    from_base32(kid, _KID_BYTES, path)
    prefix, colon, encoded = text.partition(":")
    if prefix != _WRAP_PREFIX or not colon:
        raise ManifestError("is not of the form wrap:<base64>", field=path)
    wrapped = from_base64(encoded, path)
    if len(wrapped) != _WRAP_BYTES:
        raise ManifestError(f"is not the base64 of {_WRAP_BYTES} bytes", field=path)
    return wrapped


def _encrypted_data(raw: object) -> dict[str, SealedValue]:
    entries = fields.string_map(raw, "spec.encryptedData")
    return {
        key: SealedValue.parse(text, f"spec.encryptedData.{key}") for key, text in entries.items()
    }


def envelopes_to_dict(envelopes: Mapping[EnvelopeId, SealedEnvelope]) -> dict[str, object]:
    """Return `spec.envelopes`, sorted."""
    return {eid: envelope_to_dict(envelopes[eid]) for eid in sorted(envelopes)}


def envelope_to_dict(envelope: SealedEnvelope) -> dict[str, object]:
    """Return one entry of `spec.envelopes`, its wraps sorted by key id."""
    wraps = {
        kid: f"{_WRAP_PREFIX}:{to_base64(envelope.wraps[kid])}" for kid in sorted(envelope.wraps)
    }
    return {"suite": envelope.suite, "wraps": wraps}
