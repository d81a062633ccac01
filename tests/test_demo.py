"""The demo is the first thing a newcomer runs: it tells its whole story, and leaves nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sealkit.cli.openbao import running_openbao
from sealkit.cli.story import STORY, VAULT_STORY
from sealkit.errors import SealkitError
from tests.cluster.kubectl import find_kubectl
from tests.fakes.vault_server import find_bao

SEALKIT = Path(sys.executable).with_name("sealkit")


def demo(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "TMPDIR": str(folder)}
    command: list[str | Path] = [SEALKIT, "demo"]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_story_is_told_to_its_end_and_nothing_is_left_behind(tmp_path: Path) -> None:
    if find_kubectl() is None:
        pytest.skip("kubectl is not in this environment: run `uv sync`")
    done = demo(tmp_path, os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("  $ ")]
    story = (*STORY, *VAULT_STORY) if find_bao() else STORY
    assert len(told) == sum(len(chapter.steps) for chapter in story)
    assert list(tmp_path.iterdir()) == []


def test_a_vault_that_does_not_start_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "bao"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with (
        pytest.raises(SealkitError, match="OpenBao did not start"),
        running_openbao(str(broken), tmp_path),
    ):
        pass


def test_a_missing_tool_is_named(tmp_path: Path) -> None:
    venv = tmp_path / "bin"
    venv.mkdir()
    (venv / "python").symlink_to(sys.executable)
    done = subprocess.run(
        [venv / "python", "-m", "sealkit", "demo"],
        env={"PATH": "", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "kubectl is not on PATH" in done.stderr
