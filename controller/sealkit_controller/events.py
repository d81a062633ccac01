"""Kubernetes events about manifests: one per change, one per kind of failure, never in the way.

Events are sent by one thread at a bounded rate; when there is no room they are dropped. The same
failure again raises the count of the event that is there already (events.k8s.io/v1 `series`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Literal

from sealkit_controller.cluster import ApiError, Cluster, PatchKind, Target
from sealkit_controller.objects import (
    EVENTS,
    SEALED_SECRETS,
    JsonObject,
    Metadata,
    ObjectKey,
    child,
    text,
)

CONTROLLER_NAME: Final = "sealkit.dev/sealkit-controller"
_WAITING: Final = 1000
_REMEMBERED: Final = 4096
_REPEAT_SECONDS: Final = 300.0  # the same event of an object again: its count is written this often
_PER_SECOND: Final = 20
_MAX_NOTE: Final = 1024


@dataclass(frozen=True, slots=True)
class Note:
    """What an event says. `note` never holds anything that was decrypted."""

    manifest: Metadata
    type: Literal["Normal", "Warning"]
    reason: str
    action: str
    note: str

    @property
    def identity(self) -> str:
        """Equal for notes that one event stands for."""
        parts = (self.manifest.uid, self.type, self.reason, self.note)
        return sha256("\0".join(parts).encode()).hexdigest()[:16]


@dataclass(slots=True)
class _Sent:
    key: ObjectKey
    name: str
    count: int
    written_at: float


class Recorder:
    """Sends notes as events. `run` is the thread; `record` may be called from any."""

    def __init__(
        self,
        cluster: Cluster,
        instance: str,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        on_drop: Callable[[], None] = lambda: None,
    ) -> None:
        self._cluster = cluster
        self._instance = instance
        self._now = now
        self._monotonic = monotonic
        self._on_drop = on_drop
        self._waiting: deque[Note] = deque()
        self._sent: OrderedDict[str, _Sent] = OrderedDict()
        self._wake = threading.Condition()
        self._closed = False

    def record(self, note: Note) -> None:
        """Take a note. Dropped, and counted, when too many wait."""
        with self._wake:
            if self._closed or len(self._waiting) >= _WAITING:
                self._on_drop()
                return
            self._waiting.append(note)
            self._wake.notify()

    def run(self) -> None:
        """Send what is recorded, until `close`; then what still waits is dropped."""
        while (note := self._next()) is not None:
            try:
                self.send(note)
            except ApiError:
                self._on_drop()  # an event is never worth a retry, still less a failure
            with self._wake:
                self._wake.wait_for(lambda: self._closed, 1 / _PER_SECOND)

    def close(self) -> None:
        """End `run`."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def _next(self) -> Note | None:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closed)
            return None if self._closed else self._waiting.popleft()

    def send(self, note: Note) -> None:
        """Create the event, or count it up if it is there.

        Raises:
            ApiError: the API server did not take it.
        """
        sent = self._sent.get(note.identity)
        if sent is not None and self._count_up(sent):
            return
        raw = self._cluster.create(EVENTS, note.manifest.key.namespace, self._body(note))
        name = text(child(raw, "metadata"), "name")
        self._sent[note.identity] = _Sent(note.manifest.key, name, 1, self._monotonic())
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    def _count_up(self, sent: _Sent) -> bool:
        """Tell whether the event still stands for the note."""
        sent.count += 1
        if self._monotonic() - sent.written_at < _REPEAT_SECONDS:
            return True
        series = {"count": sent.count, "lastObservedTime": _micro_time(self._now())}
        target = Target(EVENTS, sent.key.namespace, sent.name)
        try:
            self._cluster.patch(target, {"series": series}, PatchKind.MERGE)
        except ApiError as error:
            if error.status == 404:  # events expire, after an hour by default
                return False
            raise
        sent.written_at = self._monotonic()
        return True

    def _body(self, note: Note) -> JsonObject:
        now = self._now()
        key = note.manifest.key
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {
                "name": f"{key.name[:200]}.{note.identity}.{int(now.timestamp() * 1e6):x}",
                "namespace": key.namespace,
            },
            "eventTime": _micro_time(now),
            "type": note.type,
            "reason": note.reason,
            "action": note.action,
            "note": note.note[:_MAX_NOTE],
            "reportingController": CONTROLLER_NAME,
            "reportingInstance": self._instance[:128],
            "regarding": {
                "apiVersion": SEALED_SECRETS.api_version,
                "kind": SEALED_SECRETS.kind,
                "namespace": key.namespace,
                "name": key.name,
                "uid": note.manifest.uid,
                "resourceVersion": note.manifest.resource_version,
            },
        }


def _micro_time(now: datetime) -> str:
    """Kubernetes MicroTime: exactly six digits of a second, or the API server refuses it."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
