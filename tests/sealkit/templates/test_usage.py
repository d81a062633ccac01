"""What a template is said to use is what it looks up, or it is said to use everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import TemplateError
from sealkit.templates.lookup import MissingKey
from sealkit.templates.template import parse
from tests.sealkit.templates.rendering import boxed, error_of

NAMED = {
    "none": ("text {{1}} {{/* .a */}}", ""),
    "fields": ("{{.a}} {{.b}} {{.a}}", "a b"),
    "root-variable": ("{{$.a}}{{range list 1}}{{$.b}}{{.c}}{{end}}", "a b"),
    "first-of-several": ("{{.a.b.c}}", "a"),
    "arguments": ("{{print .a (upper .b) | printf .c}}", "a b c"),
    "index": ("{{index . `a`}}{{get $ `b`}}{{hasKey (.) `c`}}", "a b c"),
    "index-further": ("{{index . `a` .b}}", "a b"),
    "chain": ("{{(.).a}}{{($).b}}{{(.c).d}}{{(print .e).f}}", "a b c e"),
    "chain-of-a-function": ("{{dict.a}}", ""),
    "branches": ("{{if .a}}{{.b}}{{else if .c}}{{.d}}{{else}}{{.e}}{{end}}", "a b c d e"),
    "with": ("{{with .a}}{{.b}}{{$.c}}{{else with .d}}{{.e}}{{else}}{{.f}}{{end}}", "a c d f"),
    "range": ("{{range .a}}{{.b}}{{break}}{{else}}{{.c}}{{end}}", "a c"),
    "declared": ("{{$x := .a}}{{$x.b}}{{$x = .c}}", "a c"),
    "template-with-dot": ("{{define `t`}}{{.a}}{{$.b}}{{end}}{{template `t` .}}", "a b"),
    "template-with-root": ("{{define `t`}}{{.a}}{{end}}{{with 1}}{{template `t` $}}{{end}}", "a"),
    "template-with-part": ("{{define `t`}}{{.a}}{{$.b}}{{end}}{{template `t` .c}}", "c"),
    "template-without": ("{{define `t`}}{{.a}}{{end}}{{template `t`}}", ""),
    "template-both-ways": (
        "{{define `t`}}{{.a}}{{end}}{{template `t` .c}}{{template `t` .}}",
        "a c",
    ),
    "template-twice": ("{{define `t`}}{{.a}}{{end}}{{template `t` .}}{{template `t` .}}", "a"),
    "template-recursive": ("{{define `t`}}{{.a}}{{template `t` .}}{{end}}{{template `t` .}}", "a"),
    "template-unused": ("{{define `t`}}{{.a}}{{end}}", ""),
    "block": ("{{block `t` .}}{{.a}}{{end}}{{block `s` .b}}{{.c}}{{end}}", "a b"),
}
EVERYTHING = {
    "written": "{{.}}",
    "root-written": "{{$}}",
    "range": "{{range .}}{{end}}",
    "with": "{{with .}}{{.a}}{{end}}",
    "argument": "{{toJson .}}",
    "piped": "{{. | toJson}}",
    "variable": "{{$x := .}}{{$x.a}}",
    "parentheses": "{{toJson (.)}}",
    "computed-key": "{{index . (upper `a`)}}",
    "key-in-a-variable": "{{$k := `a`}}{{index . $k}}",
    "included": "{{define `t`}}{{toJson .}}{{end}}{{template `t` .}}",
    "declared-on-the-way": "{{with $x := $}}{{$x.a}}{{end}}",
}


@pytest.mark.parametrize(("text", "names"), NAMED.values(), ids=list(NAMED))
def test_the_fields_used_are_found(text: str, names: str) -> None:
    template = parse(text)
    assert sorted(template.fields_used) == names.split()
    assert not template.usage.everything


@pytest.mark.parametrize("text", EVERYTHING.values(), ids=list(EVERYTHING))
def test_the_map_of_all_values_may_be_used_as_a_whole(text: str) -> None:
    assert parse(text).usage.everything


def test_a_long_chain_of_templates_is_followed_to_its_end() -> None:
    """Longer than Python could go down."""
    links = (
        f"{{{{define `{number}`}}}}{{{{template `{number + 1}` .}}}}{{{{end}}}}"
        for number in range(2000)
    )
    end = "{{define `2000`}}{{.a}}{{end}}{{template `0` .}}"
    assert parse("".join(links) + end).fields_used == {"a"}


ALL = boxed(a="", b="", c="")
pieces = st.sampled_from(
    [
        *("{{.a}}", "{{$.b}}", "{{.a.b}}", "{{(.).c}}", "{{index . `a`}}", "{{toJson .c}}"),
        *("{{if .a}}", "{{with .b}}", "{{with $}}", "{{range .c}}", "{{else}}", "{{end}}"),
        *("{{$x := .a}}", "{{$x.b}}", "{{$x := .}}", "{{template `t` .}}", "{{template `t` .b}}"),
        *("{{range .}}", "{{. | print}}", "text"),
    ]
)


@given(st.lists(pieces, max_size=8).map("".join), st.lists(pieces, max_size=3).map("".join))
def test_no_other_field_is_looked_up(text: str, defined: str) -> None:
    """With all named fields there, and all of theirs, `MissingKey.ERROR` finds none missing."""
    source = f"{{{{define `t`}}}}{defined}{{{{end}}}}{text}"
    try:
        usage = parse(source).usage
    except TemplateError:
        return
    if not usage.everything:
        error = error_of(source, dict.fromkeys(usage.names, ALL), MissingKey.ERROR)
        assert not error or "there is no value" not in error.problem
