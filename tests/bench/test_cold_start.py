"""The benchmark of a cold start runs and reports every command; its figures are not checked."""

from pathlib import Path

from tests.bench.cold_start import measure, prepare, table


def test_one_round(tmp_path: Path) -> None:
    commands = prepare(tmp_path)
    lines = table(measure(commands, tmp_path, rounds=1, warm_up=0)).splitlines()
    assert len(lines) == 1 + len(commands)
    assert lines[1].split()[:3] == ["python", "-c", "pass"]
    assert any(line.startswith("sealkit seal (5 keys, 3 clusters)") for line in lines)
