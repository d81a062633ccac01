"""The parsed tree of one document: values with their places in the text.

Pure data. Every index counts characters of the whole text, so that an edit can find what it
replaces. Reading is in `yaml_reader` and `json_reader`, writing in `emit` and `splice`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sealkit.errors import ManifestError

MAX_DOCUMENTS: Final = 10_000
MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000
MAX_DIGITS: Final = 1_000  # of an integer; conversion takes quadratic time

_BARE_KEY: Final = re.compile(r"[-._/A-Za-z0-9]+")
_ITEM: Final = re.compile(r"\[[0-9]+\]")


class Scalar(NamedTuple):
    """A scalar, already resolved: a string is a `str`, everything else has another type.

    `text[start:end]` is its source, empty for an omitted value; `style` is the character that
    opens it (one of `'"|>`) or empty for a plain one.
    """

    value: str | int | float | bool | None
    start: int
    end: int
    style: str


class Entry(NamedTuple):
    """One `key: value` of a mapping."""

    key: Scalar
    value: Node


class MappingNode(NamedTuple):
    """A mapping in source order. A block mapping ends where its last value ends."""

    entries: dict[str, Entry]
    start: int
    end: int
    flow: bool


class SequenceNode(NamedTuple):
    """A sequence in source order. A block sequence ends where its last item ends."""

    items: list[Node]
    start: int
    end: int
    flow: bool


Node = Scalar | MappingNode | SequenceNode


def to_plain(node: Node | None) -> object:
    """Return the data as dict, list, str, int, float, bool and None, freshly made."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, MappingNode):
        return {key: to_plain(entry.value) for key, entry in node.entries.items()}
    return [to_plain(item) for item in node.items] if node is not None else None


def same_data(left: object, right: object) -> bool:
    """Tell whether two plain values are equal in type too: `True` is not 1, 1 is not 1.0."""
    if isinstance(left, str):  # nearly all, and asking for a Mapping is slow
        return type(left) is type(right) and left == right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same_data(left[k], right[k]) for k in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same_data, left, right))
    return type(left) is type(right) and _same_scalar(left, right)


def _same_scalar(left: object, right: object) -> bool:
    if isinstance(left, float):
        return repr(left) == repr(right)  # tells -0.0 from 0.0, and takes nan for nan
    return left == right


def field_path(parts: Sequence[str]) -> str:
    """Return the dotted path of a field; an unusual key is quoted, so that it cannot deceive.

    A part such as "[3]" is an index and follows without a dot.
    """
    path = ""
    for part in parts:
        if _ITEM.fullmatch(part):
            path += part
        else:
            name = part if _BARE_KEY.fullmatch(part) else ascii(part[:80])
            path += f".{name}" if path else name
    return path


def position(text: str, index: int) -> tuple[int, int]:
    """Return line and column of `index`, both counted from 1; a byte order mark has no width."""
    begin = text.rfind("\n", 0, index) + 1
    return text.count("\n", 0, index) + 1, len(text[begin:index].lstrip("\ufeff")) + 1


def refusal(
    text: str, index: int, problem: str, *, path: Sequence[str] = (), hint: str = ""
) -> ManifestError:
    """Return the error for `problem` at `index`, with line, column and field."""
    line, column = position(text, index)
    where = f"{problem} (line {line}, column {column})"
    return ManifestError(where, field=field_path(path), hint=hint)
