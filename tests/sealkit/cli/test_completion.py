"""`sealkit completion`: what candidates there are, and that real shells offer them."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from sealkit.cli.main import cli
from tests.cluster.kubectl import find_kubectl
from tests.sealkit.cli.desk import CANARY, Desk

SHELLS: Final = ("bash", "zsh", "fish", "powershell", "kubectl")
HERE: Final = Path(sys.executable).parent
PROMPT: Final = "READY>"


def candidates(desk: Desk, *words: str) -> list[str]:
    """The values that a script is told, and the directive."""
    out = desk.ok("completion", "candidates", "--", *words).out
    return [line.partition("\t")[0] for line in out.splitlines()]


def test_verbs_with_what_they_do(bare: Desk) -> None:
    out = bare.ok("completion", "candidates", "--", "").out
    lines = dict(line.partition("\t")[::2] for line in out.splitlines()[:-1])
    assert set(lines) == set(cli.commands or {}) | set(cli.list_commands(None))  # type: ignore[arg-type]  # needs none
    assert all(lines.values())
    assert out.endswith("\n:4\n")


def test_no_word_is_the_first_word(bare: Desk) -> None:
    assert candidates(bare) == candidates(bare, "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("vers", "version :4", id="verb"),
        pytest.param("vault p", "push :4", id="verb-of-a-group"),
        pytest.param("completion b", "bash :4", id="group"),
        pytest.param("completion ca", ":4", id="hidden"),
        pytest.param("nothing ", ":4", id="after-an-unknown-verb"),
        pytest.param("nothing sub ", ":4", id="far-after-an-unknown-verb"),
        pytest.param("--vers", "--version :4", id="option-of-the-root"),
        pytest.param("seal --sco", "--scope :4", id="option"),
        pytest.param("version --js", "--json :4", id="flag"),
        pytest.param("version --json --js", ":4", id="not-twice"),
        pytest.param("seal --cluster x --cluster", "--cluster --cluster-store :4", id="repeatable"),
        pytest.param("seal --scope st", "strict :4", id="choice"),
        pytest.param("seal --scope=st", "--scope=strict :4", id="joined-choice"),
        pytest.param("seal --nothing=st", ":4", id="joined-to-what-is-not-there"),
        pytest.param("seal --cluster ", "prod staging :4", id="clusters"),
        pytest.param("seal --cluster=p", "--cluster=prod :4", id="joined-cluster"),
        pytest.param("clusters add s", "staging :4", id="name-of-a-cluster"),
        pytest.param("clusters add prod ", ":0", id="file-argument"),
        pytest.param("clusters add prod x ", ":4", id="no-third-argument"),
        pytest.param("seal ", ":0", id="files"),
        pytest.param("seal a.yaml ", ":0", id="more-files"),
        pytest.param("seal - ", ":0", id="standard-input"),
        pytest.param("unseal --key ", ":0", id="option-with-a-file"),
        pytest.param("unseal --key=", ":0", id="joined-file"),
        pytest.param("unseal --key x --jso", ":4", id="value-is-no-argument"),
        pytest.param("seal --namespace ", ":4", id="option-with-a-name"),
        pytest.param("seal --json --cluster=prod ", ":0", id="after-flag-and-joined-value"),
        pytest.param("seal -- --sco", ":0", id="no-options-after-the-end"),
        pytest.param("set a.yaml ", ":4", id="keys"),
    ],
)
def test_candidates(desk: Desk, line: str, expected: str) -> None:
    assert candidates(desk, *line.split(" ")) == expected.split()


def test_an_option_says_what_it_is_for(bare: Desk) -> None:
    out = bare.ok("completion", "candidates", "--", "inspect", "--js").out
    assert out == "--json\tPrint JSON\n:4\n"


def test_the_last_word_apart(bare: Desk) -> None:
    assert bare.ok("completion", "candidates", "--last=", "--", "seal").out == ":0\n"
    assert bare.ok("completion", "candidates", "--last=vers", "--").out.startswith("version\t")


def test_a_wrong_configuration_is_silent(desk: Desk) -> None:
    desk.write(".sealkit.yaml", f"nonsense: {CANARY}")
    result = desk.ok("completion", "candidates", "--", "seal", "--cluster", "")
    assert (result.out, result.err) == (":4\n", "")


def test_without_a_configuration(bare: Desk) -> None:
    assert candidates(bare, "seal", "--cluster", "") == [":4"]


def test_nothing_of_a_manifest_is_shown(desk: Desk) -> None:
    desk.write("db.yaml", CANARY)
    for words in (("inspect", ""), ("set", "db.yaml", ""), ("seal", "db.yaml", CANARY)):
        result = desk.ok("completion", "candidates", "--", *words)
        assert CANARY not in result.out + result.err


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_asks_for_candidates(bare: Desk, shell: str) -> None:
    result = bare.ok("completion", shell)
    assert "completion candidates" in result.out
    assert result.out.endswith("\n")
    assert result.err == ""


def test_the_powershell_script_is_well_formed(bare: Desk) -> None:
    """No PowerShell runs here: its brackets, the registration and each branch are looked at."""
    script = bare.ok("completion", "powershell").out
    for pair in ("{}", "()", "[]"):
        assert script.count(pair[0]) == script.count(pair[1])
    assert script.count("'") % 2 == script.count('"') % 2 == 0
    head = "Register-ArgumentCompleter -Native -CommandName sealkit, kubectl-sealkit -ScriptBlock {"
    assert head in script
    assert "param($wordToComplete, $commandAst, $cursorPosition)" in script
    assert '"--last=$wordToComplete" -- $words' in script
    assert "System.Management.Automation.CompletionResult" in script
    assert "^:\\d+$" in script


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_accepts_its_script(bare: Desk, shell: str) -> None:
    program = installed(shell)
    script = bare.write("script", bare.ok("completion", shell).out)
    subprocess.run([program, "-n", script], check=True, timeout=60)


# How each shell is started and told our script. Ctrl-A goes to the start of the line in both.
STARTS: Final = {
    "bash": (["--norc", "--noprofile", "-i"], "source <(sealkit completion bash)"),
    "zsh": (
        ["-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; source <(sealkit completion zsh)",
    ),
}
LINES: Final = {
    "vers": "version",
    "inspect --js": "inspect --json",
    "seal --cluster pr": "seal --cluster prod",
    "seal --cluster=pr": "seal --cluster=prod",
    "seal --scope=n": "seal --scope=namespace-wide",
    "inspect manif": "inspect manifest.yaml",
    "unseal --key keys/pr": "unseal --key keys/prod.yaml",
    "unseal --key=keys/pr": "unseal --key=keys/prod.yaml",
    "seal --namespace manif": "seal --namespace manif",
}


@pytest.mark.parametrize("shell", STARTS)
def test_the_real_shell_completes(desk: Desk, shell: str) -> None:
    program = installed(shell)
    desk.write("manifest.yaml", "")
    desk.write("keys/prod.yaml", "")
    arguments, source = STARTS[shell]
    with terminal([program, *arguments], desk.folder) as session:
        session.type(f"{source}\n")
        for line, expected in LINES.items():
            assert session.completed(f"sealkit {line}") == f"sealkit {expected}"


@pytest.mark.parametrize(("line", "expected"), LINES.items())
def test_fish_completes(desk: Desk, line: str, expected: str) -> None:
    program = installed("fish")
    desk.write("manifest.yaml", "")
    desk.write("keys/prod.yaml", "")
    script = f"sealkit completion fish | source; complete -C 'sealkit {line}'"
    done = subprocess.run(
        [program, "--no-config", "-c", script],
        cwd=desk.folder, env=plain(desk.folder), capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    values = [offer.partition("\t")[0] for offer in done.stdout.splitlines()]
    assert values == ([] if line == expected else [expected.rsplit(maxsplit=1)[-1]])


def test_kubectl_completes_its_plugin(desk: Desk) -> None:
    kubectl = find_kubectl()
    if kubectl is None:
        pytest.skip("kubectl is not in this environment: run `uv sync`")
    helper = desk.write("bin/kubectl_complete-sealkit", desk.ok("completion", "kubectl").out)
    helper.chmod(0o755)
    environment = {"PATH": f"{helper.parent}:{HERE}:/usr/bin:/bin", "HOME": str(desk.folder)}

    def complete(*words: str) -> list[str]:
        done = subprocess.run(
            [kubectl, "__complete", "sealkit", *words],
            cwd=desk.folder, env=environment, capture_output=True, text=True, timeout=60,
            check=True,
        )  # fmt: skip
        return [line.partition("\t")[0] for line in done.stdout.splitlines()]

    assert complete("vers") == ["version", ":4"]
    assert complete("seal", "--cluster", "") == ["prod", "staging", ":4"]
    assert complete("inspect", "") == [":0"]


def installed(shell: str) -> str:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed on this machine")
    return program


def plain(folder: Path) -> dict[str, str]:
    """Return an environment without anybody's settings."""
    return {
        "PATH": f"{HERE}:{os.environ['PATH']}",
        "HOME": str(folder.parent),
        "PS1": PROMPT,
        "INPUTRC": os.devnull,
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "200",
    }


