"""An election in virtual time: rivals with bad clocks and a bad network around one Lease.

Real time is that of the simulation; each rival sees it through a clock of its own that is up to
10 % off. Nothing here sleeps. Every run follows from its seed.
"""

import heapq
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sealkit_controller.cluster import ApiError, PatchKind, Target
from sealkit_controller.election import (
    LEASES,
    Answer,
    Candidate,
    Moment,
    Read,
    Record,
    Refusal,
    Request,
    State,
    Write,
    begin,
    expire,
    leads,
    pause,
    proceed,
    released,
)
from sealkit_controller.leader import send
from sealkit_controller.objects import JsonObject, Resource, child

LEASE = Target(LEASES, "sealkit-system", "sealkit-controller")
DRIFT = 0.1
CLIENT_TIMEOUT = 5.0
START = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


class LeaseServer:
    """One Lease under the API server's rules of creation, versions and merge patches."""

    def __init__(self) -> None:
        self.version = 0
        self.raw: JsonObject | None = None

    def get(self, target: Target) -> JsonObject:
        assert target == LEASE
        if self.raw is None:
            raise ApiError(404, "NotFound")
        return self.raw

    def create(self, resource: Resource, namespace: str, body: Mapping[str, object]) -> JsonObject:
        assert (resource, namespace) == (LEASES, LEASE.namespace)
        if self.raw is not None:
            raise ApiError(409, "AlreadyExists")
        return self._store(body["spec"])

    def patch(self, target: Target, body: Mapping[str, object], kind: PatchKind) -> JsonObject:
        assert kind is PatchKind.MERGE
        old = self.get(target)
        if child(body, "metadata")["resourceVersion"] != child(old, "metadata")["resourceVersion"]:
            raise ApiError(409, "Conflict")
        if body["spec"] == old["spec"]:
            return old  # a patch that changes nothing makes no new version
        return self._store(body["spec"])

    def touch(self) -> None:
        """Change what is no business of the election, as an annotation does."""
        if self.raw is not None:
            self._store(self.raw["spec"])

    def _store(self, spec: object) -> JsonObject:
        self.version += 1
        self.raw = {"metadata": {"resourceVersion": str(self.version)}, "spec": spec}
        return self.raw


@dataclass(eq=False)
class Rival:
    """One process: its clock, what it knows, and what is wrong with it just now."""

    me: Candidate
    rate: float
    offset: float
    wall: Callable[[float], datetime]
    state: State = field(default_factory=State)
    stopping: bool = False
    paused_until: float = 0.0
    cut_off_until: float = 0.0

    def local(self, now: float) -> float:
        return self.offset + self.rate * now

    def moment(self, now: float) -> Moment:
        return Moment(self.local(now), self.wall(now))

    def is_leader(self, now: float) -> bool:
        return not self.stopping and leads(self.state, self.local(now))


Then = Callable[[Rival, Request, Answer], None]


@dataclass(frozen=True)
class _Call:
    rival: Rival
    request: Request
    then: Then


@dataclass(order=True)
class _Event:
    at: float
    number: int
    action: Callable[[], None] = field(compare=False)
    rival: Rival | None = field(compare=False)


