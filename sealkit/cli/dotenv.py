"""Read `.env` files: lines of `NAME=value`, as shells and docker compose write them. Pure.

Where the readers of such files differ, nothing is guessed: the line is refused. Nothing is ever
interpolated, so `$` is a character as any other.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from sealkit.errors import ManifestError
from sealkit.sensitive import Sensitive

# A quoted value may go over several lines; a bare one ends with its line.
_ENTRY: Final = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][-.A-Za-z0-9_]*)=(?:"""
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<bare>[^'"\s][^\r\n]*)?)"""
    r"""[ \t]*(?:[ \t]\#[^\r\n]*)?(?:\r?\n|\Z)""",
    re.DOTALL | re.VERBOSE,
)
_NOTHING: Final = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\Z)")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "\n": ""} | {one: one for one in "\\\"'$`"}
_COMMENT: Final = re.compile(r"[ \t]#")


def parse_env(raw: bytes) -> dict[str, Sensitive]:
    """Return the values by name, in order.

    Raises:
        ManifestError: with the number of the line that is wrong; no line is quoted.
    """
    text = _text(raw)
    values: dict[str, Sensitive] = {}
    place = 0
    while place < len(text):
        if match := _NOTHING.match(text, place):
            place = match.end()
            continue
        line = text.count("\n", 0, place) + 1
        match = _ENTRY.match(text, place)
        if match is None:
            raise ManifestError(f"is not NAME=value, or a quote is not closed (line {line})")
        if match["name"] in values:
            raise ManifestError(f"is given twice (line {line})", field=match["name"])
        values[match["name"]] = Sensitive(_value(match, line).encode())
        place = match.end()
    return values


def _text(raw: bytes) -> str:
    with suppress(UnicodeDecodeError):
        return raw.decode("utf-8-sig")
    # Raised out here because the codec's own error, its context in there, carries the bytes.
    raise ManifestError("is not UTF-8 text")


def _value(match: re.Match[str], line: int) -> str:
    if match["single"] is not None:
        return match["single"]
    if match["double"] is not None:
        return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), match["double"])
    bare = (match["bare"] or "").rstrip(" \t")
    if _COMMENT.search(bare):
        what = f"holds ' #', which some readers take for a comment (line {line})"
        hint = "put the value in quotes, or the comment on a line of its own"
        raise ManifestError(what, field=match["name"], hint=hint)
    return bare
