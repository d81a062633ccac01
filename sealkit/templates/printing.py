"""Values as text, the way Go's `fmt` prints them: `print`, `println` and `printf`.

Where Go would print a complaint into the text (`%!d(string=…)`), this refuses: a Secret that holds
a complaint is of no use, and the complaint holds the secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from sealkit.templates.limits import ITEM_WEIGHT, MAX_NUMBER_WIDTH, Fault, room_for
from sealkit.templates.runes import characters, quoted, to_bytes
from sealkit.templates.values import ABSENT, Kind, List, Map, Value, kind_of

_VERB: Final = re.compile(
    rb"%(?P<flags>[-+# 0]*)(?P<width>[0-9]*)(?:\.(?P<precision>[0-9]*))?(?P<verb>[^0-9])", re.DOTALL
)
_LARGE: Final = 6
"""The power of ten from which Go prints the shortest form of a fraction with an exponent."""
_NUMBER_FLAGS: Final = frozenset("-+ 0")


def written(value: Value) -> bytes:
    """Return what an action writes for `value`."""
    return b"<no value>" if value is None or value is ABSENT else shown(value)


def shown(value: Value) -> bytes:
    """Return `value` as `%v` prints it, maps in the order of their keys."""
    return _formatted(value, _PLAIN)


def printed(values: Sequence[Value]) -> bytes:
    """Return `values` as `print` does: a space between two that are both no strings."""
    parts: list[bytes] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, bytes) and not isinstance(values[index - 1], bytes):
            parts.append(b" ")
        parts.append(shown(value))
    return b"".join(parts)


def printed_line(values: Sequence[Value]) -> bytes:
    """Return `values` as `println` does: spaces between, a newline after."""
    return b" ".join(map(shown, values)) + b"\n"


@dataclass(frozen=True)
class _Format:
    """One `%` of a format."""

    verb: str
    flags: frozenset[str] = frozenset()
    width: int = 0
    precision: int | None = None


_PLAIN: Final = _Format("v")


def formatted(text: bytes, values: Sequence[Value]) -> bytes:
    """Return `text` with each `%` replaced by the next value, as `printf` does.

    Verbs: `%v %s %q %d %x %X %o %b %c %U %t %e %E %f %F %g %G %%`; flags `-`, `+`, space and `0`;
    width and precision as digits, `MAX_NUMBER_WIDTH` at most.

    Raises:
        Fault: there are more or fewer values than verbs, a verb does not fit its value, or the
            result would be too large.
    """
    rest, out, size, here = list(values), [], 0, 0
    while (start := text.find(b"%", here)) >= 0:
        form, stop = _format_at(text, start)
        part = b"%" if form.verb == "%" else _formatted(_next(rest), form)
        size += start - here + len(part)
        room_for(size)
        out += [text[here:start], part]
        here = stop
    if rest:
        raise Fault("has more values than its format has verbs")
    return b"".join([*out, text[here:]])


def _next(rest: list[Value]) -> Value:
    if not rest:
        raise Fault("has more verbs in its format than values")
    return rest.pop(0)


def _format_at(text: bytes, start: int) -> tuple[_Format, int]:
    match = _VERB.match(text, start)
    if not match:
        raise Fault("has a format that ends inside a verb")
    width, precision = _bounded(match["width"]), match["precision"]
    digits = None if precision is None else _bounded(precision)
    form = _Format(
        match["verb"].decode("latin-1"), frozenset(match["flags"].decode()), width, digits
    )
    return form, match.end()


def _bounded(digits: bytes) -> int:
    number = int(digits or b"0") if len(digits) < 9 else MAX_NUMBER_WIDTH + 1
    if number > MAX_NUMBER_WIDTH:
        raise Fault(f"has a width or precision above {MAX_NUMBER_WIDTH}")
    return number


def _formatted(value: Value, form: _Format) -> bytes:
    if isinstance(value, List | Map):
        return _container(value, form)
    kind = kind_of(value)
    rule = _RULES[kind].get(form.verb)
    if not rule:
        raise Fault(f"has a verb in its format that cannot print {kind}")
    return rule(value, form)


def _container(value: List | Map, form: _Format) -> bytes:
    room_for(value.weight // ITEM_WEIGHT * (form.width + (form.precision or 0)))
    if isinstance(value, List):
        return b"[" + b" ".join(_formatted(item, form) for item in value.items) + b"]"
    pairs = (
        _formatted(key, form) + b":" + _formatted(item, form) for key, item in value.entries.items()
    )
    return b"map[" + b" ".join(pairs) + b"]"


def _flags(form: _Format, allowed: frozenset[str]) -> None:
    if form.flags - allowed:
        raise Fault("has a flag in its format that does not go with its verb")


def _padded(text: str, form: _Format) -> bytes:
    wide = text.ljust(form.width) if "-" in form.flags else text.rjust(form.width)
    return to_bytes(wide)


def _text(value: Value, form: _Format) -> bytes:
    _flags(form, frozenset("-+" if form.verb == "v" else "-"))
    return _padded(characters(_bytes(value))[: form.precision], form)


def _quoted(value: Value, form: _Format) -> bytes:
    _flags(form, frozenset("-"))
    text = to_bytes(characters(_bytes(value))[: form.precision])
    return _padded(characters(quoted(text)), form)


def _hex(value: Value, form: _Format) -> bytes:
    _flags(form, frozenset("-"))
    digits = _bytes(value)[: form.precision].hex()
    return _padded(digits.upper() if form.verb == "X" else digits, form)


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _nothing(_value: Value, form: _Format) -> bytes:
    return _padded("<nil>", form)


def _flag(value: Value, form: _Format) -> bytes:
    _flags(form, frozenset("-+" if form.verb == "v" else "-"))
    return _padded("true" if value else "false", form)


def _whole(value: Value, form: _Format) -> bytes:
    _flags(form, _NUMBER_FLAGS)
    if form.precision is not None:
        raise Fault("has a precision in its format for a whole number")
    # %+v asks for the fields of structs, not for a sign.
    shape = _Format("d", form.flags - {"+"}, form.width) if form.verb == "v" else form
    return _number(value, shape, shape.verb)


def _number(value: Value | Decimal, form: _Format, kind: str) -> bytes:
    """Format by Python's own rules, which are C's, and so are Go's."""
    sign = next((flag for flag in "+ " if flag in form.flags), "")
    align = "<" if "-" in form.flags else ">"
    fill = "0" if "0" in form.flags and align == ">" else ""
    width = str(form.width or "")
    return format(value, f"{'' if fill else align}{sign}{fill}{width}{kind}").encode()


