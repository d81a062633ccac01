"""The command `sealkit-controller`."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from sealkit import __version__
from sealkit.errors import SealkitError

try:
    from prometheus_client import CollectorRegistry

    from sealkit_controller import app, logs
    from sealkit_controller.access import load_access, own_namespace
    from sealkit_controller.cluster import Target
    from sealkit_controller.election import LEASES, Candidate, Loss, identity
    from sealkit_controller.kube import HttpCluster
    from sealkit_controller.leader import Clock, Elector, Hear, lease_name
    from sealkit_controller.metrics import Metrics
    from sealkit_controller.settings import Settings
except ModuleNotFoundError as error:
    if error.name not in {"prometheus_client", "structlog"}:
        raise
    sys.exit("sealkit-controller: error: not installed, try: pip install 'sealkit[controller]'")


_LEASE_SECONDS = 5
_GARBAGE_OBJECTS = 50_000  # CPython's own is 700
_M_ARENA_MAX = -8  # mallopt(3)
_TRIM_SECONDS = 10


def main(arguments: list[str] | None = None) -> int:
    """Run the controller until a signal ends it; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options.kubeconfig, options.context)
    except SealkitError as error:
        print(f"sealkit-controller: error: {error}", file=sys.stderr)  # noqa: T201  (a command)
        return error.exit_code
    except OSError as error:  # a port that is taken
        print(f"sealkit-controller: error: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1


def _spare_memory() -> None:
    """Settle what CPython and the C library do with memory, before there are threads.

    Objects of a cache are no garbage, so looking for cycles among them can wait; and one heap
    instead of one for each thread does not fall apart into pieces. What a sync of everything left
    free in the middle of it goes back to the system from time to time.
    """
    gc.freeze()
    gc.set_threshold(_GARBAGE_OBJECTS)
    with contextlib.suppress(AttributeError, OSError):  # only the GNU C library has these
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        threading.Thread(target=_trim, args=(library.malloc_trim,), daemon=True).start()


def _trim(malloc_trim: Callable[[int], int]) -> None:
    while True:
        time.sleep(_TRIM_SECONDS)
        malloc_trim(0)


def _run(kubeconfig: str, context: str) -> int:
    settings = Settings.from_environ(os.environ, own_namespace=own_namespace())
    access = load_access(kubeconfig, context)
    app.block_signals()  # before there is any thread, which would inherit it
    _spare_memory()
    metrics = Metrics(CollectorRegistry())
    host = f"{access.host}:{access.port}"
    cluster = HttpCluster(
        access,
        settings,
        count=lambda method, code: metrics.requests.labels(code, method, host).inc(),
    )
    log = logs.logger(sys.stderr, settings.log_level)
    # An own client: a request for the Lease must give up well within the renew deadline.
    leases = HttpCluster(access, replace(settings, request_timeout_seconds=_LEASE_SECONDS))
    elector = _elector(leases, settings, log) if settings.leader_election else None
    app.run(app.Controller(settings, cluster, metrics=metrics, log=log, elector=elector))
    leases.close()
    cluster.close()
    return 0


def _elector(cluster: HttpCluster, settings: Settings, log: logs.Logger) -> Elector:
    def lost(loss: Loss) -> None:
        log.error("Leadership lost", reason=loss.value)
        os._exit(1)  # at once: whatever is still under way must not write any more

    name = lease_name(settings.shard, settings.shards)
    lease = Target(LEASES, settings.namespace, name)
    candidate = Candidate(lease, identity(settings.pod_name, uuid4()))
    clock = Clock(lambda: datetime.now(UTC), _boot_time, random.random)
    told = Hear(lost, lambda error: log.warning("Lease request failed", error=str(error)))
    return Elector(cluster, candidate, clock, told)


def _boot_time() -> float:
    """Return seconds that go on while the machine sleeps, where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sealkit-controller",
        description="Turn SealedSecrets into Secrets. Settings: SEALKIT_* (see README).",
    )
    parser.add_argument("--kubeconfig", default="", help="file to use instead of kubectl's")
    parser.add_argument("--context", default="", help="context in it")
    parser.add_argument("--version", action="version", version=__version__)
    return parser


if __name__ == "__main__":
    sys.exit(main())
