"""The token: renewed in time, replaced when it must be, and no storm of logins when that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sealkit.sensitive import Sensitive
from sealkit.vault import Breaker, KubernetesLogin, Reason, TokenLogin, Vault, userpass_login
from sealkit.vault.session import Session, Token
from tests.fakes.vault import DENIED, FakeVault
from tests.fakes.vault_stub import Reply
from tests.sealkit.vault.world import Clock, Connect, refused

DOWN = Reply(503, {})


@pytest.fixture
def session(ann: Vault) -> Session:
    return ann._session


@pytest.fixture
def first(session: Session) -> Token:
    """The token of the first login; it lives for an hour."""
    return session.current()


def renewals(fake: FakeVault) -> int:
    return fake.asked.count("POST auth/token/renew-self") + fake.asked.count(
        "PUT auth/token/renew-self"
    )


def test_a_token_lives_on_when_it_cannot_be_renewed_now(
    fake: FakeVault, session: Session, first: Token, clock: Clock
) -> None:
    clock.advance(2400)
    fake.faults.append(DOWN)
    assert session.current().value is first.value
    clock.advance(119)  # not yet a tenth of what is left
    session.current()
    assert renewals(fake) == 1
    clock.advance(1)
    assert session.current().due == clock.now + 2400
    assert renewals(fake) == 2


def test_a_token_that_has_ended_is_no_token(
    fake: FakeVault, session: Session, first: Token, clock: Clock
) -> None:
    clock.advance(3600)
    fake.faults.append(DOWN)
    with refused(Reason.VAULT_UNAVAILABLE, 503):
        session.current()
    assert session.current().value != first.value


@pytest.mark.parametrize("status", [400, 403])
def test_a_token_whose_renewal_is_refused_is_replaced(
    fake: FakeVault, session: Session, first: Token, clock: Clock, status: int
) -> None:
    clock.advance(2400)
    fake.faults.append(Reply(status, {}))
    assert session.current().value != first.value


def test_a_token_near_its_maximum_is_replaced(
    fake: FakeVault, session: Session, clock: Clock
) -> None:
    body = {"password": "pass-word", "token_policies": ["ann"], "token_max_ttl": 4000}
    fake.admin.do("POST", "auth/userpass/users/ann", body)
    first = session.current()
    clock.advance(2400)
    assert session.current().value != first.value
    assert renewals(fake) == 1


def test_a_login_that_is_refused_is_not_tried_again_at_once(
    fake: FakeVault, connect: Connect, clock: Clock
) -> None:
    login = userpass_login("ann", Sensitive(b"wrong"))
    vault = connect(fake.address, login, monotonic=clock)
    for pause, asked in ((10, 1), (20, 2), (40, 3)):
        for _ in range(3):
            with refused(Reason.AUTH_FAILED) as errors:
                vault.check_login()
            assert errors[0].retry_after_seconds == pause
        assert fake.logins == asked
        clock.advance(pause)


def test_a_login_that_works_again_begins_anew(
    fake: FakeVault, session: Session, clock: Clock
) -> None:
    for _ in range(2):
        fake.faults.append(DENIED)
        with refused(Reason.AUTH_FAILED, 403):
            session.current()
        clock.advance(60)
    session.current()
    clock.advance(4000)
    fake.faults.append(DENIED)
    with refused(Reason.AUTH_FAILED, 403) as errors:
        session.current()
    assert errors[0].retry_after_seconds == 10


def test_at_most_one_login_in_half_a_minute_for_what_is_denied(
    fake: FakeVault, ann: Vault, clock: Clock
) -> None:
    ann.check_login()
    for seconds, logins in ((0, 2), (29, 2), (1, 3)):
        clock.advance(seconds)
        fake.faults[:] = [DENIED, DENIED]  # the read, and the look at the token
        if fake.logins < logins:
            assert ann.read_kv1("kv1", "a").reveal()
        else:
            with refused(Reason.PERMISSION_DENIED, 403):
                ann.read_kv1("kv1", "a")
        assert fake.logins == logins


def test_a_token_that_somebody_else_replaced(
    fake: FakeVault, session: Session, first: Token
) -> None:
    fake.faults.append(DENIED)
    second = session.replaced(first)
    assert second
    assert session.replaced(first) is second
    assert fake.logins == 2


def test_a_token_that_somebody_else_could_not_replace(
    fake: FakeVault, session: Session, first: Token
) -> None:
    fake.faults[:] = [DENIED, DOWN]
    with refused(Reason.VAULT_UNAVAILABLE):
        session.replaced(first)
    second = session.replaced(first)
    assert second
    assert second.value != first.value


class Late:
    """A lock that is got only after somebody else had it."""

    def __init__(self, before: Callable[[], object]) -> None:
        self._lock = threading.Lock()
        self._before: Callable[[], object] | None = before

    def acquire(self, *, blocking: bool) -> bool:
        before, self._before = self._before, None
        if before:
            before()
        return self._lock.acquire(blocking)

    def release(self) -> None:
        self._lock.release()


def behind(session: Session, before: Callable[[], object]) -> None:
    lock: Any = Late(before)
    session._lock = lock


def test_who_waited_takes_the_token_of_another(
    fake: FakeVault, session: Session, first: Token, clock: Clock
) -> None:
    clock.advance(3600)
    behind(session, session.current)
    assert session.current().value != first.value
    assert fake.logins == 2


def test_who_waited_takes_the_failure_of_another(fake: FakeVault, session: Session) -> None:
    def fail() -> None:
        fake.faults.append(DOWN)
        with refused(Reason.VAULT_UNAVAILABLE, 503):
            session.current()

    behind(session, fail)
    with refused(Reason.VAULT_UNAVAILABLE, 503):
        session.current()
    assert fake.logins == 1


def test_nobody_waits_for_a_renewal(session: Session, first: Token, clock: Clock) -> None:
    clock.advance(2400)
    with session._lock:
        assert session.current() is first


def test_a_token_that_fits_into_no_request(fake: FakeVault, connect: Connect) -> None:
    vault = connect(fake.address, TokenLogin(Sensitive(b"a\nb")))
    with refused(Reason.INVALID_REFERENCE, 0):
        vault.check_login()


def test_what_a_login_raises_passes_and_is_no_outage(fake: FakeVault, connect: Connect) -> None:
    def no_account() -> Sensitive:
        raise KeyError

    vault = connect(fake.address, KubernetesLogin("role", no_account), breaker=Breaker(1))
    for _ in range(2):
        with pytest.raises(KeyError):
            vault.check_login()


def test_the_mark_of_a_token_is_no_token(first: Token) -> None:
    assert len(first.mark) == 16
    assert first.mark not in first.accessor + first.value.reveal().decode()
