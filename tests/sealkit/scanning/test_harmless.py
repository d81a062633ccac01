"""Nothing is found where there is nothing."""

from __future__ import annotations

import random

import pytest

from sealkit.scanning.file import scan
from tests.sealkit.scanning.harmless import BESIDE, harmless

SEED = random.getrandbits(32)
FILES = list(harmless(SEED))


def test_there_are_enough_files() -> None:
    assert len(FILES) >= 200


@pytest.mark.parametrize(("name", "path", "raw"), FILES, ids=[name for name, *_ in FILES])
def test_nothing_is_found(name: str, path: str, raw: bytes) -> None:
    assert scan(path, raw, BESIDE.get).findings == (), f"seed {SEED}"
