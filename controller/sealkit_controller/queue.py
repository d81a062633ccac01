"""The work queue: which object is looked at next. Pure, except that `BlockingQueue` waits.

An object is in the queue at most once and in one worker's hands at most once. What happens to it
meanwhile marks it dirty, and it comes back as soon as it is done. As in client-go's workqueue,
with priorities and with the delay decided by whoever finishes the work.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sealkit_controller.objects import ObjectKey

FIRST_RETRY_SECONDS: Final = 1.0
LONGEST_RETRY_SECONDS: Final = 300.0
_MAX_DOUBLINGS: Final = 9  # 512 s is beyond the longest retry already


class Priority(IntEnum):
    """What goes first: a person waits for a change, nobody for a resync."""

    CHANGED = 0
    NEVER_SYNCED = 1
    RESYNC = 2


@dataclass(frozen=True, slots=True)
class Taken:
    """An object in a worker's hands, and how long it waited."""

    key: ObjectKey
    waited_seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Ticket:
    key: ObjectKey
    priority: Priority
    since: float


class WorkQueue:
    """The rules of the queue. Times are seconds of one monotonic clock, passed in.

    Not safe for threads: see `BlockingQueue`.
    """

    def __init__(self) -> None:
        # A promoted object leaves its old ticket in the old line, where `take` skips it.
        self._lines: tuple[deque[_Ticket], ...] = tuple(deque() for _ in Priority)
        self._queued: dict[ObjectKey, _Ticket] = {}
        self._dirty: dict[ObjectKey, Priority] = {}
        self._processing: dict[ObjectKey, float] = {}
        self._due: dict[ObjectKey, tuple[float, Priority]] = {}
        self._schedule: list[tuple[float, ObjectKey]] = []
        self._failures: dict[ObjectKey, int] = {}

    def add(self, key: ObjectKey, priority: Priority, now: float) -> None:
        """Put an object in, or move it forward if it waits with a lower priority."""
        if key in self._processing:
            self._dirty[key] = min(priority, self._dirty.get(key, priority))
            return
        held = self._queued.get(key)
        if held is None or priority < held.priority:
            ticket = _Ticket(key, priority, held.since if held else now)
            self._queued[key] = ticket
            self._lines[priority].append(ticket)

    def take(self, now: float) -> Taken | None:
        """Hand out the next object, None if there is none. A delay set for it is forgotten."""
        self._release(now)
        for line in self._lines:
            while line:
                ticket = line.popleft()
                if self._queued.get(ticket.key) is ticket:
                    return self._hand_out(ticket, now)
        return None

    def _hand_out(self, ticket: _Ticket, now: float) -> Taken:
        del self._queued[ticket.key]
        self._due.pop(ticket.key, None)
        self._processing[ticket.key] = now
        return Taken(ticket.key, now - ticket.since)

    def done(self, key: ObjectKey, now: float, again_in_seconds: float | None = None) -> None:
        """Finish an object: its failures are forgotten, and it may come back as a resync."""
        self._failures.pop(key, None)
        due = None if again_in_seconds is None else now + again_in_seconds
        self._finish(key, now, due, Priority.RESYNC)

    def retry(
        self, key: ObjectKey, now: float, spread: float, at_least_seconds: float = 0.0
    ) -> float:
        """Finish an object that failed; return the seconds until it comes back.

        1 s doubled for each failure in a row, at most 5 min. `spread`, from 0 to 1, takes off up
        to half of it, so that what failed together does not come back together.
        """
        doublings = self._failures.get(key, 0)
        self._failures[key] = min(doublings + 1, _MAX_DOUBLINGS)
        delay = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * (1 << doublings))
        delay = max(delay * (1 - spread / 2), at_least_seconds)
        self._finish(key, now, now + delay, Priority.NEVER_SYNCED)
        return delay

    def next_due(self) -> float | None:
        """Return when the first delay ends, None if there is none."""
        while self._schedule and not self._is_current(self._schedule[0]):
            heapq.heappop(self._schedule)
        return self._schedule[0][0] if self._schedule else None

    @property
    def depth(self) -> int:
        """How many objects wait, without those that wait for a delay."""
        return len(self._queued)

    @property
    def processing(self) -> int:
        """How many objects are in workers' hands."""
        return len(self._processing)

    def running_seconds(self, now: float) -> list[float]:
        """Return how long each object in hand has been there."""
        return [now - since for since in self._processing.values()]

    def _finish(self, key: ObjectKey, now: float, due: float | None, priority: Priority) -> None:
        del self._processing[key]
        dirty = self._dirty.pop(key, None)
        if dirty is not None:
            self.add(key, dirty, now)  # and that run decides what comes after it
        elif due is not None:
            self._due[key] = (due, priority)
            heapq.heappush(self._schedule, (due, key))

    def _release(self, now: float) -> None:
        while (due := self.next_due()) is not None and due <= now:
            _, key = heapq.heappop(self._schedule)
            _, priority = self._due.pop(key)
            self.add(key, priority, now)

    def _is_current(self, entry: tuple[float, ObjectKey]) -> bool:
        due, key = entry
        return self._due.get(key, (None,))[0] == due


