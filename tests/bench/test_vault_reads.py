"""The benchmark of references runs, reports every figure, and asks no more than it has to."""

from pathlib import Path

import pytest

from tests.bench import vault_reads
from tests.fakes.vault_server import NO_BAO, find_bao


def test_a_few_manifests(tmp_path: Path) -> None:
    if find_bao() is None:
        pytest.skip(NO_BAO)
    run = vault_reads.measure(tmp_path, manifests=20)
    assert [row[0] for row in vault_reads.table(run).rows] == [
        "bare loop of hvac",
        "sealkit, resolving",
        "bare loop of hvac",
        "sealkit, refresh with status",
    ]
    assert run.resolving.asked["read"] == 20 * vault_reads.REFERENCES
    assert run.resolving.asked["login"] == 1
    assert run.refresh.asked["read"] == 20 * vault_reads.REFERENCES
    assert run.refresh.asked["login"] == 0
    assert len(vault_reads.goals(run).rows) == 4
