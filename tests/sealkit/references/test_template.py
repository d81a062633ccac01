"""Text and references: read once, printed so that it reads the same, filled once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.argocd import PathPlaceholder
from sealkit.references.failures import Failed, Failure, Outcome
from sealkit.references.reference import Kv, Reference
from sealkit.references.template import MAX_REFERENCES, Template, from_raw, parse
from sealkit.sensitive import Sensitive
from tests.sealkit.references.samples import references

A, B = Reference("kv/a", "k"), Reference("kv/b", "k")

literals = st.text("a${}<>#|\\: \n") | st.sampled_from(
    ["vault:", ">>vault:x#y", "${vault:", "<path:", "<path:a#b>", "$", "<", "${", "\\"]
)


@st.composite
def templates(draw: st.DrawFn) -> Template:
    parts = draw(st.lists(literals.filter(bool) | references(), min_size=1, max_size=5))
    apart = [
        part
        for i, part in enumerate(parts)
        if not (i and isinstance(part, str) and isinstance(parts[i - 1], str))
    ]
    assume(any(isinstance(part, Reference) for part in apart))
    return Template(tuple(apart))


@given(templates())
def test_what_is_printed_reads_as_what_it_was(template: Template) -> None:
    assert from_raw(template.to_raw()) == template


@given(templates())
def test_what_is_written_reads_as_what_it_was(template: Template) -> None:
    assert from_raw(json.loads(json.dumps(template.to_dict()))) == template


def test_no_spelling_is_written() -> None:
    assert Template((A,)).to_dict() == {"path": "kv/a", "key": "k"}
    assert Template(("a", A, B)).to_dict() == {
        "parts": ["a", {"path": "kv/a", "key": "k"}, {"path": "kv/b", "key": "k"}]
    }


pieces = [
    "vault:",
    "${",
    ">>",
    "kv/a",
    "#",
    "k",
    "3",
    "|",
    "base64decode",
    "}",
    "<path:",
    ">",
    "{",
    "\\",
    "\n",
    " ",
    '"',
    "v1:",
]


@given(st.lists(st.sampled_from(pieces), max_size=14).map("".join) | st.text())
def test_print_is_a_fixed_point_and_nothing_else_is_raised(text: str) -> None:
    try:
        template = parse(text)
    except ReferenceSyntaxError:
        return
    if template:
        printed = template.to_raw()
        assert from_raw(printed) == template
        assert from_raw(printed).to_raw() == printed


def test_text_that_cannot_say_a_reference_becomes_parts() -> None:
    template = parse("a<path:kv/a#k>b", [PathPlaceholder(Kv.V1)])
    assert template
    assert template.to_raw() == {"parts": ["a", {"path": "kv/a", "key": "k", "kv": "v1"}, "b"]}


def test_literal_text_that_would_be_a_reference_becomes_a_part() -> None:
    assert Template(("<path:x#y>", A)).to_raw() == {
        "parts": ["<path:x#y>", {"path": "kv/a", "key": "k"}]
    }
    assert isinstance(Template(("${vault:", A)).to_raw(), dict)


def test_both_spellings_may_be_in_one_text() -> None:
    template = parse("${vault:kv/a#k}/<path:kv/b#k>")
    assert template
    assert template.parts == (A, "/", B)
    assert template.to_raw() == "${vault:kv/a#k}/${vault:kv/b#k}"
    assert template.references == (A, B)


REFUSED: dict[str, tuple[Any, str]] = {
    "no-reference": ("text", "f"),
    "empty": ("", "f"),
    "null": (None, "f"),
    "number": (5, "f"),
    "wrong-in-text": ("vault:a//b#c", "f.path"),
    "wrong-in-mapping": ({"path": "a//b"}, "f.path"),
    "parts-no-list": ({"parts": "vault:a#b"}, "f.parts"),
    "parts-and-more": ({"parts": [{"path": "a"}], "path": "b"}, "f.parts"),
    "parts-empty": ({"parts": []}, "f"),
    "parts-only-text": ({"parts": ["vault:a#b"]}, "f"),
    "parts-beside": ({"parts": ["a", "b", {"path": "a"}]}, "f"),
    "part-empty": ({"parts": ["", {"path": "a"}]}, "f"),
    "part-no-text": ({"parts": ["\ud800", {"path": "a"}]}, "f"),
    "part-wrong": ({"parts": ["a", {"path": "/"}]}, "f.parts[1].path"),
    "part-number": ({"parts": [5]}, "f.parts[0]"),
}


@pytest.mark.parametrize(("raw", "field"), REFUSED.values(), ids=list(REFUSED))
def test_what_a_manifest_may_not_hold(raw: object, field: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        from_raw(raw, "f")
    assert caught.value.field == field


@pytest.mark.parametrize("one", ["${vault:kv/a#k}", "<path:kv/a#k>", "x${vault:kv/a#k}"])
def test_the_number_of_references_is_limited(one: str) -> None:
    template = parse(one * MAX_REFERENCES)
    assert template
    assert len(template.references) == MAX_REFERENCES
    with pytest.raises(ReferenceSyntaxError):
        parse(one * (MAX_REFERENCES + 1))
    with pytest.raises(ReferenceSyntaxError):
        parse(one * (4 * MAX_REFERENCES))


def rendered(template: Template, outcomes: dict[Reference, Outcome | None]) -> object:
    outcome = template.render(outcomes)
    return outcome.reveal() if isinstance(outcome, Sensitive) else outcome


GONE = Failed(Failure.PATH_NOT_FOUND)
DENIED = Failed(Failure.PERMISSION_DENIED)
LARGE = Sensitive(bytes(1 << 20))


@pytest.mark.parametrize(
    ("parts", "outcomes", "result"),
    [
        pytest.param((A,), {A: Sensitive(b"\xff")}, b"\xff", id="alone"),
        pytest.param((A,), {A: None}, None, id="alone-absent"),
        pytest.param((A,), {A: GONE}, GONE, id="alone-failed"),
        pytest.param(("ü", A), {A: Sensitive(b"\xff\0")}, "ü".encode() + b"\xff\0", id="bytes"),
        pytest.param(("<", A, ">"), {A: None}, b"<>", id="absent-in-text"),
        pytest.param((A, ":", B), {A: DENIED, B: GONE}, DENIED, id="first-failure"),
        pytest.param((A, A), {A: Sensitive(b"1")}, b"11", id="twice"),
    ],
)
def test_values_take_the_places_of_references(
    parts: tuple[str | Reference, ...], outcomes: dict[Reference, Outcome | None], result: object
) -> None:
    assert rendered(Template(parts), outcomes) == result


def test_a_value_is_never_read_as_a_reference() -> None:
    """Substitution that is done in turn, as in bank-vaults, would put B's value into A's."""
    template = Template((A, " ", B))
    outcomes: dict[Reference, Outcome | None] = {
        A: Sensitive(b"${vault:kv/b#k} <path:kv/b#k>"),
        B: Sensitive(b"secret"),
    }
    assert rendered(template, outcomes) == b"${vault:kv/b#k} <path:kv/b#k> secret"


def test_more_than_fits_into_a_secret_is_a_failure() -> None:
    outcome = Template((A, "x")).render({A: LARGE})
    assert isinstance(outcome, Failed)
    assert outcome.reason == Failure.TARGET_TOO_LARGE


def test_without_spellings_there_are_no_references() -> None:
    assert parse("vault:kv/a#k", []) is None
