"""Go's comparisons: `eq ne lt le gt ge`, strict about kinds, nil equal to nil only."""

from __future__ import annotations

from typing import Final

from sealkit.templates.limits import Fault
from sealkit.templates.values import Kind, Value, kind_of

_BASIC: Final = frozenset((Kind.TEXT, Kind.FLAG, Kind.WHOLE, Kind.FRACTION))
_ORDERED: Final = _BASIC - {Kind.FLAG}


def equal(first: Value, *others: Value) -> bool:
    """Return whether `first` equals one of `others`, which are looked at in order.

    Raises:
        Fault: there are no others, or one is of a kind that cannot be compared with `first`.
    """
    if not others:
        raise Fault("has nothing to compare with")
    return any(_equal(first, other) for other in others)


def _equal(left: Value, right: Value) -> bool:
    kinds = kind_of(left), kind_of(right)
    if Kind.NOTHING in kinds:
        return kinds[0] is kinds[1]
    if kinds[0] is not kinds[1] or kinds[0] not in _BASIC:
        raise Fault(f"cannot compare {kinds[0]} with {kinds[1]}")
    return left == right


def unequal(left: Value, right: Value) -> bool:
    """Return the opposite of `equal`."""
    return not _equal(left, right)


def less(left: Value, right: Value) -> bool:
    """Return whether `left` comes before `right`: strings by their bytes.

    Raises:
        Fault: they are not of one kind that has an order.
    """
    if isinstance(left, bytes) and isinstance(right, bytes):
        return left < right
    kinds = kind_of(left), kind_of(right)
    if kinds[0] is not kinds[1] or kinds[0] not in _ORDERED:
        raise Fault(f"cannot order {kinds[0]} and {kinds[1]}")
    return _number(left) < _number(right)


def _number(value: Value) -> float | int:
    return value if isinstance(value, int | float) else 0


def less_or_equal(left: Value, right: Value) -> bool:
    """Return `less` or equal."""
    return less(left, right) or left == right


def greater(left: Value, right: Value) -> bool:
    """Return the opposite of `less_or_equal`."""
    return not less_or_equal(left, right)


def greater_or_equal(left: Value, right: Value) -> bool:
    """Return the opposite of `less`."""
    return not less(left, right)
