"""How many Secrets a bare client writes per second: `python -m tests.bench.bare_writes`.

The denominator of the other benchmarks: the same threads, the same size of Secret and the same
TLS connections, but no controller. The figures count only beside others of the same run, since
client and server share the machine.
"""

import base64
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from itertools import chain
from pathlib import Path

from tests.apiserver import APPLY, ApiServer
from tests.cluster.binaries import NoBinaries, find_binaries
from tests.cluster.controlplane import control_plane

NAMESPACE = "bare-writes"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
THREADS = 16
WRITES = 4000


@dataclass(frozen=True)
class Write:
    """One request that makes one Secret."""

    method: str
    path: str
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Rate:
    """What one round of writes took; latencies in seconds, one for each write, sorted."""

    what: str
    seconds: float
    latencies: Sequence[float]

    @property
    def per_second(self) -> float:
        """Writes per second over all threads."""
        return len(self.latencies) / self.seconds


def measure(server: ApiServer, writes: int = WRITES, threads: int = THREADS) -> tuple[Rate, Rate]:
    """Apply, then create, `writes` new Secrets of about 900 bytes each; return both rates.

    The Secrets stay in the namespace `bare-writes`.

    Raises:
        AssertionError: the server refused a write.
    """
    metadata = {"name": NAMESPACE}
    namespace = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    made = server.ask("PATCH", f"/api/v1/namespaces/{NAMESPACE}?fieldManager=bench", namespace)
    assert made.status in {200, 201}, made.body
    timed_round(server, "warm-up", list(_applies("warm", threads * 10)), threads)
    return (
        timed_round(server, "apply", list(_applies("applied", writes)), threads),
        timed_round(server, "create", list(_creates("created", writes)), threads),
    )


def timed_round(server: ApiServer, what: str, writes: Sequence[Write], threads: int) -> Rate:
    """Send `writes` from `threads` threads, each over one connection of its own.

    Raises:
        AssertionError: the server refused a write.
    """
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        shares = pool.map(lambda n: _send_all(server, writes[n::threads]), range(threads))
        latencies = sorted(chain.from_iterable(shares))
        return Rate(what, time.perf_counter() - started, latencies)


def table(rates: Sequence[Rate]) -> str:
    """Return the rates as a table for the reader of a terminal."""
    lines = [f"{'write':<8}{'count':>8}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}"]
    for rate in rates:
        percentiles = statistics.quantiles(rate.latencies, n=100)
        p50, p99 = percentiles[49] * 1000, percentiles[98] * 1000
        count = len(rate.latencies)
        lines.append(f"{rate.what:<8}{count:>8}{rate.per_second:>12.0f}{p50:>9.1f}{p99:>9.1f}")
    return "\n".join(lines)


def main() -> int:
    """Start a control plane, measure, print the table and return the exit code."""
    binaries = find_binaries()
    if isinstance(binaries, NoBinaries):
        sys.stderr.write(f"not run: {binaries.reason}\n")
        return 1
    with tempfile.TemporaryDirectory() as folder, control_plane(Path(folder), binaries) as plane:
        sys.stdout.write(f"{THREADS} threads, Secrets of {len(_secret('name'))} bytes\n")
        sys.stdout.write(f"{table(measure(plane.api_server))}\n")
    return 0


def _send_all(server: ApiServer, writes: Sequence[Write]) -> list[float]:
    with closing(server.connect()) as connection:
        return [_send(connection, server.token, write) for write in writes]


def _send(connection: HTTPSConnection, token: str, write: Write) -> float:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": write.content_type}
    started = time.perf_counter()
    connection.request(write.method, write.path, write.body, headers)
    response = connection.getresponse()
    content = response.read()
    assert response.status == 201, content
    return time.perf_counter() - started


def _applies(prefix: str, count: int) -> Iterator[Write]:
    for number in range(count):
        name = f"{prefix}-{number}"
        path = f"{SECRETS}/{name}?fieldManager=bench&force=true"
        yield Write("PATCH", path, APPLY, _secret(name))


def _creates(prefix: str, count: int) -> Iterator[Write]:
    for number in range(count):
        body = _secret(f"{prefix}-{number}")
        yield Write("POST", SECRETS, "application/json", body)


def _secret(name: str) -> bytes:
    noise = random.Random(name)  # noqa: S311 - stands for ciphertext-like values, repeatably
    values = {f"value-{n}": base64.b64encode(noise.randbytes(102)).decode() for n in range(5)}
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "bench"}},
        "type": "Opaque",
        "data": values,
    }
    return json.dumps(document).encode()


if __name__ == "__main__":
    sys.exit(main())
