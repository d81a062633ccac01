"""From a response to a value: five ways to be absent, and literal keys before paths."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.references.failures import Failed, Failure, Outcome
from sealkit.references.jsontree import Number, Tree
from sealkit.references.modifiers import Plain
from sealkit.references.reading import finish, kv2_data, pick
from sealkit.references.reference import Decode, Reference
from sealkit.sensitive import Sensitive


def shown(outcome: object) -> object:
    if isinstance(outcome, Failed):
        return outcome.reason
    return outcome.reveal() if isinstance(outcome, Sensitive) else outcome


DELETED = "2026-01-01T00:00:00Z"
KV2: dict[str, tuple[Tree, object]] = {
    "there": ({"data": {"data": {"a": "b"}, "metadata": {"destroyed": False}}}, {"a": "b"}),
    "to-be-deleted": (
        {"data": {"data": {"a": "b"}, "metadata": {"deletion_time": DELETED}}},
        {"a": "b"},
    ),
    "empty": ({"data": {"data": {}, "metadata": {}}}, {}),
    "no-response": (None, Failure.PATH_NOT_FOUND),
    "errors": ({"errors": []}, Failure.PATH_NOT_FOUND),
    "no-metadata": ({"data": {"data": None}}, Failure.PATH_NOT_FOUND),
    "never-written": (
        {"data": {"data": None, "metadata": {"destroyed": False, "deletion_time": ""}}},
        Failure.PATH_NOT_FOUND,
    ),
    "deleted": (
        {"data": {"data": None, "metadata": {"destroyed": False, "deletion_time": DELETED}}},
        Failure.VERSION_DELETED,
    ),
    "destroyed": (
        {"data": {"data": None, "metadata": {"destroyed": True, "deletion_time": ""}}},
        Failure.VERSION_DESTROYED,
    ),
    "deleted-then-destroyed": (
        {"data": {"data": None, "metadata": {"destroyed": True, "deletion_time": DELETED}}},
        Failure.VERSION_DESTROYED,
    ),
    "no-mapping": ({"data": ["a"]}, Failure.PATH_NOT_FOUND),
}


@pytest.mark.parametrize(("response", "result"), KV2.values(), ids=list(KV2))
def test_the_secret_in_a_response_of_kv_2(response: Tree, result: object) -> None:
    assert shown(kv2_data(response)) == result


DATA: dict[str, Any] = {
    "a": {"b": "nested", "c": [{"d": "x"}, None], "": "e"},
    "a.b": "literal",
    "tls.crt": "crt",
    "x\\y": "backslash",
    "text": "ü\n",
    "empty": "",
    "null": None,
    "int": 5,
    "number": Number("1.10"),
    "float": 2.5,
    "flag": False,
    "0": "zero",
    "surrogate": "\ud800",
    "huge": 10**5000,
    "object": {"b": Number("1e+06"), "a": ["ü", True]},
    "json": '{"a": "b"}',
}
PICKED: dict[str, tuple[str, object]] = {
    "text": ("text", "ü\n".encode()),
    "empty": ("empty", b""),
    "literal-first": ("a.b", b"literal"),
    "nested": ("a.c.0.d", b"x"),
    "nested-literal-with-dot": (r"tls\.crt", b"crt"),
    "dot-literal": ("tls.crt", b"crt"),
    "backslash-literal": ("x\\y", b"backslash"),
    "backslash-escaped": (r"x\\y", b"backslash"),
    "empty-name": ("a.", b"e"),
    "digits": ("0", b"zero"),
    "int": ("int", b"5"),
    "number": ("number", b"1.10"),
    "float": ("float", b"2.5"),
    "flag": ("flag", b"false"),
    "object": ("object", '{"a":["ü",true],"b":1e+06}'.encode()),
    "list": ("a.c", b'[{"d":"x"},null]'),
    "null": ("null", Failure.NULL_VALUE),
    "nested-null": ("a.c.1", Failure.NULL_VALUE),
    "missing": ("password", Failure.KEY_NOT_FOUND),
    "nested-missing": ("a.x", Failure.KEY_NOT_FOUND),
    "below-null": ("null.a", Failure.KEY_NOT_FOUND),
    "below-text": ("text.a", Failure.KEY_NOT_FOUND),
    "value-not-parsed": ("json.a", Failure.KEY_NOT_FOUND),
    "beyond-the-list": ("a.c.2", Failure.KEY_NOT_FOUND),
    "no-index": ("a.c.x", Failure.KEY_NOT_FOUND),
    "other-digits": ("a.c.\u0660", Failure.KEY_NOT_FOUND),
    "long-digits": ("a.c." + "0" * 20, Failure.KEY_NOT_FOUND),
    "surrogate": ("surrogate", Failure.TEMPLATE_ERROR),
    "huge": ("huge", Failure.TEMPLATE_ERROR),
}


@pytest.mark.parametrize(("key", "result"), PICKED.values(), ids=list(PICKED))
def test_a_key_is_a_name_or_else_a_path(key: str, result: object) -> None:
    assert shown(pick(DATA, key)) == result


def test_no_key_takes_the_whole_secret_as_json() -> None:
    assert (
        shown(pick({"b": "x", "a": Number("1.0"), "n": None}, "")) == b'{"a":1.0,"b":"x","n":null}'
    )


def test_a_response_that_is_too_deep_is_a_failure() -> None:
    tree: Tree = "canary"
    for _ in range(5000):
        tree = [tree]
    outcome = pick({"a": tree}, "a")
    assert shown(outcome) == Failure.TEMPLATE_ERROR
    assert "canary" not in str(outcome)


@given(st.dictionaries(st.text(), st.text() | st.none(), min_size=1), st.data())
def test_each_name_reaches_its_value(data: dict[str, Tree], draw: st.DataObject) -> None:
    key = draw.draw(st.sampled_from([*data]))
    value = data[key]
    if key:
        expected = Failure.NULL_VALUE if value is None else str(value).encode()
        assert shown(pick(data, key)) == expected


R = Reference("kv/a", "k")
FINISHED: dict[str, tuple[dict[str, Any], Outcome, object]] = {
    "as-it-is": ({}, Sensitive(b"\xff"), b"\xff"),
    "decoded": ({"decode": Decode.BASE64}, Sensitive(b"/wA="), b"\xff\0"),
    "decoded-lines": ({"decode": Decode.BASE64}, Sensitive(b"/w\nA=\n"), b"\xff\0"),
    "not-decoded": ({"decode": Decode.BASE64}, Sensitive(b"_wA="), Failure.TEMPLATE_ERROR),
    "url": ({"decode": Decode.BASE64_URL}, Sensitive(b"_wA="), b"\xff\0"),
    "url-unpadded": ({"decode": Decode.BASE64_URL}, Sensitive(b"_wA"), b"\xff\0"),
    "url-wrong": ({"decode": Decode.BASE64_URL}, Sensitive(b"/wA="), Failure.TEMPLATE_ERROR),
    "url-no-length": ({"decode": Decode.BASE64_URL}, Sensitive(b"_wAAA"), Failure.TEMPLATE_ERROR),
    "auto-standard": ({"decode": Decode.AUTO}, Sensitive(b"/wA="), b"\xff\0"),
    "auto-url": ({"decode": Decode.AUTO}, Sensitive(b"_wA="), b"\xff\0"),
    "auto-other": ({"decode": Decode.AUTO}, Sensitive(b"\xff!"), b"\xff!"),
    "auto-mangles": ({"decode": Decode.AUTO}, Sensitive(b"1234"), b"\xd7m\xf8"),
    "decoded-then-modified": (
        {"decode": Decode.BASE64, "modifiers": (Plain.JSON_PARSE,)},
        Sensitive(b"WyAxIF0="),
        b"[1]",
    ),
    "absent": ({}, Failed(Failure.KEY_NOT_FOUND), Failure.KEY_NOT_FOUND),
    "default-key": ({"default": "d"}, Failed(Failure.KEY_NOT_FOUND), b"d"),
    "default-path": ({"default": ""}, Failed(Failure.PATH_NOT_FOUND), b""),
    "default-null": ({"default": "d"}, Failed(Failure.NULL_VALUE), b"d"),
    "default-not-modified": (
        {"default": "d", "modifiers": (Plain.SHA256_SUM,)},
        Failed(Failure.KEY_NOT_FOUND),
        b"d",
    ),
    "default-null-from-modifier": (
        {"default": "d", "modifiers": (Plain.JSON_PARSE,)},
        Sensitive(b"null"),
        b"d",
    ),
    "default-not-needed": ({"default": "d"}, Sensitive(b"x"), b"x"),
    "optional": ({"optional": True}, Failed(Failure.KEY_NOT_FOUND), None),
    "optional-there": ({"optional": True}, Sensitive(b"x"), b"x"),
    "optional-but-deleted": (
        {"optional": True},
        Failed(Failure.VERSION_DELETED),
        Failure.VERSION_DELETED,
    ),
    "default-but-denied": (
        {"default": "d"},
        Failed(Failure.PERMISSION_DENIED),
        Failure.PERMISSION_DENIED,
    ),
}


@pytest.mark.parametrize(("given", "picked", "result"), FINISHED.values(), ids=list(FINISHED))
def test_what_becomes_of_what_was_picked(
    given: dict[str, Any], picked: Outcome, result: object
) -> None:
    assert shown(finish(Reference("kv/a", "k", **given), picked)) == result


def test_a_failure_reads_as_its_reason_and_detail() -> None:
    assert str(Failed(Failure.NULL_VALUE)) == "NullValue"
    assert str(Failed(Failure.NULL_VALUE, "the value is null")) == "NullValue: the value is null"
