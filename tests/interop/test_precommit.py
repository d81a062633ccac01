"""The hooks we offer, run by the stock pre-commit and by prek."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from sealkit.cli.main import cli
from tests.sealkit.cli.desk import CANARY, NAMES, Desk, secret_text

MANIFEST: Final = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
RUNNERS: Final = ("pre-commit", "prek")
BIN: Final = Path(sys.executable).parent


def hooks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(MANIFEST.read_text())
    assert found
    return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A repository that runs our hooks with the sealkit at hand instead of one it installs."""
    (tmp_path / "repository").mkdir()
    desk = Desk(tmp_path / "repository", tmp_path)
    desk.environment |= {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "PREK_HOME": str(tmp_path / "prek"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    for name in NAMES:
        desk.recipient(name)
    desk.config()
    local = [{**hook, "language": "system"} for hook in hooks()]
    config = {"repos": [{"repo": "local", "hooks": local}]}
    desk.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    git(desk, "init", "--quiet")
    desk.ok("seal", "-o", "db.sealed.yaml", stdin=secret_text())
    return desk


def git(desk: Desk, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=desk.folder, env=desk.environment, check=True)


@pytest.fixture(params=RUNNERS)
def runner(request: pytest.FixtureRequest) -> str:
    """What people run hooks with."""
    return str(request.param)


def run_hooks(desk: Desk, runner: str) -> subprocess.CompletedProcess[str]:
    git(desk, "add", "--all")
    return subprocess.run(
        [runner, "run", "--color", "never"],
        cwd=desk.folder,
        env=desk.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_manifest_is_taken(runner: str) -> None:
    subprocess.run([BIN / runner, "validate-manifest", MANIFEST], check=True)


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: str(hook["id"]))
def test_a_hook_runs_a_verb_that_exists(hook: dict[str, Any]) -> None:
    program, verb, *_ = hook["entry"].split()
    assert program == "sealkit"
    assert verb in cli.list_commands(click.Context(cli))


def test_sealed_manifests_pass(desk: Desk, runner: str) -> None:
    done = run_hooks(desk, runner)
    assert done.returncode == 0, done.stdout
    assert "verify sealed manifests" in done.stdout
    assert "Passed" in done.stdout


def test_a_damaged_one_does_not(desk: Desk, runner: str) -> None:
    desk.write("a b.sealed.yml", desk.read("db.sealed.yaml").replace("scope: strict", "scope: x"))
    done = run_hooks(desk, runner)
    assert done.returncode == 1
    assert "a b.sealed.yml" in done.stdout
    assert "spec.scope" in done.stdout


def test_a_plain_one_does_not_either_and_is_not_shown(desk: Desk, runner: str) -> None:
    desk.write("plain.yaml", secret_text(PASSWORD=CANARY))
    done = run_hooks(desk, runner)
    assert done.returncode == 1
    assert "plain.yaml:7:3: error SK401" in done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_other_files_are_none_of_its_business(desk: Desk, runner: str) -> None:
    desk.write("chart.yaml", "kind: SealedSecret\n{{ if }}\n")
    assert run_hooks(desk, runner).returncode == 0
