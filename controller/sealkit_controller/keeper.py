"""The loop around key synchronisation: when it runs, and who is told of a changed ring."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sealkit_controller.cache import Backoff
from sealkit_controller.cluster import ApiError
from sealkit_controller.keyring import KeyRing
from sealkit_controller.keysync import KeySync
from sealkit_controller.leader import NotLeadingError
from sealkit_controller.logs import Logger
from sealkit_controller.metrics import Metrics

# How often published keys and the age of the newest are looked at when nothing happens.
_CHECK_SECONDS: Final = 300.0
_STANDBY_SECONDS: Final = 1.0  # how soon a new leader makes or publishes a key that is missing


@dataclass(frozen=True, slots=True)
class Pace:
    """The clock and the dice. `wait` waits for an event, or that many seconds of the clock."""

    monotonic: Callable[[], float]
    random: Callable[[], float]
    wait: Callable[[threading.Event, float], object]


class Keeper:
    """Keeps the ring, the published keys and what depends on them in step; `run` is its thread."""

    def __init__(
        self,
        keys: KeySync,
        pace: Pace,
        metrics: Metrics,
        log: Logger,
        on_change: Callable[[], None],
    ) -> None:
        """`on_change` is called whenever a key came, went or changed its state."""
        self.has_active_key = threading.Event()
        self._keys = keys
        self._pace = pace
        self._metrics = metrics
        self._log = log
        self._on_change = on_change
        self._changed = threading.Event()
        self._stopping = False
        self._served = KeyRing()

    def wake(self) -> None:
        """Look at the keys now: a key Secret changed. From any thread."""
        self._changed.set()

    def stop(self) -> None:
        """End `run`. From any thread."""
        self._stopping = True
        self._changed.set()

    def run(self) -> None:
        """Synchronise now, at each `wake`, and from time to time, until `stop`."""
        backoff = Backoff()
        while not self._stopping:
            self._changed.clear()
            pause = _CHECK_SECONDS
            try:
                self._keys.sync()
            except NotLeadingError:
                pause = _STANDBY_SECONDS  # the leader's work, perhaps soon ours
            except ApiError as error:
                self._log.error("Key synchronisation failed", error=str(error))
                pause = backoff.next_seconds(self._pace.monotonic(), self._pace.random())
            if self._keys.ring.differs_from(self._served):
                self._served = self._keys.ring
                self._ring_changed(self._served)
            if not self._stopping:
                self._pace.wait(self._changed, pause)

    def _ring_changed(self, ring: KeyRing) -> None:
        for name, problem in ring.refused.items():
            self._log.error("Key Secret refused", name=name, error=problem)
        self._metrics.refused_keys.set(len(ring.refused))
        for state, count in ring.count_by_state().items():
            self._metrics.keys.labels(state.value).set(count)
        self._metrics.key_created.clear()
        for kid, pair in ring.pairs.items():
            created = self._metrics.key_created.labels(kid, pair.state.value)
            created.set(pair.not_before.timestamp())
        if ring.active:
            self.has_active_key.set()
        self._on_change()
