"""Functions on lists: sprig's. None changes the list it is given."""

from __future__ import annotations

from sealkit.templates.limits import ITEM_WEIGHT, Fault, room_for
from sealkit.templates.text_functions import as_text, texts_of
from sealkit.templates.values import List, Value, is_true, kind_of, list_of, same


def list_from(*values: Value) -> List:
    """Return `values` as a list."""
    return list_of(values)


def first(values: List) -> Value:
    """Return the first entry, or nil."""
    return values.items[0] if values.items else None


def last(values: List) -> Value:
    """Return the last entry, or nil."""
    return values.items[-1] if values.items else None


def rest(values: List) -> List:
    """Return all but the first entry."""
    return list_of(values.items[1:])


def initial(values: List) -> List:
    """Return all but the last entry."""
    return list_of(values.items[:-1])


def append(values: List, value: Value) -> List:
    """Return `values` and `value` after them."""
    return list_of((*values.items, value))


def prepend(values: List, value: Value) -> List:
    """Return `values` and `value` in front of them."""
    return list_of((value, *values.items))


def concat(*lists: List) -> List:
    """Return the entries of all lists.

    Raises:
        Fault: the result would be too large.
    """
    room_for(sum(each.weight for each in lists))
    return list_of(item for each in lists for item in each.items)


def reverse(values: List) -> List:
    """Return the entries from the last to the first."""
    return list_of(reversed(values.items))


def compact(values: List) -> List:
    """Return the entries that are not empty."""
    return list_of(filter(is_true, values.items))


def has(needle: Value, values: Value) -> bool:
    """Return whether a list holds `needle`; nil holds nothing.

    Raises:
        Fault: `values` is neither a list nor nil.
    """
    if not isinstance(values, List | None):
        raise Fault(f"expects a list, not {kind_of(values)}")
    return isinstance(values, List) and any(same(needle, item) for item in values.items)


def to_strings(value: Value) -> List:
    """Return the entries of a list as strings without nil."""
    return list_of(texts_of(value))


def sort_alpha(value: Value) -> List:
    """Return the entries of a list as strings, sorted by their bytes; anything else alone."""
    return list_of(sorted(texts_of(value)) if isinstance(value, List) else [as_text(value)])


def until(stop: int) -> List:
    """Return the whole numbers from 0 to before `stop`, downwards if it is negative.

    Raises:
        Fault: the list would be too large.
    """
    return until_step(0, stop, -1 if stop < 0 else 1)


def until_step(start: int, stop: int, step: int) -> List:
    """Return the whole numbers from `start` to before `stop`; none if `step` leads away.

    Raises:
        Fault: the list would be too large.
    """
    numbers = range(start, stop, step) if step else range(0)
    if numbers:
        room_for(ITEM_WEIGHT * ((numbers[-1] - numbers[0]) // step + 1))
    return list_of(numbers)
