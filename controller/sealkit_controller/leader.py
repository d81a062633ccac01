"""The acting half of leader election: requests, threads, and the check before every write.

What to ask and what the answers mean is decided in `election`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

from sealkit_controller.cluster import (
    ApiError,
    Cluster,
    Page,
    PatchKind,
    Selection,
    Target,
    Watch,
)
from sealkit_controller.election import (
    LEASES,
    Answer,
    Candidate,
    Loss,
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
from sealkit_controller.objects import JsonObject, Resource, child, text

LEASE_NAME: Final = "sealkit-controller"
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class LeaseApi(Protocol):
    """The part of `cluster.Cluster` that an election needs."""

    def get(self, target: Target) -> JsonObject:
        """See `Cluster.get`."""

    def create(self, resource: Resource, namespace: str, body: Mapping[str, object]) -> JsonObject:
        """See `Cluster.create`."""

    def patch(self, target: Target, body: Mapping[str, object], kind: PatchKind) -> JsonObject:
        """See `Cluster.patch`."""


def send(cluster: LeaseApi, lease: Target, request: Request) -> Record | Refusal | None:
    """Send one request of a round.

    Raises:
        ApiError: the answer is none: neither the Lease, nor its absence, nor a conflict.
    """
    if isinstance(request, Read):
        return _read(cluster, lease)
    return _write(cluster, lease, request.record)


def _read(cluster: LeaseApi, lease: Target) -> Record | None:
    try:
        return Record.of(cluster.get(lease))
    except ApiError as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def _write(cluster: LeaseApi, lease: Target, record: Record) -> Record | Refusal:
    refusals = {_CONFLICT, _NOT_FOUND} if record.version else {_CONFLICT}
    try:
        if record.version:
            raw = cluster.patch(lease, record.body(lease), PatchKind.MERGE)
        else:
            raw = cluster.create(LEASES, lease.namespace, record.body(lease))
    except ApiError as error:
        if error.status in refusals:
            return Refusal.CONFLICT
        raise
    version = text(child(raw, "metadata"), "resourceVersion")
    if version in {"", record.version}:  # the others tell a renewal by its version
        raise ApiError(0, "NotWritten", doing=f"renew {lease}")
    return replace(record, version=version)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance. `monotonic` should go on while the machine sleeps; `random` is 0 to 1."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    random: Callable[[], float]
    wait: Callable[[threading.Event, float | None], bool] = threading.Event.wait

    def moment(self) -> Moment:
        """Return now."""
        return Moment(self.monotonic(), self.now())


def ignore(error: ApiError) -> None:
    """Do nothing about a failed request; the next round tries again."""
    del error


@dataclass(frozen=True, slots=True)
class Hear:
    """Who is told. `on_lost` is called at most once, from either thread, and should not return."""

    on_lost: Callable[[Loss], None]
    on_error: Callable[[ApiError], None] = ignore


class Elector:
    """One candidate for one Lease: `run` and `guard` are the bodies of its two threads.

    `cluster` must give up a request well within the renew deadline, half of it at most, and not
    be `Led`. Once the Lease is lost this candidate never leads again.
    """

    def __init__(self, cluster: LeaseApi, me: Candidate, clock: Clock, hear: Hear) -> None:
        self.elected = threading.Event()
        self._cluster = cluster
        self._me = me
        self._clock = clock
        self._hear = hear
        self._state = State()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._guarded = threading.Event()  # there is something to guard, or nothing ever will be
        self._release = False
        self._wrote = False

    @property
    def is_leader(self) -> bool:
        """Whether to act as the leader now: cheap, to be asked before every write.

        Depends on no thread: false as soon as the renew deadline is over, whatever hangs.
        """
        return not self._stopping.is_set() and leads(self._state, self._clock.monotonic())

    def run(self) -> None:
        """Contend and renew until `stop` or the loss of the Lease."""
        while not self._stopping.is_set() and self._state.lost is None:
            self._clock.wait(self._stopping, self.attempt())
        if self._release and self._wrote and self._state.lost is None:
            self._give_back()

    def guard(self) -> None:
        """Tell of the loss when it happens, even while `run` hangs in a request."""
        self._clock.wait(self._guarded, None)
        while not self._stopping.is_set() and self._state.lost is None:
            left = (self._state.until or 0.0) - self._clock.monotonic()
            self._clock.wait(self._stopping, max(left, 0.0))
            self.check()

    def stop(self, *, release: bool = True) -> None:
        """Lead no more, from now on; `run` gives the Lease back and ends.

        With `release` false the Lease runs out instead: for a stop with a write still in hand.
        """
        self._release = release
        self._stopping.set()
        self._guarded.set()

    def attempt(self) -> float:
        """Make one round of requests; return the seconds until the next is due."""
        self.check()
        request = None if self._state.lost else begin(self._state, self._me, self._clock.moment())
        while request is not None:
            request = self._take_in(request, self._ask(request))
        clock = self._clock
        return pause(self._state, self._me.terms, clock.monotonic(), clock.random())

    def check(self) -> None:
        """Notice that the renew deadline is over."""
        with self._lock:
            before = self._state
            after = self._state = expire(before, self._clock.monotonic())
        self._tell(before, after)

    def _take_in(self, request: Request, answer: Answer) -> Request | None:
        with self._lock:
            before = self._state
            moment = self._clock.moment()
            after, following = proceed(before, self._me, request, answer, moment)
            self._state = after
        self._tell(before, after)
        return following

    def _tell(self, before: State, after: State) -> None:
        """Tell of one change, in the thread that made it."""
        if before.until is None and after.until is not None:
            self.elected.set()
            self._guarded.set()
        if before.lost is None and after.lost is not None and not self._stopping.is_set():
            self._hear.on_lost(after.lost)

    def _ask(self, request: Request) -> Answer:
        self._wrote = self._wrote or isinstance(request, Write)
        try:
            return send(self._cluster, self._me.lease, request)
        except ApiError as error:
            self._hear.on_error(error)
            return Refusal.FAILED

    def _give_back(self) -> None:
        """Release the Lease if it is ours; twice, for an own write may just have come late."""
        for _ in range(2):
            record = self._ask(Read(self._clock.monotonic()))
            if not isinstance(record, Record) or record.holder != self._me.identity:
                return
            moment = self._clock.moment()
            write = Write(moment.monotonic, released(record, moment), looked=True)
            if self._ask(write) is not Refusal.CONFLICT:
                return


class NotLeadingError(ApiError):
    """A write that was not sent, because this process does not lead."""

    def __init__(self, doing: str) -> None:
        super().__init__(0, "NotLeading", doing=doing)
        self.args = (f"{doing}: not the leader",)


class Led:
    """A cluster that reads always and writes only where `owns(namespace)`; see `cluster.Cluster`.

    Asked before each write. A write that is already on its way when the Lease is lost is not
    held back: the versions it names make the API server refuse it once somebody else has written.
    """

    def __init__(self, cluster: Cluster, owns: Callable[[str], bool]) -> None:
        self._cluster = cluster
        self._owns = owns

    def get(self, target: Target) -> JsonObject:
        """See `Cluster.get`."""
        return self._cluster.get(target)

    def pages(self, selection: Selection) -> Iterator[Page]:
        """See `Cluster.pages`."""
        return self._cluster.pages(selection)

    def watch(self, selection: Selection, resource_version: str) -> Watch:
        """See `Cluster.watch`."""
        return self._cluster.watch(selection, resource_version)

    def create(self, resource: Resource, namespace: str, body: Mapping[str, object]) -> JsonObject:
        """See `Cluster.create`. Raises NotLeadingError."""
        self._check(namespace, f"create {resource.plural} in {namespace}")
        return self._cluster.create(resource, namespace, body)

    def patch(self, target: Target, body: Mapping[str, object], kind: PatchKind) -> JsonObject:
        """See `Cluster.patch`. Raises NotLeadingError."""
        self._check(target.namespace, f"patch {target}")
        return self._cluster.patch(target, body, kind)

    def replace(self, target: Target, body: Mapping[str, object]) -> JsonObject:
        """See `Cluster.replace`. Raises NotLeadingError."""
        self._check(target.namespace, f"replace {target}")
        return self._cluster.replace(target, body)

    def delete(self, target: Target, uid: str, resource_version: str) -> None:
        """See `Cluster.delete`. Raises NotLeadingError."""
        self._check(target.namespace, f"delete {target}")
        self._cluster.delete(target, uid, resource_version)

    def request_token(
        self, namespace: str, account: str, audience: str, seconds: int
    ) -> JsonObject:
        """See `Cluster.request_token`. Raises NotLeadingError."""
        self._check(namespace, f"request a token of {namespace}/{account}")
        return self._cluster.request_token(namespace, account, audience, seconds)

    def close(self) -> None:
        """See `Cluster.close`."""
        self._cluster.close()

    def _check(self, namespace: str, doing: str) -> None:
        if not self._owns(namespace):
            raise NotLeadingError(doing)


def shard_of(namespace: str, shards: int) -> int:
    """Return which of `shards` a namespace belongs to, from 0.

    The first eight bytes of the SHA-256 of its name, as a big-endian number, modulo `shards`:
    the same in every process and version, since replicas that disagree would both write.

    Raises:
        ValueError: there is no shard.
    """
    if shards < 1:
        raise ValueError("there is at least one shard")
    return int.from_bytes(sha256(namespace.encode()).digest()[:8], "big") % shards


def lease_name(shard: int, shards: int) -> str:
    """Return the name of a shard's Lease: without a number where there is only one."""
    return LEASE_NAME if shards == 1 else f"{LEASE_NAME}-{shard}"


class Leads(Protocol):
    """What ownership needs of an elector."""

    @property
    def is_leader(self) -> bool:
        """Whether it leads now."""


def ownership(shards: int, electors: Mapping[int, Leads]) -> Callable[[str], bool]:
    """Return the predicate `owns(namespace)`: its shard has an elector here, and that one leads.

    It is true of no namespace in two processes at once if all have the same number of shards.
    """

    def owns(namespace: str) -> bool:
        elector = electors.get(shard_of(namespace, shards))
        return elector is not None and elector.is_leader

    return owns
