"""What the fake Vault and the real server do alike, seen through the client."""

from __future__ import annotations

import pytest

from sealkit.references.jsontree import Number
from sealkit.sensitive import Sensitive
from sealkit.vault import Ask, Mount, Reason, Vault, userpass_login
from tests.sealkit.vault.world import Clock, Connect, Peer, refused


@pytest.fixture
def vault(peer: Peer, connect: Connect, clock: Clock) -> Vault:
    return connect(peer.address, peer.login, monotonic=clock)


def write_kv2(peer: Peer, name: str, *values: str) -> str:
    path = f"open/{peer.user}/{name}"
    for value in values:
        peer.admin.do("POST", f"kv2/data/{path}", {"data": {"key": value}})
    return path


def accessor(vault: Vault) -> object:
    return vault.check_login()["accessor"]


def test_kv1_is_read(peer: Peer, vault: Vault) -> None:
    peer.admin.do("POST", "kv1/open/a", {"key": "value", "number": 7})
    answer = vault.read_kv1("kv1", "open/a")
    assert answer.reveal() == {"key": "value", "number": Number("7")}
    assert (answer.version, answer.lease.id) == (None, "")


def test_the_latest_version_of_kv2_is_read(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "latest", "old", "new")
    answer = vault.read_kv2("kv2", path)
    assert (answer.reveal(), answer.version) == ({"key": "new"}, 2)
    assert answer.created.endswith("Z")


def test_an_older_version_of_kv2_is_read(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "older", "old", "new")
    answer = vault.read_kv2("kv2", path, 1)
    assert (answer.reveal(), answer.version) == ({"key": "old"}, 1)


def test_a_missing_path_is_not_found(peer: Peer, vault: Vault) -> None:
    with refused(Reason.PATH_NOT_FOUND, 404):
        vault.read_kv1("kv1", "open/none")
    with refused(Reason.PATH_NOT_FOUND, 404):
        vault.read_kv2("kv2", "open/none")


def test_a_missing_version_is_not_found(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "versions", "only")
    with refused(Reason.PATH_NOT_FOUND, 404) as errors:
        vault.read_kv2("kv2", path, 9)
    assert "version 9" in str(errors[0])


def test_a_deleted_version_is_told_from_a_missing_one(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "deleted", "old", "new")
    peer.admin.do("DELETE", f"kv2/data/{path}")
    with refused(Reason.VERSION_DELETED, 404):
        vault.read_kv2("kv2", path)
    assert vault.read_kv2("kv2", path, 1).reveal() == {"key": "old"}


def test_a_destroyed_version_is_told_from_a_deleted_one(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "destroyed", "old", "new")
    peer.admin.do("PUT", f"kv2/destroy/{path}", {"versions": [1]})
    with refused(Reason.VERSION_DESTROYED, 404):
        vault.read_kv2("kv2", path, 1)


def test_a_version_deleted_and_destroyed_is_destroyed(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "both", "only")
    peer.admin.do("DELETE", f"kv2/data/{path}")
    peer.admin.do("PUT", f"kv2/destroy/{path}", {"versions": [1]})
    with refused(Reason.VERSION_DESTROYED, 404):
        vault.read_kv2("kv2", path)


def test_a_write_goes_through(peer: Peer, vault: Vault) -> None:
    path = f"kv2/data/open/{peer.user}/written"
    vault.ask(Ask(path, "POST", {"data": {"key": "value"}, "options": {"cas": 0}}))
    assert vault.ask(Ask(path)).reveal()["data"] == {"key": "value"}


def test_a_failed_check_and_set_is_the_requests_fault(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "cas", "here")
    with refused(Reason.INVALID_REFERENCE, 400):
        body = {"data": {"key": "value"}, "options": {"cas": 0}}
        vault.ask(Ask(f"kv2/data/{path}", "PUT", body))


@pytest.mark.parametrize("version", [1, 2])
def test_the_version_of_a_mount_is_looked_up(peer: Peer, vault: Vault, version: int) -> None:
    assert vault.mount_of(f"kv{version}/open/a/b") == Mount(f"kv{version}", "kv", version)


def test_a_mount_that_is_not_there_is_denied(vault: Vault) -> None:
    with refused(Reason.PERMISSION_DENIED, 403):
        vault.mount_of("nowhere/a")


def test_a_denied_path_costs_no_login(peer: Peer, vault: Vault) -> None:
    before = accessor(vault)
    for _ in range(3):
        with refused(Reason.PERMISSION_DENIED, 403):
            vault.read_kv1("kv1", "closed/a")
    assert accessor(vault) == before


def test_a_policy_may_change(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "policy", "value")
    peer.admin.policy(peer.user, {"kv1/other/*": "read"})
    with refused(Reason.PERMISSION_DENIED, 403):
        vault.read_kv2("kv2", path)
    peer.admin.policy(peer.user, {"kv2/data/open/*": "read"})
    assert vault.read_kv2("kv2", path).reveal() == {"key": "value"}


def test_a_revoked_token_is_replaced(peer: Peer, vault: Vault) -> None:
    path = write_kv2(peer, "revoked", "value")
    vault.read_kv2("kv2", path)
    before = accessor(vault)
    peer.admin.do("POST", "auth/token/revoke", {"token": token_of(vault)})
    assert vault.read_kv2("kv2", path).reveal() == {"key": "value"}
    assert accessor(vault) != before


def token_of(vault: Vault) -> str:
    return vault._session.current().value.reveal().decode()


def test_a_wrong_password_is_told(peer: Peer, connect: Connect) -> None:
    login = userpass_login(peer.user, Sensitive(b"wrong-word"))
    with refused(Reason.AUTH_FAILED, 400) as errors:
        connect(peer.address, login).read_kv1("kv1", "open/a")
    assert "wrong-word" not in str(vars(errors[0]))


def test_a_token_is_renewed_at_two_thirds(peer: Peer, vault: Vault, clock: Clock) -> None:
    before = accessor(vault)
    first = vault._session.current()
    clock.advance(first.lease_seconds * 0.67)
    assert accessor(vault) == before
    assert vault._session.current().due > clock.now
    assert vault._session.current().lease_seconds == pytest.approx(first.lease_seconds, abs=2)


def test_a_token_that_cannot_be_renewed_is_replaced_in_time(
    peer: Peer, vault: Vault, clock: Clock
) -> None:
    peer.make_user(token_type="batch", token_ttl=60)
    first = vault._session.current()
    assert not first.renewable
    clock.advance(41)
    second = vault._session.current()
    assert second.value != first.value


def test_what_is_known_of_the_token_is_not_the_token(vault: Vault) -> None:
    assert token_of(vault) not in str(vault.check_login())


def test_a_token_given_back_is_replaced_on_the_next_use(peer: Peer, vault: Vault) -> None:
    before = accessor(vault)
    vault.revoke_token()
    assert accessor(vault) != before


def test_giving_back_what_was_never_got_is_nothing(vault: Vault) -> None:
    vault.revoke_token()


def test_a_lease_that_has_ended_is_not_found(vault: Vault) -> None:
    with refused(Reason.PATH_NOT_FOUND, 400):
        vault.renew_lease("kv1/none/0", 60)
