"""What to do about values that are missing, empty or of another kind: sprig's and Helm's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sealkit.templates.limits import Fault
from sealkit.templates.printing import shown, written
from sealkit.templates.values import Kind, Value, is_true, kind_of

_GO_KINDS: Final[Mapping[Kind, bytes]] = {
    Kind.TEXT: b"string",
    Kind.FLAG: b"bool",
    Kind.WHOLE: b"int",
    Kind.FRACTION: b"float64",
    Kind.LIST: b"slice",
    Kind.MAP: b"map",
    Kind.NOTHING: b"invalid",
}


def default(fallback: Value, *given: Value) -> Value:
    """Return what is given unless it is empty, else `fallback`."""
    return given[0] if given and is_true(given[0]) else fallback


def empty(value: Value) -> bool:
    """Return whether `value` is the zero of its kind."""
    return not is_true(value)


def coalesce(*values: Value) -> Value:
    """Return the first that is not empty, or nil."""
    return next((value for value in values if is_true(value)), None)


def all_true(*values: Value) -> bool:
    """Return whether none is empty."""
    return all(map(is_true, values))


def any_true(*values: Value) -> bool:
    """Return whether one is not empty."""
    return any(map(is_true, values))


def ternary(yes: Value, no: Value, flag: Value) -> Value:
    """Return `yes` if `flag`, else `no`."""
    return yes if flag else no


def required(_message: Value, value: Value) -> Value:
    """Return `value`.

    Raises:
        Fault: it is nil or "". The message is not told: it may have been made from secrets.
    """
    if value is None or value == b"":
        raise Fault("found no value")
    return value


def fail(_message: bytes) -> Value:
    """Refuse, whatever the message, which is not told: it may have been made from secrets."""
    raise Fault("was called: the template refuses these values")


def kind(value: Value) -> bytes:
    """Return Go's name for the kind of `value`."""
    return _GO_KINDS[kind_of(value)]


def kind_is(name: bytes, value: Value) -> bool:
    """Return whether `name` is Go's name for the kind of `value`."""
    return name == kind(value)


def text_for_escaping(*arguments: Value) -> bytes:
    """Return what `html`, `js` and `urlquery` escape: a string as it is, all else as printed."""
    parts: list[bytes] = []
    texts = [isinstance(each, bytes) or each is None for each in arguments]
    for number, each in enumerate(arguments):
        if number and not texts[number] and not texts[number - 1]:
            parts.append(b" ")
        parts.append(written(each) if each is None else shown(each))
    return b"".join(parts)
