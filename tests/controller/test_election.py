"""Who leads, decided: simulated elections under every fault, and the rules one by one."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import ConfigError
from sealkit_controller.election import (
    JITTER,
    Candidate,
    Loss,
    Moment,
    Read,
    Record,
    Refusal,
    State,
    Terms,
    Write,
    begin,
    expire,
    leads,
    pause,
    proceed,
    released,
)
from tests.controller.rivals import DRIFT, LEASE, START, Election

ME = Candidate(LEASE, "me")
THEIRS = Record("7", "you", 15, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000001Z", 3)
SEEDS, CHUNK = 200, 20
SIMULATED_SECONDS = 1000
# The Lease runs out on the slowest clock, and whoever looks then looks a retry later at most.
TERMS = Terms()
LONGEST_GAP = (TERMS.lease_seconds + TERMS.retry_seconds * (1 + JITTER)) / (1 - DRIFT) + 1


def at(seconds: float) -> Moment:
    return Moment(seconds, START + timedelta(seconds=seconds))


def elected(seed: int) -> Election:
    return Election(seed, rivals=2 + seed % 2)


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_never_two_lead_and_one_leads_when_the_faults_are_over(first: int) -> None:
    for seed in range(first, first + CHUNK):
        election = elected(seed)
        election.run(SIMULATED_SECONDS)  # asserts at every instant that one leads at most
        election.calm()
        election.run(election.now + LONGEST_GAP)
        leaders, led, now = election.leaders(), election.led_seconds, election.now
        assert len(leaders) == 1, f"seed {seed}: nobody leads"
        election.run(now + 60)
        assert election.leaders() == leaders, f"seed {seed}: changed without a fault"
        assert election.led_seconds - led == pytest.approx(60), f"seed {seed}: interrupted"


def test_the_simulation_is_worth_its_name() -> None:
    """Terms change often and yet somebody leads most of the time, or it would prove nothing."""
    elections = [elected(seed) for seed in range(CHUNK)]
    for election in elections:
        election.run(SIMULATED_SECONDS)
    assert sum(len(election.terms_led) for election in elections) > 10 * CHUNK
    led = sum(election.led_seconds for election in elections) / SIMULATED_SECONDS / CHUNK
    assert 0.4 < led < 0.9


def held(until: float = 10.0, record: Record | None = None) -> State:
    return State(record or replace(THEIRS, holder="me"), free_at=15.0, until=until)


def test_the_first_to_look_makes_the_lease() -> None:
    state, request = proceed(State(), ME, Read(0), None, at(0))
    assert isinstance(request, Write)
    record = request.record
    stamp = "2026-05-04T03:02:01.000000Z"
    assert record == Record("", "me", 15, stamp, stamp, 0)
    state, request = proceed(state, ME, request, replace(record, version="1"), at(0.5))
    assert request is None
    assert leads(state, 9.9)


def test_leading_counts_from_before_the_request() -> None:
    write = Write(3.0, replace(THEIRS, holder="me"), looked=True)
    state, _ = proceed(State(THEIRS, free_at=0.0), ME, write, write.record, at(8))
    assert leads(state, 12.9)
    assert not leads(state, 13.0)


def test_an_answer_later_than_the_deadline_makes_no_leader() -> None:
    write = Write(3.0, replace(THEIRS, holder="me"), looked=True)
    state, _ = proceed(State(THEIRS, free_at=0.0), ME, write, write.record, at(13))
    assert state.until is None
    assert isinstance(begin(state, ME, at(13)), Read)


def test_a_leader_that_was_late_never_leads_again() -> None:
    write = Write(9.0, replace(THEIRS, holder="me"), looked=False)
    state, request = proceed(held(until=10), ME, write, write.record, at(11))
    assert (state.lost, request) == (Loss.EXPIRED, None)
    assert not leads(state, 11)


def test_expiry_is_final() -> None:
    assert expire(held(until=10), 9.9).lost is None
    lost = expire(held(until=10), 10)
    assert lost.lost is Loss.EXPIRED
    assert not leads(lost, 5)
    assert expire(lost, 20) is lost


def test_a_contender_waits_from_its_own_first_look() -> None:
    state, request = proceed(State(), ME, Read(100), THEIRS, at(100))
    assert request is None
    state, request = proceed(state, ME, Read(114.9), THEIRS, at(114.9))
    assert request is None
    _, request = proceed(state, ME, Read(115), THEIRS, at(115))
    assert isinstance(request, Write)
    assert request.record.version == THEIRS.version
    assert request.record.transitions == THEIRS.transitions + 1


@pytest.mark.parametrize(
    "change",
    [{"version": "8"}, {"renewed": "2026-01-01T00:00:02.000000Z"}, {"transitions": 4}],
    ids=["version", "renewTime", "transitions"],
)
def test_any_change_starts_the_wait_anew(change: dict[str, object]) -> None:
    state, _ = proceed(State(), ME, Read(0), THEIRS, at(0))
    state, _ = proceed(state, ME, Read(14), replace(THEIRS, **change), at(14))  # type: ignore[arg-type]  # names above
    assert state.free_at == 29


@pytest.mark.parametrize(("seconds", "free_at"), [(60, 60), (5, 5), (0, 15), (-3, 15)])
def test_the_holder_says_how_long_its_lease_is(seconds: int, free_at: float) -> None:
    state, _ = proceed(State(), ME, Read(0), replace(THEIRS, lease_seconds=seconds), at(0))
    assert state.free_at == free_at


def test_a_free_lease_is_taken_at_once() -> None:
    waiting, _ = proceed(State(), ME, Read(0), THEIRS, at(0))
    _, request = proceed(waiting, ME, Read(1), replace(THEIRS, version="8", holder=""), at(1))
    assert isinstance(request, Write)
    assert request.record.transitions == 4


def test_our_own_lease_is_taken_at_once_after_a_lost_answer() -> None:
    waiting, _ = proceed(State(), ME, Read(0), THEIRS, at(0))
    ours = replace(THEIRS, version="8", holder="me", acquired="a")
    _, request = proceed(waiting, ME, Read(1), ours, at(1))
    assert isinstance(request, Write)
    assert (request.record.acquired, request.record.transitions) == ("a", 3)


def test_a_lease_deleted_under_its_holder_is_still_held() -> None:
    waiting, _ = proceed(State(), ME, Read(0), THEIRS, at(0))
    waiting, request = proceed(waiting, ME, Read(5), None, at(5))
    assert request is None
    waiting, request = proceed(waiting, ME, Read(19), None, at(19))
    assert request is None
    _, request = proceed(waiting, ME, Read(20), None, at(20))
    assert isinstance(request, Write)
    assert request.record.version == ""


def test_a_free_lease_that_is_deleted_is_free() -> None:
    freed = State(replace(THEIRS, holder=""), free_at=0.0)
    _, request = proceed(freed, ME, Read(5), None, at(5))
    assert isinstance(request, Write)


def test_the_leader_makes_a_deleted_lease_again() -> None:
    _, request = proceed(held(), ME, Read(5), None, at(5))
    assert isinstance(request, Write)
    assert (request.record.version, request.record.holder) == ("", "me")


@pytest.mark.parametrize("holder", ["you", ""])
def test_a_leader_whose_lease_is_given_away_stops(holder: str) -> None:
    state, request = proceed(held(), ME, Read(5), replace(THEIRS, holder=holder), at(5))
    assert (state.lost, request) == (Loss.TAKEN, None)


def test_a_leader_renews_without_looking_and_looks_after_a_conflict() -> None:
    renewal = begin(held(), ME, at(2))
    assert isinstance(renewal, Write)
    state, look = proceed(held(), ME, renewal, Refusal.CONFLICT, at(2))
    assert look == Read(2)
    ours = replace(THEIRS, version="9", holder="me")
    state, again = proceed(state, ME, look, ours, at(2))
    assert isinstance(again, Write)
    assert again.record.version == "9"
    assert proceed(state, ME, again, Refusal.CONFLICT, at(2)) == (state, None)


def test_a_failure_ends_the_round_and_nothing_else() -> None:
    state = held()
    assert proceed(state, ME, Read(2), Refusal.FAILED, at(2)) == (state, None)


def test_a_renewal_differs_even_when_the_wall_clock_stands() -> None:
    frozen = Moment(2, START)
    state = held(record=replace(THEIRS, holder="me", renewed="2026-05-04T03:02:01.000000Z"))
    renewal = begin(state, ME, frozen)
    assert isinstance(renewal, Write)
    assert renewal.record.renewed == "2026-05-04T03:02:01.000001Z"
    assert renewal.record.acquired == THEIRS.acquired


def test_times_are_written_in_utc_with_six_digits() -> None:
    wall = START.astimezone(timezone(timedelta(hours=5)))
    record = released(replace(THEIRS, holder="me"), Moment(0, wall))
    assert record.renewed == "2026-05-04T03:02:01.000000Z"
    assert (record.holder, record.lease_seconds, record.transitions) == ("", 1, 3)


@given(st.floats(0, 1), st.integers(-200, 200))
def test_a_pause_has_jitter_and_never_oversleeps(chance: float, tenths: int) -> None:
    left = tenths / 10
    seconds = pause(State(THEIRS, free_at=100.0 + left), TERMS, 100.0, chance)
    assert 0 < seconds <= 2.4
    if left > 2.4 or left <= 0:
        assert seconds == pytest.approx(2 * (1 + JITTER * chance))
    else:
        assert seconds <= left + 1e-9


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"lease_seconds": 12}, "lease_seconds"),
        ({"lease_seconds": 10}, "lease_seconds"),
        ({"renew_deadline_seconds": 14.0}, "lease_seconds"),
        ({"retry_seconds": 4.2}, "retry_seconds"),
        ({"retry_seconds": 0.0}, "retry_seconds"),
    ],
)
def test_unsafe_terms_are_refused(terms: dict[str, float], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Terms(**terms)  # type: ignore[arg-type]  # the names are above
    assert caught.value.field == field


def test_other_safe_terms_are_taken() -> None:
    assert Terms(60, 40.0, 5.0).lease_seconds == 60
