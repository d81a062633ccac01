"""Every test that README.md names is there, and every fault has one."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROWS = re.findall(
    r"^\| (F\d+) \|.*\| ([^|]+) \|$", (TESTS / "faults/README.md").read_text(), re.MULTILINE
)


def test_every_fault_has_a_row() -> None:
    assert [name for name, _ in ROWS] == [f"F{number}" for number in range(1, 21)]


def test_every_test_that_is_named_is_there() -> None:
    defined: set[str] = set()
    for file in TESTS.rglob("test_*.py"):
        defined |= set(re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE))
    for name, tests in ROWS:
        named = set(re.findall(r"`(test_\w+)`", tests))
        assert named <= defined, named - defined
        assert named, name
