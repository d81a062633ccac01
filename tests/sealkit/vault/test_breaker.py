"""The breaker: a pure state machine, its time a number."""

from __future__ import annotations

import pytest

from sealkit.errors import VaultError
from sealkit.vault import Breaker, Reason
from sealkit.vault.reason import is_outage, refusal
from tests.sealkit.vault.world import refused

OUTAGE = VaultError("down", Reason.VAULT_UNAVAILABLE)


def patience(seconds: float | None) -> VaultError:
    return VaultError("wait", Reason.RATE_LIMITED, status=429, retry_after_seconds=seconds)


def fail(breaker: Breaker, now: float, error: VaultError = OUTAGE) -> None:
    breaker.failed(breaker.enter(now), now, error)


def is_open(breaker: Breaker, now: float) -> bool:
    try:
        ticket = breaker.enter(now)
    except VaultError:
        return True
    breaker.dropped(ticket)
    return False


def opened(failures: int = 3) -> Breaker:
    breaker = Breaker(failures)
    for _ in range(failures):
        fail(breaker, 0)
    return breaker


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = Breaker(3)
    fail(breaker, 0)
    fail(breaker, 0)
    assert not is_open(breaker, 0)
    fail(breaker, 0)
    assert is_open(breaker, 0)
    with refused(Reason.VAULT_UNAVAILABLE, 0) as errors:
        breaker.enter(0)
    assert errors[0].retry_after_seconds == 1


def test_an_answer_in_between_begins_the_count_anew() -> None:
    breaker = Breaker(2)
    for _ in range(5):
        fail(breaker, 0)
        breaker.answered(breaker.enter(0))
    assert not is_open(breaker, 0)


def test_after_the_pause_one_caller_tries() -> None:
    breaker = opened()
    breaker.enter(1)
    assert is_open(breaker, 1)
    assert is_open(breaker, 100)


def test_its_success_lets_everybody_in() -> None:
    breaker = opened()
    breaker.answered(breaker.enter(1))
    assert not is_open(breaker, 1)
    fail(breaker, 1)
    assert not is_open(breaker, 1)


def test_if_it_learned_nothing_another_tries() -> None:
    breaker = opened()
    breaker.dropped(breaker.enter(1))
    assert not is_open(breaker, 1)


def test_pauses_grow_to_a_minute() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(9):
        with refused(Reason.VAULT_UNAVAILABLE) as errors:
            breaker.enter(now)
        pauses.append(errors[0].retry_after_seconds or 0)
        now += pauses[-1]
        fail(breaker, now)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_after_a_success_pauses_begin_small() -> None:
    breaker = opened()
    fail(breaker, 1)
    breaker.answered(breaker.enter(3))
    for _ in range(3):
        fail(breaker, 3)
    assert not is_open(breaker, 4)


@pytest.mark.parametrize(
    ("told", "pause"), [(7, 7), (86_400, 300), (0, 1), (None, 1)], ids=["7 s", "a day", "0", "no"]
)
def test_one_answer_that_asks_for_patience_is_enough(told: float | None, pause: float) -> None:
    breaker = Breaker(5)
    fail(breaker, 0, patience(told))
    with refused(Reason.RATE_LIMITED, 0):
        breaker.enter(pause - 0.01)
    assert not is_open(breaker, pause)


def test_a_sealed_server_that_says_when_is_believed() -> None:
    breaker = Breaker(5)
    fail(breaker, 0, refusal(503, "read", 20))
    assert is_open(breaker, 19)
    assert not is_open(breaker, 20)


def test_what_was_asked_before_the_pause_no_longer_matters() -> None:
    breaker = Breaker(1)
    early, late = breaker.enter(0), breaker.enter(0)
    fail(breaker, 0)
    breaker.answered(early)
    assert is_open(breaker, 0)
    breaker.failed(late, 0.5, OUTAGE)
    breaker.dropped(late)
    assert not is_open(breaker, 1)


@pytest.mark.parametrize("status", [0, 429, 502, 503, 504])
def test_what_is_an_outage(status: int) -> None:
    assert is_outage(refusal(status, "read"))


@pytest.mark.parametrize("status", [307, 400, 403, 404, 405, 412, 473, 500])
def test_what_is_none(status: int) -> None:
    assert not is_outage(refusal(status, "read"))
