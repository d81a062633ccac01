"""A Vault server for the demo: OpenBao in its development mode, on this machine, for a moment."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sealkit.errors import SealkitError

_START_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class OpenBao:
    """Where the server is, and the token of its administrator, who is nobody's but the demo's."""

    address: str
    token: str


@contextmanager
def running_openbao(binary: str, folder: Path) -> Iterator[OpenBao]:
    """Run a server in memory, ready when the block begins.

    Raises:
        SealkitError: it ended, or is not ready in time.
    """
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    server = OpenBao(f"http://127.0.0.1:{port}", secrets.token_urlsafe(16))
    command = [binary, "server", "-dev", "-dev-no-store-token"]
    command += [f"-dev-listen-address=127.0.0.1:{port}", f"-dev-root-token-id={server.token}"]
    with (folder / "openbao.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (found on PATH)
            command, cwd=folder, stdout=log, stderr=log, env={"HOME": str(folder)}
        )
        try:
            _await(server, process)
            yield server
        finally:
            process.terminate()
            process.wait()


def _await(server: OpenBao, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while not _is_ready(server):
        if process.poll() is not None or time.monotonic() > give_up:
            raise SealkitError("OpenBao did not start", hint="take bao off PATH to do without")
        time.sleep(_POLL_SECONDS)


def _is_ready(server: OpenBao) -> bool:
    """Tell whether the mounts of the development mode are there: they come last."""
    place = urlsplit(server.address)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=5)
    try:
        connection.request("GET", "/v1/secret/config", headers={"X-Vault-Token": server.token})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
