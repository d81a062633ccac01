"""The benchmark of the command line runs and reports everything; its figures are not checked."""

from pathlib import Path

import pytest
import yaml

from sealkit.manifests.sealed import SealedSecret
from tests.bench import command_jobs, command_line, opening, programs
from tests.bench.command_line import Run, Size
from tests.bench.command_world import add_sops, make_tree
from tests.bench.peers import Peers, find_peers
from tests.bench.programs import Median
from tests.bench.tables import Table

SMALL = Size(
    cold_rounds=1,
    many_rounds=1,
    warm_up=0,
    secrets=4,
    calls=2,
    opening_rounds=1,
    key_bits=1024,
)


def whats(table: Table) -> list[str]:
    return [row[0] for row in table.rows]


def measures(table: Table) -> dict[str, tuple[str, str]]:
    return {row[0]: (row[1], row[3]) for row in table.rows}


def test_a_few_secrets(tmp_path: Path) -> None:
    run = command_line.measure(tmp_path, SMALL, find_peers(tmp_path))
    assert whats(command_line.cold_table(run))[0] == command_jobs.PYTHON
    assert {command_jobs.sealed(1), command_jobs.sealed(3)} <= run.cold.keys()
    rows = {row[0]: row for row in command_line.many_table(run).rows}
    assert {command_jobs.SEAL_MANY, command_jobs.REWRAP_MANY} <= rows.keys()
    assert whats(command_line.opening_table(run))[0] == opening.OURS
    assert len(command_line.goals(run).rows) == 10


def a_run(peer_seconds: float | None) -> Run:
    """All of ours take a second, Python a tenth."""
    clusters = command_line.CLUSTERS
    cold = {command_jobs.sealed(number): Median(1, 1, 1) for number in clusters}
    many = dict.fromkeys(
        (
            command_jobs.SEAL_MANY,
            command_jobs.SEAL_FILES,
            command_jobs.REWRAP_MANY,
            command_jobs.VERIFY_MANY,
        ),
        Median(1, 1, 1),
    )
    if peer_seconds is not None:
        peer = Median(1, peer_seconds, 1)
        cold |= {command_jobs.encrypted(number): peer for number in clusters}
        many |= {command_jobs.KUBESEAL_MANY: peer, command_jobs.UPDATE_MANY: peer}
    cold[command_jobs.PYTHON] = Median(1, 0.1, 1)
    return Run(Size(), Peers(None, None), cold, many, {opening.OURS: 151})


@pytest.mark.parametrize(
    ("peer_seconds", "cold", "many"),
    [
        (0.5, ("2.0x", "yes"), ("0x", "no")),
        (0.25, ("4.0x", "no"), ("0x", "no")),
        (20, ("0.1x", "yes"), ("20x", "yes")),
        (None, ("not run", ""), ("not run", "")),
    ],
)
def test_a_goal_is_met_or_not(
    peer_seconds: float | None, cold: tuple[str, str], many: tuple[str, str]
) -> None:
    found = measures(command_line.goals(a_run(peer_seconds)))
    assert found["the same, times sops"] == cold
    assert found["`seal` of one file, than calls of kubeseal"] == many
    assert found["`sealkit seal`, 5 values, 1 cluster, times Python"] == ("10.0x", "no")
    assert found["`verify`"] == ("1.00 s", "yes")
    assert found[opening.OURS] == ("151 µs", "no")


def test_a_peer_that_is_not_here_is_said_not_to_have_run() -> None:
    assert all("not run" in line for line in Peers(None, None).lines())


def test_the_work_that_is_timed_is_done(tmp_path: Path) -> None:
    peers = find_peers(tmp_path)
    tree = make_tree(tmp_path / "tree", tmp_path, secrets=2)
    if peers.sops:
        add_sops(tree, tmp_path, peers.sops, secrets=1)
    jobs = command_jobs.many(tree, peers, calls=1)

    def scratch_after(what: str) -> str:
        jobs[what].reset()
        before = tree.files("scratch")[0].read_text()
        programs.measure({what: jobs[what]}, tmp_path, rounds=2, warm_up=0)
        after = tree.files("scratch")[0].read_text()
        assert after != before
        return after

    assert len(opens_for(scratch_after(command_jobs.SEAL_FILES))) == 1
    assert len(opens_for(scratch_after(command_jobs.REWRAP_MANY))) == 2
    assert [len(opens_for(file.read_text())) for file in tree.files("apps")] == [2, 2]
    if peers.sops:
        assert scratch_after(command_jobs.UPDATE_MANY).count("recipient:") == 2


def opens_for(text: str) -> set[str]:
    return set(SealedSecret.from_dict(yaml.safe_load(text)).kids())
