"""The one thing that all spellings in text have in common."""

from __future__ import annotations

from typing import Protocol

from sealkit.references.reference import Reference


class Spelling(Protocol):
    """A way to write a reference in text. What else it needs to know is in its own fields."""

    @property
    def opener(self) -> str:
        """A regular expression, without named groups, for where a reference begins.

        It takes time linear in the text however often it is tried, and wherever it matches there
        is a reference or a mistake.
        """
        ...

    def read(self, text: str, at: int) -> tuple[Reference, int]:
        """Return the reference that begins at `at`, and where it ends.

        Raises:
            ReferenceSyntaxError: it is malformed or has no end.
        """
        ...
