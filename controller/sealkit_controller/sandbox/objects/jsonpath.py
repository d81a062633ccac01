"""The part of Kubernetes' JSONPath that printer columns use: fields, indices, `*` and filters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(
    r"\.?\[\?\(@(?P<filter>(?:\.[\w-]+|\['[^']+'\])+)\s*(?P<op>==|!=)\s*(?P<value>[^)]+)\)\]"
    r"|\.?\['(?P<quoted>[^']+)'\]"
    r"|\.?\[(?P<index>-?\d+)\]"
    r"|\.?\[\*\]|\.(?P<star>\*)"
    r"|\.(?P<name>(?:[^.\[\]\\]|\\.)+)"
)
Step = Callable[[Any], Iterable[Any]]


def find(document: Any, path: str) -> list[Any]:
    """Return every value that `path` (such as `.status.conditions[0].type`) leads to, in order.

    Raises:
        ValueError: the path uses something that is not understood here.
    """
    found = [document]
    for step in compile_path(path):
        found = [result for value in found for result in step(value)]
    return found


@lru_cache(maxsize=256)
def compile_path(path: str) -> tuple[Step, ...]:
    """Return the steps of a path.

    Raises:
        ValueError: the path uses something that is not understood here.
    """
    steps = []
    position = 0
    while position < len(path):
        match = _TOKEN.match(path, position)
        if not match or match.end() == position:
            raise ValueError(f"unsupported JSONPath {path!r}")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["filter"]:
        return _filter(match["filter"], _literal(match["value"]), wanted=match["op"] == "==")
    if match["index"]:
        return _index(int(match["index"]))
    name = match["quoted"] or match["name"]
    if name and not match["star"]:
        return _field(re.sub(r"\\(.)", r"\1", name))
    return _all


def _field(name: str) -> Step:
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _index(index: int) -> Step:
    return lambda value: (
        [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []
    )


def _all(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else []


def _filter(path: str, literal: Any, *, wanted: bool) -> Step:
    def step(value: Any) -> Iterable[Any]:
        items = value if isinstance(value, list) else []
        return [item for item in items if (literal in find(item, path)) is wanted]

    return step


def _literal(text: str) -> Any:
    stripped = text.strip()
    if stripped[0] == stripped[-1] == "'":
        return stripped[1:-1]
    return json.loads(stripped)
