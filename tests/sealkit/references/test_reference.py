"""A Reference is right or is not there, and has one spelling."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.modifiers import Plain
from sealkit.references.reference import (
    Decode,
    JsonObject,
    Kv,
    Method,
    Reference,
    Store,
    StoreKind,
)
from sealkit.references.structured import from_dict
from sealkit.references.template import Template, from_raw, parse
from tests.sealkit.references.samples import references


@given(references())
def test_what_is_printed_reads_as_what_it_was(reference: Reference) -> None:
    assert from_raw(reference.to_raw()) == Template((reference,))


@given(references())
def test_the_structured_form_says_all(reference: Reference) -> None:
    assert from_dict(json.loads(json.dumps(reference.to_dict()))) == reference


@given(references())
def test_the_text_is_the_spelling_or_the_structured_form(reference: Reference) -> None:
    text = str(reference)
    assert text == reference.to_raw() or json.loads(text) == reference.to_raw()


@given(references())
def test_only_what_has_no_place_in_a_line_is_structured(reference: Reference) -> None:
    plain = Reference(reference.path, "key", version=3, modifiers=reference.modifiers)
    text = plain.spelled()
    assert "<path:" in repr(plain.modifiers) or (text and text.startswith("vault:"))


@pytest.mark.parametrize(
    "field",
    [
        {"mount": "kv"},
        {"namespace": "a"},
        {"store": Store("v")},
        {"kv": Kv.V2},
        {"decode": Decode.AUTO},
        {"default": ""},
        {"optional": True},
        {"method": Method.POST},
        {"method": Method.LIST},
        {"key": ""},
        {"key": "a "},
        {"key": "<path:"},
    ],
    ids=str,
)
def test_a_line_does_not_leave_out_what_it_cannot_say(field: dict[str, Any]) -> None:
    reference = Reference(**{"path": "kv/a", "key": "k", **field})
    assert reference.spelled() is None
    assert isinstance(reference.to_raw(), dict)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("vault:kv/a#k", "vault:kv/a#k"),
        ("vault:kv/a # k # 03|base64decode\n", "vault:kv/a#k#3 | base64decode"),
        ("<path:kv/a#k|jsonPath {$['a'][\"b c\"][-1]}>", "vault:kv/a#k | jsonPath {.a['b c'][-1]}"),
        ('>>vault:kv/a#k#{"b": 1,"a" :2}', '>>vault:kv/a#k#{"a":2,"b":1}'),
        (">>vault:kv/a#k#{}", ">>vault:kv/a#k"),
        (r"vault:kv/a#a\>b\.c{d}", r"vault:kv/a#a>b\\.c\{d\}"),
    ],
)
def test_equal_content_has_one_spelling(text: str, canonical: str) -> None:
    template = parse(text)
    assert template
    assert template.to_raw() == canonical
    assert from_raw(canonical).to_raw() == canonical


@pytest.mark.parametrize(
    "path",
    [
        *("", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a/..", "../sys/x"),
        *(
            "a%2fb",
            "a/%2e%2e/b",
            "a\\b",
            "a?version=2",
            "a#b",
            "a\nb",
            "a\x00b",
            "a\x7fb",
            "a\x85b",
        ),
        *(" a", "a ", "a/ b", "a\u200bb", "a\u202eb", "a\u2028b", "a\ud800", "a" * 1025),
        *("cubbyhole", "cubbyhole/x"),
    ],
    ids=ascii,
)
def test_a_path_that_could_mean_another_is_refused(path: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        Reference(path)
    assert caught.value.field == "path"


@pytest.mark.parametrize(
    "path", ["a", "a/b", "a b/c", "...", "a..b", "kv/cubbyhole", "ü/*+", "a" * 1024]
)
def test_other_paths_are_taken_as_they_are(path: str) -> None:
    assert Reference(path).location == path


TOO_MANY = (Plain.SHA256_SUM,) * 17
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "mount": ({"mount": "a/../b"}, "mount"),
    "mount-cubbyhole": ({"mount": "cubbyhole"}, "mount"),
    "mount-cubbyhole-of-a-namespace": ({"mount": "team/cubbyhole"}, "mount"),
    "long-together": ({"mount": "a" * 512, "path": "a" * 512}, "path"),
    "namespace": ({"namespace": "/a"}, "namespace"),
    "key-control": ({"key": "a\nb"}, "key"),
    "key-long": ({"key": "a" * 1025}, "key"),
    "version-zero": ({"version": 0}, "version"),
    "version-large": ({"version": 1 << 31}, "version"),
    "version-kv1": ({"version": 1, "kv": Kv.V1}, "version"),
    "version-raw": ({"version": 1, "kv": Kv.RAW}, "version"),
    "version-put": ({"version": 1, "method": Method.PUT}, "version"),
    "kv-put": ({"kv": Kv.V2, "method": Method.PUT}, "kv"),
    "body-get": ({"body": JsonObject('{"a":1}')}, "body"),
    "body-list": ({"body": JsonObject('{"a":1}'), "method": Method.LIST}, "body"),
    "body-not-canonical": ({"body": JsonObject('{"a": 1}'), "method": Method.PUT}, "body"),
    "body-empty": ({"body": JsonObject("{}"), "method": Method.PUT}, "body"),
    "modifiers": ({"modifiers": TOO_MANY}, "modifiers"),
    "default-and-optional": ({"default": "", "optional": True}, "optional"),
    "default-surrogate": ({"default": "\udfff"}, "default"),
    "default-long": ({"default": "a" * 65537}, "default"),
}


@pytest.mark.parametrize(("given", "field"), REFUSED.values(), ids=list(REFUSED))
def test_a_field_that_is_wrong_is_named(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        Reference(**{"path": "kv/a", **given})
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a..b", "a" * 254])
def test_a_store_has_a_name_that_kubernetes_accepts(name: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        Store(name, StoreKind.CLUSTER)
    assert caught.value.field == "store"


def test_the_location_is_mount_and_path() -> None:
    assert Reference("shop/db", mount="team/kv").location == "team/kv/shop/db"


def test_references_can_be_counted() -> None:
    assert len({Reference("a", "b"), Reference("a", "b"), Reference("a", "c")}) == 2
