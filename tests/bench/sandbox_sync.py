"""Ten thousand objects on the sandbox: `python -m tests.bench.sandbox_sync [OBJECTS]`.

The sandbox, the installed controller and this load generator are three processes. Manifests of
five values each are created first; then the controller starts. While it syncs them, newcomers are
created one after another, and a watch of our own sees when each is ready. Then the controller
stops and starts again, with nothing changed. The sandbox is a Python process too and the machine
is shared, so objects per second say more about the sandbox than about the controller.
"""

import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sealkit.crypto.x1 import PrivateKey
from sealkit_controller.cluster import Cluster, Selection
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import SEALED_SECRETS
from tests.bench.installed import Installed
from tests.bench.manifests import MakeManifest, create_all, labelled, sealed_to
from tests.bench.progress import Say, say_nothing, say_on_terminal
from tests.bench.readiness import Readiness, observed
from tests.bench.sandbox_server import Requests, SandboxProcess, sandbox_process
from tests.bench.tables import MEGABYTE, Goal, Table, goal_table, megabytes
from tests.bench.usage import Usage
from tests.controller.server import NAMESPACE, access, create_key, create_namespace

OBJECTS = 10_000
WORKLOAD = "workload"
LABEL = "bench.sealkit.dev/newcomer"
NEWCOMERS = Selection(SEALED_SECRETS, WORKLOAD, f"{LABEL}=true")
NEWCOMER_SECONDS = 0.1  # from one to the next
SAMPLE_SECONDS = 0.5
PATIENCE_SECONDS = 60.0
PATIENCE_SECONDS_EACH = 0.1

MEMORY_LIMIT_BYTES = 120 * MEGABYTE
LATENCY_LIMIT_SECONDS = 1.0
READY_LIMIT_SECONDS = 2.0


@dataclass(frozen=True)
class Sample:
    """One look at the controller, `seconds` after it was ready."""

    seconds: float
    synced: int
    resident_bytes: int


@dataclass(frozen=True)
class Newcomer:
    """An object that came during the sync: when, after the controller was ready, and its wait."""

    seconds: float
    waited_seconds: float


@dataclass(frozen=True)
class FirstSync:
    """The sync of everything. `newcomers` are those that came while there was a queue."""

    ready_seconds: float
    samples: Sequence[Sample]
    newcomers: Sequence[Newcomer]
    usage: Usage

    @property
    def seconds(self) -> float:
        """How long it took once the controller was ready."""
        return self.samples[-1].seconds

    def waited_seconds(self, share: float) -> float:
        """Return how long the quickest `share` of the newcomers waited at most."""
        waits = sorted(newcomer.waited_seconds for newcomer in self.newcomers)
        return waits[math.ceil(share * len(waits)) - 1]


@dataclass(frozen=True)
class WarmStart:
    """A start with nothing to do: until it is ready, and until each object was looked at."""

    ready_seconds: float
    seconds: float
    writes: int
    requests: Requests
    usage: Usage

    @property
    def opened(self) -> int:
        """How many manifests can have been decrypted: it comes after a read, or before a write."""
        return self.requests.get(("get", "secrets"), 0) + self.writes


@dataclass(frozen=True)
class Run:
    """Everything that was measured."""

    objects: int
    first: FirstSync
    warm: WarmStart


def measure(folder: Path, objects: int = OBJECTS, say: Say = say_nothing) -> Run:
    """Sync `objects` manifests on a sandbox that keeps its files in `folder`, then start again.

    Raises:
        TimeoutError: the controller did not get done in time.
    """
    key = PrivateKey.generate(os.urandom)
    make = sealed_to(key.public)
    with (
        sandbox_process(folder) as sandbox,
        closing(HttpCluster(access(sandbox.server))) as cluster,
    ):
        for namespace in (NAMESPACE, WORKLOAD):
            create_namespace(cluster, namespace)
        create_key(cluster, key)
        say(f"sandbox: creating {objects} objects")
        names = (f"object-{number}" for number in range(objects))
        create_all(cluster, SEALED_SECRETS, (make(name, WORKLOAD) for name in names))
        controller = Installed(sandbox.server, folder)
        first = _first_sync(controller, cluster, make, objects, say)
        say("sandbox: warm start")
        return Run(objects, first, _warm_start(controller, sandbox, objects))


