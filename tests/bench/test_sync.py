"""The controller's benchmarks run and report every figure; the figures are not checked."""

from pathlib import Path

import pytest

from tests.apiserver import ApiServer
from tests.bench import controller_sync, sandbox_sync
from tests.bench.bitnami import Absent
from tests.bench.tables import Table


def whats(table: Table) -> list[str]:
    return [row[0] for row in table.rows]


def test_a_few_objects_on_the_sandbox(tmp_path: Path) -> None:
    run = sandbox_sync.measure(tmp_path, objects=8)
    assert run.first.newcomers
    assert run.warm.requests
    rows = whats(sandbox_sync.table(run))
    assert {"first sync, objects/s", "newcomer ready, p99", "warm restart, writes"} <= set(rows)


@pytest.mark.cluster
def test_a_few_objects_on_a_real_api_server(control_plane: ApiServer, tmp_path: Path) -> None:
    size = controller_sync.Size(objects=4, applies=100)
    run = controller_sync.measure(control_plane, tmp_path, size, Absent("not run"))
    assert whats(controller_sync.table(run)) == [
        "bare applies",
        "bare pairs, before",
        "sealkit, new objects",
        "bare pairs, after",
        "sealkit, warm start",
    ]
    assert len(controller_sync.goals(run).rows) == 3
    assert run.absent == "Bitnami: not run"
