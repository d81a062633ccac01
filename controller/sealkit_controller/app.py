"""The controller put together: what starts when, and what stops when.

Start: probes, then the views, then the key, and only then the workers. Stop: the same backwards.
With an elector the workers also wait for the Lease; until then this replica is a standby: ready,
serving the public keys, writing nothing.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from prometheus_client import CollectorRegistry

from sealkit_controller import cache, http, logs
from sealkit_controller.cache import Change, Hear, Reflector, Store, Time
from sealkit_controller.cluster import ApiError, Cluster, Selection
from sealkit_controller.events import Recorder
from sealkit_controller.keyring import KeyRing
from sealkit_controller.keysync import KeySync, Source
from sealkit_controller.leader import LEASE_NAME, Elector, Led, NotLeadingError, ownership
from sealkit_controller.logs import Logger
from sealkit_controller.metrics import Metrics
from sealkit_controller.objects import KEY_LABEL, MANAGED_LABEL, SEALED_SECRETS, SECRETS
from sealkit_controller.queue import BlockingQueue, Priority
from sealkit_controller.reconcile import Reconciler
from sealkit_controller.routing import manifest_priority, subject
from sealkit_controller.settings import Settings
from sealkit_controller.worker import Observers, Timing, Worker

_KEY_CHECK_SECONDS: Final = 300.0  # how often the published keys are compared when nothing happens
_POLL_SECONDS: Final = 0.1  # how soon a start in progress notices that it is to stop
_STANDBY_SECONDS: Final = 1.0  # how soon a new leader makes or publishes a key that is missing
_RESIGN_SECONDS: Final = 10.0
_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance. `random` is from 0 to 1; `random_bytes` must be cryptographic.

    `speed` is how many of its seconds pass in one of the machine's: waits are shortened by it.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    random: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    speed: float = 1.0


SYSTEM_CLOCK: Final = Clock(lambda: datetime.now(UTC), time.monotonic, random.random, os.urandom)


class Controller:
    """A whole controller in this process, as a context manager or with `start` and `stop`.

    It does not close `cluster`, which it did not open.
    """

    def __init__(  # noqa: PLR0913  (the parts of the world, each replaceable by itself)
        self,
        settings: Settings,
        cluster: Cluster,
        *,
        clock: Clock = SYSTEM_CLOCK,
        metrics: Metrics | None = None,
        log: Logger | None = None,
        elector: Elector | None = None,
    ) -> None:
        """Put the parts together and bind the ports. Without an elector it leads alone.

        Raises:
            OSError: a port cannot be had.
        """
        self._settings = settings
        self._clock = clock
        self.metrics = metrics or Metrics(CollectorRegistry())
        self._log = log or logs.logger(sys.stderr, settings.log_level)
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._keys_changed = threading.Event()
        self._have_keys = threading.Event()
        self._threads: list[threading.Thread] = []
        self._starter: threading.Thread | None = None
        self._elector = elector
        self._electing: list[threading.Thread] = []
        self._build(cluster)
        self._build_servers()

    def _build(self, cluster: Cluster) -> None:
        settings, clock = self._settings, self._clock
        self._manifests = Store(cache.whole)
        self._secrets = Store(cache.nothing)
        self._key_secrets = Store(cache.whole)
        self._queue = BlockingQueue(
            settings.workers,
            clock.monotonic,
            clock.random,
            self.metrics.queue_adds.inc,
            clock.speed,
        )
        writer = Led(cluster, ownership(1, {0: self._elector})) if self._elector else cluster
        self._keys = KeySync(
            writer,
            self._key_secrets,
            settings.namespace,
            settings.cluster_name,
            Source(clock.random_bytes, clock.now),
        )
        self._reconciler = Reconciler(
            writer, self._manifests, self._secrets, lambda: self._keys.ring, clock.now
        )
        self._recorder = Recorder(
            writer,
            settings.pod_name,
            clock.now,
            clock.monotonic,
            self.metrics.events_dropped.inc,
        )
        self._worker = self._build_worker()
        self._reflectors = self._build_reflectors(cluster)
        self._observe_queue()

    def _build_worker(self) -> Worker:
        settings, clock = self._settings, self._clock
        timing = Timing(
            clock.monotonic,
            lambda: settings.resync_seconds * (0.8 + 0.2 * clock.random()),
            settings.stalled_retry_seconds,
        )
        return Worker(
            self._queue,
            self._reconciler,
            timing,
            Observers(self.metrics, self._log, self._recorder.record),
        )

    def _build_reflectors(self, cluster: Cluster) -> tuple[Reflector, ...]:
        watched = self._settings.watch_namespace
        keys = Selection(SECRETS, self._settings.namespace, KEY_LABEL)
        manifests = Selection(SEALED_SECRETS, watched)
        secrets = Selection(SECRETS, watched, f"{MANAGED_LABEL}=true", metadata_only=True)
        clock = self._clock
        times = Time(
            clock.monotonic,
            clock.random,
            lambda seconds: self._stopping.wait(seconds / clock.speed),
        )
        return (
            Reflector(cluster, keys, self._key_secrets, self._hear(keys, self._key_changed), times),
            Reflector(
                cluster, manifests, self._manifests, self._hear(manifests, self._manifest_changed),
                times,
            ),
            Reflector(
                cluster, secrets, self._secrets, self._hear(secrets, self._secret_changed), times
            ),
        )  # fmt: skip

    def _hear(self, selection: Selection, on_change: Callable[[Change], None]) -> Hear:
        name = selection.resource.plural
        lists = self.metrics.relists.labels(name)
        errors = self.metrics.watch_errors.labels(name)
        return Hear(on_change, lists.inc, errors.inc)

    def _build_servers(self) -> None:
        settings = self._settings
        probes = http.probe_routes(
            lambda: self.is_alive, lambda: self.is_ready, self.metrics.registry
        )
        public = http.public_routes(lambda: self._keys.recipient)
        self._probe_server = http.Server(settings.bind_address, settings.probe_port, probes)
        try:
            self._public_server = http.Server(settings.bind_address, settings.public_port, public)
        except OSError:
            self._probe_server.stop()
            raise

    def _observe_queue(self) -> None:
        metrics, queue = self.metrics, self._queue
        metrics.max_workers.set(self._settings.workers)
        metrics.queue_depth.set_function(lambda: queue.depth)
        metrics.queue_unfinished_seconds.set_function(lambda: sum(queue.running_seconds()))
        metrics.queue_longest_seconds.set_function(
            lambda: max(queue.running_seconds(), default=0.0)
        )

    @property
    def probe_port(self) -> int:
        """The port of `/healthz`, `/readyz` and `/metrics`."""
        return self._probe_server.port

    @property
    def public_port(self) -> int:
        """The port of `/v1/recipient`."""
        return self._public_server.port

    @property
    def is_ready(self) -> bool:
        """Whether the views are complete, a key is there, and it is not stopping."""
        return self._ready.is_set() and not self._stopping.is_set()

    @property
    def is_alive(self) -> bool:
        """Whether every thread lives and no watch has been silent for longer than it can be."""
        longest = 2 * (2 * self._settings.watch_timeout_seconds + 30)
        oldest = self._clock.monotonic() - longest
        silent = any(reflector.last_activity < oldest for reflector in self._reflectors)
        threads = (*self._threads, *self._electing)
        return not silent and all(thread.is_alive() for thread in threads)

    def start(self) -> None:
        """Start every thread, and return at once; see `wait_until_ready`."""
        self._log.info("Starting", namespace=self._settings.namespace)
        self._probe_server.start()
        self._public_server.start()
        for reflector in self._reflectors:
            self._spawn(reflector.run, f"reflector-{reflector.name}")
        self._spawn(self._keep_keys, "keys")
        self._spawn(self._recorder.run, "events")
        self._starter = threading.Thread(target=self._start_workers, name="starter", daemon=True)
        self._starter.start()

    def wait_until_ready(self, timeout_seconds: float) -> bool:
        """Wait until the views are complete and a key is there; tell whether it came so."""
        return self._ready.wait(timeout_seconds)

    def wait_until_idle(self, timeout_seconds: float) -> bool:
        """Wait until nothing that was noticed waits to be done; tell whether it came so."""
        return self._queue.wait_until_idle(timeout_seconds)

    def stop(self) -> None:
        """Stop noticing, finish the objects in hand, stop answering. May be called twice."""
        self._log.info("Stopping")
        deadline = time.monotonic() + self._settings.shutdown_seconds
        self._stopping.set()
        self._keys_changed.set()
        for reflector in self._reflectors:
            reflector.stop()
        self._queue.shut_down()
        self._recorder.close()
        if self._starter is not None:
            self._starter.join(max(0.0, deadline - time.monotonic()))
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._resign()
        self._public_server.stop()
        self._probe_server.stop()
        self._log.info("Stopped", idle=str(self._queue.is_idle))

    def _resign(self) -> None:
        """Give the Lease back, unless a write may still be in hand: then it has to run out."""
        if self._elector is None:
            return
        self._elector.stop(release=not any(thread.is_alive() for thread in self._threads))
        for thread in self._electing:
            thread.join(_RESIGN_SECONDS)

    def __enter__(self) -> Controller:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _spawn(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _start_workers(self) -> None:
        """Wait for complete views and a key: a decision on half a view could be a wrong one."""
        synced = (reflector.synced for reflector in self._reflectors)
        if not all(self._await(event) for event in (self._have_keys, *synced)):
            return
        if self._elector is not None:
            self._ready.set()
            self._log.info("Standing by", objects=len(self._manifests))
            if not self._await(self._elector.elected):
                return
        for number in range(self._settings.workers):
            self._spawn(self._worker.run, f"worker-{number}")
        self._ready.set()
        self._log.info("Ready", objects=len(self._manifests), keys=len(self._keys.ring.pairs))

    def _await(self, event: threading.Event) -> bool:
        """Wait for an event; tell whether it came before the stop."""
        while not event.wait(_POLL_SECONDS):
            if self._stopping.is_set():
                return False
        return True

    def _contend(self) -> None:
        """Begin to contend for the Lease, now that the key Secrets are known."""
        if self._elector is None:
            return
        elector = self._elector
        self.metrics.leading.labels(LEASE_NAME).set_function(lambda: float(elector.is_leader))
        for body, name in ((elector.run, "elector"), (elector.guard, "lease-guard")):
            thread = threading.Thread(target=body, name=name, daemon=True)
            self._electing.append(thread)
            thread.start()

    def _keep_keys(self) -> None:
        """Keep the ring, the published keys and what depends on them in step."""
        backoff = cache.Backoff()
        if not self._await(self._reflectors[0].synced):
            return
        self._contend()
        served = KeyRing()
        while not self._stopping.is_set():
            self._keys_changed.clear()
            pause = _KEY_CHECK_SECONDS
            try:
                self._keys.sync()
            except NotLeadingError:
                pause = _STANDBY_SECONDS  # the leader's work, perhaps soon ours
            except ApiError as error:
                self._log.error("Key synchronisation failed", error=str(error))
                pause = backoff.next_seconds(self._clock.monotonic(), self._clock.random())
            if self._keys.ring.differs_from(served):
                served = self._keys.ring
                self._ring_changed(served)
            self._keys_changed.wait(pause / self._clock.speed)

    def _ring_changed(self, ring: KeyRing) -> None:
        for name, problem in ring.refused.items():
            self._log.error("Key Secret refused", name=name, error=problem)
        self.metrics.refused_keys.set(len(ring.refused))
        for state, count in ring.count_by_state().items():
            self.metrics.keys.labels(state.value).set(count)
        self.metrics.key_created.clear()
        for kid, pair in ring.pairs.items():
            created = self.metrics.key_created.labels(kid, pair.state.value)
            created.set(pair.not_before.timestamp())
        if ring.active:
            self._have_keys.set()
        for entry in self._manifests.entries():
            self._queue.add(entry.metadata.key, Priority.NEVER_SYNCED)

    def _key_changed(self, _: Change) -> None:
        self._keys_changed.set()

    def _manifest_changed(self, change: Change) -> None:
        priority = manifest_priority(change, starting=not self._ready.is_set())
        if priority is not None:
            self._queue.add(subject(change).key, priority)

    def _secret_changed(self, change: Change) -> None:
        if not self._ready.is_set():
            return  # at the start every manifest is looked at anyway
        secret = subject(change)
        ours = change.new is not None and self._reconciler.wrote(
            secret.key, secret.resource_version
        )
        if not ours and self._manifests.get(secret.key) is not None:
            self._queue.add(secret.key, Priority.CHANGED)


def run(controller: Controller) -> None:
    """Run until SIGTERM or SIGINT, then stop in order. A second signal ends the process at once.

    To be called from the main thread before any other is started: all inherit the blocked signals.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    with controller:
        signal.sigwait(_SIGNALS)
        threading.Thread(target=_exit_on_signal, daemon=True).start()


def _exit_on_signal() -> None:
    signal.sigwait(_SIGNALS)
    os._exit(1)
