"""How long one command takes from a cold start: `python -m tests.bench.cold_start`.

All programs in turn, again and again, so that what else the machine does hits all alike; medians.
Only the ratios count. Modules are compiled beforehand, as an installer does.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.sensitive import Sensitive

ROUNDS = 20
WARM_UP = 2  # rounds that compile modules and fill the disk cache
KEYS = 5
CLUSTERS = 3
BIN = Path(sys.executable).parent

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Median:
    """What one program took: seconds of the clock, and of the processor."""

    what: str
    wall_seconds: float
    cpu_seconds: float


def measure(
    commands: Mapping[str, Command], folder: Path, rounds: int = ROUNDS, warm_up: int = WARM_UP
) -> list[Median]:
    """Run all commands in turn, `rounds` times; return their medians in the order given.

    Raises:
        subprocess.CalledProcessError: a command failed.
    """
    taken: dict[str, list[tuple[float, float]]] = {what: [] for what in commands}
    for number in range(-warm_up, rounds):
        for what, command in commands.items():
            seconds = _run(command, folder)
            if number >= 0:
                taken[what].append(seconds)
    return [
        Median(what, *(statistics.median(column) for column in zip(*pairs, strict=True)))
        for what, pairs in taken.items()
    ]


def _run(command: Command, folder: Path) -> tuple[float, float]:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
        "LANG": "C.UTF-8",
    }
    before, started = _cpu_seconds(), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    return time.perf_counter() - started, _cpu_seconds() - before


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def prepare(folder: Path) -> dict[str, Command]:
    """Write a Secret, a configuration and keys into `folder`; return the commands by name."""
    sealkit = BIN / "sealkit"
    names = [f"cluster-{number}" for number in range(CLUSTERS)]
    _sealkit(folder, "init")
    for number, name in enumerate(names):
        key = PrivateKey(Sensitive(bytes([number]) * 32))
        (folder / f"{name}.pub").write_text(str(Recipient(name, key.public)))
        _sealkit(folder, "clusters", "add", name, f"{name}.pub")
    values = "".join(f"  KEY_{number}: a-value-of-24-characters\n" for number in range(KEYS))
    head = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData:\n"
    (folder / "secret.yaml").write_text(head + values)
    _sealkit(folder, "seal", "secret.yaml", "-o", "db.sealed.yaml")
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import click'": [sys.executable, "-c", "import click"],
        "python -c 'import click, yaml'": [sys.executable, "-c", "import click, yaml"],
        "sealkit --help": [sealkit, "--help"],
        f"sealkit seal ({KEYS} keys, {CLUSTERS} clusters)": [sealkit, "seal", "secret.yaml"],
        "sealkit set": [sealkit, "set", "db.sealed.yaml", "--from-file", "KEY_0=secret.yaml"],
        "sealkit inspect": [sealkit, "inspect", "db.sealed.yaml"],
        **_peers(),
    }


def _peers() -> dict[str, Command]:
    sops = shutil.which("sops")
    recipient = os.environ.get("SOPS_AGE_RECIPIENTS")
    if not sops or not recipient:
        return {}
    return {"sops encrypt --age (1 key)": [sops, "encrypt", "--age", recipient, "secret.yaml"]}


def _sealkit(folder: Path, *arguments: str) -> None:
    _run([BIN / "sealkit", *arguments], folder)


def table(medians: Sequence[Median]) -> str:
    """Return the medians as a table, as ratios to the first."""
    first = medians[0]
    lines = [f"{'command':<36}{'ms':>8}{'ratio':>8}{'cpu ms':>8}{'ratio':>8}"]
    for one in medians:
        wall, cpu = one.wall_seconds, one.cpu_seconds
        ratios = wall / first.wall_seconds, cpu / first.cpu_seconds
        row = f"{one.what:<36}{wall * 1000:>8.1f}{ratios[0]:>8.2f}"
        lines.append(f"{row}{cpu * 1000:>8.1f}{ratios[1]:>8.2f}")
    return "\n".join(lines)


def main() -> int:
    """Measure, print the table and return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = prepare(folder)
        print(table(measure(commands, folder)))  # noqa: T201 (the result)
    if not any(what.startswith("sops") for what in commands):
        print("sops: not run (needs sops on PATH and SOPS_AGE_RECIPIENTS)")  # noqa: T201 (same)
    return 0


if __name__ == "__main__":
    sys.exit(main())
