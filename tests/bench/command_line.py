"""How fast the command line is: `python -m tests.bench.command_line`.

One cold call of each verb beside Python itself and the peers; a thousand Secrets in one call beside
as many calls of a peer; and the opening of values. It prints the tables of docs/performance.md and
draws their pictures, where matplotlib is.
"""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.bench import command_jobs, opening, programs
from tests.bench.bitnami import KEY_BITS
from tests.bench.command_world import add_sops, make_desk, make_tree
from tests.bench.peers import Peers, find_peers
from tests.bench.programs import Median
from tests.bench.progress import Say, say_nothing, say_on_terminal
from tests.bench.tables import Goal, Table, goal_table

CLUSTERS = (1, 3)
PYTHON_LIMIT = 6.5
SOPS_LIMIT = 2.5
KUBESEAL_LIMIT = 20
VERIFY_LIMIT_SECONDS = 1.5
REWRAP_LIMIT_SECONDS = 3
OPEN_LIMIT_MICROSECONDS = 150
NOT_RUN = "not run"


@dataclass(frozen=True)
class Size:
    """How much is measured; where a peer takes a call a Secret, `calls` stand for all."""

    cold_rounds: int = 20
    many_rounds: int = 5
    warm_up: int = 2
    secrets: int = 1000
    calls: int = 50
    opening_rounds: int = opening.ROUNDS
    key_bits: int = KEY_BITS


@dataclass(frozen=True)
class Run:
    """What was measured: single calls, many Secrets, and the microseconds of openings."""

    size: Size
    peers: Peers
    cold: Mapping[str, Median]
    many: Mapping[str, Median]
    openings: Mapping[str, float]


def measure(home: Path, size: Size, peers: Peers, say: Say = say_nothing) -> Run:
    """Measure everything, in folders below `home`.

    Raises:
        AssertionError: a command failed.
    """
    say("making repositories")
    desks = {number: make_desk(home / f"desk-{number}", home, number) for number in CLUSTERS}
    tree = make_tree(home / "tree", home, size.secrets)
    if peers.sops:
        add_sops(tree, home, peers.sops, size.calls)
    jobs = command_jobs.cold(desks, peers)
    cold = programs.measure(jobs, home, size.cold_rounds, size.warm_up, say)
    jobs = command_jobs.many(tree, peers, size.calls)
    many = programs.measure(jobs, home, size.many_rounds, size.warm_up, say)
    say("opening values")
    return Run(size, peers, cold, many, opening.measure(size.opening_rounds, size.key_bits))


def cold_table(run: Run) -> Table:
    """Return the single calls, beside Python doing nothing."""
    python = run.cold[command_jobs.PYTHON]
    rows = [
        (
            what,
            f"{1000 * one.wall_seconds:.0f}",
            f"{one.wall_seconds / python.wall_seconds:.1f}",
            f"{1000 * one.cpu_seconds:.0f}",
        )
        for what, one in run.cold.items()
    ]
    return Table(("One call, cold", "ms", "Times Python", "CPU ms"), rows)


def many_table(run: Run) -> Table:
    """Return what all Secrets of a repository took."""
    rows = [
        (
            what,
            f"{one.calls}",
            f"{one.wall_seconds:.2f}",
            f"{1000 * one.wall_seconds / run.size.secrets:.1f}",
            f"{one.cpu_seconds:.2f}",
        )
        for what, one in run.many.items()
    ]
    heading = f"{run.size.secrets:,} Secrets"
    return Table((heading, "Calls timed", "s", "ms each", "CPU s"), rows)


def opening_table(run: Run) -> Table:
    """Return what opening values takes."""
    return Table(("Opening", "µs"), [(what, f"{one:.0f}") for what, one in run.openings.items()])


def goals(run: Run) -> Table:
    """Return the ratios and the figures that have a limit, each beside it."""
    seal = run.many[command_jobs.SEAL_MANY]
    in_files = run.many[command_jobs.SEAL_FILES]
    kubeseal = run.many.get(command_jobs.KUBESEAL_MANY)
    rewrap, verify = run.many[command_jobs.REWRAP_MANY], run.many[command_jobs.VERIFY_MANY]
    update = run.many.get(command_jobs.UPDATE_MANY)
    microseconds = run.openings[opening.OURS]
    limit = OPEN_LIMIT_MICROSECONDS
    return goal_table(
        [
            *(goal for number in CLUSTERS for goal in _cold_goals(run.cold, number)),
            _faster("`seal` of one file, than calls of kubeseal", seal, kubeseal, KUBESEAL_LIMIT),
            _faster("`seal` of a file each, than the same", in_files, kubeseal),
            _faster("`rewrap`, than calls of `sops updatekeys`", rewrap, update),
            _seconds("`rewrap`", rewrap, REWRAP_LIMIT_SECONDS),
            _seconds("`verify`", verify, VERIFY_LIMIT_SECONDS),
            Goal(opening.OURS, f"{microseconds:.0f} µs", f"{limit} µs", microseconds <= limit),
        ]
    )


def _cold_goals(cold: Mapping[str, Median], clusters: int) -> list[Goal]:
    seal, peer = command_jobs.sealed(clusters), command_jobs.encrypted(clusters)
    return [
        _slower(f"{seal}, times Python", cold[seal], cold[command_jobs.PYTHON], PYTHON_LIMIT),
        _slower("the same, times sops", cold[seal], cold.get(peer), SOPS_LIMIT),
    ]


def _slower(what: str, ours: Median, other: Median | None, limit: float) -> Goal:
    if other is None:
        return Goal(what, NOT_RUN, f"{limit}x")
    ratio = ours.wall_seconds / other.wall_seconds
    return Goal(what, f"{ratio:.1f}x", f"{limit}x", ratio <= limit)


def _faster(what: str, ours: Median, other: Median | None, limit: float | None = None) -> Goal:
    wanted = f"at least {limit}x" if limit else ""
    if other is None:
        return Goal(what, NOT_RUN, wanted)
    ratio = other.wall_seconds / ours.wall_seconds
    return Goal(what, f"{ratio:.0f}x", wanted, None if limit is None else ratio >= limit)


def _seconds(what: str, ours: Median, limit: float) -> Goal:
    seconds = ours.wall_seconds
    return Goal(what, f"{seconds:.2f} s", f"{limit} s", seconds <= limit)


def main() -> int:
    """Measure, print the tables, draw the pictures and return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        run = measure(Path(name), Size(), find_peers(Path(name)), say_on_terminal)
    say_on_terminal("")
    tables = (cold_table(run), many_table(run), opening_table(run), goals(run))
    sys.stdout.write("\n\n".join(map(str, tables)) + "\n\n")
    sys.stdout.write("".join(f"{line}\n" for line in run.peers.lines()))
    if find_spec("matplotlib"):
        from tests.bench import command_plots  # noqa: PLC0415 (needs matplotlib)

        command_plots.plot_all(run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
