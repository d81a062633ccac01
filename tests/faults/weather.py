"""Faults of the API server and of the network to it, drawn at random."""

from collections.abc import Callable
from random import Random
from threading import Event

from sealkit_controller.sandbox import Answer, Cut, Fault, Hold, Reset, Sandbox, Silence
from sealkit_controller.sandbox.wire.faults import Action

_READS = ("list", "watch", "get")
_WRITES = ("create", "patch", "update", "delete")
_RESOURCES = ("secrets", "sealedsecrets", "sealedsecrets/status", "configmaps", "")


class Weather:
    """Draws faults for one sandbox. What it holds back it lets go with `clear`."""

    def __init__(self, box: Sandbox, rng: Random) -> None:
        self._box = box
        self._rng = rng
        self._held: list[Event] = []

    def turn(self) -> str:
        """Let something go wrong, and return what."""
        if self._rng.random() < 0.15:
            self._box.compact()
            return "compaction"
        return str(self._box.faults.add(self._fault()))

    def clear(self) -> None:
        """End every fault; what was held back takes effect now."""
        self._box.faults.clear()
        self._release()

    def _release(self) -> None:
        while self._held:
            self._held.pop().set()

    def _fault(self) -> Fault:
        rng = self._rng
        if rng.random() < 0.35:
            cuts: list[Action] = [Cut(), Cut(1), Cut(1, in_line=True), Cut(2), _gone()]
            action = rng.choice(cuts)
            action = Silence(rng.randint(0, 1)) if rng.random() < 0.1 else action
            resource = rng.choice(["secrets", "sealedsecrets"])
            return Fault(action, "watch", resource, times=rng.randint(1, 3), skip=rng.randint(0, 1))
        verb = rng.choice([*_READS, *_WRITES, *_WRITES])
        resource = rng.choice(_RESOURCES)
        times = rng.randint(1, 4)
        action = self._action(verb)
        slow = isinstance(action, Silence | Hold)  # each costs a time-out
        return Fault(action, verb, resource, times=1 if slow else times, skip=rng.randint(0, 2))

    def _action(self, verb: str) -> Action:
        rng = self._rng
        kinds: list[Callable[[], Action]] = [
            lambda: Answer(429, retry_after_seconds=rng.choice([None, 1, 2])),
            lambda: Answer(rng.choice([500, 503, 504]), reason="InternalError"),
            lambda: Answer(rng.choice([401, 403]), reason="Forbidden"),
            lambda: Reset(after_effect=False),
            lambda: Reset(after_effect=True),
            lambda: Answer(409, reason="Conflict") if verb in _WRITES else _gone(),
            self._slow,
        ]
        return rng.choices(kinds, [3, 4, 2, 3, 4, 3, 1])[0]()

    def _slow(self) -> Action:
        if self._rng.random() < 0.5:
            return Silence()
        held = Event()
        self._held.append(held)
        if len(self._held) > 1:
            self._held.pop(0).set()
        return Hold(held)


def _gone() -> Answer:
    return Answer(410, reason="Expired")
