"""JSON as a tree whose numbers keep their text: what Vault answers and what values are made of.

A number that went through a float would come out as another text (`1e+06`, `1.10`), and a secret
is a text.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

MAX_DEPTH: Final = 64


@dataclass(frozen=True)
class Number:
    """A JSON number, in the very digits it was written in."""

    text: str


# ints and floats are not made here; they may come in with what another parser has read.
Tree: TypeAlias = "bool | int | float | str | Number | list[Tree] | dict[str, Tree] | None"


@dataclass(frozen=True)
class Read:
    """A tree and the index after it; a wrapper, since null is a tree as well."""

    tree: Tree
    end: int


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError  # NaN and Infinity are JavaScript, not JSON


_DECODER: Final = json.JSONDecoder(
    parse_float=Number, parse_int=Number, parse_constant=_refuse_constant
)


def read_at(text: str, at: int = 0) -> Read | None:
    """Read the JSON value that begins at `at`, or None: not JSON, or deeper than `MAX_DEPTH`.

    Why it is not JSON is not told, since Python's reasons carry the text. Of a name that comes
    twice the last counts, as in Vault.
    """
    with suppress(ValueError, RecursionError):
        tree, end = _DECODER.raw_decode(text, at)
        return None if is_too_deep(tree) else Read(tree, end)
    return None


def read(text: str) -> Read | None:
    """Read `text` that is one JSON value and white space around it, or None as `read_at`."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    found = read_at(text, start)
    return found if found and not text[found.end :].strip(" \t\r\n") else None


def write(tree: Tree) -> str:
    """Return the tree as compact JSON with sorted names, one text for equal content.

    It must not be deeper than `MAX_DEPTH`: see `is_too_deep`.
    """
    if isinstance(tree, Number):
        return tree.text
    if isinstance(tree, dict):
        members = (
            f"{json.dumps(name, ensure_ascii=False)}:{write(tree[name])}" for name in sorted(tree)
        )
        return "{" + ",".join(members) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(write(item) for item in tree) + "]"
    return json.dumps(tree, ensure_ascii=False)


def is_too_deep(tree: Tree) -> bool:
    """Tell whether lists and mappings are nested deeper than `MAX_DEPTH`, without recursion."""
    level: list[Tree] = [tree]
    for _ in range(MAX_DEPTH + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: Tree) -> list[Tree]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def has(tree: Tree, step: str | int) -> bool:
    """Tell whether the mapping has this name or the list this index."""
    if isinstance(tree, list):
        return -len(tree) <= _index(step, len(tree)) < len(tree)
    return isinstance(tree, dict) and step in tree


def child(tree: Tree, step: str | int) -> Tree:
    """Return what `has` said is there; negative indices count from the end of a list."""
    if isinstance(tree, list):
        return tree[_index(step, len(tree))]
    return tree[str(step)] if isinstance(tree, dict) else None


def _index(step: str | int, otherwise: int) -> int:
    if isinstance(step, int):
        return step
    return int(step) if step.isascii() and step.isdigit() and len(step) < 10 else otherwise
