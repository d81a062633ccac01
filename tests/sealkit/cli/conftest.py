"""The desk that every test of a verb starts from."""

from pathlib import Path

import pytest

from tests.sealkit.cli.desk import NAMES, Desk


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
