"""The pictures of docs/performance.md, from the figures of one run. Needs matplotlib.

Installed by `make bench` only, so it is imported when it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import controller_sync, sandbox_sync
from tests.bench.tables import MEGABYTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURES = Path(__file__).parents[2] / "docs"
OURS, OTHERS, LIMIT = "#2563eb", "#94a3b8", "#dc2626"
WIDTH_INCHES = 8.0


def plot_sync(run: controller_sync.Run, file: Path) -> None:
    """Draw how many objects a second each controller syncs, on a scale of powers of ten."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 (see the module)

    rates = [(sync.what, sync.per_second) for sync in (*run.peers, run.ours)]
    rates.append(("the same two writes sent bare", run.possible_per_second))
    figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 0.6 + 0.5 * len(rates)))
    names, figures = zip(*rates, strict=True)
    colours = [OURS if name == controller_sync.OURS else OTHERS for name in names]
    bars = axes.barh(names, figures, color=colours)
    axes.bar_label(bars, [f"{figure:.3g}" for figure in figures], padding=3)
    axes.set_xscale("log")
    axes.set_xlim(right=max(figures) * 2)
    axes.set_xlabel("objects per second, on a real API server")
    tidy(axes)
    save(figure, file)
    plt.close(figure)


def plot_many(run: sandbox_sync.Run, file: Path) -> None:
    """Draw a sync over time: what is done, the memory, and how long newcomers waited."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 (see the module)

    figure, (work, memory, waits) = plt.subplots(
        3, 1, figsize=(WIDTH_INCHES, 6.5), sharex=True, layout="constrained"
    )
    samples, newcomers = run.first.samples, run.first.newcomers
    seconds = [sample.seconds for sample in samples]
    work.plot(seconds, [sample.synced for sample in samples], color=OURS)
    work.set_ylabel("objects synced")
    memory.plot(seconds, [sample.resident_bytes / MEGABYTE for sample in samples], color=OURS)
    memory.axhline(sandbox_sync.MEMORY_LIMIT_BYTES / MEGABYTE, color=LIMIT, linestyle="--")
    memory.set_ylim(bottom=0)
    memory.set_ylabel("memory, MB")
    at = [newcomer.seconds for newcomer in newcomers]
    waits.scatter(at, [newcomer.waited_seconds for newcomer in newcomers], color=OURS, s=8)
    waits.axhline(sandbox_sync.LATENCY_LIMIT_SECONDS, color=LIMIT, linestyle="--")
    waits.set_ylim(bottom=0)
    waits.set_ylabel("a newcomer is\nready after, s")
    waits.set_xlabel("seconds since the controller was ready (dashed: limits)")
    for axes in (work, memory, waits):
        tidy(axes)
    save(figure, file)
    plt.close(figure)


def tidy(axes: Axes) -> None:
    """Leave out the lines around that say nothing."""
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, file: Path) -> None:
    """Write a picture of which the same figures make the same bytes."""
    import matplotlib as mpl  # noqa: PLC0415 (see the module)

    with mpl.rc_context({"svg.hashsalt": file.name}):
        figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
