"""The part of Kubernetes' JSONPath that leads to one place: names and indices, in braces.

Source: kubernetes.io/docs/reference/kubectl/jsonpath. Wildcards, filters and ranges, which lead to
several places, are refused when they are read, not when they are used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.checks import check_visible
from sealkit.references.failures import Failed, Failure
from sealkit.references.jsontree import Tree, child, has

MAX_STEPS: Final = 64

_FIELD: Final = "modifiers"
_SIMPLE: Final = re.compile(r"[A-Za-z0-9_-]+")
_INDEX: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")
_STEP: Final = re.compile(
    r"\.(?P<name>(?:[^.\[\]{}\\'\"*$@?(),:\s]|\\.)++)"
    rf"|\[(?P<index>{_INDEX.pattern})\]"
    r"|\['(?P<quoted>(?:[^'\\]|\\.)*+)'\]"
    r'|\["(?P<doubly>(?:[^"\\]|\\.)*+)"\]',
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE: Final = re.compile(r"(['\\])")


@dataclass(frozen=True)
class JsonPath:
    """Take one thing out of JSON: names of mappings and indices of lists, from the outside in."""

    steps: tuple[str | int, ...]

    def __post_init__(self) -> None:
        if len(self.steps) > MAX_STEPS:
            raise ReferenceSyntaxError(f"jsonPath has over {MAX_STEPS} steps", field=_FIELD)
        for step in self.steps:
            if isinstance(step, str):
                check_visible(step, _FIELD, 1024)
            elif not _INDEX.fullmatch(str(step)):
                raise ReferenceSyntaxError("jsonPath has an index out of bounds", field=_FIELD)

    @property
    def expression(self) -> str:
        """What stands between the braces: `.hosts[0].name`, or `$` for the whole."""
        return "".join(_step_text(step) for step in self.steps) or "$"

    def __str__(self) -> str:
        """`jsonPath {<expression>}`."""
        return f"jsonPath {{{self.expression}}}"

    def take(self, tree: Tree) -> Tree | Failed:
        """Return what the path leads to; null is there, and is returned."""
        for step in self.steps:
            if not has(tree, step):
                return Failed(Failure.KEY_NOT_FOUND, "jsonPath leads to nothing")
            tree = child(tree, step)
        return tree


def parse_json_path(text: str) -> JsonPath:
    """Parse `{.hosts[0].name}`; `{.}` and `{$}` are the whole, a `$` in front changes nothing.

    Raises:
        ReferenceSyntaxError: no braces, more than `MAX_STEPS` steps, or anything but names
            (`.name`, `['name']`, `["name"]`, a backslash before special characters) and indices.
    """
    if len(text) < 3 or text[0] != "{" or text[-1] != "}":
        what = "jsonPath has no expression in braces, such as {.name}"
        raise ReferenceSyntaxError(what, field=_FIELD)
    inner = text[1:-1].strip().removeprefix("$")
    return JsonPath(() if inner in {"", "."} else tuple(_steps(inner)))


def _steps(text: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if not match:
            what = "jsonPath knows names and indices only, such as {.hosts[0].name}"
            raise ReferenceSyntaxError(what, field=_FIELD)
        raw = match[match.lastgroup or 0]
        steps.append(int(raw) if match.lastgroup == "index" else _ESCAPE.sub(r"\1", raw))
        at = match.end()
    return steps


def _step_text(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _SIMPLE.fullmatch(step) else "['" + _TO_ESCAPE.sub(r"\\\1", step) + "']"
