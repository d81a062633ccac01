"""Every console session in README, docs and tests/transcripts runs as it is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click
import pytest

from sealkit.cli.main import cli
from sealkit.cli.sandbox import running_cluster
from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.keypair import KeyPair, KeyState
from sealkit.manifests.emit import emit_yaml
from sealkit.sensitive import Sensitive
from tests.cluster.kubectl import find_kubectl
from tests.console import Step, matches, shell, steps
from tests.fakes.vault_admin import ROOT_TOKEN
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import require_bao, running

ROOT: Final = Path(__file__).parents[1]
TRANSCRIPTS: Final = ROOT / "tests" / "transcripts"
# Those with a world of their own: see tests/docs.
ELSEWHERE: Final = (
    ROOT / "docs" / "controller.md",
    ROOT / "docs" / "integrations" / "admission.md",
    ROOT / "docs" / "integrations" / "bitnami.md",
    ROOT / "docs" / "integrations" / "vault.md",
)
PLACES: Final = (
    (ROOT, "README.md"),
    (ROOT / "docs", "**/*.md"),
    (ROOT / "controller", "README.md"),
    (TRANSCRIPTS, "*.md"),
)


def documents() -> list[Path]:
    """Return every document with a console block.

    Raises:
        ValueError: there is none: the search is broken.
    """
    found = [path for folder, glob in PLACES for path in sorted(folder.glob(glob))]
    found = [path for path in found if path not in ELSEWHERE and steps(path.read_text())]
    if not found:
        raise ValueError("no document holds a console block")
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for compiled modules: commands start as fast as installed ones."""
    return tmp_path_factory.mktemp("pycache")


@pytest.fixture
def environment(tmp_path: Path, compiled: Path) -> dict[str, str]:
    """Nothing of the user's own configuration, and somebody who commits."""
    person = {"NAME": "Ada", "EMAIL": "ada@example.com"}
    (tmp_path / "home").mkdir()
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPYCACHEPREFIX": str(compiled),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_{key}": person[key] for role in ("AUTHOR", "COMMITTER") for key in person},
    }


def given(folder: Path) -> None:
    """Write what transcripts start from: public keys of clusters, and private ones."""
    for number, name in enumerate(("prod", "staging", "old"), start=1):
        key = PrivateKey(Sensitive(bytes([number]) * 32))
        last_day = date(2026, 1, 31) if name == "old" else None
        (folder / f"{name}.pub").write_text(str(Recipient(name, key.public, last_day)))
        pair = KeyPair(key, KeyState.ACTIVE, datetime(2026, 1, 1, tzinfo=UTC))
        secret = emit_yaml(pair.to_secret("sealkit-key-1", "sealkit-system"))
        (folder / f"{name}-keys.yaml").write_text(secret)


def complaints(path: Path, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    with shell(folder, environment) as session:
        for step in steps(path.read_text()):
            problem = step.complaint(*session.run(step.command))
            if problem:
                yield f"{name_of(path)}:{step.line}: $ {step.command}\n{problem}"


@contextmanager
def vault(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Vault server with a key-value mount at `secret`; yield what leads to it."""
    binary = require_bao()
    (folder / "openbao").mkdir()
    with running(binary, folder / "openbao", Authority("the authority")) as server:
        yield {"VAULT_ADDR": server.address, "VAULT_TOKEN": ROOT_TOKEN}


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_the_session_runs_as_written(
    path: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    commands = "".join(step.command for step in steps(path.read_text()))
    needs_cluster = "kubectl" in commands
    if needs_cluster and find_kubectl() is None:
        pytest.skip("kubectl is not in this environment: run `uv sync`")
    folder = tmp_path / "work"
    folder.mkdir()
    if path.parent == TRANSCRIPTS:
        given(folder)
    with ExitStack() as world:
        if "sealkit vault" in commands:
            environment |= world.enter_context(vault(tmp_path))
        if needs_cluster and "sealkit sandbox" not in commands:  # else it starts its own
            server, *_ = world.enter_context(running_cluster())
            kubeconfig = tmp_path / "home" / "kubeconfig"
            kubeconfig.write_text(server.kubeconfig())
            environment["KUBECONFIG"] = str(kubeconfig)
        found = next(complaints(path, folder, environment), None)
    if found:
        pytest.fail(found, pytrace=False)


def test_every_verb_has_a_transcript() -> None:
    verbs = set(cli.list_commands(click.Context(cli)))
    assert verbs <= {path.stem for path in TRANSCRIPTS.glob("*.md")}


class TestReadingSessions:
    """The reader of console blocks itself."""

    def test_commands_outputs_and_codes(self) -> None:
        text = "a\n```console\n$ one\nx\n…\n$ two \\\n> more\n\n[6]\n```\n```sh\n$ no\n```\n"
        assert steps(text) == [Step(3, "one", "x\n…", 0), Step(6, "two \\\nmore", "", 6)]

    def test_a_block_without_output_promises_none(self) -> None:
        assert steps("```console\n$ one\n$ two\n[2]\n```\n") == [
            Step(2, "one", None, 0),
            Step(3, "two", None, 2),
        ]

    @pytest.mark.parametrize(
        ("expected", "actual", "same"),
        [
            ("a", "a\n", True),
            ("a", "b", False),
            ("a", "a\nb", False),
            ("", "", True),
            ("", "a", False),
            ("a…c", "abc", True),
            ("a…c", "ab", False),
            ("…", "", True),
            ("…\nb", "a\na\nb", True),
            ("…\nb", "a\na", False),
            ("a.c", "abc", False),
        ],
    )
    def test_matching(self, expected: str, actual: str, same: bool) -> None:  # noqa: FBT001 (a column)
        assert matches(expected, actual) is same

    def test_a_complaint_says_what_was_expected_and_what_came(self) -> None:
        step = Step(1, "x", "a", 0)
        assert step.complaint("a\n", 0) == ""
        assert step.complaint("b\n", 0) == "expected:\na\nbut the output was:\nb\n"
        assert step.complaint("a\n", 1).startswith("exit code 1, expected 0")

    def test_a_wrong_document_is_found_out(self, tmp_path: Path) -> None:
        with shell(tmp_path, {"PATH": os.environ["PATH"]}) as session:
            (step,) = steps("```console\n$ echo a; false\nb\n```\n")
            assert step.complaint(*session.run(step.command))
            assert session.run("x=1; cd /") == ("", 0)
            assert session.run("echo $x; pwd") == ("1\n/\n", 0)
