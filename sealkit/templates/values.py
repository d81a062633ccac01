"""The values a template computes with, in Go's terms.

A Go string is bytes, and so it is here: what passes through keeps its bytes. `None` is Go's nil
(a JSON null); `ABSENT` is what a missing field gives, which prints `<no value>`. Lists and maps
know their weight and depth, so that no value grows without bounds, shared parts counted each time.
Nothing here shows a value in its `repr`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, TypeAlias

from sealkit.templates.limits import ITEM_WEIGHT, MAX_DEPTH, MAX_WEIGHT, Fault, room_for


class Absent(Enum):
    """The one value that is none."""

    ABSENT = "no value"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, repr=False, eq=False)
class List:
    """A Go slice; make it by `list_of`."""

    items: tuple[Value, ...]
    weight: int
    depth: int


@dataclass(frozen=True, repr=False, eq=False)
class Map:
    """A Go map with string keys, in the order of its keys; make it by `map_of`.

    `strings`: its values are strings by type, so that a missing one is "" rather than nil.
    """

    entries: Mapping[bytes, Value]
    weight: int
    depth: int
    strings: bool


Value: TypeAlias = bytes | bool | int | float | List | Map | Absent | None


class Kind(StrEnum):
    """What a parameter takes, and what a value is, in words."""

    ANY = "anything"
    TEXT = "a string"
    FLAG = "true or false"
    WHOLE = "a whole number"
    FRACTION = "a number with a fraction"
    LIST = "a list"
    MAP = "a map"
    NOTHING = "no value"


_KINDS: Final[Mapping[type, Kind]] = {
    bytes: Kind.TEXT,
    bool: Kind.FLAG,
    int: Kind.WHOLE,
    float: Kind.FRACTION,
    List: Kind.LIST,
    Map: Kind.MAP,
}


def kind_of(value: Value) -> Kind:
    """Return what `value` is; never `Kind.ANY`."""
    return _KINDS.get(type(value), Kind.NOTHING)


def list_of(items: Iterable[Value]) -> List:
    """Return a list of `items`.

    Raises:
        Fault: it is too heavy or too deep.
    """
    content = tuple(items)
    weight = sum(map(weight_of, content)) + ITEM_WEIGHT * len(content)
    room_for(weight)
    return List(content, weight, _depth_over(content))


def map_of(entries: Mapping[bytes, Value], *, strings: bool = False, most: int = MAX_WEIGHT) -> Map:
    """Return a map of `entries`, sorted.

    Raises:
        Fault: it is too heavy or too deep.
    """
    content = {key: entries[key] for key in sorted(entries)}
    weight = sum(len(key) + weight_of(value) + ITEM_WEIGHT for key, value in content.items())
    room_for(weight, most)
    return Map(content, weight, _depth_over(content.values()), strings)


def weight_of(value: Value) -> int:
    """Return how much `value` weighs, all that is in it included."""
    if isinstance(value, bytes):
        return len(value)
    return value.weight if isinstance(value, List | Map) else 1


def cost_of(value: Value) -> int:
    """Return what it costs to look at `value`: at a list or map, not into it."""
    if isinstance(value, List):
        return ITEM_WEIGHT * len(value.items)
    if isinstance(value, Map):
        return ITEM_WEIGHT * len(value.entries)
    return weight_of(value)


def is_true(value: Value) -> bool:
    """Return whether Go's `if` takes `value` for true: whether it is not the zero of its type."""
    if isinstance(value, List):
        return bool(value.items)
    if isinstance(value, Map):
        return bool(value.entries)
    return value is not ABSENT and bool(value)


def same(left: Value, right: Value) -> bool:
    """Return whether both are of one kind and equal, all that is in them included."""
    if isinstance(left, List) and isinstance(right, List):
        pairs = zip(left.items, right.items, strict=False)
        return len(left.items) == len(right.items) and all(same(*pair) for pair in pairs)
    if isinstance(left, Map) and isinstance(right, Map):
        theirs = right.entries
        return left.entries.keys() == theirs.keys() and all(
            same(value, theirs[key]) for key, value in left.entries.items()
        )
    return type(left) is type(right) and left == right


def _depth_over(content: Iterable[Value]) -> int:
    depths = [value.depth for value in content if isinstance(value, List | Map)]
    depth = 1 + max(depths, default=0)
    if depth > MAX_DEPTH:
        raise Fault(f"would nest lists and maps deeper than {MAX_DEPTH}")
    return depth
