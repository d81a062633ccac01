"""The installed programs, as processes: start-up, streams, signals, exit codes."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealkit import __version__
from tests.cluster.kubectl import find_kubectl
from tests.sealkit.cli.desk import CANARY, Desk, secret_text

BIN = Path(sys.executable).parent

# No verb that a person waits for may pay for these: each costs more than all of a seal.
SLOW = (
    *("kubernetes", "hvac", "requests", "urllib3", "ssl", "http", "asyncio", "nacl", "pydantic"),
    *(
        "cryptography.x509",
        "cryptography.hazmat.backends",
        "sealkit_controller",
        "rich",
        "structlog",
        "prometheus_client",
        "pyrage",
    ),
    *("pathlib", "tempfile", "subprocess", "logging", "unittest", "email", "importlib.metadata"),
)
# What is loaded is printed at exit, after everything that the verb itself does.
TRACED = """\
import sys
from sealkit.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write("\\n".join(sys.modules))
sys.exit(code)
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A plain environment, with a place for compiled modules: as fast as an installed program."""
    cache = tmp_path_factory.mktemp("pycache")
    home = tmp_path_factory.mktemp("home")
    path = f"{BIN}:{os.environ.get('PATH', '')}"
    return {"PATH": path, "HOME": str(home), "PYTHONPYCACHEPREFIX": str(cache), "LANG": "C.UTF-8"}


@pytest.fixture
def sealed(desk: Desk) -> Desk:
    desk.write("secret.yaml", secret_text())
    desk.write("references.yaml", secret_text(A="vault:kv/a#b", B="plain"))
    desk.ok("seal", "secret.yaml", "-o", "db.yaml")
    return desk


def start(
    desk: Desk, environment: dict[str, str], *command: str | Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, cwd=desk.folder, env=environment, input=stdin, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["seal", "--help"],
        ["version"],
        ["init"],
        ["clusters", "list"],
        ["seal", "secret.yaml"],
        ["seal", "references.yaml"],
        ["inspect", "db.yaml"],
        ["set", "db.yaml", "USER"],
        ["set", "db.yaml", "--reference", "USER=vault:kv/a#b"],
        ["unset", "db.yaml", "USER"],
        ["unseal", "db.yaml", "--key", "KEY"],
        ["vault", "--help"],
        ["vault", "check", "db.yaml"],
    ],
    ids=" ".join,
)
def test_nothing_slow_is_loaded(
    sealed: Desk, environment: dict[str, str], arguments: list[str]
) -> None:
    key = str(sealed.key_file("prod"))
    given = [key if argument == "KEY" else argument for argument in arguments]
    done = start(sealed, environment, sys.executable, "-c", TRACED, *given, stdin=b"x")
    assert done.returncode == 0, done.stderr
    loaded = done.stderr.decode().splitlines()
    assert "sealkit.cli.main" in loaded
    assert [name for name in loaded if name.startswith("sealkit.cli.")]
    assert slow(loaded) == []


def slow(loaded: list[str]) -> list[str]:
    return [name for name in loaded if name.startswith(tuple(f"{bad}." for bad in SLOW))] + [
        name for name in loaded if name in SLOW
    ]


def test_what_is_slow_would_be_found(sealed: Desk, environment: dict[str, str]) -> None:
    arguments = ("clusters", "add", "x", "--kubeconfig", "none")
    done = start(sealed, environment, sys.executable, "-c", TRACED, *arguments)
    assert {"kubernetes", "urllib3", "ssl"} <= set(slow(done.stderr.decode().splitlines()))


def test_help_loads_no_verb(sealed: Desk, environment: dict[str, str]) -> None:
    done = start(sealed, environment, sys.executable, "-c", TRACED, "--help")
    loaded = set(done.stderr.decode().splitlines())
    assert not loaded & {"yaml", "cryptography", "sealkit.cli.seal", "sealkit.crypto"}


@pytest.mark.parametrize(
    "program", [["sealkit"], ["kubectl-sealkit"], [sys.executable, "-m", "sealkit"]], ids=str
)
def test_the_programs_are_one(desk: Desk, environment: dict[str, str], program: list[str]) -> None:
    done = start(desk, environment, *program, "--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"sealkit {__version__}\n")


def test_as_a_plugin_of_kubectl(desk: Desk, environment: dict[str, str]) -> None:
    if find_kubectl() is None:
        pytest.skip("kubectl is not in this environment: run `uv sync`")
    done = start(desk, environment, "kubectl", "sealkit", "seal", stdin=secret_text().encode())
    assert done.returncode == 0
    assert desk.values(done.stdout.decode())["USER"] == b"app"


def test_exit_codes_reach_the_shell(sealed: Desk, environment: dict[str, str]) -> None:
    key, other = sealed.key_file("prod"), sealed.key_file("lab")
    moved = sealed.read("db.yaml").replace("namespace: shop", "namespace: stage").encode()
    codes = [
        start(sealed, environment, "sealkit", *arguments, stdin=moved).returncode
        for arguments in (
            ["inspect", "db.yaml"],
            ["inspect", "none.yaml"],
            ["inspect", "--none"],
            ["unseal", "db.yaml", "--key", str(other)],
            ["unseal", "--key", str(key)],
            ["seal", "--recipient", str(sealed.recipient("lab")), "secret.yaml"],
        )
    ]
    assert codes == [0, 1, 2, 4, 5, 6]


def test_an_interrupt_at_standard_input(desk: Desk, environment: dict[str, str]) -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        ["sealkit", "seal", "-o", "db.yaml"],
        cwd=desk.folder,
        env=environment,
        stdin=terminal,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()  # it says that it waits, so it waits
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        code = process.wait(timeout=30)
    os.close(controller)
    os.close(terminal)
    assert first == b"sealkit: note: reading standard input, Ctrl-D ends it\n"
    assert (code, rest) == (130, b"sealkit: interrupted\n")
    assert not (desk.folder / "db.yaml").exists()


def test_a_password_is_typed_without_echo(sealed: Desk, environment: dict[str, str]) -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        ["sealkit", "set", "db.yaml", "USER"],
        cwd=sealed.folder,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        seen = b""
        while b"USER: " not in seen:
            seen += os.read(controller, 100)
        os.write(controller, f"{CANARY}\n".encode())
        for more in reading(controller):
            seen += more
        assert process.wait(timeout=30) == 0
    os.close(controller)
    assert CANARY.encode() not in seen
    assert sealed.values(sealed.read("db.yaml"))["USER"] == CANARY.encode()


def reading(descriptor: int) -> Iterator[bytes]:
    """Yield what comes until the other side is closed."""
    while True:
        try:
            part = os.read(descriptor, 1000)
        except OSError:  # what Linux says when nobody holds the terminal any more
            return
        if not part:
            return
        yield part


@pytest.mark.parametrize(
    ("command", "code", "talk"),
    [
        ("sealkit seal secret.yaml | true; exit ${PIPESTATUS[0]}", None, ""),
        ("sealkit seal secret.yaml >/dev/full", 1, "stdout: cannot be written: no space left"),
        ("sealkit --help >/dev/full", 1, "no space left"),
        ("sealkit seal secret.yaml >&-", 1, "standard output is closed"),
        ("sealkit seal <&- >out.yaml", 0, "there is no Secret in stdin"),
        ("sealkit seal secret.yaml 2>&- >out.yaml", 0, ""),
        (
            "mkdir gone && cd gone && rmdir ../gone && sealkit inspect x",
            1,
            "the current folder: no",
        ),
    ],
    ids=["pipe", "full", "help-full", "no-stdout", "no-stdin", "no-stderr", "no-folder"],
)
def test_streams_that_fail(
    sealed: Desk, environment: dict[str, str], command: str, code: int | None, talk: str
) -> None:
    done = start(sealed, environment, "bash", "-c", command)
    told = done.stderr.decode()
    assert "Traceback" not in told
    assert "Exception" not in told
    assert talk in told
    assert done.returncode in ({0, 1} if code is None else {code}), told


def test_a_reader_who_leaves_early_is_no_news(sealed: Desk, environment: dict[str, str]) -> None:
    many = "---\n".join(secret_text(f"db-{number}") for number in range(60))
    sealed.write("many.yaml", many)
    command = "sealkit seal many.yaml 2>talk | head -c 1; exit ${PIPESTATUS[0]}"
    done = start(sealed, environment, "bash", "-c", command)
    assert done.returncode == 1
    assert sealed.read("talk") == ""


def test_all_of_it_is_on_the_path() -> None:
    for program in ("sealkit", "kubectl-sealkit", "sealkit-controller"):
        assert shutil.which(program, path=str(BIN)), program


@pytest.mark.parametrize("verb", ["sandbox", "demo"])
def test_without_the_part_for_servers_it_is_named(
    desk: Desk, environment: dict[str, str], verb: str
) -> None:
    if find_kubectl() is None:
        pytest.skip("kubectl is not in this environment: run `uv sync`")
    code = "import sys; sys.modules['structlog'] = None\n" + TRACED
    done = start(desk, environment, sys.executable, "-c", code, verb)
    assert done.returncode == 1
    assert done.stderr.startswith(
        b"sealkit: error: structlog is not installed\n"
        b"sealkit: hint: pip install 'sealkit[controller]'\n"
    )
    assert list(desk.folder.glob("*kubeconfig*")) == []


def test_a_sandbox_ends_at_once_when_told_to(desk: Desk, environment: dict[str, str]) -> None:
    command = ["sealkit", "sandbox", "--kubeconfig", "kc"]
    with subprocess.Popen(
        command, cwd=desk.folder, env=environment, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert (desk.folder / "kc").stat().st_mode & 0o777 == 0o600
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        code = process.wait(timeout=30)
    assert first.startswith(b"sandbox at https://127.0.0.1:")
    assert (code, rest.splitlines()[-1]) == (0, b"sandbox stopped")
