"""Functions on strings: sprig's, with its order of arguments (what is piped in comes last)."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from sealkit.templates import runes
from sealkit.templates.limits import ITEM_WEIGHT, Fault, room_for
from sealkit.templates.printing import shown
from sealkit.templates.values import ABSENT, List, Map, Value, list_of, map_of

_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_WHOLE: Final = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<based>0(?:[xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+))"
    r"|(?P<octal>0(?:_?[0-7])+)|(?P<decimal>0|[1-9](?:_?[0-9])*))"
)


def as_text(value: Value) -> bytes:
    """Return `value` as sprig's `toString` does."""
    return value if isinstance(value, bytes) else shown(value)


def texts_of(value: Value) -> list[bytes]:
    """Return the entries of a list as text without nil; anything else alone; of nil nothing."""
    if isinstance(value, List):
        return [as_text(item) for item in value.items if item is not None]
    return [] if value is None or value is ABSENT else [as_text(value)]


def encode(text: bytes) -> bytes:
    """Return the base64 of `text`."""
    return base64.b64encode(text)


def decode(text: bytes) -> bytes:
    """Return the bytes that `text` is the base64 of; line breaks in it do not count.

    Raises:
        Fault: it is no base64 with padding. (sprig returns the complaint as the value.)
    """
    packed = text.translate(None, b"\r\n")
    if not _BASE64.fullmatch(packed):
        raise Fault("is given something that is no base64")
    return base64.b64decode(packed)


def sha256(text: bytes) -> bytes:
    """Return the SHA-256 of `text` in hexadecimal digits."""
    return hashlib.sha256(text).hexdigest().encode()


def sha512(text: bytes) -> bytes:
    """Return the SHA-512 of `text` in hexadecimal digits."""
    return hashlib.sha512(text).hexdigest().encode()


def quote(*values: Value) -> bytes:
    """Return all that is not nil as Go strings in double quotes, spaces between."""
    return b" ".join(runes.quoted(as_text(value)) for value in values if value is not None)


def squote(*values: Value) -> bytes:
    """Return all that is not nil in single quotes, nothing escaped, spaces between."""
    return b" ".join(b"'" + shown(value) + b"'" for value in values if value is not None)


def cat(*values: Value) -> bytes:
    """Return all that is not nil with spaces between."""
    return b" ".join(shown(value) for value in values if value is not None)


def trim_all(cutset: bytes, text: bytes) -> bytes:
    """Return `text` without the characters of `cutset` at both ends."""
    letters, gone = runes.characters(text), set(runes.characters(cutset))
    kept = [place for place, letter in enumerate(letters) if letter not in gone]
    return runes.to_bytes(letters[kept[0] : kept[-1] + 1]) if kept else b""


def without_space(text: bytes) -> bytes:
    """Return `text` without any white space."""
    gone = str.maketrans(dict.fromkeys(runes.SPACE))
    return runes.to_bytes(runes.characters(text).translate(gone))


def replace(old: bytes, new: bytes, text: bytes) -> bytes:
    """Return `text` with every `old` replaced.

    Raises:
        Fault: the result would be too large.
    """
    room_for(len(text) + _count(text, old) * (len(new) - len(old)))
    if old:
        return text.replace(old, new)
    return runes.to_bytes(runes.characters(text).replace("", runes.characters(new)))


def _count(text: bytes, part: bytes) -> int:
    return text.count(part) if part else len(runes.characters(text)) + 1


def repeat(count: int, text: bytes) -> bytes:
    """Return `text` `count` times.

    Raises:
        Fault: `count` is negative, or the result would be too large.
    """
    if count < 0:
        raise Fault("has a negative count")
    room_for(count * len(text))
    return text * (count if text else 0)


def indent(spaces: int, text: bytes) -> bytes:
    """Return `text` with every line moved to the right.

    Raises:
        Fault: `spaces` is negative, or the result would be too large.
    """
    if spaces < 0:
        raise Fault("has a negative number of spaces")
    room_for(len(text) + spaces * (text.count(b"\n") + 1))
    pad = b" " * spaces
    return pad + text.replace(b"\n", b"\n" + pad)


def nindent(spaces: int, text: bytes) -> bytes:
    """Return `indent` on a new line.

    Raises:
        Fault: as `indent`.
    """
    return b"\n" + indent(spaces, text)


def trunc(length: int, text: bytes) -> bytes:
    """Return the first `length` bytes; the last ones if it is negative."""
    if length >= 0:
        return text[:length]
    return text[length:] if len(text) + length > 0 else text


def substr(start: int, end: int, text: bytes) -> bytes:
    """Return the bytes from `start` to `end`; a negative one stands for that side of the text.

    Raises:
        Fault: they are not in the text.
    """
    begin = max(start, 0)
    stop = len(text) if start >= 0 and not 0 <= end <= len(text) else end
    if not begin <= stop <= len(text):
        raise Fault("has a position that is not in the text")
    return text[begin:stop]


def _parts(separator: bytes, limit: int, text: bytes) -> list[bytes]:
    """Split as Go's `SplitN`: by code points if the separator is empty, no limit below 0."""
    if limit == 0:
        return []
    count = _count(text, separator)
    room_for(len(text) + ITEM_WEIGHT * (count if limit < 0 else min(count, limit)))
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    letters = runes.characters(text)
    cut = len(letters) if limit < 0 else limit - 1
    pieces = [*letters[:cut], *([letters[cut:]] if letters[cut:] else [])]
    return [runes.to_bytes(piece) for piece in pieces]


def split_list(separator: bytes, text: bytes) -> List:
    """Return the parts of `text` between separators as a list.

    Raises:
        Fault: the result would be too large.
    """
    return list_of(_parts(separator, -1, text))


def split(separator: bytes, text: bytes) -> Map:
    """Return the parts of `text` as a map with the keys `_0`, `_1`, ….

    Raises:
        Fault: the result would be too large.
    """
    return splitn(separator, -1, text)


def splitn(separator: bytes, limit: int, text: bytes) -> Map:
    """Return `split`, but at most `limit` parts, if it is not negative.

    Raises:
        Fault: the result would be too large.
    """
    parts = _parts(separator, limit, text)
    return map_of({b"_%d" % number: part for number, part in enumerate(parts)}, strings=True)


def join(separator: bytes, value: Value) -> bytes:
    """Return the entries of a list as one text.

    Raises:
        Fault: the result would be too large.
    """
    parts = texts_of(value)
    room_for(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def to_int(value: Value) -> int:
    """Return `value` as a whole number; 0 for what is none, as sprig does."""
    if isinstance(value, bytes):
        return _parsed(value.decode("latin-1"))
    if isinstance(value, int | float):
        number = int(value)
        return number if -(2**63) <= number < 2**63 else -(2**63)
    return 0


def _parsed(text: str) -> int:
    whole = re.sub(r"\.0+\Z", "", text) if len(text) <= 100 else ""
    match = _WHOLE.fullmatch(whole)
    if not match:
        return 0
    digits = match["based"] or match["decimal"]
    magnitude = int(digits, 0) if digits else int(match["octal"].replace("_", ""), 8)
    number = -magnitude if match["sign"] == "-" else magnitude
    return number if -(2**63) <= number < 2**63 else 0


def to_decimal(text: bytes) -> int:
    """Return the whole number that `text` writes in decimal digits, else 0."""
    match = re.fullmatch(rb"[+-]?[0-9]{1,100}", text)
    number = int(text) if match else 0
    return number if -(2**63) <= number < 2**63 else 0
