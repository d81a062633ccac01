"""How fast the controller syncs new objects: `python -m tests.bench.controller_sync [OBJECTS]`.

Manifests of five values each are created first; then the controller starts, and the clock runs
until each one is Ready. A sync is one write of a Secret and one of a status. Beside it, in the
same run on the same API server, the very same two writes from as many threads without anything in
between, before and after: that is what no controller can beat. And bare applies of Secrets, as
bare_writes.py measures them. Client and server share the machine, so only ratios count.
"""

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sealkit.crypto.x1 import PrivateKey, PublicKey
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.sealing import seal
from sealkit.sensitive import Sensitive
from sealkit_controller import logs
from sealkit_controller.app import Controller
from sealkit_controller.cluster import Cluster, Selection, Target
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import SEALED_SECRETS, SECRETS, JsonObject, Metadata
from sealkit_controller.settings import Settings
from sealkit_controller.status import new_status, synced
from tests.apiserver import ApiServer
from tests.bench import bare_writes
from tests.cluster.binaries import NoBinaries, find_binaries
from tests.cluster.controlplane import control_plane
from tests.controller.server import NAMESPACE, access, create_key, create_namespace
from tests.controller.world import condition

OBJECTS = 500
WORKLOAD = "controller-sync"
BARE = "controller-sync-bare"
CRDS = Path(__file__).parents[2] / "controller" / "crds"
_READY_SECONDS = 60


@dataclass(frozen=True)
class Sync:
    """One measured start of the controller."""

    what: str
    objects: int
    seconds: float
    cpu_seconds: float
    writes: int

    @property
    def per_second(self) -> float:
        """Objects per second, from the start of the controller."""
        return self.objects / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of this process's CPU time for each object."""
        return 1000 * self.cpu_seconds / self.objects


def measure(server: ApiServer, objects: int = OBJECTS) -> list[Sync]:
    """Sync `objects` new manifests, then start again with nothing to do, between bare writes.

    Raises:
        AssertionError: some object did not become Ready in time.
    """
    key = PrivateKey.generate(os.urandom)
    with closing(HttpCluster(access(server))) as cluster:
        for namespace in (NAMESPACE, WORKLOAD, BARE):
            create_namespace(cluster, namespace)
        create_key(cluster, key)
        before = _bare_pairs(cluster, key.public, "before", objects)
        _create_manifests(cluster, key.public, WORKLOAD, "object", objects)
        new = _start(server, "new objects", objects)
        _check_all_ready(cluster, objects)
        after = _bare_pairs(cluster, key.public, "after", objects)
        return [before, new, after, _start(server, "warm start", objects)]


def table(syncs: Sequence[Sync], bare: bare_writes.Rate) -> str:
    """Return the figures as a table for the reader of a terminal."""
    titles = f"{'':<14}{'objects':>8}{'seconds':>9}{'per second':>12}{'CPU ms each':>13}"
    rows = [
        f"{s.what:<14}{s.objects:>8}{s.seconds:>9.2f}{s.per_second:>12.0f}{s.cpu_ms:>13.2f}"
        f"{s.writes:>8}"
        for s in syncs
    ]
    before, new, after, _ = syncs
    possible = 2 / (1 / before.per_second + 1 / after.per_second)
    shares = f"{new.per_second / possible:.0%} of the same writes sent bare"
    shares += f", {2 * new.per_second / bare.per_second:.0%} of bare applies"
    threads = bare_writes.THREADS
    applies = f"bare applies per second from {threads} threads: {bare.per_second:.0f}"
    return "\n".join([f"{titles}{'writes':>8}", *rows, applies, f"the controller reaches {shares}"])


