"""How fast controllers sync new objects: `python -m tests.bench.controller_sync [OBJECTS]`.

On a real API server: manifests of five values each are created first, then a controller starts,
and a watch of our own sees when each is ready. A sync is one write of a Secret and one of a
status. Beside it, in the same run, the very same two writes from as many threads without anything
in between, before and after: that is what no controller can beat. And the peer, where its binary
is on PATH. Everything shares the machine, so only ratios count.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from os import urandom
from pathlib import Path

from sealkit.crypto.x1 import PrivateKey
from sealkit_controller.cluster import Cluster, Selection, Target
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import SEALED_SECRETS, SECRETS, JsonObject, Metadata, Resource
from sealkit_controller.record import Record
from sealkit_controller.settings import Settings
from sealkit_controller.status import new_status, synced
from tests.apiserver import ApiServer
from tests.bench import bare_writes
from tests.bench.bare_writes import Rate
from tests.bench.bitnami import CRD, SEALED, Absent, Peer, find_peer
from tests.bench.installed import Installed
from tests.bench.manifests import VALUES, MakeManifest, create_all, sealed_to
from tests.bench.progress import Say, say_nothing, say_on_terminal
from tests.bench.readiness import observed
from tests.bench.tables import Goal, Table, goal_table, megabytes
from tests.bench.usage import Usage, usage_of
from tests.cluster.binaries import NoBinaries, find_binaries
from tests.cluster.controlplane import control_plane, install_crd
from tests.cluster.part import Part
from tests.controller.server import NAMESPACE, access, create_key, create_namespace

OBJECTS = 500
BARE_APPLIES = 2000
CRDS = Path(__file__).parents[2] / "controller" / "crds"
OURS = "sealkit, new objects"
# Of a peer's slowest way a tenth of the objects is enough: its pace does not change.
PEER_SHARES = {"Bitnami, defaults": 0.1, "Bitnami, no rate limit": 0.5}
PATIENCE_SECONDS = 60.0
PATIENCE_SECONDS_EACH = 5.0
_WATCH = Settings(watch_timeout_seconds=3600)

RATE_LIMIT_PER_SECOND = 340
BARE_LIMIT = 0.7
PEER_LIMITS = {"Bitnami, defaults": 200, "Bitnami, no rate limit": 12}


@dataclass(frozen=True)
class Size:
    """How many objects are synced, and how many bare applies are timed."""

    objects: int = OBJECTS
    applies: int = BARE_APPLIES


@dataclass(frozen=True)
class Sync:
    """How fast objects were done; where known, the writes, and what its process took.

    `per_second` is from the first object done to the last.
    """

    what: str
    objects: int
    per_second: float
    cpu_seconds: float
    writes: int | None = None
    resident_bytes: int | None = None

    def row(self) -> tuple[str, ...]:
        """Return it as a row of the table."""
        return (
            self.what,
            f"{self.objects}",
            f"{self.per_second:.1f}" if self.per_second < 100 else f"{self.per_second:.0f}",
            f"{1000 * self.cpu_seconds / self.objects:.1f}",
            "" if self.writes is None else f"{self.writes}",
            "" if self.resident_bytes is None else megabytes(self.resident_bytes),
        )


@dataclass(frozen=True)
class Run:
    """Everything that was measured on one API server, and why the peer was not, if so."""

    applies: Rate
    bare: Sequence[Sync]
    ours: Sync
    warm: Sync
    peers: Sequence[Sync]
    absent: str

    @property
    def possible_per_second(self) -> float:
        """How many pairs of writes an unhindered client gets done: the mean of before and after."""
        return len(self.bare) / sum(1 / sync.per_second for sync in self.bare)


@dataclass(frozen=True)
class Bench:
    """An API server with our client on it, and a folder for what processes write."""

    server: ApiServer
    cluster: Cluster
    folder: Path
    say: Say

    @contextmanager
    def workload(
        self, resource: Resource, make: MakeManifest, namespace: str, count: int
    ) -> Iterator[None]:
        """Have `count` manifests in a namespace until the end of the block."""
        create_namespace(self.cluster, namespace)
        names = (f"object-{number}" for number in range(count))
        create_all(self.cluster, resource, (make(name, namespace) for name in names))
        yield
        for kind in (resource, SECRETS):
            gone = self.server.ask("DELETE", kind.path(namespace))
            assert gone.status == 200, gone.body


def measure(
    server: ApiServer,
    folder: Path,
    size: Size,
    peer: Peer | Absent,
    say: Say = say_nothing,
) -> Run:
    """Let each controller sync new manifests on `server`, ours between bare writes.

    Raises:
        TimeoutError: some object did not become ready in time.
    """
    key, objects = PrivateKey.generate(urandom), size.objects
    make = sealed_to(key.public)
    with closing(HttpCluster(access(server), _WATCH)) as cluster:
        bench = Bench(server, cluster, folder, say)
        create_namespace(cluster, NAMESPACE)
        create_key(cluster, key)
        say("bare applies")
        rate, _ = bare_writes.measure(server, size.applies)
        before = _bare_pairs(bench, make, "before", objects)
        ours, warm = _measure_ours(bench, make, objects)
        after = _bare_pairs(bench, make, "after", objects)
        if isinstance(peer, Absent):
            return Run(rate, (before, after), ours, warm, (), f"Bitnami: {peer.reason}")
        peers = list(_measure_peer(bench, peer, objects))
        return Run(rate, (before, after), ours, warm, peers, "")


def _measure_ours(bench: Bench, make: MakeManifest, objects: int) -> tuple[Sync, Sync]:
    bench.say(f"sealkit: {objects} objects")
    controller = Installed(bench.server, bench.folder)
    selection = Selection(SEALED_SECRETS, "ours")
    with bench.workload(SEALED_SECRETS, make, selection.namespace, objects):
        with observed(bench.cluster, selection) as readiness, controller.running():
            before = controller.usage()
            readiness.wait_for(objects, _patience(objects))
            after, writes = controller.usage(), controller.writes()
        new = _sync(OURS, list(readiness.times.values()), before, after, writes)
        return new, _warm_start(controller, objects)


def _warm_start(controller: Installed, objects: int) -> Sync:
    started = time.monotonic()
    with controller.running():
        while controller.synced() < objects:
            assert time.monotonic() < started + _patience(objects), "not all objects looked at"
            time.sleep(0.02)
        seconds = time.monotonic() - started
        usage, writes = controller.usage(), controller.writes()
    what, pace = "sealkit, warm start", objects / seconds
    return Sync(what, objects, pace, usage.cpu_seconds, writes, usage.resident_bytes)


def _measure_peer(bench: Bench, peer: Peer, objects: int) -> Iterator[Sync]:
    install_crd(bench.server, CRD)
    peer.install_key(bench.cluster)
    for number, (what, flags) in enumerate(peer.ways.items()):
        count = max(2, round(PEER_SHARES[what] * objects))
        bench.say(f"{what}: {count} objects")
        part = peer.part(bench.server, flags, bench.folder / f"peer-{number}.log")
        selection = Selection(SEALED, f"peer-{number}")
        with (
            bench.workload(SEALED, peer.manifest, selection.namespace, count),
            observed(bench.cluster, selection) as readiness,
            _running(part) as pid,
        ):
            before = usage_of(pid)
            readiness.wait_for(count, _patience(count))
            yield _sync(what, list(readiness.times.values()), before, usage_of(pid))


@contextmanager
def _running(part: Part) -> Iterator[int]:
    part.start()
    assert part.pid is not None, part.tail()
    try:
        yield part.pid
    finally:
        part.stop()


def _patience(objects: int) -> float:
    return PATIENCE_SECONDS + PATIENCE_SECONDS_EACH * objects


def _sync(
    what: str, times: Sequence[float], before: Usage, after: Usage, writes: int | None = None
) -> Sync:
    cpu_seconds = after.cpu_seconds - before.cpu_seconds
    pace = (len(times) - 1) / (max(times) - min(times))
    return Sync(what, len(times), pace, cpu_seconds, writes, after.resident_bytes)


def _bare_pairs(bench: Bench, make: MakeManifest, when: str, count: int) -> Sync:
    """Send the two writes of a sync for each object, from as many threads as ours has workers."""
    bench.say(f"bare pairs of writes, {when}")
    with bench.workload(SEALED_SECRETS, make, f"bare-{when}", count):
        pages = bench.cluster.pages(Selection(SEALED_SECRETS, f"bare-{when}"))
        manifests = [raw for page in pages for raw in page.items]
        with ThreadPoolExecutor(bare_writes.THREADS) as pool:
            started, cpu_started = time.perf_counter(), time.process_time()
            list(pool.map(lambda raw: _write_pair(bench.cluster, raw), manifests))
            seconds = time.perf_counter() - started
            cpu_seconds = time.process_time() - cpu_started
    return Sync(f"bare pairs, {when}", count, count / seconds, cpu_seconds, 2 * count)


def _write_pair(cluster: Cluster, raw: JsonObject) -> None:
    metadata = Metadata.of(raw)
    place = metadata.key
    data = {f"value-{number}": "A" * 32 for number in range(VALUES)}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": place._asdict()}
    cluster.create(SECRETS, place.namespace, secret | {"data": data})
    status = new_status({}, metadata, synced(), Record("1"), datetime.now(UTC))
    target = Target(SEALED_SECRETS, place.namespace, place.name, "status")
    cluster.replace(target, raw | {"status": status})


def table(run: Run) -> Table:
    """Return the figures of each controller, and of bare writes."""
    before, after = run.bare
    applies = ("bare applies", f"{len(run.applies.latencies)}", f"{run.applies.per_second:.0f}")
    rows = [
        (*applies, "", f"{len(run.applies.latencies)}", ""),
        *(sync.row() for sync in (before, run.ours, after, run.warm, *run.peers)),
    ]
    return Table(("", "objects", "per second", "CPU ms each", "writes", "RSS"), rows)


def goals(run: Run) -> Table:
    """Return the ratios, each beside its limit."""
    share = run.ours.per_second / run.possible_per_second
    is_met = share >= BARE_LIMIT or run.ours.per_second >= RATE_LIMIT_PER_SECOND
    limit = f"{BARE_LIMIT:.0%}, or {RATE_LIMIT_PER_SECOND}/s"
    of_applies = 2 * run.ours.per_second / run.applies.per_second
    warm_writes = run.warm.writes
    return goal_table(
        [
            Goal("new objects, of the same writes sent bare", f"{share:.0%}", limit, is_met),
            Goal("its two writes, of bare applies", f"{of_applies:.0%}"),
            Goal("warm start, writes", f"{warm_writes}", "0", not warm_writes),
            *(_against(run.ours, peer) for peer in run.peers),
        ]
    )


def _against(ours: Sync, peer: Sync) -> Goal:
    ratio, limit = ours.per_second / peer.per_second, PEER_LIMITS[peer.what]
    return Goal(f"new objects, times {peer.what}", f"{ratio:.0f}x", f"{limit}x", ratio >= limit)


def run_on_control_plane(objects: int, say: Say = say_nothing) -> Run | NoBinaries:
    """Measure on a real API server of its own, if its binaries are there."""
    binaries = find_binaries()
    if isinstance(binaries, NoBinaries):
        return binaries
    crds = sorted(CRDS.glob("*.yaml"))
    with tempfile.TemporaryDirectory() as name, control_plane(Path(name), binaries, crds) as plane:
        return measure(plane.api_server, Path(name), Size(objects), find_peer(), say)


def main() -> int:
    """Measure, print the tables and return the exit code."""
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else OBJECTS
    run = run_on_control_plane(objects, say_on_terminal)
    say_on_terminal("")
    if isinstance(run, NoBinaries):
        sys.stderr.write(f"not run: {run.reason}\n")
        return 1
    sys.stdout.write(f"{table(run)}\n\n{goals(run)}\n{run.absent}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
