import threading

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sealkit_controller.objects import ObjectKey
from sealkit_controller.queue import (
    LONGEST_RETRY_SECONDS,
    BlockingQueue,
    Priority,
    Throttle,
    WorkQueue,
)

KEYS = [ObjectKey("ns", name) for name in "abc"]


class Model:
    """The queue as slowly and plainly as it can be said."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Priority, int, ObjectKey]] = []
        self.dirty: dict[ObjectKey, Priority] = {}
        self.in_hand: set[ObjectKey] = set()
        self.later: dict[ObjectKey, tuple[float, Priority]] = {}
        self.order = 0

    def add(self, key: ObjectKey, priority: Priority) -> None:
        if key in self.in_hand:
            self.dirty[key] = min(priority, self.dirty.get(key, priority))
            return
        mine = [entry for entry in self.waiting if entry[2] == key]
        if not mine or priority < mine[0][0]:
            self.waiting = [entry for entry in self.waiting if entry[2] != key]
            self.order += 1
            self.waiting.append((priority, self.order, key))

    def take(self, now: float) -> ObjectKey | None:
        for key in sorted((k for k in self.later if self.later[k][0] <= now), key=self._due):
            self.add(key, self.later.pop(key)[1])
        if not self.waiting:
            return None
        first = min(self.waiting)
        self.waiting.remove(first)
        self.in_hand.add(first[2])
        self.later.pop(first[2], None)
        return first[2]

    def finish(self, key: ObjectKey, due: float | None, priority: Priority) -> None:
        self.in_hand.remove(key)
        if key in self.dirty:
            self.add(key, self.dirty.pop(key))
        elif due is not None:
            self.later[key] = (due, priority)

    def _due(self, key: ObjectKey) -> tuple[float, ObjectKey]:
        return (self.later[key][0], key)


class QueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.queue = WorkQueue()
        self.model = Model()
        self.now = 0.0

    @rule(key=st.sampled_from(KEYS), priority=st.sampled_from(Priority))
    def add(self, key: ObjectKey, priority: Priority) -> None:
        self.queue.add(key, priority, self.now)
        self.model.add(key, priority)

    @rule()
    def take(self) -> None:
        taken = self.queue.take(self.now)
        assert (taken.key if taken else None) == self.model.take(self.now)

    @precondition(lambda self: self.model.in_hand)
    @rule(data=st.data(), delay=st.none() | st.sampled_from([0.0, 1.0, 5.0]))
    def done(self, data: st.DataObject, delay: float | None) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.in_hand)))
        self.queue.done(key, self.now, delay)
        due = None if delay is None else self.now + delay
        self.model.finish(key, due, Priority.RESYNC)

    @precondition(lambda self: self.model.in_hand)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.in_hand)))
        delay = self.queue.retry(key, self.now, spread=0.0)
        self.model.finish(key, self.now + delay, Priority.NEVER_SYNCED)

    @rule(seconds=st.sampled_from([0.5, 1.0, 7.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def agrees(self) -> None:
        assert self.queue.depth == len(self.model.waiting)
        assert self.queue.processing == len(self.model.in_hand)
        dues = [due for due, _ in self.model.later.values()]
        assert self.queue.next_due() == min(dues, default=None)


TestQueueMachine = QueueMachine.TestCase


def test_failures_back_off_and_success_forgets_them() -> None:
    queue, key, now = WorkQueue(), KEYS[0], 0.0
    delays = []
    for _ in range(11):
        queue.add(key, Priority.CHANGED, now)
        assert queue.take(now)
        delays.append(queue.retry(key, now, spread=0.0))
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_RETRY_SECONDS, 300]
    queue.add(key, Priority.CHANGED, now)
    assert queue.take(now)
    queue.done(key, now)
    queue.add(key, Priority.CHANGED, now)
    assert queue.take(now)
    assert queue.retry(key, now, spread=0.0) == 1


def test_a_retry_is_spread_and_never_before_the_server_allows_it() -> None:
    queue, key = WorkQueue(), KEYS[0]
    queue.add(key, Priority.CHANGED, 0)
    assert queue.take(0)
    assert queue.retry(key, 0, spread=1.0) == 0.5
    queue.add(key, Priority.CHANGED, 0)
    assert queue.take(0)
    assert queue.retry(key, 0, spread=1.0, at_least_seconds=9.0) == 9.0


def test_the_time_an_object_waited_counts_from_its_first_addition() -> None:
    queue = WorkQueue()
    queue.add(KEYS[0], Priority.RESYNC, 1.0)
    queue.add(KEYS[0], Priority.CHANGED, 4.0)
    taken = queue.take(6.0)
    assert taken is not None
    assert taken.waited_seconds == 5.0
    assert queue.running_seconds(8.0) == [2.0]


def test_throttle_halves_at_most_once_a_second_and_recovers_by_one_a_round() -> None:
    throttle = Throttle(16)
    throttle.overloaded(10.0)
    throttle.overloaded(10.5)
    assert throttle.allowed == 8
    for _ in range(9):
        throttle.succeeded()
    assert throttle.allowed == 9
    for second in range(20):
        throttle.overloaded(20.0 + second)
    assert throttle.allowed == 1


def blocking(workers: int = 2) -> BlockingQueue:
    return BlockingQueue(workers, monotonic=lambda: 0.0, random=lambda: 0.0)


def test_take_waits_for_an_addition() -> None:
    queue = blocking()
    taken: list[ObjectKey] = []

    def take() -> None:
        found = queue.take()
        assert found is not None
        taken.append(found.key)
        queue.done(found.key)

    thread = threading.Thread(target=take)
    thread.start()
    queue.add(KEYS[0])
    thread.join(10)
    assert taken == KEYS[:1]
    assert queue.wait_until_idle(1)


def test_shut_down_ends_every_take_and_leaves_the_rest_undone() -> None:
    queue = blocking()
    threads = [threading.Thread(target=queue.take) for _ in range(3)]
    for thread in threads:
        thread.start()
    queue.shut_down()
    for thread in threads:
        thread.join(10)
    queue.add(KEYS[0])
    assert queue.take() is None
    assert queue.depth == 0


def test_an_overloaded_server_gets_fewer_objects_at_once() -> None:
    queue = blocking(workers=2)
    for key in KEYS:
        queue.add(key)
    first, second = queue.take(), queue.take()
    assert first is not None
    assert second is not None
    queue.retry(first.key, overload=True)
    waiter = threading.Thread(target=queue.take)
    waiter.start()
    waiter.join(0.05)
    assert waiter.is_alive()  # one in hand is the limit now
    queue.done(second.key)
    waiter.join(10)
    assert not waiter.is_alive()


@pytest.mark.parametrize("timeout", [0.0])
def test_waiting_for_idle_gives_up(timeout: float) -> None:
    queue = blocking()
    queue.add(KEYS[0])
    assert not queue.wait_until_idle(timeout)