class Throttle:
    """How many objects may be worked on at once: halved on overload, grown by one in between.

    Additive increase, multiplicative decrease, as TCP does.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._halved_at = float("-inf")

    @property
    def allowed(self) -> int:
        """The limit, at least 1."""
        return max(1, int(self._allowed))

    def succeeded(self) -> None:
        """Grow by one for each round of successes."""
        self._allowed = min(self._most, self._allowed + 1 / self._allowed)

    def overloaded(self, now: float) -> None:
        """Halve, at most once a second: one overload makes many requests fail at once."""
        if now - self._halved_at >= 1:
            self._halved_at = now
            self._allowed = max(1.0, self._allowed / 2)


class BlockingQueue:
    """A WorkQueue for threads: `take` waits until there is work or the end.

    `monotonic` and `random` (0 to 1) are the clock and the spread of retries. `on_add` is called
    for each addition. `speed` is how many seconds of that clock pass in one of the machine's.
    """

    def __init__(
        self,
        workers: int,
        monotonic: Callable[[], float],
        random: Callable[[], float],
        on_add: Callable[[], None] = lambda: None,
        speed: float = 1.0,
    ) -> None:
        self._queue = WorkQueue()
        self._speed = speed
        self._throttle = Throttle(workers)
        self._now = monotonic
        self._random = random
        self._on_add = on_add
        self._closed = False
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # one is woken for one piece of work
        self._idle = threading.Condition(self._lock)

    def add(self, key: ObjectKey, priority: Priority = Priority.CHANGED) -> None:
        """Put an object in; without effect after `shut_down`."""
        self._on_add()
        with self._lock:
            if not self._closed:
                self._queue.add(key, priority, self._now())
                self._work.notify()

    def take(self) -> Taken | None:
        """Wait for the next object; None after `shut_down`, and what still waits is not done."""
        with self._lock:
            while not self._closed:
                now = self._now()
                taken = self._next(now)
                if taken is not None:
                    return taken
                due = self._queue.next_due()
                self._work.wait(None if due is None else max(0.0, due - now) / self._speed)
        return None

    def _next(self, now: float) -> Taken | None:
        if self._queue.processing >= self._throttle.allowed:
            return None
        return self._queue.take(now)

    def done(self, key: ObjectKey, again_in_seconds: float | None = None) -> None:
        """Finish an object that succeeded, or that only a change can help."""
        with self._lock:
            self._throttle.succeeded()
            self._queue.done(key, self._now(), again_in_seconds)
            self._finished()

    def retry(
        self, key: ObjectKey, at_least_seconds: float = 0.0, *, overload: bool = False
    ) -> float:
        """Finish an object that failed; return the seconds until it comes back."""
        with self._lock:
            now = self._now()
            if overload:
                self._throttle.overloaded(now)
            delay = self._queue.retry(key, now, self._random(), at_least_seconds)
            self._finished()
            return delay

    def _finished(self) -> None:
        self._work.notify()
        if self.is_idle:
            self._idle.notify_all()

    def shut_down(self) -> None:
        """Let every `take` return None, now and from now on."""
        with self._lock:
            self._closed = True
            self._work.notify_all()

    def wait_until_idle(self, timeout_seconds: float) -> bool:
        """Wait until nothing waits but delays, and nothing is in hand; tell whether it came so."""
        with self._lock:
            return self._idle.wait_for(lambda: self.is_idle, timeout_seconds)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits but delays, and nothing is in hand."""
        return not self._queue.depth and not self._queue.processing

    @property
    def depth(self) -> int:
        """How many objects wait."""
        return self._queue.depth

    def running_seconds(self) -> list[float]:
        """Return how long each object in hand has been there."""
        with self._lock:
            return self._queue.running_seconds(self._now())
