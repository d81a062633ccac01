"""Modifiers are read strictly and applied exactly, and no failure shows a value."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.failures import Failed, Failure
from sealkit.references.jsonpath import JsonPath
from sealkit.references.modifiers import Indent, Modifier, Plain, apply, parse_modifier
from sealkit.sensitive import Sensitive
from tests.sealkit.references.samples import modifiers


def applied(spelled: str, value: bytes) -> bytes | Failure:
    parsed = tuple(parse_modifier(one) for one in spelled.split("|")) if spelled else ()
    outcome = apply(parsed, Sensitive(value))
    return outcome.reason if isinstance(outcome, Failed) else outcome.reveal()


@given(modifiers)
def test_a_modifier_reads_as_what_it_was(modifier: Modifier) -> None:
    assert parse_modifier(str(modifier)) == modifier


HOSTS = (
    b'{"hosts":[{"name":"a"},{"name":"b"}],"n":1e+06,"d":1.10,"t":true,"x":null,'
    b'"a.b":{"c":"\xc3\xbc"}}'
)
RESULTS: dict[str, tuple[str, bytes, bytes]] = {
    "none": ("", b"\xff\0", b"\xff\0"),
    "encode": ("base64encode", b"\xff\0", b"/wA="),
    "decode": ("base64decode", b"/wA=", b"\xff\0"),
    "decode-lines": ("base64decode", b"/w\r\nA=\n", b"\xff\0"),
    "decode-twice": ("base64decode | base64decode", b"WVE9PQ==", b"a"),
    "sum": ("sha256sum", b"\xff", hashlib.sha256(b"\xff").hexdigest().encode()),
    "path": ("jsonPath {.hosts[0].name}", HOSTS, b"a"),
    "path-from-the-end": ("jsonPath {.hosts[-1].name}", HOSTS, b"b"),
    "path-quoted": ("jsonPath {['a.b'].c}", HOSTS, "ü".encode()),
    "path-escaped": (r"jsonPath {.a\.b.c}", HOSTS, "ü".encode()),
    "path-mapping": ("jsonPath {.hosts[0]}", HOSTS, b'{"name":"a"}'),
    "path-list": ("jsonPath {.hosts}", HOSTS, b'[{"name":"a"},{"name":"b"}]'),
    "path-number-as-written": ("jsonPath {.n}", HOSTS, b"1e+06"),
    "path-decimal-as-written": ("jsonPath {.d}", HOSTS, b"1.10"),
    "path-flag": ("jsonPath {.t}", HOSTS, b"true"),
    "path-whole": ("jsonPath {$}", b'[ 1, "a" ]', b'[1,"a"]'),
    "path-dot": ("jsonPath {.}", b'"a"', b"a"),
    "path-then-encode": ("jsonPath {.hosts[0].name} | base64encode", HOSTS, b"YQ=="),
    "path-then-path": ("jsonPath {.hosts} | jsonPath {[1].name}", HOSTS, b"b"),
    "json": ("jsonParse", b'{"b": 1, "a": [1.0, null]}', b'{"a":[1.0,null],"b":1}'),
    "json-string": ("jsonParse", b' "a\\n" ', b"a\n"),
    "json-then-path": ("jsonParse | jsonPath {.b}", b'{"b": "c"}', b"c"),
    "json-then-encode": ("jsonParse | base64encode", b"[1]", b"WzFd"),
    "path-of-text": ("jsonPath {.a} | jsonPath {$}", b'{"a": "x"}', b"x"),
    "yaml": (
        "yamlParse",
        b"a: [1, yes, 1.50, 'x', null]\nb: |\n  c\n",
        b'{"a":[1,"yes",1.50,"x",null],"b":"c\\n"}',
    ),
    "yaml-then-path": ("yamlParse | jsonPath {.a.b}", b"a:\n  b: c\n", b"c"),
    "yaml-document": ("yamlParse", b"---\ntrue\n...\n", b"true"),
    "yaml-not-a-number": (
        "yamlParse",
        b"[0x10, +1, .5, 01, 1_0]",
        b'["0x10","+1",".5","01","1_0"]',
    ),
    # The plugin strips each line and drops empty ones.
    "indent": ("indent 2", b"a:\n  b\n\nc\n", b"  a:\n    b\n\n  c\n"),
    "indent-bytes": ("indent 1", b"\xff\n\xfe", b" \xff\n \xfe"),
}


@pytest.mark.parametrize(("spelled", "value", "result"), RESULTS.values(), ids=list(RESULTS))
def test_what_modifiers_make_of_a_value(spelled: str, value: bytes, result: bytes) -> None:
    assert applied(spelled, value) == result


BOMB = b"a: &a [x]\nb: *a\n"
FAILURES: dict[str, tuple[str, bytes, Failure]] = {
    # The plugin passes over what is not base64.
    "decode": ("base64decode", b"canary!", Failure.TEMPLATE_ERROR),
    "decode-unpadded": ("base64decode", b"/wA", Failure.TEMPLATE_ERROR),
    "decode-space": ("base64decode", b"/w A=", Failure.TEMPLATE_ERROR),
    "json": ("jsonParse", b"canary", Failure.TEMPLATE_ERROR),
    "json-goes-on": ("jsonParse", b'"canary" 1', Failure.TEMPLATE_ERROR),
    "json-nan": ("jsonParse", b"NaN", Failure.TEMPLATE_ERROR),
    "json-null": ("jsonParse", b"null", Failure.NULL_VALUE),
    "json-null-goes-on": ("jsonParse | sha256sum", b"null", Failure.NULL_VALUE),
    "json-bytes": ("jsonParse", b'"canary\xff"', Failure.TEMPLATE_ERROR),
    "json-surrogate": ("jsonParse", b'"\\ud800"', Failure.TEMPLATE_ERROR),
    "json-deep": ("jsonParse", b"[" * 66 + b"]" * 66, Failure.TEMPLATE_ERROR),
    "json-deepest": ("jsonParse", b"[" * 500_000, Failure.TEMPLATE_ERROR),
    "path-missing": ("jsonPath {.hosts[2]}", HOSTS, Failure.KEY_NOT_FOUND),
    "path-name-of-a-list": ("jsonPath {.hosts.name}", HOSTS, Failure.KEY_NOT_FOUND),
    "path-index-of-a-mapping": ("jsonPath {[0]}", HOSTS, Failure.KEY_NOT_FOUND),
    "path-below-text": ("jsonPath {.hosts[0].name.x}", HOSTS, Failure.KEY_NOT_FOUND),
    "path-null": ("jsonPath {.x}", HOSTS, Failure.NULL_VALUE),
    "path-no-json": ("jsonPath {.x}", b"canary", Failure.TEMPLATE_ERROR),
    "yaml": ("yamlParse", b"canary: [", Failure.TEMPLATE_ERROR),
    "yaml-bytes": ("yamlParse", b"canary\xff", Failure.TEMPLATE_ERROR),
    "yaml-control": ("yamlParse", b"canary\0", Failure.TEMPLATE_ERROR),
    "yaml-alias": ("yamlParse", BOMB, Failure.TEMPLATE_ERROR),
    "yaml-only-alias": ("yamlParse", b"*canary", Failure.TEMPLATE_ERROR),
    "yaml-tag": ("yamlParse", b"!!python/name:os.system canary", Failure.TEMPLATE_ERROR),
    "yaml-twice": ("yamlParse", b"canary: 1\ncanary: 2\n", Failure.TEMPLATE_ERROR),
    "yaml-mapping-as-name": ("yamlParse", b"[canary]: 1\n", Failure.TEMPLATE_ERROR),
    "yaml-two-documents": ("yamlParse", b"canary\n---\nb\n", Failure.TEMPLATE_ERROR),
    "yaml-nothing": ("yamlParse", b"# canary", Failure.NULL_VALUE),
    "yaml-null": ("yamlParse", b"~", Failure.NULL_VALUE),
    "yaml-deepest": ("yamlParse", b"[" * 100_000, Failure.TEMPLATE_ERROR),
    "too-large": ("indent 100", b"a\n" * 12_000, Failure.TARGET_TOO_LARGE),
}


@pytest.mark.parametrize(("spelled", "value", "reason"), FAILURES.values(), ids=list(FAILURES))
def test_what_does_not_fit_is_a_failure_that_shows_nothing(
    spelled: str, value: bytes, reason: Failure
) -> None:
    outcome = apply(tuple(parse_modifier(one) for one in spelled.split("|")), Sensitive(value))
    assert isinstance(outcome, Failed)
    assert outcome.reason == reason
    assert "canary" not in str(outcome)


def test_a_tree_is_taken_up_to_64_levels() -> None:
    assert applied("jsonParse", b"[" * 65 + b"]" * 65) == b"[" * 65 + b"]" * 65


@given(st.binary())
def test_base64_comes_back(value: bytes) -> None:
    assert applied("base64encode", value) == base64.b64encode(value)
    assert applied("base64encode|base64decode", value) == value


@given(
    st.binary() | st.text("{}[]\",:\\ud80a-&*!|>\n'").map(str.encode),
    st.lists(modifiers, max_size=4),
)
def test_whatever_the_value_there_is_an_outcome(value: bytes, chain: list[Modifier]) -> None:
    assert isinstance(apply(tuple(chain), Sensitive(value)), Failed | Sensitive)


@pytest.mark.parametrize(
    ("text", "modifier"),
    [
        (" base64encode ", Plain.BASE64_ENCODE),
        ("indent\t 04", Indent(4)),
        ("jsonPath  { .a }", JsonPath(("a",))),
        ("jsonPath {$}", JsonPath(())),
        (r"jsonPath {$.a-b_1['it\'s']}", JsonPath(("a-b_1", "it's"))),
        ('jsonPath {["\\"a b"]}', JsonPath(('"a b',))),
    ],
)
def test_spellings_of_modifiers(text: str, modifier: Modifier) -> None:
    assert parse_modifier(text) == modifier


@pytest.mark.parametrize(
    "text",
    [
        *("", "upper", "Base64Encode", "base64encode 2", "sha256sum x", "indent", "indent x"),
        *("indent 0", "indent 101", "indent 9999", "indent ٣", "indent -1", "indent 2 3"),
        *(
            "jsonPath",
            "jsonPath .a",
            "jsonPath {}",
            "jsonPath {.a",
            "jsonPath {a}",
            "jsonPath {..a}",
        ),
        *("jsonPath {.a[*]}", "jsonPath {.*}", "jsonPath {.a[?(@.b)]}", "jsonPath {.a[0:2]}"),
        *(
            "jsonPath {.a[01]}",
            "jsonPath {.a[9999999999]}",
            "jsonPath {.a['b]}",
            "jsonPath {.a}{.b}",
        ),
        *("jsonPath {['\x00']}", "jsonPath {" + ".a" * 65 + "}"),
    ],
)
def test_modifiers_are_read_strictly(text: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        parse_modifier(text)
    assert caught.value.field == "modifiers"


def test_an_index_out_of_bounds_is_refused_where_it_is_made() -> None:
    with pytest.raises(ReferenceSyntaxError):
        JsonPath((10**9,))
