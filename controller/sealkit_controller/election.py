"""Leader election by a Lease (coordination.k8s.io/v1), the deciding half: moments in, verdicts out.

Pure. A moment is compared only with others of the same process's monotonic clock; the times in a
Lease are for people. Why no two can lead at once: docs/adr/0002-lease-election.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import Final
from uuid import UUID

from sealkit.errors import ConfigError
from sealkit_controller.cluster import Target
from sealkit_controller.objects import JsonObject, Resource, child, number, text

LEASES: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")
JITTER: Final = 0.2  # a pause is longer by up to this part, so that replicas do not march in step
_DRIFT: Final = 1.25  # > 1.1 / 0.9: a holder's clock 10 % slow, a contender's 10 % fast
_RELEASED_SECONDS: Final = 1  # the API server refuses 0


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things take, in seconds; the defaults are those of Kubernetes' own components.

    A holder leads until `renew_deadline_seconds` after it sent the last renewal that succeeded;
    a contender waits `lease_seconds` from when it first saw that renewal.

    Raises:
        ConfigError: two clocks 10 % off could overlap, or a deadline leaves no second try.
    """

    lease_seconds: int = 15
    renew_deadline_seconds: float = 10.0
    retry_seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.lease_seconds < self.renew_deadline_seconds * _DRIFT:
            hint = f"at least {_DRIFT} times the renew deadline"
            raise ConfigError("is too short", field="lease_seconds", hint=hint)
        if not 0 < 2 * self.retry_seconds * (1 + JITTER) <= self.renew_deadline_seconds:
            hint = "more than 0, and twice with jitter within the renew deadline"
            raise ConfigError("is out of range", field="retry_seconds", hint=hint)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who contends for which Lease. No two processes ever share an `identity`."""

    lease: Target
    identity: str
    terms: Terms = Terms()


def identity(pod: str, unique: UUID) -> str:
    """Return `<pod>_<uuid>`: a restarted container is another candidate than before."""
    return f"{pod}_{unique}"


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds of the monotonic clock, and the date that is written for people to read."""

    monotonic: float
    wall: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """A Lease as far as it matters here. An empty `holder` means that it is free.

    `version` is that of the object that was read or, in a record to be written, of the object it
    replaces, "" to create one.
    """

    version: str
    holder: str
    lease_seconds: int
    acquired: str
    renewed: str
    transitions: int

    @classmethod
    def of(cls, raw: Mapping[str, object]) -> Record:
        """Read a Lease."""
        spec = child(raw, "spec")
        return cls(
            version=text(child(raw, "metadata"), "resourceVersion"),
            holder=text(spec, "holderIdentity"),
            lease_seconds=number(spec, "leaseDurationSeconds"),
            acquired=text(spec, "acquireTime"),
            renewed=text(spec, "renewTime"),
            transitions=number(spec, "leaseTransitions"),
        )

    def body(self, lease: Target) -> JsonObject:
        """Return the Lease to create, or the merge patch that fails on any other version."""
        version = {"resourceVersion": self.version} if self.version else {}
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": lease.name, "namespace": lease.namespace, **version},
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": self.lease_seconds,
                "acquireTime": self.acquired,
                "renewTime": self.renewed,
                "leaseTransitions": self.transitions,
            },
        }


class Loss(StrEnum):
    """Why a leader is none any more."""

    EXPIRED = "the lease was not renewed in time"
    TAKEN = "the lease is not ours any more"


@dataclass(frozen=True, slots=True)
class State:
    """What a candidate knows. `record` is the Lease as last read or written, None if absent.

    `free_at` is when the Lease may be taken if it stays as it is, None before the first look.
    `until` is when leading ends unless renewed, None before leading. `lost` is final.
    """

    record: Record | None = None
    free_at: float | None = None
    until: float | None = None
    lost: Loss | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """Get the Lease. `at` is a moment before the request is sent."""

    at: float


@dataclass(frozen=True, slots=True)
class Write:
    """Write the Lease over `record.version`. `looked`: that version was read just before."""

    at: float
    record: Record
    looked: bool


class Refusal(Enum):
    """What a request got instead of a Lease. After FAILED it may have had its effect or not."""

    CONFLICT = "conflict"
    FAILED = "failed"


Request = Read | Write
Answer = Record | Refusal | None  # None: there is no Lease


def leads(state: State, now: float) -> bool:
    """Whether a candidate may act as the leader at this moment."""
    return state.lost is None and state.until is not None and now < state.until


