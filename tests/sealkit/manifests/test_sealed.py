"""The manifest is read strictly, field by field, and written in one way only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.encoding import to_base32, to_base64, to_uuid
from sealkit.errors import ManifestError
from sealkit.manifests.emit import emit_json, emit_yaml
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import (
    MAX_ENVELOPES,
    MAX_WRAPS,
    EnvelopeId,
    SealedEnvelope,
    SealedSecret,
    SealedValue,
)
from sealkit.manifests.secret import MAX_DATA_KEYS
from sealkit.manifests.template import Template
from sealkit.padding import padded_length
from tests.sealkit.samples import REMOVED, Path, edited

EID, OTHER_ID = (to_uuid(bytes([number]) * 16) for number in (0x1A, 3))
KID, OTHER_KID = (to_base32(bytes([number]) * 16) for number in (2, 4))
WRAP = bytes(1168)
ITEM = bytes(136)
VALUE = f"sealed:{EID}.{to_base64(ITEM)}"


def wrap_text(raw: bytes) -> str:
    return f"wrap:{to_base64(raw)}"


RAW: dict[str, Any] = {
    "apiVersion": "sealkit.dev/v1alpha1",
    "kind": "SealedSecret",
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {
        "scope": "strict",
        "envelopes": {EID: {"suite": "X1", "wraps": {KID: wrap_text(WRAP)}}},
        "encryptedData": {"password": VALUE},
        "template": {"type": "Opaque"},
    },
}

raw_ids = st.binary(min_size=16, max_size=16)
wraps = st.dictionaries(raw_ids.map(to_base32), st.just(WRAP), min_size=1, max_size=3)
label_names = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,3}[A-Za-z0-9])?", fullmatch=True)
label_keys = label_names | label_names.map(lambda name: f"example.com/{name}")
label_maps = st.dictionaries(label_keys, label_names | st.just(""), max_size=3)
annotation_maps = st.dictionaries(label_keys, st.text(max_size=5), max_size=3)
lengths = st.integers(0, 70_000).map(lambda size: item_length(padded_length(size + 4)))


def item_length(padded: int) -> int:
    return 56 + padded + 16 * (padded // 16384 + 1)


@st.composite
def manifests(draw: st.DrawFn) -> SealedSecret:
    keys = draw(st.lists(st.from_regex(r"[a-z]{1,4}", fullmatch=True), unique=True, max_size=4))
    eids = draw(st.lists(raw_ids.map(to_uuid), min_size=len(keys), max_size=len(keys)))
    return SealedSecret(
        name="db",
        namespace=draw(st.sampled_from(["", "shop"])),
        scope=draw(st.sampled_from(Scope)),
        envelopes={EnvelopeId(eid): SealedEnvelope("X1", draw(wraps)) for eid in eids},
        encrypted_data={
            key: SealedValue(EnvelopeId(eid), bytes(draw(lengths)))
            for key, eid in zip(keys, eids, strict=True)
        },
        template=Template(
            "example.com/x", draw(st.booleans()), draw(label_maps), draw(annotation_maps)
        ),
        labels=draw(label_maps),
        annotations=draw(annotation_maps),
        suspend=draw(st.booleans()),
        recreate=draw(st.booleans()),
        deletion_policy=draw(st.sampled_from(["Delete", "Retain"])),
    )


@given(manifests())
def test_what_is_written_reads_back_and_is_written_in_the_same_way(sealed: SealedSecret) -> None:
    raw = sealed.to_dict()
    assert SealedSecret.from_dict(raw) == sealed
    again = SealedSecret.from_dict(raw).to_dict()
    assert (emit_yaml(again), emit_json(again)) == (emit_yaml(raw), emit_json(raw))


def reversed_throughout(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: reversed_throughout(value[key]) for key in reversed(value)}


@given(manifests())
def test_the_order_of_what_is_read_does_not_matter(sealed: SealedSecret) -> None:
    mixed = SealedSecret.from_dict(reversed_throughout(sealed.to_dict()))
    assert emit_yaml(mixed.to_dict()) == emit_yaml(sealed.to_dict())


def test_the_canonical_text() -> None:
    sealed = SealedSecret.from_dict(RAW)
    assert emit_yaml(sealed.to_dict()) == "\n".join(
        [
            "apiVersion: sealkit.dev/v1alpha1",
            "kind: SealedSecret",
            "metadata:",
            "  name: db",
            "  namespace: shop",
            "spec:",
            "  scope: strict",
            "  envelopes:",
            f"    {EID}:",
            "      suite: X1",
            "      wraps:",
            f"        {KID}: {wrap_text(WRAP)}",
            "  encryptedData:",
            f"    password: {VALUE}",
            "  template:",
            "    type: Opaque",
            "",
        ]
    )


def test_defaults_may_be_left_out_and_are_left_out() -> None:
    bare = {key: RAW[key] for key in ("apiVersion", "kind")}
    bare |= {"metadata": {"name": "db"}, "spec": {"scope": "cluster-wide"}}
    sealed = SealedSecret.from_dict(bare)
    assert sealed == SealedSecret("db", "", Scope.CLUSTER, {}, {})
    spec: Any = sealed.to_dict()["spec"]
    assert list(spec) == ["scope", "envelopes", "encryptedData", "template"]


def test_what_the_api_server_adds_is_read_over() -> None:
    metadata = RAW["metadata"] | {"uid": "1", "generation": 3, "managedFields": [], "labels": {}}
    raw = RAW | {"metadata": metadata, "status": {"anything": [1]}}
    assert SealedSecret.from_dict(raw) == SealedSecret.from_dict(RAW)


def test_the_key_ids_are_those_of_all_envelopes() -> None:
    second = {OTHER_ID: {"suite": "X1", "wraps": {OTHER_KID: wrap_text(WRAP)}}}
    raw = edited(RAW, ("spec", "envelopes"), RAW["spec"]["envelopes"] | second)
    raw = edited(raw, ("spec", "encryptedData", "b"), VALUE.replace(EID, OTHER_ID))
    assert SealedSecret.from_dict(raw).kids() == {KID, OTHER_KID}


ENVELOPE = ("spec", "envelopes", EID)
WRAPS = (*ENVELOPE, "wraps")
TYPE = ("spec", "template", "type")
DATA = ("spec", "encryptedData", "password")
AT_ENVELOPE = f"spec.envelopes.{EID}"
AT_WRAP = f"{AT_ENVELOPE}.wraps.{KID}"
AT_DATA = "spec.encryptedData.password"


def sealed_value(item: bytes | str, eid: str = EID) -> str:
    return f"sealed:{eid}.{item if isinstance(item, str) else to_base64(item)}"


REFUSED: dict[str, tuple[Path, object, str]] = {
    # What it is
    "kind": (("kind",), "Secret", "kind"),
    "kind-missing": (("kind",), REMOVED, "kind"),
    "kind-of-bitnami": (("apiVersion",), "bitnami.com/v1alpha1", "kind"),
    "newer-version": (("apiVersion",), "sealkit.dev/v1", "kind"),
    "version-list": (("apiVersion",), [], "kind"),
    # Unknown fields, on every level
    "unknown-at-the-root": (("data",), {}, "data"),
    "unknown-in-metadata": (("metadata", "nmae"), "db", "metadata.nmae"),
    "unknown-in-spec": (("spec", "type"), "Opaque", "spec.type"),
    "unknown-in-envelope": ((*ENVELOPE, "mac"), "", f"{AT_ENVELOPE}.mac"),
    "unknown-in-template": (("spec", "template", "text"), {}, "spec.template.text"),
    "unknown-in-template-metadata": (
        ("spec", "template", "metadata"),
        {"name": "x"},
        "spec.template.metadata.name",
    ),
    # Metadata
    "metadata-missing": (("metadata",), REMOVED, "metadata.name"),
    "metadata-null": (("metadata",), None, "metadata"),
    "name-missing": (("metadata", "name"), REMOVED, "metadata.name"),
    "name-number": (("metadata", "name"), 12, "metadata.name"),
    "name-bad": (("metadata", "name"), "Db", "metadata.name"),
    "namespace-number": (("metadata", "namespace"), 12, "metadata.namespace"),
    "namespace-zero": (("metadata", "namespace"), 0, "metadata.namespace"),
    "namespace-false": (("metadata", "namespace"), False, "metadata.namespace"),
    "namespace-null": (("metadata", "namespace"), None, "metadata.namespace"),
    "namespace-bad": (("metadata", "namespace"), "a.b", "metadata.namespace"),
    "label-number": (("metadata", "labels"), {"a": 1}, "metadata.labels.a"),
    "annotation-boolean": (("metadata", "annotations"), {"a": True}, "metadata.annotations.a"),
    # Spec
    "spec-missing": (("spec",), REMOVED, "spec.scope"),
    "spec-list": (("spec",), [], "spec"),
    "scope-missing": (("spec", "scope"), REMOVED, "spec.scope"),
    "scope-null": (("spec", "scope"), None, "spec.scope"),
    "scope-unknown": (("spec", "scope"), "Strict", "spec.scope"),
    "scope-boolean": (("spec", "scope"), True, "spec.scope"),
    "suspend-text": (("spec", "suspend"), "true", "spec.suspend"),
    "recreate-number": (("spec", "recreate"), 1, "spec.recreate"),
    "deletion-policy": (("spec", "deletionPolicy"), "retain", "spec.deletionPolicy"),
    "deletion-policy-list": (("spec", "deletionPolicy"), [], "spec.deletionPolicy"),
    # Envelopes
    "envelopes-list": (("spec", "envelopes"), [], "spec.envelopes"),
    "envelopes-null": (("spec", "envelopes"), None, "spec.envelopes"),
    "envelope-text": (ENVELOPE, "X1", AT_ENVELOPE),
    "envelope-unused": (("spec", "encryptedData"), {}, AT_ENVELOPE),
    "suite-missing": ((*ENVELOPE, "suite"), REMOVED, f"{AT_ENVELOPE}.suite"),
    "suite-unknown": ((*ENVELOPE, "suite"), "X2", f"{AT_ENVELOPE}.suite"),
    "suite-lower-case": ((*ENVELOPE, "suite"), "x1", f"{AT_ENVELOPE}.suite"),
    "suite-list": ((*ENVELOPE, "suite"), ["X1"], f"{AT_ENVELOPE}.suite"),
    "wraps-missing": (WRAPS, REMOVED, f"{AT_ENVELOPE}.wraps"),
    "wraps-empty": (WRAPS, {}, f"{AT_ENVELOPE}.wraps"),
    "wraps-list": (WRAPS, [], f"{AT_ENVELOPE}.wraps"),
    "wrap-number": ((*WRAPS, KID), 5, AT_WRAP),
    "wrap-null": ((*WRAPS, KID), None, AT_WRAP),
    "wrap-empty": ((*WRAPS, KID), "", AT_WRAP),
    "wrap-short": ((*WRAPS, KID), wrap_text(WRAP[1:]), AT_WRAP),
    "wrap-long": ((*WRAPS, KID), wrap_text(WRAP + b"\0"), AT_WRAP),
    "wrap-spare-bits": ((*WRAPS, KID), wrap_text(WRAP)[:-2] + "B=", AT_WRAP),
    "wrap-without-padding": ((*WRAPS, KID), wrap_text(WRAP).rstrip("="), AT_WRAP),
    "wrap-line-break": ((*WRAPS, KID), wrap_text(WRAP) + "\n", AT_WRAP),
    "wrap-folded": ((*WRAPS, KID), wrap_text(WRAP)[:76] + "\n" + wrap_text(WRAP)[76:], AT_WRAP),
    "wrap-url-safe": ((*WRAPS, KID), f"wrap:_{to_base64(WRAP)[1:]}", AT_WRAP),
    "wrap-without-prefix": ((*WRAPS, KID), to_base64(WRAP), AT_WRAP),
    "wrap-other-prefix": ((*WRAPS, KID), f"sealed:{to_base64(WRAP)}", AT_WRAP),
    # Values
    "data-list": (("spec", "encryptedData"), [], "spec.encryptedData"),
    "data-null": (("spec", "encryptedData"), None, "spec.encryptedData"),
    "value-number": (DATA, 5, AT_DATA),
    "value-empty": (DATA, "", AT_DATA),
    "value-plain": (DATA, "hunter2", AT_DATA),
    "value-other-prefix": (DATA, VALUE.replace("sealed:", "vault:"), AT_DATA),
    "value-upper-case-prefix": (DATA, VALUE.replace("sealed:", "Sealed:"), AT_DATA),
    "value-without-envelope": (DATA, f"sealed:{to_base64(ITEM)}", AT_DATA),
    "value-of-no-envelope": (DATA, sealed_value(ITEM, OTHER_ID), AT_DATA),
    "value-envelope-upper-case": (DATA, sealed_value(ITEM, EID.upper()), AT_DATA),
    "value-space": (DATA, f" {VALUE}", AT_DATA),
    "value-line-break": (DATA, f"{VALUE}\n", AT_DATA),
    "value-more-dots": (DATA, f"{VALUE}.", AT_DATA),
    "value-colon-for-the-dot": (DATA, VALUE.replace(".", ":"), AT_DATA),
    "item-empty": (DATA, sealed_value(b""), AT_DATA),
    "item-header-only": (DATA, sealed_value(bytes(56)), AT_DATA),
    "item-of-nothing": (DATA, sealed_value(bytes(72)), AT_DATA),
    "item-short": (DATA, sealed_value(ITEM[1:]), AT_DATA),
    "item-long": (DATA, sealed_value(ITEM + b"\0"), AT_DATA),
    "item-without-the-empty-last-chunk": (DATA, sealed_value(bytes(56 + 16384 + 16)), AT_DATA),
    "item-spare-bits": (DATA, sealed_value(to_base64(ITEM)[:-3] + "B=="), AT_DATA),
    "item-without-padding": (DATA, sealed_value(to_base64(ITEM).rstrip("=")), AT_DATA),
    "item-url-safe": (DATA, sealed_value("-" + to_base64(ITEM)[1:]), AT_DATA),
    "data-key-bad": (("spec", "encryptedData", "a b"), VALUE, "spec.encryptedData.a b"),
    "data-key-dots": (("spec", "encryptedData", "..a"), VALUE, "spec.encryptedData...a"),
    "data-key-number": (("spec", "encryptedData", 5), VALUE, "spec.encryptedData"),  # type: ignore[dict-item]  # on purpose
    # Template
    "template-list": (("spec", "template"), [], "spec.template"),
    "type-number": (TYPE, 5, "spec.template.type"),
    "type-empty": (TYPE, "", "spec.template.type"),
    "type-service-account": (TYPE, "kubernetes.io/service-account-token", "spec.template.type"),
    "type-bootstrap": (TYPE, "bootstrap.kubernetes.io/token", "spec.template.type"),
    "type-tls": (TYPE, "kubernetes.io/tls", "spec.encryptedData.tls.crt"),
    "immutable-text": (("spec", "template", "immutable"), "no", "spec.template.immutable"),
    "template-label": (
        ("spec", "template", "metadata"),
        {"labels": {"a": 1}},
        "spec.template.metadata.labels.a",
    ),
    "template-annotations": (
        ("spec", "template", "metadata"),
        {"annotations": []},
        "spec.template.metadata.annotations",
    ),
}


@pytest.mark.parametrize(("path", "value", "field"), REFUSED.values(), ids=list(REFUSED))
def test_anything_else_is_refused_with_its_field(path: Path, value: object, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        SealedSecret.from_dict(edited(RAW, path, value))
    assert caught.value.field == field
    assert to_base64(ITEM)[:20] not in str(caught.value)


BAD_EIDS = {
    "upper-case": EID.upper(),
    "short": EID[1:],
    "long": EID + "a",
    "no-hyphens": EID.replace("-", ""),
    "hyphens-elsewhere": EID[1:9] + EID[0] + EID[9:],
    "braces": f"{{{EID}}}",
    "spaces": EID.replace("-", " "),
    "no-digit": "g" + EID[1:],
    "base32": KID,
    "empty": "",
}
BAD_KIDS = {
    "upper-case": KID.upper(),
    "short": KID[1:],
    "long": KID + "a",
    "padding": KID + "======",
    "spare-bits": KID[:-1] + "b",
    "uuid": EID,
    "empty": "",
}


@pytest.mark.parametrize("bad", BAD_EIDS.values(), ids=list(BAD_EIDS))
def test_a_bad_envelope_id_is_refused(bad: str) -> None:
    raw = edited(RAW, ("spec", "envelopes"), {bad: RAW["spec"]["envelopes"][EID]})
    with pytest.raises(ManifestError) as caught:
        SealedSecret.from_dict(raw)
    assert caught.value.field == f"spec.envelopes.{bad}"


@pytest.mark.parametrize("bad", BAD_KIDS.values(), ids=list(BAD_KIDS))
def test_a_bad_key_id_is_refused(bad: str) -> None:
    with pytest.raises(ManifestError) as caught:
        SealedSecret.from_dict(edited(RAW, WRAPS, {bad: wrap_text(WRAP)}))
    assert caught.value.field == f"{AT_ENVELOPE}.wraps.{bad}"


def many_envelopes(count: int) -> dict[str, Any]:
    eids = [to_uuid(number.to_bytes(16, "big")) for number in range(count)]
    envelope = RAW["spec"]["envelopes"][EID]
    data = {f"k{number}": sealed_value(ITEM, eid) for number, eid in enumerate(eids)}
    raw = edited(RAW, ("spec", "envelopes"), dict.fromkeys(eids, envelope))
    return edited(raw, ("spec", "encryptedData"), data)


def many_wraps(count: int) -> dict[str, Any]:
    kids = [to_base32(number.to_bytes(16, "big")) for number in range(count)]
    return edited(RAW, WRAPS, dict.fromkeys(kids, wrap_text(WRAP)))


def many_keys(count: int) -> dict[str, Any]:
    keys = {f"k{number}": VALUE for number in range(count)}
    return edited(RAW, ("spec", "encryptedData"), keys)


@pytest.mark.parametrize(
    ("make", "limit", "field"),
    [
        pytest.param(many_envelopes, MAX_ENVELOPES, "spec.envelopes", id="envelopes"),
        pytest.param(many_wraps, MAX_WRAPS, f"{AT_ENVELOPE}.wraps", id="wraps"),
        pytest.param(many_keys, MAX_DATA_KEYS, "spec.encryptedData", id="keys"),
    ],
)
def test_a_limit_holds(make: Callable[[int], dict[str, Any]], limit: int, field: str) -> None:
    SealedSecret.from_dict(make(limit))
    with pytest.raises(ManifestError) as caught:
        SealedSecret.from_dict(make(limit + 1))
    assert caught.value.field == field


def test_the_limits_are_those_of_the_format() -> None:
    assert (MAX_ENVELOPES, MAX_WRAPS, MAX_DATA_KEYS) == (64, 64, 1024)


@pytest.mark.parametrize("raw", [{1: 2}, [], None, "text"], ids=repr)
def test_a_document_that_is_no_mapping_of_strings_is_refused(raw: Any) -> None:
    with pytest.raises(ManifestError):
        SealedSecret.from_dict(raw)


@pytest.mark.parametrize("size", [0, 60, 61, 1020, 1021, 16380, 16381, 100_000, 1 << 20])
def test_the_length_of_any_sealed_value_is_accepted(size: int) -> None:
    item = bytes(item_length(padded_length(size + 4)))
    assert SealedValue.parse(sealed_value(item), "x").item == item


def test_checks_hold_before_writing_as_well() -> None:
    sealed = SealedSecret.from_dict(RAW)
    for changed in (
        sealed._replace(envelopes={}),
        sealed._replace(encrypted_data={}),
        sealed._replace(template=Template(type="")),
    ):
        with pytest.raises(ManifestError):
            changed.check()
