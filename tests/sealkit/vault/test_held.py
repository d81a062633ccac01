"""What is held: leases and certificates, for how long, and how a lease is renewed."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sealkit.references.jsontree import Number, Tree
from sealkit.references.reference import Kv, Method
from sealkit.vault import Answer, Held, Lease, Question, Reason, Term, renewed, renewed_term
from sealkit.vault.held import hold, rotates_in_seconds
from tests.fakes.vault_stub import Asked, Reply, stub
from tests.sealkit.vault.world import NOW, Connect, refused

ISSUE = Question("pki/issue/web", method=Method.PUT)
CREDS = Question("db/creds/shop")
LEASE = Lease("db/creds/shop/1", 600, renewable=True)
LEASED = Answer(LEASE, token_mark="mark", _data={"password": "x"})


def certificate(**more: Tree) -> Answer:
    expiration = int((NOW + timedelta(hours=3)).timestamp())
    data: dict[str, Tree] = {"certificate": "-----", "expiration": Number(str(expiration))}
    return Answer(_data={**data, **more})


def seconds_of(held: Held | None) -> tuple[float, float]:
    assert held
    return (
        (held.term.renew_at - NOW).total_seconds(),
        (held.term.ends_at - NOW).total_seconds(),
    )


def test_a_lease_is_due_at_two_thirds_of_its_life() -> None:
    held = hold(CREDS, LEASED, NOW)
    assert seconds_of(held) == (400, 600)
    assert held
    assert held.term == Term(
        held.term.renew_at, held.term.ends_at, 600, LEASE.id, renewable=True, token_mark="mark"
    )
    assert (held.question, held.answer) == (CREDS, LEASED)


def test_a_certificate_is_due_at_two_thirds_of_its_life() -> None:
    held = hold(ISSUE, certificate(), NOW)
    assert seconds_of(held) == (7200, 10800)
    assert held
    assert (held.term.lease_id, held.term.renewable) == ("", False)


def test_a_certificate_known_by_its_number() -> None:
    assert hold(ISSUE, certificate(certificate=None, serial_number="1f"), NOW)


NOT_HELD = [
    pytest.param(CREDS, Answer(_data={"password": "x"}), id="no lease"),
    pytest.param(CREDS, Answer(Lease("", 600)), id="no lease id"),
    pytest.param(CREDS, Answer(Lease("a", 0)), id="no life"),
    pytest.param(replace(ISSUE, method=Method.GET), certificate(), id="stored"),
    pytest.param(Question("kv/a", kv=Kv.V1), certificate(), id="in key-value"),
    pytest.param(ISSUE, certificate(expiration=Number("17")), id="expired"),
    pytest.param(ISSUE, certificate(expiration="soon"), id="no number"),
    pytest.param(ISSUE, Answer(_data={"expiration": Number("99999999999")}), id="no certificate"),
]


@pytest.mark.parametrize(("question", "answer"), NOT_HELD)
def test_what_is_asked_for_again_is_not_held(question: Question, answer: Answer) -> None:
    assert hold(question, answer, NOW) is None


def test_a_life_of_ages_does_not_end_the_calendar() -> None:
    held = hold(ISSUE, certificate(expiration=Number("9" * 18)), NOW)
    assert held
    assert held.term.ends_at.year < 2200


def test_what_is_held_does_not_leak() -> None:
    held = hold(CREDS, replace(LEASED, _data={"password": "canary"}), NOW)
    assert "canary" not in repr(held)
    with pytest.raises(TypeError):
        pickle.dumps(held)


@contextmanager
def renewing(said: Reply) -> Iterator[Any]:
    """A server that says this to whoever wants to renew a lease."""

    def script(asked: Asked) -> Reply:
        is_lookup = asked.path.endswith("lookup-self")
        return Reply(200, {"data": {"ttl": 0}}) if is_lookup else said

    with stub(script) as server:
        yield server


def lease_of(seconds: int, *, renewable: bool = True) -> Reply:
    body = {"lease_id": LEASE.id, "lease_duration": seconds, "renewable": renewable}
    return Reply(200, body)


HELD = hold(CREDS, LEASED, NOW)
LATER = NOW + timedelta(seconds=400)


def test_a_lease_lives_on(connect: Connect) -> None:
    assert HELD
    with renewing(lease_of(600)) as server:
        held = renewed(connect(server.address), HELD, LATER)
    assert seconds_of(held) == (800, 1000)
    assert held
    assert held.answer is HELD.answer
    assert held.term == replace(HELD.term, renew_at=held.term.renew_at, ends_at=held.term.ends_at)
    assert server.asked[-1].body == {"lease_id": LEASE.id, "increment": 600}


def test_a_shorter_life_is_taken_while_it_is_half_of_the_first(connect: Connect) -> None:
    assert HELD
    with renewing(lease_of(300)) as server:
        term = renewed_term(connect(server.address), HELD.term, LATER)
    assert term
    assert (term.ends_at - LATER, term.granted_seconds) == (timedelta(seconds=300), 600)


def test_what_is_said_of_the_next_renewal_is_kept(connect: Connect) -> None:
    assert HELD
    with renewing(lease_of(600, renewable=False)) as server:
        vault = connect(server.address)
        held = renewed(vault, HELD, LATER)
        assert held
        assert not held.term.renewable
        asked = len(server.asked)
        assert renewed(vault, held, held.term.renew_at) is None
        assert len(server.asked) == asked


@pytest.mark.parametrize(
    "said",
    [Reply(400, {}), Reply(403, {}), Reply(404, {}), lease_of(299), Reply(204)],
    ids=["ended", "refused", "gone", "short", "nothing"],
)
def test_new_credentials_are_needed(connect: Connect, said: Reply) -> None:
    assert HELD
    with renewing(said) as server:
        assert renewed(connect(server.address), HELD, LATER) is None


@pytest.mark.parametrize(
    "change",
    [{"lease_id": ""}, {"renewable": False}, {"ends_at": LATER}],
    ids=["certificate", "not renewable", "ended"],
)
def test_nobody_is_asked_in_vain(connect: Connect, change: dict[str, Any]) -> None:
    assert HELD
    with renewing(lease_of(600)) as server:
        assert renewed_term(connect(server.address), replace(HELD.term, **change), LATER) is None
        assert server.asked == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [(503, Reason.VAULT_UNAVAILABLE), (429, Reason.RATE_LIMITED), (500, Reason.VAULT_UNAVAILABLE)],
)
def test_an_outage_says_nothing_of_the_lease(connect: Connect, status: int, reason: Reason) -> None:
    assert HELD
    with renewing(Reply(status, {})) as server, refused(reason, status):
        renewed(connect(server.address), HELD, LATER)


STATIC: dict[str, Tree] = {"ttl": Number("59"), "last_vault_rotation": "2026-01-01T00:00:00Z"}


def test_a_password_that_vault_rotates_is_read_a_second_later() -> None:
    assert rotates_in_seconds(Question("db/static-creds/shop"), Answer(_data=STATIC)) == 60


@pytest.mark.parametrize(
    ("question", "data"),
    [
        pytest.param(Question("kv/a", kv=Kv.V1), STATIC, id="in key-value"),
        pytest.param(ISSUE, STATIC, id="issued"),
        pytest.param(CREDS, {"ttl": Number("59")}, id="no rotation"),
        pytest.param(CREDS, {"last_vault_rotation": "x"}, id="no time"),
    ],
)
def test_everything_else_does_not_rotate(question: Question, data: dict[str, Tree]) -> None:
    assert rotates_in_seconds(question, Answer(_data=data)) is None


def test_the_time_may_be_of_any_zone() -> None:
    here = datetime(2026, 1, 2, tzinfo=UTC).astimezone()
    held = hold(ISSUE, certificate(), here)
    assert seconds_of(held) == (7200, 10800)