class Election:
    """A simulation. `run` raises AssertionError at the first instant with two leaders."""

    def __init__(self, seed: int, rivals: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  (a simulation, no secret)
        self.chaos = self.random.uniform(0.1, 1.0)
        self.server = LeaseServer()
        self.now = 0.0
        self.led_seconds = 0.0
        self.terms_led: list[str] = []
        self._events: list[_Event] = []
        self._number = 0
        self._faults = True
        self.places: list[Rival] = [self._new_rival(place) for place in range(rivals)]
        for place in range(rivals):
            self._trouble(place)
        self._outside()

    # Time.

    def run(self, until: float) -> None:
        """Let everything happen up to a moment of real time."""
        while self._events and self._events[0].at <= until:
            event = heapq.heappop(self._events)
            rival = event.rival
            if rival is not None and rival not in self.places:
                continue  # that process is gone
            if rival is not None and rival.paused_until > event.at:
                self._at(rival.paused_until, event.action, rival)
                continue
            self._pass(event.at)
            event.action()
            self._check()
        self._pass(until)

    def leaders(self) -> list[Rival]:
        return [rival for rival in self.places if rival.is_leader(self.now)]

    def calm(self) -> None:
        """End every fault: what hangs fails now, who is stopped or cut off is back."""
        self._faults = False
        self._events.clear()
        for place, rival in enumerate(self.places):
            rival.paused_until = rival.cut_off_until = 0.0
            if rival.stopping or rival.state.lost:
                self._restart(place)
            else:
                self._after(0.0, partial(self._wake, rival), rival)

    def _pass(self, now: float) -> None:
        if self.leaders():
            self.led_seconds += now - self.now
        self.now = now

    def _check(self) -> None:
        leading = [rival.me.identity for rival in self.leaders()]
        assert len(leading) < 2, f"at {self.now}: {leading}"
        if leading and self.terms_led[-1:] != leading:
            self.terms_led += leading

    def _at(self, at: float, action: Callable[[], None], rival: Rival | None = None) -> None:
        self._number += 1
        heapq.heappush(self._events, _Event(at, self._number, action, rival))

    def _after(self, seconds: float, action: Callable[[], None], rival: Rival | None) -> None:
        self._at(self.now + seconds, action, rival)

    # Processes.

    def _new_rival(self, place: int) -> Rival:
        chance = self.random
        self._number += 1
        off = chance.choice([-DRIFT, DRIFT, chance.uniform(-DRIFT, DRIFT)])
        walls: list[Callable[[float], datetime]] = [
            lambda now: START + timedelta(seconds=now),
            lambda _: START,  # frozen
            lambda _: START + timedelta(hours=chance.choice([-1, 0, 1])),  # stepping
        ]
        me = Candidate(LEASE, f"pod-{place}_{self._number}")
        rival = Rival(me, 1 + off, chance.uniform(0, 1e6), chance.choice(walls))
        self._after(chance.uniform(0, 2), lambda: self._wake(rival), rival)
        return rival

    def _restart(self, place: int) -> None:
        self.places[place] = self._new_rival(place)

    def _exit(self, rival: Rival) -> None:
        place = self.places.index(rival)
        rival.stopping = True
        self._after(self.random.uniform(0, 1), lambda: self._restart(place), rival)

    def _wake(self, rival: Rival) -> None:
        if rival.stopping:
            return
        rival.state = expire(rival.state, rival.local(self.now))
        if rival.state.lost:
            self._exit(rival)
            return
        request = begin(rival.state, rival.me, rival.moment(self.now))
        self._hiccup(rival)
        self._after(0.001, lambda: self._send(rival, request, self._take_in), rival)

    def _take_in(self, rival: Rival, request: Request, answer: Answer) -> None:
        if rival.stopping:
            return
        moment = rival.moment(self.now)
        rival.state, following = proceed(rival.state, rival.me, request, answer, moment)
        if rival.state.lost:
            self._exit(rival)
        elif following is not None:
            self._hiccup(rival)
            self._after(0.001, lambda: self._send(rival, following, self._take_in), rival)
        else:
            chance = self.random.random()
            seconds = pause(rival.state, rival.me.terms, moment.monotonic, chance)
            self._after(seconds / rival.rate, lambda: self._wake(rival), rival)

    def _stop(self, rival: Rival) -> None:
        """End in order: lead no more, then give the Lease back."""
        rival.stopping = True
        self._send(rival, Read(rival.local(self.now)), self._give_back)

    def _give_back(self, rival: Rival, _: Request, answer: Answer) -> None:
        if isinstance(answer, Record) and answer.holder == rival.me.identity:
            moment = rival.moment(self.now)
            write = Write(moment.monotonic, released(answer, moment), looked=True)
            self._send(rival, write, lambda rival, *_: self._exit(rival))
        else:
            self._exit(rival)

    # The network.

    def _send(self, rival: Rival, request: Request, then: Then) -> None:
        call = _Call(rival, request, then)
        if self._faults and rival.cut_off_until > self.now:
            self._answer(call, self._timeout(rival), Refusal.FAILED)
        elif self._faults and self.random.random() < 0.3 * self.chaos:
            fates = (self._slowly, self._late, self._unanswered, self._refused)
            self.random.choice(fates)(call)
        else:
            self._arrive(call, self._quick(), back=self._quick())

    def _slowly(self, call: _Call) -> None:
        """Drop by drop, so that no timeout of a single read ends it."""
        self._arrive(call, self.random.uniform(0, 9), back=self.random.uniform(0, 14))

    def _late(self, call: _Call) -> None:
        """Given up, and yet on its way."""
        self._arrive(call, self.random.uniform(0, 25))
        self._answer(call, self._timeout(call.rival), Refusal.FAILED)

    def _unanswered(self, call: _Call) -> None:
        """Carried out, and the answer lost."""
        self._arrive(call, self._quick())
        seconds = self.random.uniform(0.05, self._timeout(call.rival))
        self._answer(call, seconds, Refusal.FAILED)

    def _refused(self, call: _Call) -> None:
        what = self.random.choice([Refusal.FAILED, Refusal.CONFLICT])
        self._answer(call, self._quick(), what)

    def _arrive(self, call: _Call, seconds: float, back: float | None = None) -> None:
        """Let the server carry it out after `seconds`, and answer if a way back is given."""

        def carry_out() -> None:
            what = self._serve(call.request)
            if back is not None:
                self._answer(call, back, what)

        self._after(seconds, carry_out, None)

    def _answer(self, call: _Call, seconds: float, what: Answer) -> None:
        self._after(seconds, lambda: call.then(call.rival, call.request, what), call.rival)

    def _quick(self) -> float:
        return self.random.uniform(0.001, 0.05)

    def _timeout(self, rival: Rival) -> float:
        return CLIENT_TIMEOUT / rival.rate

    def _serve(self, request: Request) -> Answer:
        try:
            return send(self.server, LEASE, request)
        except ApiError:
            return Refusal.FAILED

    # What goes wrong from outside.

    def _hiccup(self, rival: Rival) -> None:
        """Stop a process between deciding and doing."""
        if self._faults and self.random.random() < 0.01 * self.chaos:
            rival.paused_until = self.now + self.random.uniform(0.1, 40)

    def _trouble(self, place: int) -> None:
        chance, rival = self.random, self.places[place]
        match chance.choice(["pause", "cut off", "kill", "stop"]):
            case "pause":
                rival.paused_until = max(rival.paused_until, self.now + chance.uniform(0.1, 40))
            case "cut off":
                rival.cut_off_until = self.now + chance.uniform(0.1, 40)
            case "kill":
                self._restart(place)
            case _ if not rival.stopping and rival.paused_until <= self.now:
                self._stop(rival)
        self._after(chance.expovariate(self.chaos / 40), lambda: self._trouble(place), None)

    def _outside(self) -> None:
        """Now and then somebody annotates the Lease."""
        self.server.touch()
        self._after(self.random.uniform(5, 60), self._outside, None)
