"""Which values of a Secret are references, with the annotations of the peers."""

from __future__ import annotations

import traceback

import pytest

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.modifiers import Plain
from sealkit.references.recognise import ANNOTATIONS, recognise, recognise_encoded
from sealkit.references.reference import Kv, Reference
from sealkit.references.template import Template
from sealkit.sensitive import Sensitive

AVP = "avp.kubernetes.io/"
BVW = "vault.security.banzaicloud.io/"
CANARY = "canary-canary"


def parts(value: bytes, annotations: dict[str, str]) -> tuple[object, ...] | None:
    found = recognise({"k": Sensitive(value)}, annotations).references
    return found["k"].parts if found else None


def test_references_and_values_go_separate_ways() -> None:
    data = {
        "url": Sensitive(b"db://${vault:kv/a#user}@host"),
        "plain": Sensitive(b"secret"),
        "bytes": Sensitive(b"vault:kv/a#k\xff"),
        "one": Sensitive(b"vault:kv/a#k"),
    }
    found = recognise(data)
    assert found.references == {
        "one": Template((Reference("kv/a", "k"),)),
        "url": Template(("db://", Reference("kv/a", "user"), "@host")),
    }
    assert found.values == {"bytes": data["bytes"], "plain": data["plain"]}
    assert [*found.references, *found.values] == ["one", "url", "bytes", "plain"]


def test_what_fits_into_no_secret_is_not_looked_at() -> None:
    assert parts(b"vault:" + bytes(1 << 20), {}) is None


K = Reference("kv/data/a", "k")
ANNOTATED: dict[str, tuple[bytes, dict[str, str], tuple[object, ...] | None]] = {
    "no-path": (b"<k>", {}, None),
    "path": (b"<k>", {AVP + "path": "kv/data/a"}, (K,)),
    "kv": (b"<path:a#k>", {AVP + "kv-version": "1"}, (Reference("a", "k", kv=Kv.V1),)),
    "generic": (
        b"<k>",
        {AVP + "path": "kv/data/a", AVP + "kv-version": "2", AVP + "secret-version": "3"},
        (Reference("kv/data/a", "k", kv=Kv.V2, version=3),),
    ),
    "version-of-generic-only": (
        b"<path:kv/data/a#k>",
        {AVP + "path": "x", AVP + "secret-version": "3"},
        (K,),
    ),
    "remove-missing": (
        b"<k>",
        {AVP + "path": "kv/data/a", AVP + "remove-missing": "true"},
        (Reference("kv/data/a", "k", optional=True),),
    ),
    "ignore": (b"<path:a#k>", {AVP + "ignore": "true", AVP + "path": "//"}, None),
    "not-ignored": (b"<path:kv/data/a#k>", {AVP + "ignore": "false"}, (K,)),
    "ignore-is-not-for-all": (b"vault:kv/data/a#k", {AVP + "ignore": "true"}, (K,)),
}


@pytest.mark.parametrize(("value", "notes", "expected"), ANNOTATED.values(), ids=list(ANNOTATED))
def test_annotations_say_how_to_read(
    value: bytes, notes: dict[str, str], expected: tuple[object, ...] | None
) -> None:
    assert parts(value, notes) == expected
    assert {*notes} <= {*ANNOTATIONS}


def test_annotations_say_how_to_decrypt() -> None:
    found = parts(b"vault:v1:AAAA", {BVW + "transit-key-id": "shop", BVW + "transit-path": "t"})
    assert found
    assert isinstance(found[0], Reference)
    assert found[0].path == "t/decrypt/shop"
    assert {BVW + "transit-key-id", BVW + "transit-path"} <= {*ANNOTATIONS}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (AVP + "path", "a/../b"),
        (AVP + "kv-version", "3"),
        (AVP + "secret-version", "latest"),
        (BVW + "transit-key-id", "a//b"),
        (BVW + "transit-path", "%2e"),
    ],
)
def test_an_annotation_that_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        recognise({}, {AVP + "path": "a", name: value})
    field = caught.value.field
    assert field.startswith(f"metadata.annotations.{name}")


@pytest.mark.parametrize(
    "text",
    [
        *(f"vault:{CANARY}", f"vault:kv/a#k | {CANARY}", f"vault:kv/a#k#{CANARY}"),
        *(f"vault:{CANARY}//#k", f">>vault:a#b#{{{CANARY}", f"vault:kv/a#${{{CANARY}}}"),
        *(f"{CANARY} <path:{CANARY}", f"<path:{CANARY}#a#b#c>", f"{CANARY} ${{vault:{CANARY}"),
        *(f"vault:kv/a#{CANARY}\0", f"vault:v1:{CANARY}", f"vault:kv/a#k | indent {CANARY}"),
    ],
)
def test_a_value_that_was_no_reference_after_all_is_not_shown(text: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        recognise({"k": Sensitive(text.encode())})
    error = caught.value
    assert error.field.startswith("data.k")
    assert CANARY not in str(vars(error))
    assert CANARY not in "".join(traceback.format_exception(error))
    assert error.__context__ is None


ENCODED: dict[str, tuple[str, Reference | None]] = {
    "base64": ("c2VjcmV0", None),
    "empty": ("", None),
    "encoded": ("<path:kv/data/a#k | base64encode>", K),
    "is-base64": (
        "<path:kv/data/a#k>",
        Reference("kv/data/a", "k", modifiers=(Plain.BASE64_DECODE,)),
    ),
    "encoded-before": (
        "<path:kv/data/a#k | base64encode | sha256sum>",
        Reference(
            "kv/data/a",
            "k",
            modifiers=(Plain.BASE64_ENCODE, Plain.SHA256_SUM, Plain.BASE64_DECODE),
        ),
    ),
}


@pytest.mark.parametrize(("text", "reference"), ENCODED.values(), ids=list(ENCODED))
def test_a_reference_where_base64_should_be(text: str, reference: Reference | None) -> None:
    expected = Template((reference,)) if reference else None
    assert recognise_encoded("data.k", text) == expected


@pytest.mark.parametrize("text", ["YQ==<path:a#b>", "<path:a#b><path:a#c>", "<path:a>"])
def test_base64_cannot_be_put_together(text: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        recognise_encoded("data.k", text)
    assert caught.value.field == "data.k"
