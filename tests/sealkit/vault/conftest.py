"""A real OpenBao for the whole run, one of one's own to break, and clients that are closed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from sealkit.sensitive import Sensitive
from sealkit.vault import Identity, Login, Server, TokenLogin, Vault, userpass_login
from tests.fakes.vault import FakeVault, fake_vault
from tests.fakes.vault_admin import ROOT_TOKEN, Admin
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import NO_BAO, OpenBao, require_bao, running
from tests.sealkit.vault.world import Clock, Connect, Peer

_serial = itertools.count()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, at every verbosity, why tests did without the real server."""
    skipped = terminalreporter.stats.get("skipped", ())
    count = sum(NO_BAO in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} tests skipped: {NO_BAO}", yellow=True)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Whom the TLS listener's certificate is of."""
    return Authority("the authority")


@pytest.fixture(scope="session")
def bao(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A real server that tests share: they change nothing that others rely on."""
    with _started(authority, tmp_path_factory) as server:
        _furnish(server.admin)
        yield server


@pytest.fixture
def own_bao(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A real server to seal, kill or overload."""
    with _started(authority, tmp_path_factory) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make clients that are closed after the test."""
    with ExitStack() as stack:

        def connected(server: Server | str, login: Login | None = None, **options: Any) -> Vault:
            where = Server(server) if isinstance(server, str) else server
            namespace = options.pop("login_namespace", None)
            who = Identity(login or TokenLogin(Sensitive(ROOT_TOKEN.encode())), namespace)
            vault = Vault(where, who, **options)
            stack.callback(vault.close)
            return vault

        yield connected


@pytest.fixture(params=["fake", "real"])
def peer(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Peer]:
    """A server with the mounts kv1, kv2 and userpass, and a user of a policy of its own."""
    if request.param == "real":
        server: OpenBao = request.getfixturevalue("bao")
        yield _peer(server.admin)
        return
    with fake_vault(clock) as fake:
        _furnish(fake.admin)
        yield _peer(fake.admin)


@pytest.fixture
def fake(clock: Clock) -> Iterator[FakeVault]:
    """A fake with KV version 1 at kv1 and 2 at kv2, leases at db, and a user of most of it."""
    with fake_vault(clock) as fake:
        admin = fake.admin
        _furnish(admin)
        admin.mount("db", "database", version="")
        admin.do("POST", "kv1/a", {"user": "u", "password": "p"})
        admin.do("POST", "kv2/data/a", {"data": {"key": "value", "none": None}})
        admin.policy("ann", {"kv1/": "read", "kv2/data/a": "read", "db/": "read"})
        body = {"password": "pass-word", "token_policies": ["ann"]}
        admin.do("POST", "auth/userpass/users/ann", body)
        yield fake


@pytest.fixture
def ann(fake: FakeVault, connect: Connect, clock: Clock) -> Vault:
    """The client of that user."""
    return connect(fake.address, userpass_login("ann", Sensitive(b"pass-word")), monotonic=clock)


def _furnish(admin: Admin) -> None:
    admin.mount("kv1", "kv", version="1")
    admin.mount("kv2", "kv", version="2")
    admin.enable("userpass", "userpass")


def _peer(admin: Admin) -> Peer:
    name = f"user-{next(_serial)}"
    admin.policy(name, {"kv1/open/*": "read", "kv2/data/open/*": "read update create"})
    peer = Peer(admin, name, userpass_login(name, Sensitive(b"pass-word")))
    peer.make_user()
    return peer


def _started(
    authority: Authority, folders: pytest.TempPathFactory
) -> AbstractContextManager[OpenBao]:
    binary = require_bao()
    return running(binary, folders.mktemp("openbao"), authority)
