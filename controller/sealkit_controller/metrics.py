"""Metrics: controller-runtime's and client-go's names, so that known dashboards work, and ours.

The registry is passed in, never the global one. No label ever holds a data key name or a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

CONTROLLER: Final = "sealedsecret"

_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What depends on one key, as `sealkit.usage.KeyUse` counts it."""

    kid: str
    state: str
    manifests: int
    only: int


class _KeyUsageCollector(Collector):
    """Asks at each scrape: the counts change with every manifest, and with every key."""

    def __init__(self, rows: Callable[[], Iterable[KeyUsage]]) -> None:
        self._rows = rows

    def describe(self) -> Iterator[GaugeMetricFamily]:
        for name, text in (
            ("sealkit_key_manifests", "SealedSecrets that a key can open, by key."),
            ("sealkit_key_only", "SealedSecrets that would no longer open without a key."),
        ):
            yield GaugeMetricFamily(name, text, labels=["kid", "state"])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        manifests, only = self.describe()
        for row in self._rows():
            manifests.add_metric([row.kid, row.state], row.manifests)
            only.add_metric([row.kid, row.state], row.only)
        yield from (manifests, only)


@dataclass(frozen=True, slots=True)
class Stale:
    """A manifest whose references cannot be resolved now, and since when its Secret is good for."""

    namespace: str
    name: str
    seconds: float


class _StaleCollector(Collector):
    """Asks at each scrape: what stands still gets older."""

    def __init__(self, rows: Callable[[], Iterable[Stale]]) -> None:
        self._rows = rows

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "sealkit_stale_seconds",
            "Time since the references of a SealedSecret were last resolved, where they cannot be.",
            labels=["namespace", "name"],
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        (family,) = self.describe()
        for row in self._rows():
            family.add_metric([row.namespace, row.name], row.seconds)
        yield family


class Metrics:
    """Every metric of one controller. Creating it registers them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._reconciles(registry)
        self._queue(registry)
        self.requests = Counter(
            "rest_client_requests",
            "Requests to the API server, by status code; <error> when there was no response.",
            ["code", "method", "host"],
            registry=registry,
        )
        self.leading = Gauge(
            "leader_election_master_status", "Whether this replica leads.", ["name"],
            registry=registry,
        )  # fmt: skip
        self._own(registry)
        ProcessCollector(registry=registry)

    def _reconciles(self, registry: CollectorRegistry) -> None:
        self.reconciles = Counter(
            "controller_runtime_reconcile",
            "Reconciliations, by result.",
            ["controller", "result"],
            registry=registry,
        )
        for result in ("success", "error", "requeue", "requeue_after"):
            self.reconciles.labels(CONTROLLER, result)  # so that the series starts at 0
        self.errors = _counter(registry, "errors", "Reconciliations to be tried again.")
        self.terminal_errors = _counter(
            registry, "terminal_reconcile_errors", "Reconciliations only a change can help."
        )
        self.panics = _counter(registry, "reconcile_panics", "Reconciliations that hit a defect.")
        self.reconcile_seconds = Histogram(
            "controller_runtime_reconcile_time_seconds",
            "Time one reconciliation took.",
            ["controller"],
            buckets=_SECONDS,
            registry=registry,
        ).labels(CONTROLLER)
        self.active_workers = Gauge(
            "controller_runtime_active_workers", "Busy workers.", ["controller"], registry=registry
        ).labels(CONTROLLER)
        self.max_workers = Gauge(
            "controller_runtime_max_concurrent_reconciles",
            "Workers.",
            ["controller"],
            registry=registry,
        ).labels(CONTROLLER)

    def _queue(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            family = Gauge(f"workqueue_{name}", text, ["name"], registry=registry)
            return family.labels(CONTROLLER)

        def seconds(name: str, text: str) -> Histogram:
            family = Histogram(
                f"workqueue_{name}", text, ["name"], buckets=_SECONDS, registry=registry
            )
            return family.labels(CONTROLLER)

        self.queue_depth = gauge("depth", "Objects waiting.")
        self.queue_unfinished_seconds = gauge(
            "unfinished_work_seconds", "Time that work in hand has taken so far, in all."
        )
        self.queue_longest_seconds = gauge(
            "longest_running_processor_seconds", "Time the longest work in hand has taken so far."
        )
        self.queue_seconds = seconds("queue_duration_seconds", "Time an object waited.")
        self.work_seconds = seconds("work_duration_seconds", "Time the work on an object took.")
        self.queue_adds = Counter(
            "workqueue_adds", "Objects put in.", ["name"], registry=registry
        ).labels(CONTROLLER)
        self.queue_retries = Counter(
            "workqueue_retries", "Objects put back after a failure.", ["name"], registry=registry
        ).labels(CONTROLLER)

    def _own(self, registry: CollectorRegistry) -> None:
        self.objects = Gauge(
            "sealkit_sealedsecrets", "SealedSecrets, by Ready condition.", ["ready"],
            registry=registry,
        )  # fmt: skip
        self.failures = Counter(
            "sealkit_reconcile_failures", "Failures, by reason.", ["reason"], registry=registry
        )
        self.secret_writes = Counter(
            "sealkit_secret_writes", "Writes of Secrets, by kind.", ["action"], registry=registry
        )
        self.keys = Gauge("sealkit_keys", "Key pairs, by state.", ["state"], registry=registry)
        self.key_created = Gauge(
            "sealkit_key_created_timestamp_seconds", "When a key pair was made.", ["kid", "state"],
            registry=registry,
        )  # fmt: skip
        self.key_renewal_seconds = Gauge(
            "sealkit_key_renewal_seconds",
            "Age at which a key gets a successor, 0 for never.",
            registry=registry,
        )
        self.refused_keys = Gauge(
            "sealkit_refused_keys", "Key Secrets that are damaged.", registry=registry
        )
        self.events_dropped = Counter(
            "sealkit_events_dropped", "Events not sent for lack of room.", registry=registry
        )
        self.restarts = Counter(
            "sealkit_rollout_restarts", "Workloads restarted, for new data.", registry=registry
        )
        self.vault_requests = Counter(
            "sealkit_vault_requests",
            "Requests to Vault servers, by status code; <error> when there was no response.",
            ["operation", "code"],
            registry=registry,
        )
        self.vault_seconds = Histogram(
            "sealkit_vault_request_seconds",
            "Time a request to a Vault server took.",
            ["operation"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.relists = Counter(
            "sealkit_relists", "Full lists, by resource.", ["resource"], registry=registry
        )
        self.watch_errors = Counter(
            "sealkit_watch_errors", "Failed lists and watches, by resource.", ["resource"],
            registry=registry,
        )  # fmt: skip

    def vault_request(self, operation: str, status: int, seconds: float) -> None:
        """Count a request to a Vault server; `status` 0 is none."""
        self.vault_requests.labels(operation, str(status or "<error>")).inc()
        self.vault_seconds.labels(operation).observe(seconds)

    def observe_stale(self, rows: Callable[[], Iterable[Stale]]) -> None:
        """Add what depends on manifests that stand still. To be called once."""
        self.registry.register(_StaleCollector(rows))

    def observe_keys(self, rows: Callable[[], Iterable[KeyUsage]]) -> None:
        """Add what depends on each key, asked for at every scrape. To be called once."""
        self.registry.register(_KeyUsageCollector(rows))


def _counter(registry: CollectorRegistry, name: str, text: str) -> Counter:
    full_name = f"controller_runtime_{name if 'reconcile' in name else f'reconcile_{name}'}"
    return Counter(full_name, text, ["controller"], registry=registry).labels(CONTROLLER)
