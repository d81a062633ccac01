"""A real OpenBao, one for all tests and one of one's own to break; and worlds that refer to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.controller.vault.world import VaultWorld
from tests.fakes.vault_admin import Admin
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import OpenBao, require_bao, running

_serial = itertools.count()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority("the authority of the controller's tests")


@contextmanager
def _started(authority: Authority, folders: pytest.TempPathFactory) -> Iterator[OpenBao]:
    binary = require_bao()
    with running(binary, folders.mktemp("openbao"), authority) as server:
        yield server


@pytest.fixture(scope="session")
def bao(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A server that tests share: each has mounts of its own."""
    with _started(authority, tmp_path_factory) as server:
        yield server


@pytest.fixture
def own_bao(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A server to break."""
    with _started(authority, tmp_path_factory) as server:
        yield server


class Mount:
    """A KV mount of version 2 of one test's own, and a policy to read it."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin
        self.name = f"kv-{next(_serial)}"
        admin.mount(self.name, "kv", version="2")
        self.allow()

    def allow(self, words: str = "read list") -> None:
        """Let the policy allow something else."""
        self.admin.policy(self.name, {f"{self.name}/*": words})

    def write(self, path: str, data: dict[str, object]) -> None:
        """Write a new version of a secret."""
        self.admin.do("POST", f"{self.name}/data/{path}", {"data": data})

    def token(self) -> str:
        """Make a token with the policy."""
        return self.admin.token(self.name)

    def ref(self, path: str, key: str) -> str:
        """Spell a reference."""
        return f"vault:{self.name}/{path}#{key}"


@pytest.fixture
def kv(bao: OpenBao) -> Mount:
    mount = Mount(bao.admin)
    mount.write("db", {"username": "shop", "password": "hunter2", "port": 5432, "none": None})
    return mount


@pytest.fixture
def world(bao: OpenBao, kv: Mount) -> Iterator[VaultWorld]:
    made = VaultWorld(bao.admin)
    made.credentials({"token": kv.token()})
    yield made
    made.vaults.close()
