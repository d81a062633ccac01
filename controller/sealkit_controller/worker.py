"""The loop around reconciliations: metrics, logs, events and retries. One key, one worker."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, assert_never
from uuid import uuid4

from sealkit_controller.events import Note
from sealkit_controller.logs import Logger
from sealkit_controller.metrics import CONTROLLER, Metrics
from sealkit_controller.objects import Metadata, ObjectKey
from sealkit_controller.queue import BlockingQueue, Taken
from sealkit_controller.reconcile import Done, Outcome, RetryAfter, Terminal
from sealkit_controller.status import Report

_EVENT_REASONS: Final = {"created": "Created", "updated": "Updated", "recreated": "Recreated"}


class Reconciles(Protocol):
    """See `reconcile.Reconciler`."""

    def reconcile(self, key: ObjectKey) -> Outcome:
        """Do what one object needs."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock, and when objects are looked at again without any event.

    `resync_seconds` is drawn anew for each object.
    """

    monotonic: Callable[[], float]
    resync_seconds: Callable[[], float]
    stalled_retry_seconds: float


@dataclass(frozen=True, slots=True)
class Observers:
    """Where the loop says what it does."""

    metrics: Metrics
    log: Logger
    record: Callable[[Note], None]


class Tally:
    """How many manifests are in which state, kept as a gauge; safe for threads."""

    def __init__(self, metrics: Metrics) -> None:
        self._gauge = metrics.objects
        self._known: dict[ObjectKey, str] = {}
        self._lock = threading.Lock()

    def set(self, key: ObjectKey, state: str) -> None:
        """Note an object's state, "" when it is gone."""
        with self._lock:
            before = self._known.get(key, "")
            if before == state:
                return
            if before:
                self._gauge.labels(before).dec()
            if state:
                self._gauge.labels(state).inc()
                self._known[key] = state
            else:
                del self._known[key]


class Worker:
    """Takes keys from the queue and reconciles them; `run` is the body of each worker thread."""

    def __init__(
        self,
        queue: BlockingQueue,
        reconciler: Reconciles,
        timing: Timing,
        observers: Observers,
    ) -> None:
        self._queue = queue
        self._reconciler = reconciler
        self._timing = timing
        self._metrics = observers.metrics
        self._log = observers.log
        self._record = observers.record
        self._tally = Tally(observers.metrics)

    def run(self) -> None:
        """Work until the queue is shut down."""
        while (taken := self._queue.take()) is not None:
            self._work(taken)

    def _work(self, taken: Taken) -> None:
        started = self._timing.monotonic()
        self._metrics.active_workers.inc()
        try:
            self._finish(taken.key, self._reconcile(taken.key))
        finally:
            seconds = self._timing.monotonic() - started
            self._metrics.active_workers.dec()
            self._metrics.queue_seconds.observe(taken.waited_seconds)
            self._metrics.work_seconds.observe(seconds)
            self._metrics.reconcile_seconds.observe(seconds)

    def _reconcile(self, key: ObjectKey) -> Outcome | None:
        """Isolate one object's defects from all others; None after one."""
        try:
            return self._reconciler.reconcile(key)
        except Exception as error:  # noqa: BLE001  (the one broad except: see above)
            # Where, not what: the text of an unknown error may quote the data it failed on.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{frame.name}:{frame.lineno}"
            self._metrics.panics.inc()
            self._log.error(
                "Reconciler error", **_fields(key), error=type(error).__name__, at=place
            )
            return None

    def _finish(self, key: ObjectKey, outcome: Outcome | None) -> None:
        match outcome:
            case None:
                self._count("error")
                self._queue.retry(key)
            case Done():
                self._done(key, outcome)
            case RetryAfter():
                self._failed(outcome.manifest, outcome.report)
                self._metrics.queue_retries.inc()
                self._queue.retry(key, outcome.seconds, overload=outcome.overload)
            case Terminal():
                self._failed(outcome.manifest, outcome.report)
                self._metrics.terminal_errors.inc()
                self._queue.done(key, self._timing.stalled_retry_seconds)
            case _:
                assert_never(outcome)

    def _done(self, key: ObjectKey, outcome: Done) -> None:
        self._count("success")
        self._tally.set(key, outcome.report.verdict.value if outcome.report else "")
        if outcome.manifest is None:  # gone
            self._queue.done(key)
            return
        if outcome.action is not None:
            self._tell_done(outcome.manifest, outcome.action)
        if outcome.restarted:
            self._tell_restarted(outcome.manifest, outcome.restarted)
        again = self._timing.resync_seconds()
        if outcome.again_seconds is not None:
            again = min(again, outcome.again_seconds)
        self._queue.done(key, again)

    def _failed(self, manifest: Metadata, report: Report) -> None:
        self._count("error")
        self._tally.set(manifest.key, report.verdict.value)
        self._tell_failed(manifest, report)

    def _count(self, result: str) -> None:
        self._metrics.reconciles.labels(CONTROLLER, result).inc()
        if result == "error":
            self._metrics.errors.inc()

    def _tell_done(self, manifest: Metadata, action: str) -> None:
        self._metrics.secret_writes.labels(action).inc()
        self._log.info(f"Secret {action}", **_fields(manifest.key))
        note = f"Secret {manifest.key.name} {action}"
        self._record(Note(manifest, "Normal", _EVENT_REASONS[action], "Unseal", note))

    def _tell_restarted(self, manifest: Metadata, workloads: tuple[str, ...]) -> None:
        self._metrics.restarts.inc(len(workloads))
        names = ", ".join(workloads)
        self._log.info("Workloads restarted", **_fields(manifest.key), workloads=names)
        note = f"{names}: restarted, the Secret holds other data"
        self._record(Note(manifest, "Normal", "Restarted", "Restart", note))

    def _tell_failed(self, manifest: Metadata, report: Report) -> None:
        self._metrics.failures.labels(report.reason.value).inc()
        self._log.warning(
            "Reconciliation failed",
            **_fields(manifest.key),
            reason=report.reason.value,
            error=report.message,
        )
        self._record(Note(manifest, "Warning", report.reason.value, "Unseal", report.message))


def _fields(key: ObjectKey) -> dict[str, str]:
    return {
        "controller": CONTROLLER,
        "namespace": key.namespace,
        "name": key.name,
        "reconcileID": str(uuid4()),
    }
