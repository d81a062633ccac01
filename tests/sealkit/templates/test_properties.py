"""Whatever the text and the values: an answer or a `TemplateError`, and never a value in it."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import TemplateError
from sealkit.sensitive import Sensitive
from sealkit.templates.functions import FUNCTIONS
from sealkit.templates.lookup import MissingKey
from sealkit.templates.template import Values
from tests.sealkit.templates.rendering import boxed, error_of, rendered

operands = st.sampled_from(
    [
        *(".a", ".b", ".m", ".m.a", ".gone", ".", "$", "$x", "nil", "true", "``", '"é"', "`_0`"),
        *("0", "1", "-1", "3.5", "1e18", "'x'", "9223372036854775807", "`%v %d`", "`[1,{}]`"),
        *("(list 1 `a` nil)", "(dict `a` 1)", "(until 3)", "(split `,` .a)", "(fromJson .j)"),
    ]
)
calls = st.builds(
    lambda name, arguments: " ".join((name, *arguments)),
    st.sampled_from(sorted(FUNCTIONS)),
    st.lists(operands, max_size=4),
)
pipelines = st.lists(calls, min_size=1, max_size=3).map(" | ".join)
actions = st.builds(
    lambda form, pipe: form.replace("PIPE", pipe),
    st.sampled_from(
        [
            "{{PIPE}}",
            "{{- PIPE -}}",
            "{{$x = PIPE}}",
            "{{if PIPE}}y{{else}}n{{end}}",
            "{{with PIPE}}{{.}}{{end}}",
            "{{range $k, $v := PIPE}}{{$k}}{{$v}}{{else}}n{{end}}",
            "{{(PIPE).a}}",
            "{{template `t` (PIPE)}}",
        ]
    ),
    pipelines,
)
templates = st.lists(actions, min_size=1, max_size=3).map(
    lambda parts: "{{define `t`}}{{.}}{{end}}{{$x := .a}}" + "".join(parts)
)
contents = st.binary(max_size=12) | st.sampled_from(
    [b"5", b"-1", b"a,b", b"[1,2]", b"%d%s", b"\xff", b'{"a":{"b":1}}', "ß€😀".encode()]
)


@st.composite
def values(draw: st.DrawFn) -> Values:
    inner = {name: Sensitive(draw(contents)) for name in "ab"}
    return {**inner, "m": inner, "j": Sensitive(draw(contents))}


fragments = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{{-",
            "-}}",
            "/*",
            "*/",
            "(",
            ")",
            "|",
            ":=",
            "=",
            ",",
            ".",
            "$",
            "'",
            '"',
            "`",
        ),
        *(
            "if",
            "else",
            "end",
            "with",
            "range",
            "define",
            "block",
            "template",
            "break",
            "nil",
            "true",
        ),
        *(" ", "\n", "\\", ".a", "$x", "1", "-", "+", "e", "0x", "_", "é", "\0", "list", "index"),
    ]
)


@given(st.text() | st.lists(fragments).map("".join), st.sampled_from(MissingKey))
def test_whatever_the_text_nothing_else_is_raised(text: str, missing: MissingKey) -> None:
    for source in (text, "{{" + text, "{{if 1}}{{" + text + "}}{{end}}"):
        with suppress(TemplateError):
            rendered(source, boxed(a="1"), missing)


@given(templates, values(), st.sampled_from(MissingKey))
def test_whatever_the_values_nothing_else_is_raised(
    text: str, given_values: Values, missing: MissingKey
) -> None:
    with suppress(TemplateError):
        rendered(text, given_values, missing)


@given(templates, values())
def test_the_answer_is_the_same_each_time(text: str, given_values: Values) -> None:
    with suppress(TemplateError):
        first = rendered(text, given_values)
        assert rendered(text, dict(reversed([*given_values.items()]))) == first


@given(st.text(st.sampled_from("a\n {}.-"), max_size=30))
def test_text_without_actions_is_itself(text: str) -> None:
    if "{{" not in text:
        assert rendered(text) == text.encode()


@given(st.binary(max_size=40))
def test_base64_comes_back(raw: bytes) -> None:
    assert rendered("{{.a | b64enc | b64dec}}", boxed(a=raw)) == raw


MARK = "hunter2"


@given(
    templates,
    st.sampled_from([MARK, f"%{MARK}", f"[{MARK}", f'{{"{MARK}":"{MARK}"}}', f"77,{MARK},77"]),
)
def test_no_error_holds_a_value(text: str, value: str) -> None:
    given_values: Values = {**boxed(a=value, b=value, j=value), "m": boxed(a=value)}
    if error := error_of(text, given_values, MissingKey.ERROR):
        assert MARK not in f"{error!r} {error.hint} {error.field}"
        assert error.__cause__ is error.__context__ is None
