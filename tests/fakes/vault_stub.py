"""An HTTP server on loopback that answers exactly what a test tells it to."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The token it came with."""
        return self.headers.get("x-vault-token", "")


@dataclass(frozen=True)
class Reply:
    """A proper answer of JSON, or of bytes as they are."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        """The answer as it goes over the wire."""
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body or {}).encode()
        fields = {"Content-Type": "application/json", "Content-Length": len(body), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Whatever", *(f"{k}: {v}" for k, v in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode() + (b"" if self.status == 204 else body)


# Pieces of bytes are sent as they come, and the connection is closed after the last.
Script = Callable[[Asked], Reply | Iterable[bytes]]


@dataclass
class Stub:
    """Where it listens, and what arrived."""

    address: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def stub(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """Serve on a free port for as long as a block lasts."""
    heard = Stub("")
    with _Server(("127.0.0.1", 0), _handler(script, heard)) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        heard.address = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away, or did not like the certificate."""


def _handler(script: Script, heard: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_GET(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, json.loads(raw) if raw else {})
            heard.asked.append(asked)
            said = script(asked)
            pieces = [said.raw()] if isinstance(said, Reply) else said
            self.close_connection = not isinstance(said, Reply)
            for piece in pieces:
                self.wfile.write(piece)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (its name)
            """Say nothing."""

    return Handler
