"""Each limit of `limits` ends in one error, in time that does not depend on who wrote the template.

Without its limit, hardly one of these would end, so there is no clock in here.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from sealkit.errors import TemplateError
from sealkit.sensitive import Sensitive
from sealkit.templates.limits import (
    MAX_DEPTH,
    MAX_NESTING,
    MAX_OUTPUT,
    MAX_SOURCE,
    MAX_STEPS,
    MAX_VALUES,
    MAX_VARIABLES,
    MAX_WEIGHT,
    MAX_WORDS,
)
from sealkit.templates.template import Values, parse
from tests.sealkit.templates.rendering import boxed, rendered


def refusal(text: str, values: Values | None = None) -> str:
    with pytest.raises(TemplateError) as caught:
        rendered(text, values)
    return str(caught.value)


def ifs(count: int) -> str:
    return "{{if 1}}" * count + "{{end}}" * count


def parentheses(count: int) -> str:
    return "{{" + "(" * count + "1" + ")" * count + "}}"


def calls(count: int) -> str:
    return "{{not " + "(not " * count + "1" + ")" * count + "}}"


def chain(count: int) -> str:
    """Templates, each including the next."""
    defined = (
        f"{{{{define `{number}`}}}}{{{{template `{number + 1}` .}}}}{{{{end}}}}"
        for number in range(count)
    )
    return "".join(defined) + f"{{{{define `{count}`}}}}{{{{.a}}}}{{{{end}}}}{{{{template `0` .}}}}"


def variables(count: int) -> str:
    return "".join(f"{{{{$x{number} := 1}}}}" for number in range(count))


def deep_list(depth: int) -> str:
    return "{{" + "(list " * depth + ")" * depth + " | kindOf}}"


def deep_json(depth: int) -> str:
    return f"{{{{mustFromJson `{'[' * depth}{']' * depth}` | kindOf}}}}"


def deep_values(depth: int) -> Values:
    return {"a": deep_values(depth - 1)} if depth > 1 else {}


WITHIN = {
    "source": " " * MAX_SOURCE,
    "words": "{{1 | list" + " 1" * (MAX_WORDS - 3) + "}}",
    "blocks": ifs(MAX_NESTING - 1),
    "parentheses": parentheses(MAX_NESTING - 1),
    "calls": calls(MAX_NESTING - 1),
    "variables": variables(MAX_VARIABLES - 1),
    "includes": chain(MAX_NESTING - 1),
    "output": f"{{{{repeat {MAX_OUTPUT} `a`}}}}",
    "text-weight": f"{{{{repeat {MAX_WEIGHT} `a` | len}}}}",
    "list-weight": f"{{{{until {MAX_WEIGHT // 17} | len}}}}",
    "list-depth": deep_list(MAX_DEPTH),
    "json-depth": deep_json(MAX_DEPTH),
    "turns": f"{{{{range {MAX_STEPS // 2 - 2}}}}}{{{{end}}}}",
}
BEYOND = {
    "source": (" " * (MAX_SOURCE + 1), "longer than"),
    "words": ("{{list" + " 1" * MAX_WORDS + "}}", f"more than {MAX_WORDS} words"),
    "blocks": (ifs(MAX_NESTING), "nests deeper"),
    "blocks-many": (ifs(MAX_WORDS // 4), "nests deeper"),
    "parentheses": (parentheses(MAX_NESTING), "nests deeper"),
    "parentheses-many": (parentheses(MAX_WORDS // 3), "nests deeper"),
    "calls": (calls(MAX_NESTING), "nests deeper"),
    "else-ifs": (
        "{{if 0}}" + "{{else}}{{if 0}}" * MAX_NESTING + "{{end}}" * (MAX_NESTING + 1),
        "nests deeper",
    ),
    "variables": (variables(MAX_VARIABLES), "variables are declared"),
    "includes": (chain(MAX_NESTING), "nest deeper than 40 while running"),
    "includes-many": (chain(2000), "nest deeper than 40 while running"),
    "recursion": ("{{define `a`}}{{template `a`}}{{end}}{{template `a`}}", "while running"),
    "doubling": (
        "{{define `a`}}{{template `a`}}{{template `a`}}{{end}}{{template `a`}}",
        "while running",
    ),
    "output": ("{{$x := repeat 1000 `a`}}{{range 1049}}{{$x}}{{end}}", "the output is larger"),
    "output-text": ("{{range 1100}}" + "a" * 1000 + "{{end}}", "the output is larger"),
    "turns": (f"{{{{range {MAX_STEPS + 1}}}}}{{{{end}}}}", "range has more than"),
    "turns-most": (f"{{{{range {2**63 - 1}}}}}{{{{end}}}}", "range has more than"),
    "steps": (f"{{{{range {MAX_STEPS}}}}}{{{{end}}}}{{{{range 1}}}}{{{{end}}}}", "steps"),
    "steps-nested": ("{{range 1000}}{{range 1000}}x{{end}}{{end}}", "steps"),
    "steps-fields": ("{{range 1000}}{{$" + ".x" * 1000 + "}}{{end}}", "steps"),
    "steps-chain": ("{{range 1000}}{{(dict)" + ".x" * 1000 + "}}{{end}}", "steps"),
    "work-given": ("{{$x := repeat 1000000 `a`}}{{range 9}}{{$y := len $x}}{{end}}", "in sum"),
    "work-made": ("{{range 9}}{{$x := repeat 1000000 `a`}}{{end}}", "in sum"),
    "work-loop": ("{{$x := until 60000}}{{range 9}}{{range $x}}{{break}}{{end}}{{end}}", "in sum"),
    "work-deep": (
        "{{$n := list (list (until 9000))}}{{$m := list $n}}{{range 99}}{{$x := has $n $m}}{{end}}",
        "in sum",
    ),
    "work-hidden": (
        "{{$n := list (list (repeat 500000 `é`))}}{{range 20}}{{$x := printf `%.0s` $n}}{{end}}",
        "in sum",
    ),
    "work-many": (
        "{{$n := list (repeat 500000 `a`)}}{{quote" + " $n" * 1000 + " | len}}",
        "in sum",
    ),
    "list-depth": (deep_list(MAX_DEPTH + 1), "nest lists and maps"),
    "json-depth": (deep_json(MAX_DEPTH + 1), "nests deeper"),
    "json-deep": (deep_json(100_000), "nests deeper"),
    "width": ("{{printf `%1001d` 1}}", "width or precision"),
    "width-long": ("{{printf `%99999999999d` 1}}", "width or precision"),
    "precision": ("{{printf `%.1001f` 1.0}}", "width or precision"),
    "width-of-many": ("{{printf `%1000v` (until 2000)}}", "larger than"),
    "digits": ("{{" + "1" * 101 + "}}", "too many digits"),
}
TOO_HEAVY = {
    "repeat": f"repeat {MAX_WEIGHT + 1} `a`",
    "repeat-most": f"repeat {2**63 - 1} `a`",
    "indent": "indent 1000 (repeat 1100 `\n`)",
    "indent-most": f"indent {2**63 - 1} `a`",
    "nindent": f"nindent {2**63 - 1} `a`",
    "replace": "replace `a` (repeat 1000 `b`) (repeat 1100 `a`)",
    "replace-nothing": "replace `` (repeat 1000 `b`) (repeat 1100 `a`)",
    "join": "join (repeat 1000 `,`) (until 1100)",
    "split": "split `,` (repeat 100000 `,`)",
    "splitList": "splitList `` (repeat 100000 `a`)",
    "splitn": "splitn `,` 1000000000 (repeat 100000 `,`)",
    "splitn-nothing": "splitn `` 1000000000 (repeat 100000 `a`)",
    "until": "until 100000",
    "until-most": f"until {-(2**63)}",
    "untilStep": f"untilStep {-(2**63)} {2**63 - 1} 1",
    "list": "list (until 40000) (until 40000)",
    "concat": "concat (until 40000) (until 40000)",
    "dict": "dict `a` (until 40000) `b` (until 40000)",
    "printf": "printf `%s%s` (repeat 600000 `a`) (repeat 600000 `a`)",
    "printf-list": "printf `%1000d` (until 1100)",
    "print": "print (repeat 600000 `a`) (repeat 600000 `a`)",
    "quote": 'quote (repeat 600000 `"`)',
    "b64enc": "b64enc (repeat 1000000 `a`)",
    "toJson": "toJson (repeat 200000 `<`)",
    "toPrettyJson": "toPrettyJson (list (list (list (list (list (list (until 55000)))))))",
    "mustFromJson": "mustFromJson (printf `[%s0]` (repeat 100000 `0,`))",
    "html": "html (repeat 300000 `<`)",
}


@pytest.mark.parametrize("text", WITHIN.values(), ids=list(WITHIN))
def test_up_to_its_limit_a_template_is_rendered(text: str) -> None:
    rendered(text, boxed(a="1"))


@pytest.mark.parametrize(("text", "problem"), BEYOND.values(), ids=list(BEYOND))
def test_beyond_its_limit_a_template_is_refused(text: str, problem: str) -> None:
    assert problem in refusal(text, boxed(a="1"))


@pytest.mark.parametrize("call", TOO_HEAVY.values(), ids=list(TOO_HEAVY))
def test_no_function_makes_a_value_too_large(call: str) -> None:
    name = call.split(maxsplit=1)[0]
    assert refusal(f"{{{{$x := {call}}}}}").endswith(
        f"{name} would make a value larger than {MAX_WEIGHT} bytes"
    )


def test_the_values_have_a_limit() -> None:
    half = MAX_VALUES // 2
    fits = {name: Sensitive(bytes(half - 17)) for name in "ab"}
    assert rendered("{{len .a}}", fits) == str(half - 17).encode()
    assert refusal("", fits | {"c": Sensitive(b"")}).startswith("the values for the template: ")


def test_the_values_nest_up_to_a_limit() -> None:
    assert rendered("{{kindOf .}}", deep_values(MAX_DEPTH)) == b"map"
    assert "nest deeper than" in refusal("", deep_values(MAX_DEPTH + 1))


SIZE = MAX_SOURCE // 2
HOSTILE = {
    "openings": "{{" * SIZE,
    "open-spaces": "{{" + " " * SIZE + "x" + " " * SIZE,
    "spaced-words": "{{" + (" " * 100 + "1") * (SIZE // 101),
    "comments": "{{/**/}}" * (SIZE // 8),
    "open-comments": "{{/*" * (SIZE // 4),
    "trims": "{{- 1 -}} " * (SIZE // 10),
    "trim-spaces": "a" + " " * SIZE + "{{- 1 -}}" + " " * (SIZE - 10),
    "lines": "\n{{1}}" * (SIZE // 6),
    "quotes": '{{"' + "\\" * SIZE,
    "quote-pairs": "{{" + '""' * SIZE,
    "escapes": '{{"' + "\\x41" * (SIZE // 4) + '"}}',
    "backquotes": "{{" + "``" * SIZE,
    "digits": "{{" + "1" * SIZE + "}}",
    "exponents": "{{" + "1e+" * (SIZE // 3) + "}}",
    "underscores": "{{1" + "_1" * (SIZE // 2) + "}}",
    "fields": "{{" + ".a" * (SIZE // 2) + "}}",
    "name": "{{." + "é" * SIZE + "}}",
    "pipes": "{{1" + "|list" * (SIZE // 5) + "}}",
    "commas": "{{range $a" + ",$a" * (SIZE // 3) + " := .}}{{end}}",
    "blank-definitions": "{{define `a`}}{{end}}" * (SIZE // 21),
    "definitions-after-a-long-one": (
        "{{define `a`}}" + "{{/**/}} " * (SIZE // 9) + "x{{end}}" + "{{define `a`}}{{end}}" * 5000
    ),
    "ends": "{{end}}" * (SIZE // 7),
    "elses": "{{if 1}}" + "{{else if 1}}" * (SIZE // 13) + "{{end}}",
}
FULL = MAX_WEIGHT // 2 - 100
SLOW = {
    "cutset": ("trimAll .c .a", b"b" * FULL, b"a" * FULL + b"b"),
    "needle": ("contains .c .a", b"a" * FULL, b"a" * (FULL // 2) + b"b"),
    "stray-bytes": ("quote .a | len", b"\xff" * (FULL // 2), b""),
    "upper": ("upper .a | len", "é".encode() * (FULL // 2), b""),
    "title": ("title .a | len", b"a " * (FULL // 2), b""),
    "number": ("fromJson .a", b"9" * FULL, b""),
    "fraction": ("fromJson .a", b"0." + b"9" * FULL, b""),
    "json-quotes": ("fromJson .a", b'"\\' * (FULL // 2), b""),
    "json-brackets": ("fromJson .a", b"[]" * (FULL // 2), b""),
    "whole": ("int .a", b"9" * FULL, b""),
    "percents": ("printf .a", b"%%" * (FULL // 2), b""),
    "base64": ("b64dec .a", b"A" * FULL + b"!", b""),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_text_made_to_hurt_is_done_with(text: str) -> None:
    with suppress(TemplateError):
        parse(text)


@pytest.mark.parametrize(("call", "value", "other"), SLOW.values(), ids=list(SLOW))
def test_a_value_made_to_hurt_is_done_with(call: str, value: bytes, other: bytes) -> None:
    """As often as the limits let it."""
    with suppress(TemplateError):
        rendered(f"{{{{range 20}}}}{{{{$x := {call}}}}}{{{{end}}}}", boxed(a=value, c=other))
