"""What the Argo CD Vault Plugin reads we read, and where we differ it is on purpose."""

from __future__ import annotations

import pytest

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.argocd import KeyPlaceholder, PathPlaceholder
from sealkit.references.jsonpath import JsonPath
from sealkit.references.modifiers import Indent, Plain
from sealkit.references.reference import Kv, Reference
from sealkit.references.template import parse

P = "secret/data/db"
USER = Reference(P, "user")

TEXTS: dict[str, tuple[str, list[str | Reference]]] = {
    "whole": ("<path:secret/data/db#user>", [USER]),
    "version": ("<path:secret/data/db#user#3>", [Reference(P, "user", version=3)]),
    "several": (
        "postgres://<path:secret/data/db#user>:<path:secret/data/db#pass>@db/app",
        ["postgres://", USER, ":", Reference(P, "pass"), "@db/app"],
    ),
    "adjacent": ("<path:a#b><path:c#d>", [Reference("a", "b"), Reference("c", "d")]),
    "modifier": (
        "<path:secret/data/db#user | base64encode>",
        [Reference(P, "user", modifiers=(Plain.BASE64_ENCODE,))],
    ),
    "version-and-modifiers": (
        "<path:secret/data/db#c#2 | jsonPath {.hosts[0].name} | indent 4>",
        [Reference(P, "c", version=2, modifiers=(JsonPath(("hosts", 0, "name")), Indent(4)))],
    ),
    "white-space": ("<path: secret/data/db # user >", [USER]),
    "angles-around": ("<<path:secret/data/db#user>>", ["<", USER, ">"]),
    "generic-without-annotation": ("<b><path:secret/data/db#user></b>", ["<b>", USER, "</b>"]),
    # Ours: the plugin has no escapes.
    "escapes": (r"<path:a\|b#c\#d\|e\>f\\>", [Reference("a|b", "c#d|e>f\\")]),
}


@pytest.mark.parametrize(("text", "parts"), TEXTS.values(), ids=list(TEXTS))
def test_placeholders_with_a_path(text: str, parts: list[str | Reference]) -> None:
    template = parse(text)
    assert template
    assert [*template.parts] == parts


REFUSED = {
    # The plugin leaves these as text, to be found in the cluster one day.
    "open": ("a <path:a#b", ""),
    "no-key": ("<path:a>", ""),
    "four-parts": ("<path:a#b#1#2>", ""),
    "empty": ("<path:>", ""),
    # The plugin takes all text up to the next "#" as the path.
    "angle-in-path": ("<path:a>b #k>", ""),
    "empty-key": ("<path:a# >", "key"),
    "version": ("<path:a#b#latest>", "version"),
    "modifier": ("<path:a#b | upper>", "modifiers"),
    "line-break": ("<path:a\nb#c>", "path"),
    "ends-in-an-escape": ("<path:a#b\\>", ""),
}


@pytest.mark.parametrize(("text", "field"), REFUSED.values(), ids=list(REFUSED))
def test_what_begins_as_a_placeholder_is_one_or_refused(text: str, field: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        parse(text)
    assert caught.value.field == field


def test_what_the_document_says_is_said_of_each_path() -> None:
    template = parse("<path:a#b>", [PathPlaceholder(Kv.V1, optional=True)])
    assert template
    assert template.parts == (Reference("a", "b", kv=Kv.V1, optional=True),)


def test_a_version_of_what_has_none_is_refused() -> None:
    """The plugin passes it over."""
    with pytest.raises(ReferenceSyntaxError) as caught:
        parse("<path:a#b#3>", [PathPlaceholder(Kv.V1)])
    assert caught.value.field == "version"


GENERIC: dict[str, tuple[str, list[str | Reference]]] = {
    "whole": ("<user>", [USER]),
    "in-text": ("a<user>:<user>", ["a", USER, ":", USER]),
    "modifier": ("<user | sha256sum>", [Reference(P, "user", modifiers=(Plain.SHA256_SUM,))]),
    "number-sign": ("<a#b>", [Reference(P, "a#b")]),
    "escapes": (r"<a\>b\|c>", [Reference(P, "a>b|c")]),
    "path-beside": ("<path:x#y><user>", [Reference("x", "y"), USER]),
    "first-angle-is-text": ("1 < 2 <user>", ["1 < 2 ", USER]),
    "escaped-angle-is-text": (r"<a\<user>", ["<a\\", USER]),
}


@pytest.mark.parametrize(("text", "parts"), GENERIC.values(), ids=list(GENERIC))
def test_placeholders_of_an_annotated_path(text: str, parts: list[str | Reference]) -> None:
    template = parse(text, [PathPlaceholder(), KeyPlaceholder(P)])
    assert template
    assert [*template.parts] == parts


@pytest.mark.parametrize("text", ["a < b", "<>", "<a\nb>", "a > b", "<a", "<a\\>"])
def test_an_angle_without_its_other_in_the_line_is_text(text: str) -> None:
    assert parse(text, [KeyPlaceholder(P)]) is None


def test_what_the_document_says_is_said_of_each_key() -> None:
    template = parse("<a>", [KeyPlaceholder(P, Kv.V2, 3, optional=True)])
    assert template
    assert template.parts == (Reference(P, "a", kv=Kv.V2, version=3, optional=True),)


@pytest.mark.parametrize("text", ["< >", "<| sha256sum>"])
def test_a_placeholder_without_a_key_is_refused(text: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        parse(text, [KeyPlaceholder(P)])
    assert caught.value.field == "key"


@pytest.mark.parametrize("spelling", [KeyPlaceholder(P)], ids=["key"])
def test_reading_where_nothing_begins_is_refused(spelling: KeyPlaceholder) -> None:
    with pytest.raises(ReferenceSyntaxError):
        spelling.read("text", 0)
