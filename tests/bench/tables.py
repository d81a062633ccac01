"""A table that reads well on a terminal and is Markdown, and the figures in it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Table:
    """Rows under headings; the first column is words, the others are figures."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """Return it as Markdown with columns in line."""
        widths = [max(map(len, column)) for column in zip(self.headings, *self.rows, strict=True)]
        rule = [f"{'-' * widths[0]}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
        return "\n".join(_line(row, widths) for row in (self.headings, rule, *self.rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    figures = (f"{cell:>{width}}" for cell, width in others)
    return f"| {' | '.join((f'{first[0]:<{first[1]}}', *figures))} |"


def megabytes(count: float) -> str:
    """Return bytes as megabytes of a million."""
    return f"{count / MEGABYTE:.0f} MB"


@dataclass(frozen=True)
class Goal:
    """A measured figure beside its limit; nothing is asserted."""

    what: str
    measured: str
    limit: str = ""
    is_met: bool | None = None

    def row(self) -> tuple[str, str, str, str]:
        """Return it as a row under `GOAL_HEADINGS`."""
        verdict = {None: "", True: "yes", False: "no"}[self.is_met]
        return self.what, self.measured, self.limit, verdict


GOAL_HEADINGS = ("", "Measured", "Limit", "Within")


def goal_table(goals: Sequence[Goal]) -> Table:
    """Return goals as a table."""
    return Table(GOAL_HEADINGS, [goal.row() for goal in goals])
