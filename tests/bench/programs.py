"""How long programs take: all in turn, again and again, so that what else happens hits all alike.

Medians; only ratios count. Modules are compiled beforehand, as an installer does.
"""

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.progress import Say, say_nothing

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Job:
    """Calls that are timed as one, one after another.

    `times` is how often they would be made for the whole: a few calls stand for many. `reset` puts
    back what they changed, before each run and outside of its time.
    """

    folder: Path
    calls: Sequence[Command]
    times: float = 1
    reset: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Median:
    """How many calls were timed, and the seconds they took of the clock and of the processors."""

    calls: int
    wall_seconds: float
    cpu_seconds: float


def measure(
    jobs: Mapping[str, Job], home: Path, rounds: int, warm_up: int, say: Say = say_nothing
) -> dict[str, Median]:
    """Run all jobs in turn, `rounds` times after `warm_up` that do not count; return medians.

    `home` is the home of all programs, which see nothing else of the user's.

    Raises:
        AssertionError: a command failed.
    """
    taken: dict[str, list[tuple[float, float]]] = {what: [] for what in jobs}
    for number in range(-warm_up, rounds):
        for what, job in jobs.items():
            say(f"round {number + warm_up + 1} of {rounds + warm_up}: {what}")
            seconds = _timed(job, home)
            if number >= 0:
                taken[what].append(seconds)
    return {
        what: Median(
            len(jobs[what].calls),
            *(statistics.median(column) for column in zip(*pairs, strict=True)),
        )
        for what, pairs in taken.items()
    }


def _timed(job: Job, home: Path) -> tuple[float, float]:
    job.reset()
    before, started = _cpu_seconds(), time.perf_counter()
    for command in job.calls:
        call(command, job.folder, home)
    seconds = time.perf_counter() - started, _cpu_seconds() - before
    return seconds[0] * job.times, seconds[1] * job.times


def call(command: Command, folder: Path, home: Path) -> None:
    """Run a program as the measured ones are run; what it prints is thrown away.

    Raises:
        AssertionError: it failed; the message holds its talk.
    """
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(home / "pycache"),
        "SOPS_AGE_KEY_FILE": str(home / "age.key"),
        "LANG": "C.UTF-8",
    }
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{' '.join(map(str, command))[:200]}\n{ended.stderr}"


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime
