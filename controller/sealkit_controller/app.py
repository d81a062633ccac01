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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final

from prometheus_client import CollectorRegistry

from sealkit.crypto.x1 import Kid
from sealkit.references import store as references
from sealkit.references.store import StoreKind
from sealkit_controller import cache, http, logs, manifest, vaults
from sealkit_controller.cache import Change, Entry, Hear, Reflector, Store, Stores, Time
from sealkit_controller.cluster import ApiError, Cluster, Selection
from sealkit_controller.digests import Digests
from sealkit_controller.events import Recorder
from sealkit_controller.keeper import Keeper, Pace
from sealkit_controller.keysync import KeySync, Source
from sealkit_controller.leader import Elector, Leads, Led, lease_name, ownership, shard_of
from sealkit_controller.logs import Logger
from sealkit_controller.manifest import Manifest
from sealkit_controller.metrics import KeyUsage, Metrics, Stale
from sealkit_controller.objects import (
    CLUSTER_VAULT_STORES,
    KEY_LABEL,
    MANAGED_LABEL,
    SEALED_SECRETS,
    SECRETS,
    VAULT_STORES,
    ObjectKey,
    child,
)
from sealkit_controller.queue import BlockingQueue, Priority
from sealkit_controller.reconcile import Reconciler
from sealkit_controller.routing import manifest_priority, subject
from sealkit_controller.settings import Settings
from sealkit_controller.sources import NoVault, Sources
from sealkit_controller.vaults import Vaults
from sealkit_controller.worker import Observers, Timing, Worker

_STORES: Final = {
    StoreKind.NAMESPACED: VAULT_STORES,
    StoreKind.CLUSTER: CLUSTER_VAULT_STORES,
}
_POLL_SECONDS: Final = 0.1  # how soon a start in progress notices that it is to stop
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


