"""`sealkit run`: a program gets the values, and nobody else."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sealkit.cli import scratch
from sealkit.cli.run import FOLDER
from sealkit.errors import UsageError
from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import CANARY, Desk, Result, secret_text

FILE: Final = "db.yaml"
REFERENCE: Final = "vault:kv/shop/db#password"
PRINT: Final = """\
import os, sys
sys.stdout.buffer.write(b"|".join(os.environb[name.encode()] for name in sys.argv[1:]))
"""


@pytest.fixture
def sealed(desk: Desk) -> Desk:
    desk.environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    desk.ok("seal", "-o", FILE, stdin=secret_text(PASSWORD=CANARY, USER="app"))
    return desk


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err
    assert CANARY not in result.err


def arguments(desk: Desk, *more: str | Path) -> list[str]:
    return [str(one) for one in ("run", FILE, "--key", desk.key_file("prod"), *more)]


def start(desk: Desk, *more: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run it as a process, which becomes the program."""
    return subprocess.run(
        [sys.executable, "-m", "sealkit", *arguments(desk, *more)],
        cwd=desk.folder,
        env=desk.environment,
        capture_output=True,
        check=False,
    )


class Replaced:
    """What stands in for the one call that replaces this process."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[str, ...], Mapping[str, Any]]] = []
        self.error: OSError | None = None

    def __call__(self, program: str, line: tuple[str, ...], environment: Mapping[str, Any]) -> None:
        self.calls.append((program, line, environment))
        raise self.error or SystemExit(0)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Replaced:
    double = Replaced()
    monkeypatch.setattr(os, "execve", double)
    return double


def variables(desk: Desk, replaced: Replaced, *more: str | Path) -> dict[str, Any]:
    """Return the variables that the program gets besides those of the user."""
    with pytest.raises(SystemExit):
        desk.run(*arguments(desk, *more))
    ((_, _, environment),) = replaced.calls
    return {name: environment[name] for name in environment if name not in desk.environment}


class TestAsProcess:
    def test_the_program_gets_variables(self, sealed: Desk) -> None:
        done = start(sealed, "--", sys.executable, "-c", PRINT, "PASSWORD", "USER", "PATH")
        path = sealed.environment["PATH"]
        assert done.stdout.decode() == f"{CANARY}|app|{path}"
        assert (done.returncode, done.stderr) == (0, b"")

    def test_it_is_the_process_itself(self, sealed: Desk) -> None:
        program = "echo ready; read line; echo $line $PASSWORD; exit 7"
        command = [sys.executable, "-m", "sealkit", *arguments(sealed, "--", "sh", "-c", program)]
        with subprocess.Popen(
            command,
            cwd=sealed.folder,
            env=sealed.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdin
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            assert line.split(b"\0")[0] == b"sh"
            assert CANARY.encode() not in line
            out, _ = process.communicate(b"hello\n")
        assert out == f"hello {CANARY}\n".encode()
        assert process.returncode == 7

    def test_a_reader_that_leaves_ends_the_program(self, sealed: Desk) -> None:
        for how in ("--env", "--file"):
            status = "yes | head -1; echo ${PIPESTATUS[0]}"
            done = start(sealed, how, "--", "bash", "-c", status)
            assert done.stdout == b"y\n141\n"


class TestVariables:
    def test_values_are_added_to_those_of_the_user(self, sealed: Desk, replaced: Replaced) -> None:
        found = variables(sealed, replaced, "--", "sh", "-c", "--", "x")
        assert found == {"PASSWORD": CANARY.encode(), "USER": b"app"}
        ((program, line, _),) = replaced.calls
        assert Path(program).name == "sh"
        assert line == ("sh", "-c", "--", "x")

    def test_a_value_wins(self, sealed: Desk, replaced: Replaced) -> None:
        sealed.environment["USER"] = "me"
        variables(sealed, replaced, "--", "sh")
        assert replaced.calls[0][2]["USER"] == b"app"

    def test_a_prefix(self, sealed: Desk, replaced: Replaced) -> None:
        found = variables(sealed, replaced, "--prefix", "DB_", "--env", "--", "sh")
        assert found == {"DB_PASSWORD": CANARY.encode(), "DB_USER": b"app"}

    def test_bytes_and_lines(self, desk: Desk, replaced: Replaced) -> None:
        text = secret_text(A="one\ntwo\n", _b="").replace(
            "stringData:", "data: {C: /w==}\nstringData:"
        )
        desk.ok("seal", "-o", FILE, stdin=text)
        assert variables(desk, replaced, "--", "sh") == {
            "A": b"one\ntwo\n",
            "C": b"\xff",
            "_b": b"",
        }

    def test_several_files(self, sealed: Desk, replaced: Replaced) -> None:
        sealed.ok("seal", "-o", "api.yaml", stdin=secret_text("api", TOKEN="t"))
        found = variables(sealed, replaced, FILE, "api.yaml", "--", "sh")
        assert found.keys() == {"PASSWORD", "USER", "TOKEN"}

    @pytest.mark.parametrize(
        ("key", "value", "problem"),
        [
            ("tls.crt", CANARY, "tls.crt: 'tls.crt' is no name of a variable"),
            ("1A", CANARY, "1A: '1A' is no name of a variable"),
            ("PATH", CANARY, "PATH: PATH would change what is executed"),
            ("LD_PRELOAD", CANARY, "LD_PRELOAD: LD_PRELOAD would change"),
            ("GIT_SSH_COMMAND", CANARY, "GIT_SSH_COMMAND: GIT_SSH_COMMAND would change"),
            ("A", f"{CANARY}\0", "A: holds a NUL byte"),
        ],
    )
    def test_what_no_variable_can_be(
        self, sealed: Desk, replaced: Replaced, key: str, value: str, problem: str
    ) -> None:
        sealed.ok("seal", "-o", FILE, stdin=secret_text(**{key: value}))
        result = sealed.run(*arguments(sealed, "--", "sh"))
        refused(result, 2, problem)
        assert "--file gives values as files" in result.err
        assert replaced.calls == []

    def test_a_prefix_makes_it_harmless(self, sealed: Desk, replaced: Replaced) -> None:
        sealed.ok("seal", "-o", FILE, stdin=secret_text(PATH="x"))
        assert variables(sealed, replaced, "--prefix", "A_", "--", "sh") == {"A_PATH": b"x"}

    def test_one_key_in_two_manifests(self, sealed: Desk) -> None:
        sealed.ok("seal", "-o", "api.yaml", stdin=secret_text("api", USER="t"))
        result = sealed.run(*arguments(sealed, "api.yaml", "--", "sh"))
        refused(result, 2, "api.yaml:1: USER: is in another manifest too")

    @pytest.mark.parametrize(
        ("number", "hint"), [(errno.E2BIG, "--file has room"), (errno.ENOEXEC, "")]
    )
    def test_a_program_that_cannot_be_started(
        self, sealed: Desk, replaced: Replaced, number: int, hint: str
    ) -> None:
        before = signal.getsignal(signal.SIGPIPE)
        replaced.error = OSError(number, os.strerror(number))
        result = sealed.run(*arguments(sealed, "--", "sh"))
        refused(result, 1, "'sh' cannot be started: ")
        assert hint in result.err
        assert signal.getsignal(signal.SIGPIPE) == before


class TestFiles:
    def run(self, desk: Desk, program: str) -> Result:
        return desk.run(*arguments(desk, "--file", "--", "sh", "-c", program))

    def test_they_are_there_only_while_it_runs(
        self, sealed: Desk, capfd: pytest.CaptureFixture[str]
    ) -> None:
        program = f"stat -c %a ${FOLDER} ${FOLDER}/*; cat ${FOLDER}/PASSWORD; echo; echo ${FOLDER}"
        result = self.run(sealed, program)
        *lines, folder = capfd.readouterr().out.splitlines()
        assert lines == ["700", "600", "600", CANARY]
        assert not Path(folder).exists()
        assert (result.code, result.out, result.err) == (0, "", "")

    def test_any_key_and_any_bytes(self, sealed: Desk, capfd: pytest.CaptureFixture[str]) -> None:
        text = secret_text().replace("stringData:", "data: {tls.crt: /wA=}\nstringData:")
        sealed.ok("seal", "-o", FILE, stdin=text)
        self.run(sealed, f"od -An -tx1 ${FOLDER}/tls.crt; ls -A ${FOLDER}; env")
        out = capfd.readouterr().out
        assert out.startswith(" ff 00\nPASSWORD\nUSER\ntls.crt\n")
        assert "hunter2" not in out

    @pytest.mark.parametrize(("end", "code"), [("exit 7", 7), ("kill -KILL $$", 137)])
    def test_the_exit_code_is_that_of_the_program(self, sealed: Desk, end: str, code: int) -> None:
        assert self.run(sealed, end).code == code

    def test_what_the_program_leaves_goes_too(
        self, sealed: Desk, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.run(
            sealed, f"mkdir ${FOLDER}/sub; touch ${FOLDER}/sub/x; rm ${FOLDER}/USER; echo ${FOLDER}"
        )
        assert not Path(capfd.readouterr().out.strip()).exists()

    def test_a_folder_that_cannot_be_removed_is_told(self, sealed: Desk) -> None:
        result = self.run(sealed, f"rm -r ${FOLDER}; exit 3")
        assert result.code == 3
        assert result.err.startswith("sealkit: note: ")
        assert result.err.endswith("cannot be removed: no such file or directory\n")

    def test_signals_are_as_before(self, sealed: Desk) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        self.run(sealed, "true")
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before

    def test_a_program_that_cannot_be_started(self, sealed: Desk) -> None:
        sealed.write("program", b"\x7fELF").chmod(0o755)
        result = sealed.run(*arguments(sealed, "--file", "--", sealed.folder / "program"))
        refused(result, 1, f"'{sealed.folder}/program' cannot be started: exec format error")

    def test_no_folder_in_memory(self, sealed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        def none(_: Mapping[str, str]) -> Path:
            raise UsageError("none")

        monkeypatch.setattr(scratch, "folder_in_memory", none)
        result = self.run(sealed, "true")
        refused(result, 2, "there is no folder in memory for --file")
        assert "hint: --env gives values as variables" in result.err

    def test_no_folder_can_be_made(
        self, sealed: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(scratch, "folder_in_memory", lambda _: tmp_path / "gone")
        refused(
            self.run(sealed, "true"), 1, f"{tmp_path}/gone: no folder can be made there: no such"
        )

    def test_files_that_cannot_be_written(
        self, sealed: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(scratch, "folder_in_memory", lambda _: tmp_path)
        sealed.ok("seal", "-o", FILE, stdin=secret_text(**{"x" * 253: CANARY}))
        monkeypatch.setattr(os, "urandom", lambda size: b"y" * size)
        monkeypatch.setattr(os, "replace", _full)
        refused(self.run(sealed, "true"), 1, f"{tmp_path}/sealkit-run-")
        assert [path for path in tmp_path.iterdir() if "run" in path.name] == []


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


SIGNALS = ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2")


class TestSignals:
    """With files `sealkit` stays, and stands between whoever sends a signal and the program."""

    def process(self, desk: Desk, program: str, **options: Any) -> subprocess.Popen[bytes]:
        more = ("--file", "--", "sh", "-c", program)
        command = [sys.executable, "-m", "sealkit", *arguments(desk, *more)]
        options = {"preexec_fn": _listen, **options}
        return subprocess.Popen(command, cwd=desk.folder, env=desk.environment, **options)

    @pytest.mark.parametrize("name", SIGNALS)
    def test_the_program_gets_it_and_the_folder_goes(self, sealed: Desk, name: str) -> None:
        program = f"trap 'echo got; exit 9' {name}; echo ${FOLDER}; while :; do read x; done"
        with self.process(
            sealed, program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout
            folder = Path(process.stdout.readline().decode().strip())
            assert folder.is_dir()
            process.send_signal(getattr(signal, f"SIG{name}"))
            assert process.stdout.readline() == b"got\n"
            assert process.wait() == 9
        assert not folder.exists()

    def test_one_that_ends_the_program(self, sealed: Desk) -> None:
        program = f"echo ${FOLDER}; read x"
        with self.process(
            sealed, program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout
            folder = Path(process.stdout.readline().decode().strip())
            process.terminate()
            assert process.wait() == 128 + signal.SIGTERM
        assert not folder.exists()

    def test_what_is_typed_comes_once(self, sealed: Desk) -> None:
        program = f"trap 'echo got' INT; echo at ${FOLDER}; read x; read x; echo read $x"
        ours, theirs = pty.openpty()
        streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
        with self.process(
            sealed, program, start_new_session=True, preexec_fn=_own, **streams
        ) as it:
            os.close(theirs)
            seen = _until(ours, "at /dev/shm/")
            os.write(ours, b"\x03")
            seen += _until(ours, "got")
            os.write(ours, b"one\ntwo\n")
            seen += _until(ours, "read ")
            assert it.wait() == 0
        os.close(ours)
        assert seen.count("got") == 1


def _listen() -> None:
    """Ignore no signal, even if whoever runs the tests does, such as nohup: that is inherited."""
    for name in SIGNALS:
        signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_DFL)


def _own() -> None:
    """Make standard input the terminal of this session."""
    _listen()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _until(terminal: int, text: str) -> str:
    seen = ""
    while text not in seen:
        seen += os.read(terminal, 1024).decode()
    return seen


class TestVault:
    @pytest.fixture
    def referring(self, sealed: Desk) -> Desk:
        sealed.ok("seal", "-o", FILE, stdin=secret_text(A="one", B=REFERENCE))
        return sealed

    def test_what_is_there_is_not_looked_up(self, referring: Desk) -> None:
        for how in ("--env", "--file"):
            result = referring.run(*arguments(referring, how, "--", "sh"))
            refused(result, 2, "db.yaml:1: B: comes from Vault, it is not here")

    def test_the_user_may_have_set_it(self, referring: Desk, replaced: Replaced) -> None:
        referring.environment |= {"B": "mine"}
        assert variables(referring, replaced, "--", "sh") == {"A": b"one"}
        result = referring.run(*arguments(referring, "--prefix", "X_", "--", "sh"))
        refused(result, 2, "db.yaml:1: B: comes from Vault")
        referring.environment |= {"X_B": "mine"}
        replaced.calls.clear()
        assert variables(referring, replaced, "--prefix", "X_", "--", "sh") == {"X_A": b"one"}

    def test_what_is_made_of_it(self, referring: Desk, replaced: Replaced) -> None:
        raw = yaml.safe_load(referring.read(FILE))
        raw["spec"]["template"] = {"type": "Opaque", "data": {"A": "{{ .B }}"}}
        referring.write(FILE, emit_yaml(raw))
        referring.environment |= {"B": "mine"}
        refused(
            referring.run(*arguments(referring, "--", "sh")), 2, "db.yaml:1: A: comes from Vault"
        )
        referring.environment |= {"A": "mine"}
        assert variables(referring, replaced, "--", "sh") == {}


class TestMistakes:
    def test_no_program(self, sealed: Desk) -> None:
        for end in ([], ["--"]):
            result = sealed.run(*arguments(sealed, *end))
            refused(result, 2, "there is no program to run")
            assert "-- PROGRAM" in result.err

    def test_the_help_says_where_it_goes(
        self, sealed: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sealed.ok("run", "--help")
        assert "FILE... -- PROGRAM [ARGUMENT]..." in capsys.readouterr().out

    def test_a_program_that_is_not_there(self, sealed: Desk) -> None:
        refused(sealed.run(*arguments(sealed, "--", "no-such")), 2, "there is no program 'no-such'")

    @pytest.mark.parametrize("other", ["--env", "--prefix=A_"])
    def test_ways_that_exclude_each_other(self, sealed: Desk, other: str) -> None:
        result = sealed.run(*arguments(sealed, "--file", other, "--", "sh"))
        refused(result, 2, "--file goes neither with --env nor with --prefix")

    def test_no_key_and_no_manifest(self, sealed: Desk, replaced: Replaced) -> None:
        refused(sealed.run("run", FILE, "--", "sh"), 2, "missing option '--key'")
        refused(
            sealed.run("run", FILE, "--key", sealed.key_file("lab"), "--", "sh"), 4, "db.yaml:1"
        )
        key = sealed.key_file("prod")
        refused(
            sealed.run("run", key, "--key", key, "--", "sh"), 2, f"{key}: holds no SealedSecret"
        )
        refused(sealed.run("run", "--key", key, "--", "sh"), 2, "missing argument 'FILE...'")
        assert replaced.calls == []
