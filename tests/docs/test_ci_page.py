"""docs/ci.md: its files are YAML; every command runs, where all is well and where it is not."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.sensitive import Sensitive

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
TUTORIAL: Final = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
WORLD: Final = """
git init --quiet --initial-branch main . && sealkit init && sealkit clusters add prod prod.pub
printf hunter2 | sealkit seal --raw PASSWORD --name db -n shop -o db.sealed.yaml
git add . && git commit --quiet --message 'A database'
git update-ref refs/remotes/origin/main HEAD
"""
PLAIN: Final = """\
{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}, stringData: {C: dGhlIGtl0wHq3a}}
"""
FINDINGS: Final = 3


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def files() -> list[Any]:
    """Return every YAML file that the pages show, read."""
    found = [yaml.safe_load(block) for page in (PAGE, TUTORIAL) for block in blocks(page, "yaml")]
    assert len(found) >= 4
    return found


def texts(node: object) -> Iterator[str]:
    """Walk through all texts of a document."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)


def commands() -> list[str]:
    """Return every call of sealkit, each once."""
    scripts = [*texts(files()), *blocks(PAGE, "sh")]
    lines = [line for script in scripts for line in script.splitlines()]
    found = sorted({line for line in lines if line.startswith("sealkit ")})
    assert len(found) >= 10
    return found


CHECKS: Final = [line for line in commands() if line.split()[1] in {"scan", "verify"}]


class Repository:
    """A repository with one sealed manifest, and the shell of a job in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        recipient = Recipient("prod", PrivateKey(Sensitive(bytes(31) + b"1")).public)
        (folder / "prod.pub").write_text(str(recipient))
        assert self.run(WORLD) == 0

    def run(self, script: str) -> int:
        person = {"NAME": "Ada", "EMAIL": "ada@example.com"}
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
            "HOME": str(self.folder),
            "GITHUB_BASE_REF": "main",
            "GITHUB_STEP_SUMMARY": "summary.md",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD",
            **{
                f"GIT_{who}_{key}": person[key] for who in ("AUTHOR", "COMMITTER") for key in person
            },
        }
        return subprocess.run(
            ["bash", "-ec", script], cwd=self.folder, env=environment, check=False
        ).returncode

    def written(self, command: str) -> bool:
        """Tell whether the report that a command names is there, if it names one."""
        words = shlex.split(command)
        return "-o" not in words or (self.folder / words[words.index("-o") + 1]).stat().st_size > 0


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_every_command_passes_where_all_is_well(repository: Repository) -> None:
    for command in commands():
        assert (repository.run(command), command) == (0, command)
        assert repository.written(command), command


def test_every_check_reports_and_fails_where_it_is_not(repository: Repository) -> None:
    (repository.folder / "plain.yaml").write_text(PLAIN)
    broken = (repository.folder / "db.sealed.yaml").read_text().replace("strict", "narrow")
    (repository.folder / "broken.sealed.yaml").write_text(broken)
    repository.run("git add . && git commit --quiet --message 'In a hurry'")
    for command in CHECKS:
        assert (repository.run(command), command) == (FINDINGS, command)
        assert repository.written(command), command


def test_reports_that_are_uploaded_are_those_that_are_written() -> None:
    uploaded = set(re.findall(r"(?:sarif_file|codequality): ([\w.]+)", PAGE))
    written = {words[words.index("-o") + 1] for words in map(shlex.split, CHECKS) if "-o" in words}
    assert uploaded == {name for name in written if not name.endswith(".xml")}


def test_hooks_that_are_named_exist() -> None:
    named = {
        hook["id"] for file in files() for repo in file.get("repos", []) for hook in repo["hooks"]
    }
    offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert named
    assert named <= {hook["id"] for hook in offered}


def test_every_format_is_explained() -> None:
    formats = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert formats == {"text", "json", "sarif", "junit", "github", "gitlab"}
