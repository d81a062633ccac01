"""How fast the controller syncs new objects: `python -m tests.bench.controller_sync [OBJECTS]`.

Manifests of five values each are created first; then the controller starts, and the clock runs
until each one is Ready. Beside it, in the same run on the same API server, the bare writes: a sync
is one write of a Secret and one of a status, so half the bare rate is what no controller can beat.
"""

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sealkit.crypto.x1 import PrivateKey, PublicKey
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.sealing import seal
from sealkit.sensitive import Sensitive
from sealkit_controller import logs
from sealkit_controller.app import Controller
from sealkit_controller.cluster import Cluster, Selection
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import SEALED_SECRETS, JsonObject
from sealkit_controller.settings import Settings
from tests.apiserver import ApiServer
from tests.bench import bare_writes
from tests.cluster.binaries import NoBinaries, find_binaries
from tests.cluster.controlplane import control_plane
from tests.controller.server import NAMESPACE, access, create_key, create_namespace
from tests.controller.world import condition

OBJECTS = 500
WORKLOAD = "controller-sync"
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


def measure(server: ApiServer, objects: int = OBJECTS) -> tuple[Sync, Sync]:
    """Sync `objects` new manifests, then start again with nothing to do; return both.

    Raises:
        AssertionError: some object did not become Ready in time.
    """
    key = PrivateKey.generate(os.urandom)
    with closing(HttpCluster(access(server))) as cluster:
        create_namespace(cluster, NAMESPACE)
        create_namespace(cluster, WORKLOAD)
        create_key(cluster, key)
        for number in range(objects):
            cluster.create(SEALED_SECRETS, WORKLOAD, _manifest(f"object-{number}", key.public))
        new = _start(server, "new objects", objects)
        _check_all_ready(cluster, objects)
        return new, _start(server, "warm start", objects)


def table(syncs: Sequence[Sync], bare: bare_writes.Rate) -> str:
    """Return the figures as a table for the reader of a terminal."""
    lines = [
        f"{'controller':<14}{'objects':>8}{'seconds':>9}{'per second':>12}{'CPU ms each':>13}{'writes':>8}"
    ]
    lines += [
        f"{s.what:<14}{s.objects:>8}{s.seconds:>9.2f}{s.per_second:>12.0f}{1000 * s.cpu_seconds / s.objects:>13.2f}{s.writes:>8}"
        for s in syncs
    ]
    share = 2 * syncs[0].per_second / bare.per_second
    lines.append(
        f"bare applies per second from {bare_writes.THREADS} threads: {bare.per_second:.0f}"
    )
    lines.append(f"the controller's two writes an object are {share:.0%} of that")
    return "\n".join(lines)


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


def _start(server: ApiServer, what: str, objects: int) -> Sync:
    settings = Settings(probe_port=0, public_port=0, bind_address="127.0.0.1", cluster_name="bench")
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


def _manifest(name: str, key: PublicKey) -> JsonObject:
    data = {f"value-{number}": Sensitive(os.urandom(24)) for number in range(5)}
    secret = Secret(name=name, namespace=WORKLOAD, data=data)
    return seal(secret, [key], Scope.STRICT, os.urandom).to_dict()


if __name__ == "__main__":
    sys.exit(main())
