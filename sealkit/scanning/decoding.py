"""Bytes to text, whatever the encoding, and what may be inside, found without parsing."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import Final

_HEAD: Final = 8192
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\s-]{16,}={0,2}\s*")


def _spellings(word: bytes) -> tuple[bytes, ...]:
    """Return a word in base64, as it reads at each of the three places in a group."""
    shifted = (base64.b64encode(b"\0" * skip + word) for skip in range(3))
    ends = (len(word) * 8 // 6, (len(word) + 1) * 8 // 6, (len(word) + 2) * 8 // 6)
    starts = (0, 2, 3)
    return tuple(text[start:end] for text, start, end in zip(shifted, starts, ends, strict=True))


_WIDE: Final = "Secret".encode("utf-16-le")
_ONCE: Final = tuple(one for word in (b"Secret", b"AGE-SECRET", _WIDE) for one in _spellings(word))
_TWICE: Final = tuple(again for one in _ONCE for again in _spellings(one))

# A text without one of these, in lower case, cannot break a rule. Most files end here.
_NEEDLES: Final = (
    *(b"secret", b"stringdata", b"private key", b"password", b"passwd", b"pwd", b"passphrase"),
    *(b"passcode", b"token", b"apikey", b"api_key", b"api-key", b"access_key", b"accesskey"),
    *(b"credential", b"auths", b'"auth"', b"client-key-data", b"age-secret-key-", b"hvs.", b"hvb."),
    *(b"hvr.", b"eyj", b"ls0tls1crudjt", b"privatekey", b"private_key", b"encryption_key", b"://"),
    *(spelling.lower() for spelling in (*_ONCE, *_TWICE)),
    *(b'"kty"', b"ibadanbgkqhkig9w0baqefaasc", b"mc4caqawbqydk2vwbcie"),
    *(b"ageambmgbyqgsm49agegccqgsm49", b"ibaak"),
)
_LEGACY_TOKEN: Final = re.compile(rb"s\.[A-Za-z0-9]{24}")


def decoded(raw: bytes) -> str | None:
    """Return the text in a file without its byte order mark, None if it is no text."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace").removeprefix("\ufeff")
    if b"\0" not in raw[:_HEAD]:
        return raw.decode(errors="replace")
    encoding = _wide(raw[:_HEAD])
    return raw.decode(encoding, errors="replace") if encoding else None


def _wide(head: bytes) -> str:
    """Return the UTF-16 that a text without a mark is in: every second byte is 0."""
    half = len(head) // 2
    zeros = (head[0::2].count(0), head[1::2].count(0))
    if half > 4 and zeros[1] >= half * 0.8 and not zeros[0]:
        return "utf-16-le"
    return "utf-16-be" if half > 4 and zeros[0] >= half * 0.8 and not zeros[1] else ""


def may_break_rules(text: str) -> bool:
    """Tell whether a text can hold anything to find, by its bytes alone."""
    lower = text.lower().encode(errors="replace")
    return any(needle in lower for needle in _NEEDLES) or bool(
        _LEGACY_TOKEN.search(text.encode(errors="replace"))
    )


def text_in_base64(text: str) -> str | None:
    """Return the text that base64 stands for; None if it is no base64, or of something binary."""
    raw = bytes_in_base64(text)
    if raw is None:
        return None
    try:
        found = raw.decode()
    except UnicodeDecodeError:
        found = (decoded(raw) if raw.startswith(_WIDE_MARKS) else None) or "\0"
    return found if all(one.isprintable() or one in "\t\r\n" for one in found) else None


def bytes_in_base64(text: str) -> bytes | None:
    """Return what base64 stands for, standard or of URLs, white space and padding as they come."""
    compact = "".join(text.split()).rstrip("=")
    padded = (compact + "=" * (-len(compact) % 4)).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return None


def is_long_base64(text: str) -> bool:
    """Tell whether a text may be base64 of something, and not a word by chance."""
    return bool(_BASE64.fullmatch(text))
