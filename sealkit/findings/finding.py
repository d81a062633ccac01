"""What a check found: a rule, a place, and a sentence. Never holds the value of a secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad it is, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    def reaches(self, threshold: Severity) -> bool:
        """Tell whether this is as bad as `threshold`, or worse."""
        return self.rank <= threshold.rank

    @property
    def rank(self) -> int:
        """Its place in the order, 0 for the worst."""
        return list(Severity).index(self)


class Rule(NamedTuple):
    """A rule that can be broken. `id` never changes its meaning; docs/rules has a page for each."""

    id: str
    name: str
    severity: Severity
    summary: str


class Place(NamedTuple):
    """Where something stands; 0 and "" are unknown, lines and columns count from 1.

    `subject` is the object it is about, `namespace/name`: it stays when lines move.
    """

    file: str
    document: int = 0
    line: int = 0
    column: int = 0
    field: str = ""
    subject: str = ""

    def __str__(self) -> str:
        """Return `file:line:column` as editors take it, as far as it is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One break of a rule; `reason` says why it is allowed here, if it is."""

    rule: Rule
    place: Place
    message: str
    hint: str = ""
    reason: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is: that of its rule."""
        return self.rule.severity

    @property
    def text(self) -> str:
        """The message with the object and the field it is about."""
        parts = (self.place.subject, self.place.field, self.message)
        return ": ".join(part for part in parts if part)
