"""Go's view of a string: bytes that may hold UTF-8, looked at one code point at a time.

A byte that is no UTF-8 counts as one code point of its own. `characters` keeps such bytes apart (as
`surrogateescape` does), `to_bytes` gives them back unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""Unicode's White_Space, which is what Go trims; `str.strip` trims four control characters more."""
_STRAY: Final = re.compile("[\ud800-\udfff]")
_ESCAPES: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip
_HTML: Final = {
    0: "\ufffd", ord('"'): "&#34;", ord("'"): "&#39;", ord("&"): "&amp;", ord("<"): "&lt;",
    ord(">"): "&gt;",
}  # fmt: skip
_JS: Final = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026",
    "=": "\\u003D",
}  # fmt: skip
_QUERY_SPACE: Final = {b" ": b"+"}
_QUERY: Final = re.compile(rb"[^A-Za-z0-9_.~-]")


def characters(text: bytes) -> str:
    """Return the code points of `text`, a stray byte as a lone surrogate."""
    return text.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Return the bytes that `characters` was given."""
    return text.encode("utf-8", "surrogateescape")


def readable(text: bytes) -> str:
    """Return the code points of `text`, each stray byte replaced by U+FFFD."""
    return repaired(characters(text))


def repaired(text: str) -> str:
    """Return `text` with every lone surrogate replaced by U+FFFD."""
    return _STRAY.sub("\ufffd", text)


def trimmed(text: bytes) -> bytes:
    """Return `text` without white space at both ends."""
    return to_bytes(characters(text).strip(SPACE))


def in_upper_case(text: bytes) -> bytes:
    """Return `text` in capitals, one code point for each (so `ß` stays)."""
    return text.upper() if text.isascii() else "".join(map(_upper, readable(text))).encode()


def in_lower_case(text: bytes) -> bytes:
    """Return `text` in small letters, one code point for each."""
    if text.isascii():
        return text.lower()
    return "".join(letter.lower()[0] for letter in readable(text)).encode()


def _upper(letter: str) -> str:
    for candidate in (letter.upper(), letter.title()):
        if len(candidate) == 1:
            return candidate
    return letter


def in_title_case(text: bytes) -> bytes:
    """Return `text` with a capital at the start of each word, as Go's `strings.Title` sees words.

    A word ends at white space and at ASCII other than letters, digits and `_`.
    """
    previous, out = " ", []
    for letter in readable(text):
        out.append(_title(letter) if _separates(previous) else letter)
        previous = letter
    return "".join(out).encode()


def _title(letter: str) -> str:
    return letter.title() if len(letter.title()) == 1 else letter


def _separates(letter: str) -> bool:
    if letter.isascii():
        return not (letter.isalnum() or letter == "_")
    return letter in SPACE


def quoted(text: bytes) -> bytes:
    """Return `text` as a Go string literal in double quotes."""
    return b'"' + "".join(map(_escape, characters(text))).encode() + b'"'


def _escape(letter: str) -> str:
    code = ord(letter)
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if 0xD800 <= code <= 0xDFFF:
        return f"\\x{code & 0xFF:02x}"
    if letter.isprintable():
        return letter
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def for_html(text: bytes) -> bytes:
    """Return `text` with the characters that mean something in HTML escaped."""
    return to_bytes(characters(text).translate(_HTML))


def for_javascript(text: bytes) -> bytes:
    """Return `text` as it may stand inside a JavaScript string."""
    return _mapped(text, _js)


def _js(letter: str) -> str:
    code = ord(letter)
    if letter in _JS:
        return _JS[letter]
    if code < 0x20:
        return f"\\u00{code:02X}"
    stray = 0xD800 <= code <= 0xDFFF
    return letter if code < 0x80 or stray or letter.isprintable() else f"\\u{code:04X}"


def _mapped(text: bytes, rule: Callable[[str], str]) -> bytes:
    return to_bytes("".join(map(rule, characters(text))))


def for_query(text: bytes) -> bytes:
    """Return `text` as it may stand in the query of a URL."""
    return _QUERY.sub(lambda match: _QUERY_SPACE.get(match[0], b"%%%02X" % match[0][0]), text)
