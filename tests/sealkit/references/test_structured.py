"""The structured spelling, with the words of External Secrets and VSO for the same things."""

from __future__ import annotations

from typing import Any

import pytest

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.modifiers import Indent, Plain
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

FULL: dict[str, Any] = {
    "store": {"name": "vault", "kind": "ClusterVaultStore"},
    "namespace": "team-a",
    "mount": "kv",
    "path": "shop/db",
    "key": "password",
    "kv": "v2",
    "version": 3,
    "decode": "base64",
    "modifiers": ["jsonPath {.a}", "indent 2"],
    "default": "",
}


def test_all_fields_come_back_in_their_order() -> None:
    assert [*from_dict(FULL).to_dict().items()] == [*FULL.items()]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, {}, id="whole-secret"),
        pytest.param({"property": "a.b"}, {"key": "a.b"}, id="eso-property"),
        pytest.param({"version": "3"}, {"version": 3}, id="eso-version"),
        pytest.param({"decode": "Base64URL"}, {"decode": Decode.BASE64_URL}, id="eso-decode"),
        pytest.param({"decode": "None"}, {}, id="eso-no-decode"),
        pytest.param({"kv": "kv-v2"}, {"kv": Kv.V2}, id="vso-type"),
        pytest.param({"kv": 1}, {"kv": Kv.V1}, id="kv-number"),
        pytest.param({"kv": "2"}, {"kv": Kv.V2}, id="kv-digit"),
        pytest.param({"kv": "raw"}, {"kv": Kv.RAW}, id="kv-raw"),
        pytest.param({"store": "vault"}, {"store": Store("vault")}, id="store-name"),
        pytest.param({"store": {"name": "v"}}, {"store": Store("v")}, id="store-mapping"),
        pytest.param({"optional": True}, {"optional": True}, id="optional"),
        pytest.param({"default": None, "key": None, "body": None}, {}, id="null-is-absent"),
        pytest.param(
            {"modifiers": ["base64decode"]}, {"modifiers": (Plain.BASE64_DECODE,)}, id="modifier"
        ),
    ],
)
def test_words_of_the_peers(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert from_dict({"path": "kv/a", **given}) == Reference("kv/a", **expected)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param('{"b": 1.0, "a": "x"}', '{"a":"x","b":1.0}', id="text"),
        pytest.param(
            {"b": [1, 2.5, True, None], "a": {}}, '{"a":{},"b":[1,2.5,true,null]}', id="map"
        ),
        pytest.param({}, "", id="empty-map"),
        pytest.param("", "", id="empty-text"),
    ],
)
def test_a_body_is_kept_as_canonical_json(body: object, text: str) -> None:
    reference = from_dict({"path": "pki/issue/a", "method": "POST", "body": body})
    assert reference == Reference("pki/issue/a", method=Method.POST, body=JsonObject(text))
    assert reference.to_dict().get("body", "") == text


DEEP: Any = {}
for _ in range(70):
    DEEP = {"a": DEEP}
CANARY = "canary-canary"

REFUSED: dict[str, tuple[object, str]] = {
    "no-mapping": (5, ""),
    "list": ([CANARY], ""),
    "unknown": ({"path": "a", "keys": CANARY}, "keys"),
    "name-no-string": ({"path": "a", 1: CANARY}, ""),
    "eso-key-for-path": ({"key": "apps/db", "property": CANARY}, "path"),
    "key-twice": ({"path": "a", "key": CANARY, "property": "b"}, "property"),
    "path-number": ({"path": 5}, "path"),
    "key-number": ({"path": "a", "key": 5}, "key"),
    "kv-word": ({"path": "a", "kv": CANARY}, "kv"),
    "kv-flag": ({"path": "a", "kv": True}, "kv"),
    "kv-list": ({"path": "a", "kv": [1]}, "kv"),
    "version-flag": ({"path": "a", "version": True}, "version"),
    "version-text": ({"path": "a", "version": "-1"}, "version"),
    "version-digits": ({"path": "a", "version": "9" * 11}, "version"),
    "version-other-digits": ({"path": "a", "version": "٣"}, "version"),
    "version-float": ({"path": "a", "version": 1.0}, "version"),
    "method": ({"path": "a", "method": "get"}, "method"),
    "decode": ({"path": "a", "decode": "hex"}, "decode"),
    "decode-number": ({"path": "a", "decode": 64}, "decode"),
    "modifiers-text": ({"path": "a", "modifiers": "indent 2"}, "modifiers"),
    "modifier": ({"path": "a", "modifiers": [CANARY]}, "modifiers"),
    "modifier-mapping": ({"path": "a", "modifiers": [{}]}, "modifiers"),
    "modifiers-many": ({"path": "a", "modifiers": ["indent 2"] * 17}, "modifiers"),
    "optional": ({"path": "a", "optional": "yes"}, "optional"),
    "default": ({"path": "a", "default": 5}, "default"),
    "store-kind": ({"path": "a", "store": {"name": "v", "kind": "Vault"}}, "store.kind"),
    "store-field": ({"path": "a", "store": {"nam": "v"}}, "store.nam"),
    "store-nothing": ({"path": "a", "store": {}}, "store"),
    "store-number": ({"path": "a", "store": {"name": 5}}, "store.name"),
    "body-list": ({"path": "a", "method": "PUT", "body": []}, "body"),
    "body-date": ({"path": "a", "method": "PUT", "body": {"a": object()}}, "body"),
    "body-name": ({"path": "a", "method": "PUT", "body": {1: 1}}, "body"),
    "body-nan": ({"path": "a", "method": "PUT", "body": {"a": float("nan")}}, "body"),
    "body-huge": ({"path": "a", "method": "PUT", "body": {"a": 10**5000}}, "body"),
    "body-deep": ({"path": "a", "method": "PUT", "body": DEEP}, "body"),
    "body-deep-text": ({"path": "a", "method": "PUT", "body": '{"a":' * 99999}, "body"),
    "body-surrogate": ({"path": "a", "method": "PUT", "body": '{"a":"\\ud800"}'}, "body"),
    "body-text": ({"path": "a", "method": "PUT", "body": CANARY}, "body"),
    "body-long": ({"path": "a", "method": "PUT", "body": "{}" + " " * (1 << 20)}, "body"),
}


@pytest.mark.parametrize(("raw", "field"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_wrong_is_named_by_its_field_and_not_shown(raw: object, field: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        from_dict(raw, "spec.references.a")
    assert caught.value.field == (f"spec.references.a.{field}" if field else "spec.references.a")
    assert CANARY not in str(vars(caught.value))


def test_a_deep_body_is_taken_up_to_the_limit() -> None:
    body: Any = {}
    for _ in range(60):
        body = {"a": body}
    assert from_dict({"path": "a", "method": "PUT", "body": body}).body.count("{") == 61


def test_the_kind_of_a_store_is_said_where_it_is_not_the_usual() -> None:
    assert Reference("a", store=Store("v")).to_dict() == {"store": "v", "path": "a"}
    cluster = Reference("a", store=Store("v", StoreKind.CLUSTER)).to_dict()
    assert cluster["store"] == {"name": "v", "kind": "ClusterVaultStore"}


def test_modifiers_are_typed() -> None:
    reference = from_dict({"path": "a", "modifiers": ["indent 2"]})
    assert reference.modifiers == (Indent(2),)
