"""Text for one line of a terminal or a log. Pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return one line of text without anything that a terminal or a log would act on."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