def main() -> int:
    """Start a control plane, measure, print the table and return the exit code."""
    binaries = find_binaries()
    if isinstance(binaries, NoBinaries):
        sys.stderr.write(f"not run: {binaries.reason}\n")
        return 1
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else OBJECTS
    crds = sorted(CRDS.glob("*.yaml"))
    with tempfile.TemporaryDirectory() as folder, control_plane(Path(folder), binaries, crds) as p:
        bare, _ = bare_writes.measure(p.api_server, writes=2000)
        sys.stdout.write(f"{table(measure(p.api_server, objects), bare)}\n")
    return 0


def _create_manifests(
    cluster: Cluster, key: PublicKey, namespace: str, prefix: str, count: int
) -> list[Metadata]:
    bodies = (_manifest(f"{prefix}-{number}", namespace, key) for number in range(count))
    return [Metadata.of(cluster.create(SEALED_SECRETS, namespace, body)) for body in bodies]


def _bare_pairs(cluster: Cluster, key: PublicKey, prefix: str, count: int) -> Sync:
    _create_manifests(cluster, key, BARE, prefix, count)
    pages = cluster.pages(Selection(SEALED_SECRETS, BARE))
    manifests = [raw for page in pages for raw in page.items]
    manifests = [raw for raw in manifests if Metadata.of(raw).key.name.startswith(prefix)]
    with ThreadPoolExecutor(bare_writes.THREADS) as pool:
        started, cpu_started = time.perf_counter(), time.process_time()
        list(pool.map(lambda raw: _write_pair(cluster, raw), manifests))
        seconds = time.perf_counter() - started
        cpu_seconds = time.process_time() - cpu_started
    return Sync(f"bare, {prefix}", count, seconds, cpu_seconds, 2 * count)


def _write_pair(cluster: Cluster, raw: JsonObject) -> None:
    metadata = Metadata.of(raw)
    data = {f"value-{number}": "A" * 32 for number in range(5)}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata.key._asdict()}
    cluster.create(SECRETS, BARE, secret | {"data": data})
    status = new_status({}, metadata, synced(), "1", datetime.now(UTC))
    target = Target(SEALED_SECRETS, BARE, metadata.key.name, "status")
    cluster.replace(target, raw | {"status": status})


def _start(server: ApiServer, what: str, objects: int) -> Sync:
    settings = Settings(
        probe_port=0,
        public_port=0,
        bind_address="127.0.0.1",
        cluster_name="bench",
        watch_namespaces=(WORKLOAD,),
    )
    log = logs.logger(io.StringIO(), "warning")
    writes: list[str] = []
    count = _writes_into(writes)
    with closing(HttpCluster(access(server), settings, count=count)) as cluster:
        started, cpu_started = time.perf_counter(), time.process_time()
        with Controller(settings, cluster, log=log) as controller:
            ready = controller.metrics.objects.labels("True")
            give_up = started + _READY_SECONDS
            while ready._value.get() < objects:
                assert time.perf_counter() < give_up, "not all objects became ready"
                time.sleep(0.005)
            seconds = time.perf_counter() - started
            cpu_seconds = time.process_time() - cpu_started
    return Sync(what, objects, seconds, cpu_seconds, len(writes))


def _writes_into(writes: list[str]) -> Callable[[str, str], None]:
    def count(method: str, code: str) -> None:
        del code
        if method not in {"GET", "WATCH"}:
            writes.append(method)

    return count


def _check_all_ready(cluster: Cluster, objects: int) -> None:
    items = [
        raw for page in cluster.pages(Selection(SEALED_SECRETS, WORKLOAD)) for raw in page.items
    ]
    assert len(items) == objects
    assert all(condition(raw) == ("True", "Synced") for raw in items), items[0]["status"]


def _manifest(name: str, namespace: str, key: PublicKey) -> JsonObject:
    data = {f"value-{number}": Sensitive(os.urandom(24)) for number in range(5)}
    secret = Secret(name=name, namespace=namespace, data=data)
    return seal(secret, [key], Scope.STRICT, os.urandom).to_dict()


if __name__ == "__main__":
    sys.exit(main())