class Session:
    """A shell at a terminal. It is read until what is expected came, or for a minute."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._await(PROMPT)

    def type(self, keys: str) -> str:
        """Type a line and return what shows until the next prompt."""
        os.write(self._terminal, keys.encode())
        return self._await(PROMPT)

    def completed(self, line: str) -> str:
        """Return what a line becomes with a TAB at its end."""
        shown = self.type(f"{line}\t\x01echo RESULT= \n")
        (result,) = re.findall(r"[\r\n]RESULT= ([^\r\n]*)", shown)
        return str(result).strip()

    def _await(self, expected: str) -> str:
        shown = ""
        # A prompt begins a line; a line that is typed follows one.
        while not re.search(rf"(^|[\r\n])[^\r\n]*{expected}[^\r\n]*$", shown) or (
            "RESULT=" in shown and not re.search(r"[\r\n]RESULT=[^\r\n]*[\r\n]", shown)
        ):
            ready, _, _ = select.select([self._terminal], [], [], 60)
            assert ready, f"nothing came any more after: {shown}"
            shown += os.read(self._terminal, 65536).decode(errors="replace")
        return re.sub(r"\x1b(\[[0-9;?]*[a-zA-Z]|[=>]|\][^\x07]*\x07|\([A-Z])", "", shown)


@contextmanager
def terminal(command: list[str], folder: Path) -> Iterator[Session]:
    """Run a shell at a terminal of its own, without anybody's settings."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=plain(folder),
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Session(ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
