"""Whatever happens to the server: the last good Secret is there, and recovery needs no restart.

The server is a real one. What it cannot be made to do itself, a gateway in front of it does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sealkit_controller.objects import SECRETS
from tests.controller.vault.gateway import Fault, Gateway
from tests.controller.vault.world import VaultWorld, referring
from tests.controller.world import DB
from tests.fakes.vault_admin import Admin
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import OpenBao
from tests.fakes.vault_stub import Asked, Reply, stub

HOUR = 3600
USERPASS = {
    "userpass": {"username": "shop", "passwordSecretRef": {"name": "vault-token", "key": "word"}}
}
PASSWORD = "pass-word-of-shop"


def furnish(admin: Admin) -> None:
    """Make what a fresh server lacks."""
    if "kv/" not in admin.do("GET", "sys/mounts"):
        admin.mount("kv", "kv", version="2")
        admin.enable("userpass", "userpass")
    admin.policy("shop", {"kv/data/*": "read"})
    body = {"password": PASSWORD, "token_policies": ["shop"]}
    admin.do("POST", "auth/userpass/users/shop", body)
    admin.do("POST", "kv/data/db", {"data": {"password": "hunter2"}})


@pytest.fixture
def world(own_bao: OpenBao) -> Iterator[VaultWorld]:
    """A world with a synced Secret, whose server is one of its own."""
    furnish(own_bao.admin)
    made = VaultWorld(own_bao.admin)
    yield _synced(made)
    made.vaults.close()


@pytest.fixture
def gateway(own_bao: OpenBao) -> Iterator[tuple[Gateway, VaultWorld]]:
    """The same, through a gateway."""
    furnish(own_bao.admin)
    with ExitStack() as stack:
        passing = Gateway(own_bao.address)
        stack.callback(passing.close)
        made = VaultWorld(own_bao.admin, stack.enter_context(stub(passing)).address)
        stack.callback(made.vaults.close)
        yield passing, _synced(made)


def _synced(world: VaultWorld) -> VaultWorld:
    world.store(USERPASS)
    world.credentials({"word": PASSWORD})
    world.apply(referring({"password": "vault:kv/db#password"}))
    world.done()
    return world


def survives(world: VaultWorld, reason: str, *, tries: int = 3) -> None:
    """The Secret stays as it is through several tries, each an hour after the last."""
    version, refreshed = world.version, world.refreshed
    for _ in range(tries):
        world.later(HOUR)
        assert world.fails()[0] == reason
        assert (world.version, world.refreshed) == (version, refreshed)
        assert world.data == {"password": b"hunter2"}
    assert world.sources.stale == {DB: refreshed}


def recovers(world: VaultWorld, admin: Admin) -> None:
    """What is new on the server comes with the next try."""
    admin.do("POST", "kv/data/db", {"data": {"password": "again"}})
    world.later(301)
    world.done()
    assert world.data == {"password": b"again"}
    assert world.sources.stale == {}


def test_sealed(world: VaultWorld, own_bao: OpenBao) -> None:
    log = Path(own_bao._part.log).read_text()
    (key,) = re.findall(r"Unseal Key: (\S+)", log)
    own_bao.admin.do("PUT", "sys/seal")
    survives(world, "VaultUnavailable")
    own_bao.admin.do("PUT", "sys/unseal", {"key": key})
    recovers(world, own_bao.admin)


def test_killed_and_started_empty(world: VaultWorld, own_bao: OpenBao) -> None:
    own_bao.kill()
    survives(world, "VaultUnavailable")
    own_bao.start()
    # It knows neither the user nor the token of before.
    world.later(HOUR)
    assert world.fails()[0] in {"AuthFailed", "PermissionDenied"}
    furnish(own_bao.admin)
    recovers(world, own_bao.admin)


def test_a_secret_that_is_deleted_meanwhile_comes_back_with_the_server(
    world: VaultWorld, own_bao: OpenBao
) -> None:
    own_bao.admin.do("PUT", "sys/seal")
    world.cluster.drop(SECRETS, DB)
    assert world.fails()[0] == "VaultUnavailable"
    assert world.cluster.find(SECRETS, DB) is None
    log = Path(own_bao._part.log).read_text()
    own_bao.admin.do("PUT", "sys/unseal", {"key": re.findall(r"Unseal Key: (\S+)", log)[0]})
    world.later(301)
    world.done()
    assert world.data == {"password": b"hunter2"}


def test_a_policy_that_is_taken_away(world: VaultWorld, own_bao: OpenBao) -> None:
    own_bao.admin.policy("shop", {"other/*": "read"})
    survives(world, "PermissionDenied")
    own_bao.admin.policy("shop", {"kv/data/*": "read"})
    recovers(world, own_bao.admin)


def test_a_token_that_is_revoked_costs_one_login(world: VaultWorld, own_bao: OpenBao) -> None:
    own_bao.admin.do("PUT", "auth/token/revoke-orphan", {"token": _token(world)})
    own_bao.admin.do("POST", "kv/data/db", {"data": {"password": "again"}})
    world.later(HOUR)
    world.done()
    assert world.data == {"password": b"again"}
    assert world.asked["login"] == 1


def _token(world: VaultWorld) -> str:
    (entry,) = world.vaults._entries.values()
    return entry.vault._session.current().value.reveal().decode()


def test_a_user_that_is_gone(world: VaultWorld, own_bao: OpenBao) -> None:
    own_bao.admin.do("DELETE", "auth/userpass/users/shop")
    own_bao.admin.do("PUT", "auth/token/revoke-orphan", {"token": _token(world)})
    survives(world, "AuthFailed")
    furnish(own_bao.admin)
    recovers(world, own_bao.admin)


def test_too_many_requests(world: VaultWorld, own_bao: OpenBao) -> None:
    own_bao.admin.do("PUT", "sys/quotas/config", {"enable_rate_limit_response_headers": True})
    quota = {"path": "kv/", "rate": 1, "interval": "1h"}
    own_bao.admin.do("POST", "sys/quotas/rate-limit/few", quota)
    own_bao.admin.ask("GET", "kv/data/db")
    world.later(HOUR)
    reason, outcome = world.fails()
    assert reason == "RateLimited"
    assert outcome.seconds > 1  # as the server said
    assert world.data == {"password": b"hunter2"}
    world.fails()
    assert not world.asked  # nobody asks a server that wants to be left alone
    own_bao.admin.do("DELETE", "sys/quotas/rate-limit/few")
    recovers(world, own_bao.admin)


def test_an_authority_that_changes(own_bao: OpenBao, authority: Authority) -> None:
    furnish(own_bao.admin)
    world = VaultWorld(own_bao.admin, own_bao.tls_address)
    world.credentials({"ca.crt": authority.pem.decode()}, "ca")
    world.store(USERPASS, tls={"caSecretRef": {"name": "ca"}})
    world.credentials({"word": PASSWORD})
    world.apply(referring({"password": "vault:kv/db#password"}))
    world.done()
    other = Authority("another authority")
    own_bao.change_certificate(other)
    (entry,) = world.vaults._entries.values()
    entry.vault._wire._session.close()
    survives(world, "VaultUnavailable", tries=1)
    world.credentials({"ca.crt": other.pem.decode()}, "ca")
    recovers(world, own_bao.admin)
    world.vaults.close()


def _redirect(_: Asked) -> Reply:
    return Reply(307, {}, {"Location": "http://127.0.0.1:1/evil"})


def _standby(_: Asked) -> Reply:
    return Reply(503, {"errors": ["standby"]})


def _huge(_: Asked) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n"
    piece = b"x" * (1 << 16)
    for _number in range(1600):
        yield piece


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (_redirect, "VaultUnavailable"),
        (_standby, "VaultUnavailable"),
        (_huge, "TargetTooLarge"),
        (lambda _: [b""], "VaultUnavailable"),
        (lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"], "VaultUnavailable"),
        (lambda _: Reply(200, b"<html>a login page</html>"), "VaultUnavailable"),
    ],
    ids=["redirect", "503", "100 MB", "hang up", "cut off", "another program"],
)
def test_a_server_that_answers_badly(
    gateway: tuple[Gateway, VaultWorld], own_bao: OpenBao, fault: Fault, reason: str
) -> None:
    passing, world = gateway
    passing.fault = fault
    world.later(HOUR)
    found = world.stalls() if reason == "TargetTooLarge" else world.fails()[0]
    assert found == reason
    assert world.data == {"password": b"hunter2"}
    passing.fault = lambda _: None
    recovers(world, own_bao.admin)


def test_a_drip_feed(gateway: tuple[Gateway, VaultWorld], own_bao: OpenBao) -> None:
    passing, world = gateway

    def drip(_: Asked) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n"
        while True:
            world.seconds += 1  # a byte a second, never a wait too long
            yield b" "

    passing.fault = drip
    world.later(HOUR)
    assert world.fails()[0] == "VaultUnavailable"
    assert world.data == {"password": b"hunter2"}
    passing.fault = lambda _: None
    recovers(world, own_bao.admin)


def test_nobody_shows_a_secret(gateway: tuple[Gateway, VaultWorld]) -> None:
    """A server that echoes what it was asked cannot put it into a status."""
    passing, world = gateway

    def echo(asked: Asked) -> Reply:
        return Reply(400, {"errors": [json.dumps([asked.token, asked.body, "hunter2"])]})

    passing.fault = echo
    world.later(HOUR)
    world.run()
    status = json.dumps(world.manifest)
    assert not any(secret in status for secret in (_token(world), PASSWORD, "hunter2"))
