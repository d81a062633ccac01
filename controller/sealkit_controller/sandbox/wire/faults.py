"""Faults that tests put between client and API: errors, delays, cut and silent connections."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """Answer with a failure instead of doing anything."""

    code: int
    message: str = "injected fault"
    reason: str = ""
    retry_after_seconds: int | None = None


@dataclass(frozen=True)
class Reset:
    """Reset the connection: before the request is carried out, or after but before the answer."""

    after_effect: bool = False


@dataclass(frozen=True)
class Hold:
    """Wait for `release` before the request is carried out."""

    release: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Silence:
    """Keep the connection open and never say another word; a watch first sends `events` of them."""

    events: int = 0


@dataclass(frozen=True)
class Cut:
    """Cut a watch without a proper end after `events` events, or in the middle of the next."""

    events: int = 0
    in_line: bool = False


Action = Answer | Reset | Hold | Silence | Cut


@dataclass(frozen=True)
class Facts:
    """What faults are matched against; `resource` is the plural, or `plural/subresource`."""

    verb: str
    resource: str = ""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True)
class Fault:
    """An action and the requests it meets; an empty field matches any.

    Passes over the first `skip` matching requests and then meets `times` of them, None for all.
    """

    action: Action
    verb: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    times: int | None = 1
    skip: int = 0

    def matches(self, facts: Facts) -> bool:
        """Return whether a request is one that this fault is about."""
        pairs = (
            (self.verb, facts.verb),
            (self.resource, facts.resource),
            (self.namespace, facts.namespace),
            (self.name, facts.name),
        )
        return all(wanted in {"", found} for wanted, found in pairs)


class Faults:
    """The faults that are waiting for their requests; the first that matches is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, int]] = []  # with the number of requests matched so far

    def add(self, fault: Fault) -> Fault:
        """Let `fault` happen to the requests it matches from now on, and return it."""
        with self._lock:
            self._waiting.append((fault, 0))
        return fault

    def clear(self) -> None:
        """Forget every fault. Those that have begun, such as a `Hold`, go on."""
        with self._lock:
            self._waiting.clear()

    def take(self, facts: Facts) -> Action | None:
        """Return what happens to a request, and count it; None lets it pass."""
        with self._lock:
            for index, (fault, count) in enumerate(self._waiting):
                if fault.matches(facts):
                    self._waiting[index] = (fault, count + 1)
                    if fault.skip <= count and not _used_up(fault, count):
                        return fault.action
        return None


def _used_up(fault: Fault, count: int) -> bool:
    return fault.times is not None and count >= fault.skip + fault.times
