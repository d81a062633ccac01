"""The desk that every test of a verb starts from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.fakes.vault_admin import ROOT_TOKEN, Admin
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import OpenBao, require_bao, running
from tests.sealkit.cli.desk import NAMES, Desk

AUTHORITY: Final = Authority("the authority of the desk")


@pytest.fixture
def bare(tmp_path: Path) -> Desk:
    """An empty folder, and private keys beside it."""
    for name in ("repository", "keys"):
        (tmp_path / name).mkdir()
    return Desk(tmp_path / "repository", tmp_path / "keys")


@pytest.fixture
def desk(bare: Desk) -> Desk:
    """A repository that pins `prod` and `staging`, without rules."""
    for name in NAMES:
        bare.recipient(name)
    bare.config()
    return bare


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A real Vault server with KV of both versions, certificates that have leases, and TLS."""
    binary = require_bao()
    with running(binary, tmp_path_factory.mktemp("openbao"), AUTHORITY) as server:
        admin = server.admin
        for mount, version in (("kv", "2"), ("old", "1")):
            admin.mount(mount, "kv", version=version)
        admin.mount("pki", "pki")
        admin.do("POST", "pki/root/generate/internal", {"common_name": "root", "key_type": "ec"})
        role = {"allow_any_name": True, "key_type": "ec", "max_ttl": "1h", "generate_lease": True}
        admin.do("POST", "pki/roles/web", role)
        yield server


@pytest.fixture
def vault(desk: Desk, bao: OpenBao) -> Admin:
    """The desk with a token of its own for that server; the administrator comes back."""
    desk.environment |= {"VAULT_ADDR": bao.address, "VAULT_TOKEN": ROOT_TOKEN}
    return bao.admin
