"""What can be known about Windows without one: paths, names, and modules that are not there."""

from __future__ import annotations

import json
import ntpath
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from sealkit.config import Config, Rule
from sealkit.files import inside
from tests.sealkit.cli.desk import CANARY, Desk, secret_text

# Python as it is on Windows, as far as we use it: modules and names that are not there. Libraries
# are loaded before, as they are others there.
PREPARED: Final = """\
import importlib, json, os, pkgutil, signal, sys
import click, cryptography.x509, getpass, glob, hvac, kubernetes.client, multiprocessing, pyrage
import nacl.public, shutil, socketserver, sqlite3, ssl, subprocess, tempfile, yaml, zipfile
from cryptography.hazmat.primitives import hpke, serialization
from concurrent.futures import ProcessPoolExecutor

GONE = {"fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "syslog", "crypt"}
SIGNALS = ("HUP", "QUIT", "KILL", "PIPE", "XFSZ", "CHLD", "USR1", "USR2", "ALRM", "WINCH", "TSTP")

class Blocked:
    def find_spec(self, name, *_):
        if name in GONE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in GONE:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Blocked())
for name in SIGNALS:
    delattr(signal, f"SIG{name}")
for name in ("pthread_sigmask", "sigtimedwait", "sigwait", "SIG_BLOCK", "SIG_SETMASK", "alarm"):
    delattr(signal, name)
for name in (
    "getuid", "geteuid", "getgid", "fchmod", "chown", "posix_spawn", "mkfifo", "fork", "uname",
    "sched_getaffinity", "WNOHANG", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK",
    "memfd_create", "getpgid", "killpg", "setsid", "openpty",
):
    delattr(os, name)
os.O_BINARY = 0
sys.platform = "win32"
"""
IMPORTING: Final = """
import sealkit
names = [one.name for one in pkgutil.walk_packages(sealkit.__path__, "sealkit.")]
failed = {}
for name in names:
    if name == "sealkit.__main__":
        continue
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
print(json.dumps([len(names), failed]))
"""
RUNNING: Final = """
from sealkit.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def python(code: str, *arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-c", PREPARED + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def test_every_module_can_be_imported() -> None:
    done = python(IMPORTING)
    assert done.returncode == 0, done.stderr
    number, failed = json.loads(done.stdout)
    assert (failed, number > 100) == ({}, True)


def on_windows(
    desk: Desk, *arguments: str | Path, code: int = 0, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    done = python(RUNNING, *arguments, cwd=desk.folder, input=stdin, env=env)
    assert done.returncode == code, done.stderr
    assert "internal error" not in done.stderr
    return done


def test_what_works_everywhere(desk: Desk) -> None:
    desk.write("apps/a.yaml", secret_text("a").replace("\n", "\r\n"))
    on_windows(desk, "seal", "-i", "apps/a.yaml")
    on_windows(desk, "set", "apps/a.yaml", "TOKEN", stdin="t")
    on_windows(desk, "set", "-f", "apps", "PASSWORD", stdin="new")
    on_windows(desk, "unset", "apps/a.yaml", "USER")
    on_windows(desk, "rewrap", "apps", "--key", desk.key_file("prod"))
    on_windows(desk, "compact", "apps", "--key", desk.key_file("prod"))
    assert desk.values(desk.read("apps/a.yaml")) == {"PASSWORD": b"new", "TOKEN": b"t"}
    assert desk.read("apps/a.yaml").count("\n") == desk.read("apps/a.yaml").count("\r\n")


def test_what_only_reads_works_everywhere(desk: Desk) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(desk.folder))
    desk.ok("seal", "-o", "a.yaml", stdin=secret_text("a"))
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "x")):
        subprocess.run([*git, *words], check=True)
    desk.ok("set", "a.yaml", "PASSWORD", stdin="new")
    program = desk.keys_folder / "git.EXE"  # as it is looked for there
    program.write_text('#!/bin/sh\nexec git "$@"\n')
    program.chmod(0o700)
    path = f"{desk.keys_folder}{os.pathsep}{os.environ['PATH']}"
    on_windows(desk, "verify", ".")
    on_windows(desk, "scan", ".")
    assert "PASSWORD" in on_windows(desk, "diff", PATH=path, PATHEXT=".EXE").stdout
    assert "a.yaml:1: shop/a" in on_windows(desk, "inspect", "a.yaml").stdout
    assert "new" in on_windows(desk, "view", "a.yaml", "--key", desk.key_file("prod")).stdout


@pytest.mark.parametrize("verb", ["edit", "run"])
def test_what_needs_another_system_says_so(desk: Desk, verb: str) -> None:
    desk.ok("seal", "-o", "a.yaml", stdin=secret_text("a"))
    before = desk.files()
    run = ("run", "--file", "a.yaml", "--key", desk.key_file("prod"), "--", sys.executable)
    done = on_windows(desk, *{"edit": ("edit", "a.yaml"), "run": run}[verb], code=2)
    expected = {"edit": "edit needs Linux or macOS", "run": "--file needs Linux"}[verb]
    assert done.stderr.startswith(f"sealkit: error: {expected}\nsealkit: hint: ")
    assert desk.files() == before


def test_a_program_gets_variables_and_its_exit_code_is_ours(desk: Desk) -> None:
    desk.ok("seal", "-o", "a.yaml", stdin=secret_text("a", TOKEN=f"{CANARY}ü"))
    line = ("run", "a.yaml", "--key", desk.key_file("prod"), "--", sys.executable, "-c")
    program = "import os, sys; print(os.environ['TOKEN'] == sys.argv[1], os.getppid()); sys.exit(7)"
    done = on_windows(desk, *line, program, f"{CANARY}ü", code=7)
    same, parent = done.stdout.split()
    assert (same, int(parent) != os.getpid()) == ("True", True)  # we waited for it
    broken = desk.write("broken.exe", b"\x7fELF")
    broken.chmod(0o755)
    done = on_windows(desk, *line[:-2], broken, code=1)
    assert "cannot be started" in done.stderr
    assert CANARY not in done.stderr


@pytest.mark.parametrize(
    ("target", "folder", "expected"),
    [
        (r"C:\repo\apps\prod\a.yaml", r"C:\repo", "apps/prod/a.yaml"),
        (r"c:\REPO\apps\prod\a.yaml", r"C:\repo", "apps/prod/a.yaml"),
        (r"C:\repo\Apps/prod\a.yaml", r"C:\repo", "Apps/prod/a.yaml"),
        (r"C:\repo\a.yaml", "C:\\", "repo/a.yaml"),
        (r"C:\Repo", r"C:\repo", "."),
        (r"C:\repo\..\a.yaml", r"C:\repo", "../a.yaml"),
        (r"\\host\share\apps\prod\a.yaml", r"\\host\share", "apps/prod/a.yaml"),
        (r"D:\repo\apps\prod\a.yaml", r"C:\repo", None),
        (r"C:\repository\apps\prod\a.yaml", r"C:\repo", None),
        (r"apps\prod\a.yaml", r"C:\repo", None),
    ],
)
def test_places_are_told_with_slashes(
    monkeypatch: pytest.MonkeyPatch, target: str, folder: str, expected: str | None
) -> None:
    monkeypatch.setattr("sealkit.files.os", SimpleNamespace(path=ntpath, sep=ntpath.sep))
    check_place(inside(target, folder), expected)


@pytest.mark.parametrize(
    ("target", "folder", "expected"),
    [
        ("/repo/apps/prod/a.yaml", "/repo", "apps/prod/a.yaml"),
        ("/repo/a.yaml", "/", "repo/a.yaml"),
        ("/repo", "/repo", "."),
        ("/repo/Apps", "/Repo", None),
        ("/repo/a\\b", "/repo", "a\\b"),
        ("/apps/prod/a.yaml", "/repo", None),
        ("/repository/a.yaml", "/repo", None),
        ("repo/a.yaml", "/repo", None),
    ],
)
def test_places_are_told_as_they_are_elsewhere(
    target: str, folder: str, expected: str | None
) -> None:
    check_place(inside(target, folder), expected)


def check_place(path: str | None, expected: str | None) -> None:
    """What is told is what globs see."""
    assert path == expected
    if path == "apps/prod/a.yaml":
        assert Rule(("apps/*/a.yaml",), ()).matches(path)
        assert not Rule(("apps/*.yaml",), ()).matches(path)


def test_a_file_elsewhere_has_no_rule(tmp_path: Path) -> None:
    rule = Rule(("**",), ())
    assert Config(str(tmp_path / "a"), {}, (rule,)).rule_for(str(tmp_path / "b.yaml")) is None
    assert Config(str(tmp_path), {}, (rule,)).rule_for(str(tmp_path / "b.yaml")) is rule


@pytest.mark.parametrize("name", ["con", "nul", "com1", "lpt9.eu", "aux"])
def test_no_file_is_made_that_windows_cannot_have(desk: Desk, name: str) -> None:
    recipient = desk.recipient("prod")
    before = desk.files()
    result = desk.run("clusters", "add", name, recipient)
    assert (result.code, desk.files()) == (2, before)
    assert f"clusters.{name}: '{name}.pub' can be no file on Windows" in result.err


def test_names_that_only_look_like_devices_are_good(desk: Desk) -> None:
    desk.ok("clusters", "add", "console", desk.recipient("prod"))
