"""Processes of tests: waited for, ended for certain, never left behind."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.part import Part, PartError

# A server deaf to SIGTERM, which tells its process id once it is deaf.
DEAF = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
signal.pause()
"""
STARTER = """
import sys
from pathlib import Path
from tests.cluster.part import Part
part = Part(sys.argv[2:], Path(sys.argv[1]), ready=lambda: bool(Path(sys.argv[1]).read_text()))
part.start()
print(part.pid, flush=True)
input()
"""


def _deaf_part(folder: Path) -> Part:
    log = folder / "deaf.log"
    return Part((sys.executable, "-c", DEAF), log, ready=lambda: bool(log.read_text()))


def test_started_part_is_ready_and_keeps_its_process_id(tmp_path: Path) -> None:
    part = _deaf_part(tmp_path)
    try:
        part.start()

        assert part.log.read_text() == f"{part.pid}\n"
    finally:
        part.kill()


def test_part_that_does_not_heed_a_stop_is_killed(tmp_path: Path) -> None:
    part = _deaf_part(tmp_path)
    part.start()
    before = part.pid
    assert before is not None

    part.stop(grace_seconds=0.05)

    assert part.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_part_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    part = Part(("/bin/sh", "-c", "echo no such flag; exit 2"), tmp_path / "a.log", lambda: False)

    with pytest.raises(PartError, match=r"a: ended early\nno such flag"):
        part.start()


def test_part_that_never_gets_ready_is_reported_and_ended(tmp_path: Path) -> None:
    part = Part(("/bin/sleep", "60"), tmp_path / "a.log", lambda: False)

    with pytest.raises(PartError, match="not ready"):
        part.start(deadline_seconds=0)

    assert part.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its starter")
def test_part_ends_with_a_starter_that_is_killed(tmp_path: Path) -> None:
    command = (sys.executable, "-c", STARTER, str(tmp_path / "log"), sys.executable, "-c", DEAF)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        part = os.pidfd_open(int(starter.stdout.readline()))
        starter.kill()

    try:
        ended, _, _ = select.select([part], [], [], 10)
        assert ended
    finally:
        os.close(part)
