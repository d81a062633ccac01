"""Candidates for a Lease on a clock that is moved by hand."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sealkit_controller.cluster import ApiError, PatchKind, Target
from sealkit_controller.election import LEASES, Candidate, Loss
from sealkit_controller.leader import Clock, Elector, Hear, LeaseApi
from sealkit_controller.objects import JsonObject, ObjectKey, Resource
from tests.controller.world import NAMESPACE

KEY = ObjectKey(NAMESPACE, "sealkit-controller")
LEASE = Target(LEASES, *KEY)
START = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
WAIT_SECONDS = 20  # for a thread of the test; reached only when something is broken


@dataclass
class HandClock:
    """A clock that only moves when told to, or when somebody waits on it."""

    seconds: float = 1000.0
    waits: list[float | None] = field(default_factory=list)
    then: Callable[[], None] = lambda: None

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        self.waits.append(seconds)
        if seconds is None:
            assert event.wait(WAIT_SECONDS), "nobody woke the guard"
            return True
        self.seconds += seconds
        self.then()
        return event.is_set()

    @property
    def clock(self) -> Clock:
        return Clock(
            lambda: START + timedelta(seconds=self.seconds),
            lambda: self.seconds,
            lambda: 0.0,
            self.wait,
        )


@dataclass
class Replica:
    """An elector and what it told."""

    elector: Elector
    lost: list[Loss]
    errors: list[ApiError]


def replica(cluster: LeaseApi, hand: HandClock, name: str = "a", lease: Target = LEASE) -> Replica:
    lost: list[Loss] = []
    errors: list[ApiError] = []
    hear = Hear(lost.append, errors.append)
    return Replica(Elector(cluster, Candidate(lease, name), hand.clock, hear), lost, errors)


@dataclass
class Wire:
    """A cluster with something between it and the elector. With `forgets`, patches are not kept."""

    cluster: LeaseApi
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    forgets: bool = False

    def get(self, target: Target) -> JsonObject:
        return self.cluster.get(target)

    def create(self, resource: Resource, namespace: str, body: Mapping[str, object]) -> JsonObject:
        self.before()
        raw = self.cluster.create(resource, namespace, body)
        self.after()
        return raw

    def patch(self, target: Target, body: Mapping[str, object], kind: PatchKind) -> JsonObject:
        self.before()
        raw = self.get(target) if self.forgets else self.cluster.patch(target, body, kind)
        self.after()
        return raw
