r"""Go's literals: strings, raw strings, characters and numbers as a template writes them.

Go specification, "Integer literals" to "String literals". A problem is described, not quoted:
what stands in a template may be a plaintext that does not belong there.
"""

from __future__ import annotations

import re
from typing import Final

from sealkit.templates import runes
from sealkit.templates.limits import Fault

_ESCAPE: Final = re.compile(
    r"\\(?:(?P<letter>[abfnrtv\\'\"])|x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))",
)
_PART: Final = re.compile(r"[^\\]+|\\(?:[0-7]{3}|x.{2}|u.{4}|U.{8}|.)", re.DOTALL)
_LETTERS: Final = dict(zip("abfnrtv\\'\"", b"\a\b\f\n\r\t\v\\'\"", strict=True))
_DECIMAL: Final = re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)")
_OCTAL: Final = re.compile(r"(?P<sign>[+-]?)0(?P<digits>(?:_?[0-7])+)")
_BASED: Final = re.compile(
    r"[+-]?0(?:[xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)",
)
_FLOAT: Final = re.compile(
    r"[+-]?(?:{0}(?:\.(?:{0})?)?|\.{0})(?:[eE][+-]?{0})?".format("[0-9](?:_?[0-9])*")
)
_LARGEST: Final = 2**63 - 1
_MAX_DIGITS: Final = 100  # far beyond what fits: Python converts long numbers slowly, or refuses


def text_of(literal: str) -> bytes:
    r"""Return what a string in double or back quotes stands for; `\xff` is one byte.

    Raises:
        Fault: an escape that Go does not know.
    """
    if literal[0] == "`":
        return literal[1:-1].replace("\r", "").encode()
    return b"".join(_part(part, '"') for part in _PART.findall(literal[1:-1]))


def character_of(literal: str) -> int:
    """Return the code point a character in single quotes stands for.

    Raises:
        Fault: it is not one character.
    """
    parts = _PART.findall(literal[1:-1])
    raw = _part(parts[0], "'") if len(parts) == 1 else b""
    text = runes.characters(raw)
    if len(text) != 1:
        raise Fault("a character in single quotes is not one character")
    return raw[0] if len(raw) == 1 else ord(text)


def _part(part: str, quote: str) -> bytes:
    if part[0] != "\\":
        return part.encode()
    escape = _ESCAPE.fullmatch(part)
    if not escape or escape["letter"] in {'"', "'"} - {quote}:
        raise Fault("a quoted text has an escape that Go does not know")
    if escape["letter"]:
        return bytes([_LETTERS[escape["letter"]]])
    if escape["byte"] or escape["octal"]:
        number = int(escape["byte"], 16) if escape["byte"] else int(escape["octal"], 8)
        return _byte(number)
    return _rune(int(escape["short"] or escape["long"], 16))


def _byte(number: int) -> bytes:
    if number > 255:
        raise Fault("an octal escape is larger than a byte")
    return bytes([number])


def _rune(number: int) -> bytes:
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise Fault("an escape stands for no character")
    return chr(number).encode()


def number_of(literal: str) -> tuple[int | float, int | None]:
    """Return the number, and the integer it stands for where one is wanted.

    Raises:
        Fault: it is no number of Go's, an imaginary one, or out of range.
    """
    if len(literal) > _MAX_DIGITS:
        raise Fault("a number has too many digits")
    whole = _integer(literal)
    if whole is not None:
        if not -_LARGEST - 1 <= whole <= _LARGEST:
            raise Fault("a whole number does not fit into 64 bits")
        return whole, whole
    return _fraction(literal)


def _integer(literal: str) -> int | None:
    if _DECIMAL.fullmatch(literal) or _BASED.fullmatch(literal):
        return int(literal, 0)
    octal = _OCTAL.fullmatch(literal)
    return int(octal["sign"] + octal["digits"].strip("_"), 8) if octal else None


def _fraction(literal: str) -> tuple[float, int | None]:
    written_so = any(mark in literal for mark in ".eE")
    if not written_so or not _FLOAT.fullmatch(literal):
        raise Fault("a number is not written as Go writes numbers")
    number = float(literal)
    if abs(number) == float("inf"):
        raise Fault("a number is out of range")
    fits = number.is_integer() and abs(number) < _LARGEST
    return number, int(number) if fits else None
