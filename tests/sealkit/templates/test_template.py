"""The door: what goes in and comes out, what an error says, and what it never says."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest

from sealkit.errors import TemplateError
from sealkit.sensitive import Sensitive
from sealkit.templates.lookup import MissingKey
from sealkit.templates.template import Values, parse
from sealkit.templates.values import list_of, map_of
from tests.sealkit.templates.rendering import boxed, rendered

SECRET = "hunter2"


def test_the_text_comes_out_in_a_box() -> None:
    text = parse("postgres://{{.user}}:{{.password}}@db").render(boxed(user="app", password=SECRET))
    assert text == Sensitive(b"postgres://app:hunter2@db")
    assert SECRET not in repr(text)


def test_a_template_may_be_rendered_again() -> None:
    template = parse("{{$x := .a}}{{$x = upper $x}}{{$x}}")
    assert [template.render(boxed(a=each)).reveal() for each in "ab"] == [b"A", b"B"]


def test_bytes_that_are_no_text_pass_through() -> None:
    assert rendered("<{{.a}}>", boxed(a=bytes(range(256)))) == b"<" + bytes(range(256)) + b">"


def test_values_are_not_read_as_templates() -> None:
    assert rendered("{{.a}}", boxed(a="{{.b}}", b=SECRET)) == b"{{.b}}"


def test_values_may_be_maps() -> None:
    values: Values = {"db": boxed(user="app", password=SECRET), "host": Sensitive(b"h")}
    text = "{{.db.user}}@{{.host}} {{range $k, $v := .db}}{{$k}}={{$v}};{{end}}"
    assert rendered(text, values) == b"app@h password=hunter2;user=app;"


def test_the_values_are_not_changed() -> None:
    values = dict(boxed(b="1", a="2"))
    rendered("{{range .}}{{.}}{{end}}", values)
    assert list(values) == ["b", "a"]


def test_nothing_shows_the_text_of_a_template() -> None:
    template = parse(f"{{{{if .a}}}}{SECRET}{{{{end}}}}")
    assert SECRET not in repr(template)
    assert "names=frozenset({'a'})" in repr(template)


def test_lists_and_maps_do_not_show_what_they_hold() -> None:
    entries = map_of({SECRET.encode(): list_of([SECRET.encode()])})
    assert SECRET not in f"{entries!r} {entries} {entries.entries[SECRET.encode()]!r}"


def test_a_template_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        parse("").usage = parse("{{.}}").usage  # type: ignore[misc]  # the test


def test_a_text_cannot_be_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(parse("a").render({}))


@pytest.mark.parametrize(
    ("text", "delimiters", "answer"),
    [
        pytest.param("<%.a%> {{.a}}", ("<%", "%>"), b"1 {{.a}}", id="others"),
        pytest.param("[[- .a -]] x", ("[[", "]]"), b"1x", id="trim"),
        pytest.param("<<</* c */>>><<<.a>>>", ("<<<", ">>>"), b"1", id="long"),
        pytest.param("|.a!", ("|", "!"), b"1", id="one-character"),
        pytest.param(".*.a+", (".*", "+"), b"1", id="special-in-patterns"),
        pytest.param("«.a»", ("«", "»"), b"1", id="not-ascii"),
    ],
)
def test_delimiters_may_be_others(text: str, delimiters: tuple[str, str], answer: bytes) -> None:
    assert parse(text, delimiters).render(boxed(a="1")).reveal() == answer


@pytest.mark.parametrize(
    "delimiters",
    [
        ("", "}}"),
        ("{{", ""),
        ("{{", "{{"),
        ("{ {", "}}"),
        ("{{", "\n"),
        ("<" * 17, ">"),
        ("\0", ">"),
    ],
    ids=["no-left", "no-right", "same", "space", "newline", "long", "nul"],
)
def test_not_everything_is_a_delimiter(delimiters: tuple[str, str]) -> None:
    with pytest.raises(TemplateError, match="delimiter"):
        parse("text", delimiters)


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(TemplateError, match="not Unicode"):
        parse("\ud800")


MISSES = {
    "field": "{{.gone}}",
    "field-of-nothing": "{{.gone.more}}",
    "in-a-map": "{{.db.gone}}",
    "variable": "{{$.gone}}",
    "parentheses": "{{(.).gone}}",
    "if": "{{if .gone}}{{end}}",
    "default": "{{default 1 .gone}}",
}


@pytest.mark.parametrize("text", MISSES.values(), ids=list(MISSES))
def test_a_missing_field_may_be_an_error(text: str) -> None:
    values: Values = {"db": boxed(a="1")}
    rendered(text, values)
    with pytest.raises(TemplateError, match=r'^1:\d+: there is no value for field "gone"$'):
        rendered(text, values, MissingKey.ERROR)


@pytest.mark.parametrize("text", ['{{index . "gone"}}', '{{get . "gone"}}', '{{dig "gone" "" .}}'])
def test_what_asks_for_a_key_by_name_never_minds(text: str) -> None:
    for missing in MissingKey:
        assert rendered(text, boxed(a="1"), missing) == b""


ERRORS = {
    "unclosed": ("a\n  {{.a", "2:3: an action is not closed"),
    "unclosed-comment": ("{{/* a", "1:3: a comment is not closed"),
    "comment-and-more": ("{{/* a */ .a}}", "1:8: a comment ends before the action does"),
    "unclosed-quote": ('{{"a}}', "1:3: a quoted text is not closed"),
    "character": ("{{.a ! }}", "1:6: a character has no meaning here"),
    "name": ("{{.a-b}}", "1:3: a name has a character that it cannot have"),
    "no-end": ("{{if .a}}", '1:10: the text ends before "end"'),
    "stray-end": ("{{end}}", '1:3: there is nothing for "end" here'),
    "break": ("{{break}}", '1:1: "break" is not inside a "range"'),
    "define-inside": ('{{if 1}}{{define "a"}}{{end}}{{end}}', 'a "define" stands inside'),
    "twice": ('{{define "a"}}1{{end}}{{define "a"}}2{{end}}', "of this name is defined already"),
    "undefined": ('{{template "a"}}', "1:1: includes a template that is not defined here"),
    "name-of-a-template": ("{{template a}}", "1:12: expected a name in quotes, found a name"),
    "variable": ("{{$x}}", "1:3: a variable is not declared here"),
    "variables": ("{{$x, $y := .}}", "1:3: 2 variables cannot be set here"),
    "comma": ("{{range $x, .a := .}}{{end}}", "1:13: a comma is only between the variables"),
    "close": ("{{1)}}", "1:4: there is no parenthesis to close"),
    "open": ("{{(1}}", "1:5: a parenthesis is not closed"),
    "nothing": ("{{}}", "1:3: expected a value or a function, found the end of the action"),
    "nil": ("{{nil}}", '1:3: "nil" is not a value to begin with'),
    "argument": ("{{.a 1}}", "1:3: something that is no function is given an argument"),
    "too-few": ("{{len}}", "1:3: len takes 1 arguments, not 0"),
    "number": ("{{1x}}", "1:3: a number is not written as Go writes numbers"),
    "large-number": ("{{9223372036854775808}}", "1:3: a whole number does not fit into 64 bits"),
    "large-fraction": ("{{1e999}}", "1:3: a number is out of range"),
    "kind": ("{{upper 1}}", "1:3: upper expects a string, not a whole number"),
    "compare": ("{{lt .a 1}}", "1:3: lt cannot order a string and a whole number"),
    "field-of-text": ("{{.a.b}}", '1:3: field "b" is looked up in a string, not a map'),
    "range": ("{{range .a}}{{end}}", "1:1: range expects a list or a map, not a string"),
    "range-number": ("{{range $k, $v := 3}}{{end}}", "range over a whole number has one variable"),
    "base64": ("{{b64dec .a}}", "1:3: b64dec is given something that is no base64"),
    "json": ("{{mustFromJson .a}}", "1:3: mustFromJson is given something that is no JSON"),
    "json-constant": ("{{mustFromJson `NaN`}}", "mustFromJson is given something that is no JSON"),
    "fail": ("{{fail .a}}", "1:3: fail was called: the template refuses these values"),
}


@pytest.mark.parametrize(("text", "problem"), ERRORS.values(), ids=list(ERRORS))
def test_an_error_says_where_and_what(text: str, problem: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(text, boxed(a=SECRET))
    assert problem in str(caught.value)


LEAKS = {
    "fail": "{{fail .a}}",
    "required": "{{required .a nil}}",
    "base64": "{{b64dec .a}}",
    "json": "{{mustFromJson .a}}",
    "format": "{{printf .a}}",
    "verb": "{{printf `%d` .a}}",
    "extra": "{{printf `%%` .a}}",
    "field": "{{.a.b}}",
    "key": "{{index . .a 1}}",
    "range": "{{range .a}}{{end}}",
    "compare": "{{eq .a 1}}",
    "position": "{{index (list) (atoi .a)}}",
    "dig": "{{dig .a .a .a .a}}",
    "kind": "{{first .a}}",
    "large": "{{repeat 1000000 .a}}",
    "in-a-map": "{{add1 1 | upper}}{{.a}}",
    "after": "{{.a}}{{fail `x`}}",
}


@pytest.mark.parametrize("text", LEAKS.values(), ids=list(LEAKS))
def test_an_error_never_says_the_value(text: str) -> None:
    value = "%zhunter2! 77"
    with pytest.raises(TemplateError) as caught:
        rendered(text, boxed(a=value))
    error = caught.value
    assert not any(part in f"{error!r} {error.hint}" for part in ("hunter", "77", "%z"))
    assert error.__cause__ is error.__context__ is None


@pytest.mark.parametrize(
    "broken", ['"{{', "{{'", "{{", '{{"\\', "{{`", "{{/*", "{{x", "{{1", "{{0_"]
)
def test_an_error_never_quotes_the_text(broken: str) -> None:
    """Someone may have put a password into it."""
    with pytest.raises(TemplateError) as caught:
        parse(f"hunter2 {broken}hunter2 hunter2}}}} hunter2")
    assert "hunter" not in repr(caught.value) + caught.value.hint
    assert caught.value.__cause__ is caught.value.__context__ is None
