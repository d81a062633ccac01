"""What may stand in a reference: characters, lengths, canonical paths.

Nothing here quotes what it refuses: text that looks like a reference may be a secret after all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sealkit.errors import ReferenceSyntaxError

MAX_PATH: Final = 1024  # characters, the mount included
MAX_KEY: Final = 1024  # characters

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_REFUSED_IN_PATHS: Final = frozenset("%\\?#")  # the ways to mean another path than is written
_CUBBYHOLE: Final = "cubbyhole"  # belongs to one token, and every token has another one


@contextmanager
def under(path: str) -> Iterator[None]:
    """Put `path` before the field of any error raised within."""
    try:
        yield
    except ReferenceSyntaxError as error:
        error.field = ".".join(part for part in (path, error.field) if part)
        raise


def check_visible(text: str, field: str, limit: int) -> None:
    """Refuse text that is too long or does not look like what it is.

    Raises:
        ReferenceSyntaxError: more than `limit` characters; a control or format character, a line
            or paragraph separator, half of a surrogate pair.
    """
    if len(text) > limit:
        raise ReferenceSyntaxError(f"is longer than {limit} characters", field=field)
    if not text.isprintable() and any(unicodedata.category(c) in _INVISIBLE for c in text):
        raise ReferenceSyntaxError("holds a control or invisible character", field=field)


def check_encodable(text: str, field: str, limit: int) -> None:
    """Refuse what is no text, or too much of it; line breaks and tabs may be in it.

    Raises:
        ReferenceSyntaxError: more than `limit` characters, or half of a surrogate pair.
    """
    if len(text) > limit:
        raise ReferenceSyntaxError(f"is longer than {limit} characters", field=field)
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ReferenceSyntaxError("holds half of a surrogate pair, which is no text", field=field)


def check_path(path: str, field: str) -> None:
    r"""Refuse a path that has another spelling, or that a server might read as another path.

    HTTP clients collapse `..`, `//` and percent encodings after any check of ours, so that
    whatever they would touch is refused before any rule is matched against the path.

    Raises:
        ReferenceSyntaxError: as `check_visible`; an empty segment (so also a slash at either end),
            `.` or `..`, one of `%`, `\`, `?`, `#`, or a segment that begins or ends with a space.
    """
    check_visible(path, field, MAX_PATH)
    if not path:
        raise ReferenceSyntaxError("is empty", field=field)
    for segment in path.split("/"):
        _check_segment(segment, field)


def _check_segment(segment: str, field: str) -> None:
    if not segment:
        what = "has an empty segment: a slash at an end, or two in a row"
        raise ReferenceSyntaxError(what, field=field)
    if segment in {".", ".."}:
        raise ReferenceSyntaxError("has a segment '.' or '..'", field=field)
    if _REFUSED_IN_PATHS & set(segment):
        raise ReferenceSyntaxError("holds one of % \\ ? #, which no path may", field=field)
    if segment != segment.strip():
        raise ReferenceSyntaxError("has a segment with a space at an end", field=field)


def check_not_cubbyhole(mount: str, path: str) -> None:
    """Refuse the cubbyhole: it is another one for every token, and what is wrapped lies in it.

    Raises:
        ReferenceSyntaxError: a segment of the mount, or the first of a path without a mount, is it.
    """
    field = "mount" if mount else "path"
    segments = mount.split("/") if mount else path.split("/", 1)[:1]
    if _CUBBYHOLE in segments:
        what = "is the cubbyhole, which nobody but its own token can read"
        raise ReferenceSyntaxError(what, field=field)
