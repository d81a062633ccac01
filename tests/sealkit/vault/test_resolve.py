"""Resolving: each request once, failures in words, what is held; on the fake, whose log is ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sealkit.errors import VaultError
from sealkit.references.failures import Failed, Failure
from sealkit.references.reference import JsonObject, Method, Reference, Store
from sealkit.sensitive import Sensitive
from sealkit.vault import Breaker, Reason, Resolution, Vault, renewed, resolve
from tests.fakes.vault import DENIED, FakeVault
from tests.fakes.vault_stub import Asked, Reply, stub
from tests.sealkit.vault.world import NOW, Clock, Connect, Stores

DYNAMIC = (Reference("db/creds/shop", "username"), Reference("db/creds/shop", "password"))

HINT = "does the policy of this identity allow it, in this namespace?"


@pytest.fixture
def vault(ann: Vault) -> Vault:
    return ann


@pytest.fixture
def stores(vault: Vault) -> Stores:
    return Stores({None: vault, Store("other"): vault})


def reads(fake: FakeVault) -> list[str]:
    """Return what was asked, but for logins and mounts."""
    return [line for line in fake.asked if not line.split(" ")[1].startswith(("auth/", "sys/"))]


def values(resolution: Resolution) -> list[bytes]:
    found = resolution.outcomes.values()
    assert all(isinstance(one, Sensitive) for one in found), found
    return [one.reveal() for one in found if isinstance(one, Sensitive)]


def test_one_answer_for_all_references_to_a_request(fake: FakeVault, stores: Stores) -> None:
    found = stores.resolve(
        Reference("kv1/a", "user"),
        Reference("kv1/a", "password"),
        Reference("a", "user", mount="kv1"),
        Reference("kv1/a", "absent", optional=True),
    )
    assert list(found.outcomes.values()) == [*map(Sensitive, (b"u", b"p", b"u")), None]
    assert reads(fake) == ["GET kv1/a"]


def test_one_answer_however_the_path_is_written(fake: FakeVault, stores: Stores) -> None:
    paths = (Reference("kv2/a", "key"), Reference("kv2/data/a", "key"))
    assert values(stores.resolve(*paths)) == [b"value"] * 2
    assert reads(fake) == ["GET kv2/data/a"]


def test_a_user_and_its_password_are_of_one_lease(fake: FakeVault, stores: Stores) -> None:
    user, password = values(stores.resolve(*DYNAMIC))
    assert (user, password) == (b"user-1", b"dynamic")
    assert len(fake.leases) == 1


def test_another_version_is_another_request(fake: FakeVault, stores: Stores) -> None:
    stores.resolve(Reference("kv2/a", "key"), Reference("kv2/a", "key", version=1))
    assert reads(fake) == ["GET kv2/data/a"] * 2


def test_another_store_is_another_request(fake: FakeVault, stores: Stores) -> None:
    stores.resolve(Reference("kv1/a", "user"), Reference("kv1/a", "user", store=Store("other")))
    assert reads(fake) == ["GET kv1/a"] * 2
    assert stores.opened == [(None, ""), (Store("other"), "")]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("kv1/none", Failure.PATH_NOT_FOUND),
        ("kv2/b", Failure.PERMISSION_DENIED),
        ("sys/mounts", Failure.PATH_NOT_ALLOWED),
        ("kv2", Failure.INVALID_REFERENCE),
    ],
)
def test_a_failure_is_asked_for_once(
    fake: FakeVault, stores: Stores, path: str, reason: Failure
) -> None:
    found = stores.resolve(Reference(path, "a"), Reference(path, "b"))
    assert [str(one).split(":")[0] for one in found.outcomes.values()] == [reason] * 2
    assert len(reads(fake)) <= 1


def test_the_detail_of_a_failure(stores: Stores) -> None:
    stores.vaults[Store("bad")] = VaultError("log in:\n is refused", Reason.AUTH_FAILED, hint="ask")
    references = (
        Reference("kv1/a", "b.c", store=Store("other")),
        Reference("kv2/b", "key"),
        Reference("kv1/a", store=Store("bad")),
    )
    assert [str(one) for one in stores.resolve(*references).outcomes.values()] == [
        "KeyNotFound: kv1/a#b.c in VaultStore other: the secret has no such key",
        f"PermissionDenied: kv2/b#key: read kv2/b: is refused (HTTP 403); {HINT}",
        "AuthFailed: kv1/a in VaultStore bad: log in: is refused; ask",
    ]


def test_a_store_that_cannot_be_had_is_tried_once(stores: Stores) -> None:
    bad = Store("bad")
    error = VaultError("is down", Reason.VAULT_UNAVAILABLE, retry_after_seconds=7)
    stores.vaults[bad] = error
    found = stores.resolve(*(Reference(path, store=bad) for path in ("kv1/a", "kv1/b", "kv2/a")))
    assert stores.opened == [(bad, "")]
    assert found.retry_after_seconds == 7


def test_a_failure_leaves_the_others_alone(stores: Stores) -> None:
    found = stores.resolve(Reference("kv1/none"), Reference("kv1/a", "user"))
    assert [type(one) for one in found.outcomes.values()] == [Failed, Sensitive]
    assert found.retry_after_seconds is None


def test_what_is_absent_may_have_a_stand_in(stores: Stores) -> None:
    assert stores.value("kv1/none", "a", default="stand-in") == b"stand-in"
    assert stores.outcome("kv1/none", "a", optional=True) is None
    assert stores.outcome("kv2/a", "none", optional=True) is None
    assert stores.failure("kv2/b", "a", default="stand-in") is Failure.PERMISSION_DENIED


def test_rules_are_about_canonical_paths(fake: FakeVault, stores: Stores) -> None:
    stores.forbidden = frozenset({"kv2/a"})
    for path in ("kv2/a", "kv2/data/a"):
        assert stores.failure(path, "key") is Failure.PATH_NOT_ALLOWED
    assert stores.failure("kv2/data/a", method=Method.LIST) is Failure.PATH_NOT_ALLOWED
    assert reads(fake) == []
    assert stores.checked == [
        (None, "", Method.GET, "kv2/a"),
        (None, "", Method.GET, "kv2/a"),
        (None, "", Method.LIST, "kv2/a"),
    ]


def test_what_is_no_error_of_vault_passes_through(stores: Stores) -> None:
    with pytest.raises(KeyError):
        stores.resolve(Reference("kv1/a", store=Store("unheard-of")))


def test_a_lease_is_held_and_used_until_it_is_due(fake: FakeVault, stores: Stores) -> None:
    first = stores.resolve(*DYNAMIC)
    (held,) = first.held.values()
    assert held.term.lease_id in fake.leases
    early = held.term.renew_at - timedelta(microseconds=1)
    again = stores.resolve(*DYNAMIC, now=early, held=dict(first.held))
    assert values(again) == values(first)
    assert again.held == first.held
    assert len(fake.leases) == 1


def test_a_lease_that_is_due_is_not_used(fake: FakeVault, stores: Stores) -> None:
    first = stores.resolve(*DYNAMIC)
    (held,) = first.held.values()
    late = stores.resolve(*DYNAMIC, now=held.term.renew_at, held=dict(first.held))
    assert [one.term.lease_id for one in late.held.values()] != [held.term.lease_id]
    assert list(late.held) == list(first.held) == [held.question.digest]
    assert len(fake.leases) == 2


def test_a_lease_is_renewed_until_its_maximum_is_near(
    fake: FakeVault, vault: Vault, stores: Stores, clock: Clock
) -> None:
    """The fake grants 60 s at a time, for 600 s."""
    (held,) = stores.resolve(*DYNAMIC).held.values()
    for _ in range(14):
        clock.advance(40)
        now = held.term.renew_at
        again = renewed(vault, held, now)
        assert again
        assert again.term.ends_at - now == timedelta(seconds=min(60, 600 - (clock.now - 1000)))
        held = again
    clock.advance(20)
    assert renewed(vault, held, held.term.renew_at) is None
    assert list(fake.leases) == [held.term.lease_id]


def test_a_lease_that_is_revoked_cannot_be_renewed(vault: Vault, stores: Stores) -> None:
    (held,) = stores.resolve(*DYNAMIC).held.values()
    vault.revoke_lease(held.term.lease_id)
    assert renewed(vault, held, held.term.renew_at) is None


def test_a_lease_that_nobody_wants_any_more_is_not_kept(stores: Stores) -> None:
    first = stores.resolve(*DYNAMIC)
    later = stores.resolve(Reference("kv1/a", "user"), held=dict(first.held))
    assert later.held == {}


def test_a_lease_is_not_used_against_the_rules(stores: Stores) -> None:
    first = stores.resolve(*DYNAMIC)
    stores.forbidden = frozenset({"db/creds/shop"})
    later = stores.resolve(*DYNAMIC, held=dict(first.held))
    assert later.held == {}
    assert all(isinstance(one, Failed) for one in later.outcomes.values())


def test_the_token_of_a_lease_is_known(vault: Vault, stores: Stores) -> None:
    assert (vault.token_mark(), vault.token_ends_in_seconds()) == ("", None)
    (held,) = stores.resolve(*DYNAMIC).held.values()
    assert held.term.token_mark == vault.token_mark() != ""


def test_what_was_got_after_a_new_login_bears_its_mark(
    fake: FakeVault, vault: Vault, stores: Stores
) -> None:
    stores.value("kv1/a")
    before = vault.token_mark()
    del fake.tokens[vault._session.current().value.reveal().decode()]
    (held,) = stores.resolve(*DYNAMIC).held.values()
    assert held.term.token_mark == vault.token_mark() != before


def test_how_long_the_token_lives(fake: FakeVault, vault: Vault, clock: Clock) -> None:
    vault.check_login()
    assert vault.token_ends_in_seconds() == 3600
    clock.advance(3000)
    assert vault.token_ends_in_seconds() == 600
    clock.advance(601)
    assert vault.token_ends_in_seconds() == 0


def test_a_mount_that_may_not_be_seen_is_read_as_it_is_written(
    fake: FakeVault, stores: Stores
) -> None:
    stores.value("kv1/a")
    hidden = [DENIED, None]  # the mount, and the token in answer to whether it is good
    fake.faults[:] = [*hidden]
    assert stores.value("kv2/data/a", "key") == b"value"
    fake.faults[:] = [*hidden]
    assert stores.failure("kv2/a", "key") is Failure.PERMISSION_DENIED
    assert reads(fake)[-2:] == ["GET kv2/data/a", "GET kv2/a"]


def test_an_outage_is_not_hammered(connect: Connect, clock: Clock) -> None:
    def script(asked: Asked) -> Reply:
        is_lookup = asked.path.endswith("lookup-self")
        return Reply(200, {"data": {"ttl": 0}}) if is_lookup else Reply(503)

    with stub(script) as server:
        stores = Stores({None: connect(server.address, breaker=Breaker(2), monotonic=clock)})
        found = stores.resolve(*(Reference(f"kv/{name}") for name in "abcdefgh"))
        assert len(server.asked) <= 4
    reasons = {one.reason for one in found.outcomes.values() if isinstance(one, Failed)}
    assert reasons == {Failure.VAULT_UNAVAILABLE}
    assert found.retry_after_seconds == 1


def test_the_longest_wait_counts(stores: Stores) -> None:
    for name, seconds in (("one", 5.0), ("two", 60.0), ("three", None)):
        stores.vaults[Store(name)] = VaultError(
            "is down", Reason.RATE_LIMITED, retry_after_seconds=seconds
        )
    references = [Reference("kv1/a", store=Store(name)) for name in ("one", "two", "three")]
    assert stores.resolve(*references).retry_after_seconds == 60


def stored(data: object) -> Any:
    """A script: a server whose one mount `x`, of an unknown engine, answers with this."""

    def script(asked: Asked) -> Reply:
        if asked.path.endswith("lookup-self"):
            return Reply(200, {"data": {"ttl": 0}})
        if "internal" in asked.path:
            return Reply(200, {"data": {"path": "x/", "type": "x"}})
        return Reply(200, data if isinstance(data, bytes) else {"data": data})

    return script


def test_the_next_rotation_of_all(connect: Connect) -> None:
    def script(asked: Asked) -> Reply:
        ttl = 30 if asked.path.endswith("a") else 90
        said: Reply = stored({"ttl": ttl, "last_vault_rotation": "x"})(asked)
        return said

    with stub(script) as server:
        stores = Stores({None: connect(server.address)})
        found = stores.resolve(Reference("x/b", "ttl"), Reference("x/a", "ttl"))
        assert stores.resolve(Reference("x/b", "ttl")).rotates_in_seconds == 91
    assert found.rotates_in_seconds == 31


def test_without_rotation_there_is_none(stores: Stores) -> None:
    assert stores.resolve(Reference("kv1/a")).rotates_in_seconds is None


NUMBERS = b'{"a": 1.10, "b": 1e6, "c": 123456789012345678901234567890, "d": -0.0, "e": [1.0, 2E-7]}'
TEXTS = [b"1.10", b"1e6", b"123456789012345678901234567890", b"-0.0", b"[1.0,2E-7]"]


def test_numbers_keep_their_digits(connect: Connect) -> None:
    with stub(stored(b'{"data": ' + NUMBERS + b"}")) as server:
        stores = Stores({None: connect(server.address)})
        found = stores.resolve(*(Reference("x/a", key) for key in "abcde"))
    assert values(found) == TEXTS


def test_a_body_is_sent_as_it_is_written(connect: Connect) -> None:
    body = JsonObject('{"ttl":1.10}')
    with stub(stored({"key": "value"})) as server:
        stores = Stores({None: connect(server.address)})
        for method in (Method.PUT, Method.POST):
            assert stores.value("x/a", "key", method=method, body=body) == b"value"
            assert server.asked[-1].method == method
            assert server.asked[-1].body == {"ttl": 1.1}
            assert server.asked[-1].headers["content-length"] == "12"


def test_nothing_of_a_value_is_in_a_resolution(stores: Stores) -> None:
    found = stores.resolve(*DYNAMIC, Reference("kv1/a", "password"))
    assert "dynamic" not in repr(found)
    assert "reveal" not in repr(found)


def test_all_words_for_failures_are_the_same() -> None:
    assert {reason.value for reason in Reason} == {failure.value for failure in Failure}


def test_no_references_need_no_store() -> None:
    assert resolve(Stores({}), [], NOW) == Resolution({})


def test_a_namespace_is_that_of_the_rules(stores: Stores) -> None:
    assert stores.value("kv1/a", "user", namespace="team/a") == b"u"
    assert stores.opened == [(None, "team/a")]
    assert stores.checked == [(None, "team/a", Method.GET, "kv1/a")]


def test_the_question_of_an_answer_that_is_held(stores: Stores) -> None:
    reference = replace(DYNAMIC[0], store=Store("other"))
    (held,) = stores.resolve(reference).held.values()
    assert (held.question.store, held.question.path) == (Store("other"), "db/creds/shop")
