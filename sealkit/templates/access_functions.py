"""Go's own `len`, `index` and `slice`."""

from __future__ import annotations

from sealkit.templates.limits import Fault
from sealkit.templates.values import List, Map, Value, kind_of, list_of


def length(value: Value) -> int:
    """Return how many bytes or entries there are.

    Raises:
        Fault: `value` is no string, list or map.
    """
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, List):
        return len(value.items)
    if isinstance(value, Map):
        return len(value.entries)
    raise Fault(f"expects a string, a list or a map, not {kind_of(value)}")


def index(value: Value, *keys: Value) -> Value:
    """Return what is found by going into `value` along `keys`.

    A key that a map does not have gives the zero of its values: "" or nil.

    Raises:
        Fault: something on the way is no string, list or map, or a position does not exist.
    """
    if value is None:
        raise Fault("expects a string, a list or a map, not no value")
    for key in keys:
        value = _entry(value, key)
    return value


def _entry(value: Value, key: Value) -> Value:
    if isinstance(value, Map):
        if not isinstance(key, bytes):
            raise Fault(f"expects a string as the key of a map, not {kind_of(key)}")
        return value.entries.get(key, zero_of(value))
    if not isinstance(value, bytes | List):
        raise Fault(f"cannot look into {kind_of(value)}")
    position = _position(key, length(value) - 1)
    return value[position] if isinstance(value, bytes) else value.items[position]


def zero_of(value: Map) -> Value:
    """Return what a map holds where it holds nothing."""
    return b"" if value.strings else None


def _position(key: Value, most: int) -> int:
    if isinstance(key, bool) or not isinstance(key, int):
        raise Fault(f"expects a whole number as a position, not {kind_of(key)}")
    if not 0 <= key <= most:
        raise Fault("has a position that does not exist")
    return key


def slice_of(value: Value, *positions: Value) -> Value:
    """Return the part of a string or list from the first position to before the second.

    Raises:
        Fault: `value` is neither, or the positions are not in it or not in order.
    """
    if not isinstance(value, bytes | List):
        raise Fault(f"expects a string or a list, not {kind_of(value)}")
    if len(positions) > 2:
        raise Fault("has more than two positions")
    size = length(value)
    start, stop = (*(_position(each, size) for each in positions), 0, size)[:2]
    if len(positions) < 2:
        stop = size
    if start > stop:
        raise Fault("has positions that are not in order")
    return value[start:stop] if isinstance(value, bytes) else list_of(value.items[start:stop])