def _character(value: Value, form: _Format) -> bytes:
    _flags(form, frozenset("-"))
    number = value if isinstance(value, int) else 0
    valid = 0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    letter = chr(number) if valid else "\ufffd"
    return _padded(f"U+{number:04X}" if form.verb == "U" else letter, form)


def _fraction(value: Value, form: _Format) -> bytes:
    _flags(form, _NUMBER_FLAGS)
    verb = "g" if form.verb == "v" else form.verb
    flags = form.flags - {"+"} if form.verb == "v" else form.flags
    if form.precision is None and verb in "gG":
        return _shortest(float(_float(value)), _Format(verb, flags, form.width))
    precision = 6 if form.precision is None else form.precision
    return _number(value, _Format(verb, flags, form.width), f".{precision}{verb}")


def _float(value: Value) -> float:
    return value if isinstance(value, float) else 0.0


def _shortest(number: float, form: _Format) -> bytes:
    exact, exponent, decimals = shortest(number)
    if -4 <= exponent < _LARGE:
        return _number(exact, form, f".{max(decimals - exponent, 0)}f")
    # Go's exponents have two digits at least, those of a Decimal one.
    short = abs(exponent) < 10
    narrow = replace(form, width=max(form.width - short, 0))
    text = _number(exact, narrow, f".{decimals}{'E' if form.verb == 'G' else 'e'}")
    return re.sub(rb"(?<=[eE][-+])(?=[0-9]\b)", b"0", text)


def shortest(number: float) -> tuple[Decimal, int, int]:
    """Return the fewest digits that name `number` and no other.

    With them come the exponent of ten of the first digit, and how many digits come after it.
    (To round `number` itself to as many digits may give others, halfway between two.)
    """
    exact = Decimal(repr(number)).normalize()
    return exact, exact.adjusted(), len(exact.as_tuple().digits) - 1


_Rule = Callable[[Value, _Format], bytes]
_RULES: Final[Mapping[Kind, Mapping[str, _Rule]]] = {
    Kind.TEXT: {"v": _text, "s": _text, "q": _quoted, "x": _hex, "X": _hex},
    Kind.FLAG: dict.fromkeys("vt", _flag),
    Kind.WHOLE: dict.fromkeys("vdxXob", _whole) | dict.fromkeys("cU", _character),
    Kind.FRACTION: dict.fromkeys("veEfFgG", _fraction),
    Kind.NOTHING: {"v": _nothing},
}