@dataclass(frozen=True, slots=True)
class Alone:
    """What leads where nobody else is there."""

    is_leader: bool = True


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
        self._threads: list[threading.Thread] = []
        self._starter: threading.Thread | None = None
        self._elector = elector
        self._electing: list[threading.Thread] = []
        self._build(cluster)
        self._build_servers()

    def _build(self, cluster: Cluster) -> None:
        settings, clock = self._settings, self._clock
        wanted = cache.everything if settings.shards == 1 else self._is_ours
        self._manifests = Stores(manifest.keep, settings.watch_namespaces, wanted)
        self._secrets = Stores(cache.nothing, settings.watch_namespaces, wanted)
        self._key_secrets = Store(cache.whole)
        self._stores: dict[StoreKind, Stores] = {}
        self._queue = BlockingQueue(
            settings.workers,
            clock.monotonic,
            clock.random,
            self.metrics.queue_adds.inc,
            clock.speed,
        )
        leads: Leads = self._elector or Alone()
        writer = Led(cluster, ownership(settings.shards, {settings.shard: leads}))
        self._keys, self._keeper = self._build_keys(writer)
        self._sources = self._build_sources(writer)
        self._reconciler = Reconciler(
            writer, self._manifests, self._secrets, lambda: self._keys.ring, self._sources
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
        self._observe()

    def _is_ours(self, namespace: str) -> bool:
        return shard_of(namespace, self._settings.shards) == self._settings.shard

    def _build_keys(self, writer: Cluster) -> tuple[KeySync, Keeper]:
        settings, clock = self._settings, self._clock
        days = settings.key_renewal_days
        source = Source(clock.random_bytes, clock.now, timedelta(days=days) if days else None)
        name = settings.cluster_name
        keys = KeySync(writer, self._key_secrets, settings.namespace, name, source)
        pace = Pace(
            clock.monotonic,
            clock.random,
            lambda event, seconds: event.wait(seconds / clock.speed),
        )
        return keys, Keeper(keys, pace, self.metrics, self._log, self._keys_changed)

    def _build_sources(self, writer: Cluster) -> Sources:
        settings, clock = self._settings, self._clock
        digests = Digests(writer, settings.namespace, clock.random_bytes)
        self._vaults: Vaults | None = None
        if settings.vault != "off":
            self._stores = _store_views(settings)
            self._vaults = Vaults(
                writer,
                self._stores,
                vaults.Clock(clock.monotonic, clock.now),
                settings.vault_addresses,
                self.metrics.vault_request,
            )

        def not_revoked(key: ObjectKey, error: Exception) -> None:
            place = {"namespace": key.namespace, "name": key.name}
            self._log.warning("Leases not revoked", **place, error=str(error))

        return Sources(self._vaults or NoVault(), digests, clock.now, not_revoked)

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
        """Build one for the keys, the first, and two for each watched namespace."""
        clock = self._clock
        times = Time(
            clock.monotonic,
            clock.random,
            lambda seconds: self._stopping.wait(seconds / clock.speed),
        )

        def reflector(
            selection: Selection, store: Store, on_change: Callable[[Change], None]
        ) -> Reflector:
            return Reflector(cluster, selection, store, self._hear(selection, on_change), times)

        keys = Selection(SECRETS, self._settings.namespace, KEY_LABEL)
        made = [reflector(keys, self._key_secrets, lambda _: self._keeper.wake())]
        for name, manifests in self._manifests.by_namespace.items():
            selected = Selection(SEALED_SECRETS, name, self._settings.label_selector)
            made.append(reflector(selected, manifests, self._manifest_changed))
        for name, secrets in self._secrets.by_namespace.items():
            marked = Selection(SECRETS, name, f"{MANAGED_LABEL}=true", metadata_only=True)
            made.append(reflector(marked, secrets, self._secret_changed))
        for kind, views in self._stores.items():
            for name, view in views.by_namespace.items():
                selected = Selection(_STORES[kind], name, optional=True)
                made.append(reflector(selected, view, self._store_changed))
        return tuple(made)

    def _hear(self, selection: Selection, on_change: Callable[[Change], None]) -> Hear:
        name = selection.resource.plural
        lists = self.metrics.relists.labels(name)
        errors = self.metrics.watch_errors.labels(name)

        def failed(error: ApiError) -> None:
            errors.inc()
            where = selection.namespace or "*"
            self._log.warning("Watching failed", resource=name, namespace=where, error=str(error))

        return Hear(on_change, lists.inc, failed)

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

    def _observe(self) -> None:
        metrics, queue = self.metrics, self._queue
        metrics.observe_keys(self._key_usage)
        metrics.observe_stale(self._stale_seconds)
        metrics.key_renewal_seconds.set(self._settings.key_renewal_days * 86_400)
        metrics.max_workers.set(self._settings.workers)
        metrics.queue_depth.set_function(lambda: queue.depth)
        metrics.queue_unfinished_seconds.set_function(lambda: sum(queue.running_seconds()))
        metrics.queue_longest_seconds.set_function(
            lambda: max(queue.running_seconds(), default=0.0)
        )

    def _key_usage(self) -> Iterator[KeyUsage]:
        pairs = self._keys.ring.pairs
        for kid, use in self._reconciler.usage.of(pairs).items():
            yield KeyUsage(kid, pairs[Kid(kid)].state.value, use.manifests, use.only)

    def _stale_seconds(self) -> Iterator[Stale]:
        now = self._clock.now()
        for key, since in list(self._sources.stale.items()):
            if since is not None:
                yield Stale(key.namespace, key.name, (now - since).total_seconds())

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
        self._keeper.stop()
        for reflector in self._reflectors:
            reflector.stop()
        self._queue.shut_down()
        self._recorder.close()
        if self._starter is not None:
            self._starter.join(max(0.0, deadline - time.monotonic()))
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._resign()
        if self._vaults is not None:
            self._vaults.close()
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
        if not all(self._await(event) for event in (self._keeper.has_active_key, *synced)):
            return
        if self._elector is not None:
            self._ready.set()
            self._log.info("Standing by", objects=len(self._manifests))
            if not self._await(self._elector.elected):
                return
        self._ready.set()
        for number in range(self._settings.workers):
            self._spawn(self._worker.run, f"worker-{number}")
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
        elector, settings = self._elector, self._settings
        leading = self.metrics.leading.labels(lease_name(settings.shard, settings.shards))
        leading.set_function(lambda: float(elector.is_leader))
        for body, name in ((elector.run, "elector"), (elector.guard, "lease-guard")):
            thread = threading.Thread(target=body, name=name, daemon=True)
            self._electing.append(thread)
            thread.start()

    def _keep_keys(self) -> None:
        if self._await(self._reflectors[0].synced):
            self._contend()
            self._keeper.run()

    def _keys_changed(self) -> None:
        for entry in self._manifests.entries():
            self._queue.add(entry.metadata.key, Priority.NEVER_SYNCED)

    def _manifest_changed(self, change: Change) -> None:
        priority = manifest_priority(change, starting=not self._ready.is_set())
        if priority is not None:
            self._queue.add(subject(change).key, priority)

    def _store_changed(self, change: Change) -> None:
        """Look at every manifest that uses a store which is another one now."""
        if not self._ready.is_set() or _spec_of(change.old) == _spec_of(change.new):
            return
        at = subject(change).key
        changed = references.Store(
            at.name, StoreKind.NAMESPACED if at.namespace else StoreKind.CLUSTER
        )
        for entry in self._manifests.entries():
            key = entry.metadata.key
            if at.namespace not in {"", key.namespace}:
                continue
            refreshing = Manifest.load(entry.metadata, entry.body).refreshing
            if refreshing is not None and changed in refreshing.stores:
                self._sources.outdate(key)
                self._queue.add(key, Priority.CHANGED)

    def _secret_changed(self, change: Change) -> None:
        if not self._ready.is_set():
            return  # at the start every manifest is looked at anyway
        secret = subject(change)
        ours = change.new is not None and self._reconciler.wrote(
            secret.key, secret.resource_version
        )
        if not ours and self._manifests.get(secret.key) is not None:
            self._queue.add(secret.key, Priority.CHANGED)


def _store_views(settings: Settings) -> dict[StoreKind, Stores]:
    views = {StoreKind.NAMESPACED: Stores(cache.whole, settings.watch_namespaces)}
    if settings.vault == "cluster":
        views[StoreKind.CLUSTER] = Stores(cache.whole)
    return views


def _spec_of(entry: Entry | None) -> object:
    return child(cache.parse(entry), "spec") if entry else None


def block_signals() -> None:
    """Keep SIGTERM and SIGINT for `run`. To be called from the main thread before any other starts.

    A thread that did not inherit this could be hit by one, which would end the process.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def run(controller: Controller) -> None:
    """Run until SIGTERM or SIGINT, then stop in order. A second signal ends the process at once.

    Needs `block_signals` to have been called.
    """
    with controller:
        signal.sigwait(_SIGNALS)
        threading.Thread(target=_exit_on_signal, daemon=True).start()


def _exit_on_signal() -> None:
    signal.sigwait(_SIGNALS)
    os._exit(1)
