"""The pictures of the command line in docs/performance.md. Needs matplotlib, as `plots` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.command_jobs import PYTHON
from tests.bench.command_line import Run
from tests.bench.plots import OTHERS, OURS, PICTURES, WIDTH_INCHES, save, tidy


class Bar(NamedTuple):
    """One program: how long it takes, and how that is written beside it."""

    what: str
    length: float
    label: str

    @property
    def colour(self) -> str:
        """Blue for what is ours."""
        return OURS if "sealkit" in self.what else OTHERS


def plot_all(run: Run, folder: Path = PICTURES) -> None:
    """Draw single calls, and many Secrets at once, each into a file of its own."""
    python = run.cold[PYTHON].wall_seconds
    cold = [
        Bar(
            what,
            1000 * one.wall_seconds,
            f"{1000 * one.wall_seconds:.0f} ms · {one.wall_seconds / python:.1f}x",
        )
        for what, one in run.cold.items()
    ]
    many = [
        Bar(what, one.wall_seconds, f"{one.wall_seconds:.2g} s") for what, one in run.many.items()
    ]
    secrets = f"seconds for {run.size.secrets:,} Secrets of five values"
    _plot(cold, "milliseconds from a cold start · times Python", folder / "performance-cold.svg")
    _plot(many, secrets, folder / "performance-thousand.svg")


def _plot(bars: Sequence[Bar], axis: str, file: Path) -> None:
    import matplotlib.pyplot as plt  # noqa: PLC0415 (see `plots`)

    figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 0.6 + 0.36 * len(bars)))
    drawn = axes.barh(
        [bar.what.replace("`", "") for bar in bars],
        [bar.length for bar in bars],
        color=[bar.colour for bar in bars],
    )
    axes.bar_label(drawn, [bar.label for bar in bars], padding=3)
    axes.invert_yaxis()  # in the order of the table
    axes.set_xlim(right=1.2 * max(bar.length for bar in bars))
    axes.set_xlabel(axis)
    tidy(axes)
    save(figure, file)
    plt.close(figure)
