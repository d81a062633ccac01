"""Arithmetic: sprig's, on whole numbers of 64 bits that overflow silently, as Go's do."""

from __future__ import annotations

from collections.abc import Callable

from sealkit.templates.limits import Fault
from sealkit.templates.text_functions import to_int
from sealkit.templates.values import Value


def _in_64_bits(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def add(*numbers: Value) -> int:
    """Return the sum, 0 of nothing."""
    return _in_64_bits(sum(map(to_int, numbers)))


def subtract(left: Value, right: Value) -> int:
    """Return the difference."""
    return _in_64_bits(to_int(left) - to_int(right))


def multiply(first_factor: Value, *factors: Value) -> int:
    """Return the product."""
    product = to_int(first_factor)
    for factor in factors:
        product = _in_64_bits(product * to_int(factor))
    return product


def divide(left: Value, right: Value) -> int:
    """Return the quotient without its fraction.

    Raises:
        Fault: `right` is 0.
    """
    dividend, divisor = to_int(left), to_int(right)
    if not divisor:
        raise Fault("divides by zero")
    quotient = abs(dividend) // abs(divisor)
    return _in_64_bits(quotient if (dividend < 0) == (divisor < 0) else -quotient)


def remainder(left: Value, right: Value) -> int:
    """Return what `divide` leaves.

    Raises:
        Fault: `right` is 0.
    """
    return _in_64_bits(to_int(left) - divide(left, right) * to_int(right))


def _chosen(choose: Callable[[list[int]], int], numbers: tuple[Value, ...]) -> int:
    return choose([to_int(number) for number in numbers])


def largest(*numbers: Value) -> int:
    """Return the largest."""
    return _chosen(max, numbers)


def smallest(*numbers: Value) -> int:
    """Return the smallest."""
    return _chosen(min, numbers)
