r"""Escapes of the spellings in one line: `\#`, `\|`, `\>`, `\{`, `\}` and `\\`.

A backslash before anything else stands for itself, so that `tls\.crt` needs no second backslash.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(r"\\([#|>{}\\])")
_TO_ESCAPE: Final = re.compile(r"([#|{}\\])")  # what `vault:` and `${vault:…}` give a meaning to
_MARK: Final = re.compile(r"\\.|[#|.]", re.DOTALL)


def escape(text: str) -> str:
    """Return `text` as it stands in a `vault:` reference; `unescape` gives it back."""
    return _TO_ESCAPE.sub(r"\\\1", text)


def unescape(text: str) -> str:
    """Return what a field stands for: without escapes, and without white space at its ends."""
    return _ESCAPE.sub(r"\1", text).strip()


def split(text: str, separator: str) -> list[str]:
    """Split at each `separator` (`#`, `|` or `.`) that no backslash stands before; escapes stay."""
    parts: list[str] = []
    start = 0
    for mark in _MARK.finditer(text):
        if mark[0] == separator:
            parts.append(text[start : mark.start()])
            start = mark.end()
    return [*parts, text[start:]]