def expire(state: State, now: float) -> State:
    """Make it final if the renewal came too late."""
    if state.lost is None and state.until is not None and now >= state.until:
        return replace(state, lost=Loss.EXPIRED)
    return state


def begin(state: State, me: Candidate, now: Moment) -> Request:
    """Return the first request of a round: a leader writes at once, all others look first."""
    if leads(state, now.monotonic) and _is_mine(state, me):
        return Write(now.monotonic, _claim(state, me, now), looked=False)
    return Read(now.monotonic)


def proceed(
    state: State, me: Candidate, request: Request, answer: Answer, now: Moment
) -> tuple[State, Request | None]:
    """Take in an answer; return what is known now, and the next request of this round, if any."""
    state = expire(state, now.monotonic)
    if state.lost is not None:
        return state, None
    if isinstance(answer, Refusal):
        looks = answer is Refusal.CONFLICT and isinstance(request, Write) and not request.looked
        return state, Read(now.monotonic) if looks else None
    state = _noticed(state, me.terms, answer, now.monotonic)
    if isinstance(request, Write):
        return _held(state, me.terms, request.at, now.monotonic), None
    return _after_look(state, me, now)


def pause(state: State, terms: Terms, now: float, chance: float) -> float:
    """Return the seconds until the next round; `chance` is from 0 to 1.

    Never longer than until the Lease may be taken.
    """
    retry = terms.retry_seconds * (1 + JITTER * chance)
    left = (state.free_at or now) - now
    return left if 0 < left < retry else retry


def released(record: Record, now: Moment) -> Record:
    """Return the record that gives the Lease back: the next contender takes it at once."""
    stamp = _stamp(record, now.wall)
    return replace(
        record, holder="", lease_seconds=_RELEASED_SECONDS, acquired=stamp, renewed=stamp
    )


def _after_look(state: State, me: Candidate, now: Moment) -> tuple[State, Request | None]:
    if _is_taken(state, me):
        return replace(state, lost=Loss.TAKEN), None
    if not _may_take(state, me, now.monotonic):
        return state, None
    return state, Write(now.monotonic, _claim(state, me, now), looked=True)


def _is_mine(state: State, me: Candidate) -> bool:
    return state.record is not None and state.record.holder == me.identity


def _is_taken(state: State, me: Candidate) -> bool:
    """A Lease that is not there is nobody's: its leader makes it again."""
    return state.until is not None and state.record is not None and not _is_mine(state, me)


def _may_take(state: State, me: Candidate, now: float) -> bool:
    # Ours without leading: our write had its effect though its answer was lost.
    ours = leads(state, now) or _is_mine(state, me)
    return ours or (state.free_at is not None and now >= state.free_at)


def _noticed(state: State, terms: Terms, record: Record | None, now: float) -> State:
    """Start waiting anew when anything about the Lease has changed."""
    if state.free_at is not None and record == state.record:
        return state
    # A Lease deleted under its holder counts as held: the holder may not have noticed.
    held = state.record if record is None else record
    if held is None or not held.holder:
        return replace(state, record=record, free_at=now)
    seconds = held.lease_seconds if held.lease_seconds > 0 else terms.lease_seconds
    return replace(state, record=record, free_at=now + seconds)


def _held(state: State, terms: Terms, sent_at: float, now: float) -> State:
    """Count from before the request was sent: when it took effect, nobody here knows."""
    until = sent_at + terms.renew_deadline_seconds
    return replace(state, until=until) if now < until else state


def _claim(state: State, me: Candidate, now: Moment) -> Record:
    old = state.record
    stamp = _stamp(old, now.wall)
    if old is None:
        return Record("", me.identity, me.terms.lease_seconds, stamp, stamp, 0)
    claim = replace(old, holder=me.identity, lease_seconds=me.terms.lease_seconds, renewed=stamp)
    if _is_mine(state, me):
        return claim
    return replace(claim, acquired=stamp, transitions=old.transitions + 1)


def _stamp(old: Record | None, wall: datetime) -> str:
    """Return a time other than the last: on a frozen clock a renewal would change nothing."""
    stamp = _micro_time(wall)
    if old is not None and stamp == old.renewed:
        return _micro_time(wall + timedelta(microseconds=1))
    return stamp


def _micro_time(moment: datetime) -> str:
    """Kubernetes MicroTime: exactly six digits of a second, or the API server refuses it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