def _first_sync(
    controller: Installed, cluster: Cluster, make: MakeManifest, objects: int, say: Say
) -> FirstSync:
    with observed(cluster, NEWCOMERS) as readiness, controller.running() as ready_seconds:
        ready = time.monotonic()
        with _arriving(cluster, make) as created:
            samples = [_sample(controller, readiness, ready)]
            while samples[-1].synced < objects:
                _check_patience(samples[-1].seconds, objects)
                say(f"sandbox: {samples[-1].synced} of {objects} objects synced")
                time.sleep(SAMPLE_SECONDS)
                samples.append(_sample(controller, readiness, ready))
        readiness.wait_for(len(created), PATIENCE_SECONDS)
        usage = controller.usage()
    newcomers = [Newcomer(at - ready, readiness.times[name] - at) for name, at in created.items()]
    return FirstSync(ready_seconds, samples, _while_busy(newcomers, samples), usage)


def _sample(controller: Installed, readiness: Readiness, ready: float) -> Sample:
    synced = controller.synced() - len(readiness.times)
    return Sample(time.monotonic() - ready, synced, controller.usage().resident_bytes)


def _while_busy(newcomers: Sequence[Newcomer], samples: Sequence[Sample]) -> list[Newcomer]:
    """Leave out those that came when there was no queue any more, but for the first."""
    busy_until = samples[-2].seconds if len(samples) > 1 else 0.0
    return [*newcomers[:1], *(one for one in newcomers[1:] if one.seconds <= busy_until)]


@contextmanager
def _arriving(cluster: Cluster, make: MakeManifest) -> Iterator[dict[str, float]]:
    """Create newcomers until the end of the block; the dictionary is when each was sent."""
    created: dict[str, float] = {}
    enough = threading.Event()

    def create() -> None:
        while True:
            name = f"newcomer-{len(created)}"
            body = labelled(make(name, WORKLOAD), {LABEL: "true"})
            created[name] = time.monotonic()
            cluster.create(SEALED_SECRETS, WORKLOAD, body)
            if enough.wait(NEWCOMER_SECONDS):
                return

    thread = threading.Thread(target=create, name="newcomers")
    thread.start()
    try:
        yield created
    finally:
        enough.set()
        thread.join()


def _warm_start(controller: Installed, sandbox: SandboxProcess, objects: int) -> WarmStart:
    sandbox.requests()  # forget those of the first sync
    started = time.monotonic()
    with controller.running() as ready_seconds:
        while controller.synced() < objects:
            _check_patience(time.monotonic() - started, objects)
            time.sleep(0.05)
        seconds = time.monotonic() - started
        usage, writes = controller.usage(), controller.writes()
        return WarmStart(ready_seconds, seconds, writes, sandbox.requests(), usage)


def _check_patience(seconds: float, objects: int) -> None:
    if seconds > PATIENCE_SECONDS + PATIENCE_SECONDS_EACH * objects:
        raise TimeoutError(f"{objects} objects are not synced after {seconds:.0f} s")


def table(run: Run) -> Table:
    """Return what was measured, each figure beside its limit."""
    first, warm = run.first, run.warm
    return goal_table(
        [
            Goal("objects, five values each", f"{run.objects:,}"),
            Goal("first sync, objects/s", f"{run.objects / first.seconds:.0f}"),
            Goal("newcomers during it", f"{len(first.newcomers)}"),
            _seconds("newcomer ready, p50", first.waited_seconds(0.50)),
            _seconds("newcomer ready, p99", first.waited_seconds(0.99), LATENCY_LIMIT_SECONDS),
            _seconds("newcomer ready, max", first.waited_seconds(1.0)),
            _memory("memory after it (RSS)", first.usage.resident_bytes),
            _memory("its highest (peak RSS)", first.usage.peak_bytes),
            _seconds("warm restart, ready after", warm.ready_seconds, READY_LIMIT_SECONDS),
            _seconds("warm restart, all looked at", warm.seconds),
            Goal("warm restart, writes", f"{warm.writes}", "0", not warm.writes),
            Goal("warm restart, decryptions", f"{warm.opened}", "0", not warm.opened),
            _memory("memory after it (RSS)", warm.usage.resident_bytes),
            _memory("its highest (peak RSS)", warm.usage.peak_bytes),
        ]
    )


def _seconds(what: str, measured: float, limit: float | None = None) -> Goal:
    if limit is None:
        return Goal(what, f"{measured:.2f} s")
    return Goal(what, f"{measured:.2f} s", f"{limit:.0f} s", measured <= limit)


def _memory(what: str, measured: int) -> Goal:
    limit = megabytes(MEMORY_LIMIT_BYTES)
    return Goal(what, megabytes(measured), limit, measured <= MEMORY_LIMIT_BYTES)


def main() -> int:
    """Measure, print the table and return the exit code."""
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else OBJECTS
    with tempfile.TemporaryDirectory() as folder:
        run = measure(Path(folder), objects, say_on_terminal)
    say_on_terminal("")
    sys.stdout.write(f"{table(run)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
