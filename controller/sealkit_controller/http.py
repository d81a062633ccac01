"""The two HTTP servers: probes with metrics, and the public key. Neither opens anything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from sealkit.crypto.recipient import Recipient

_TEXT: Final = "text/plain; charset=utf-8"
_REQUEST_SECONDS: Final = 10.0  # a client that sends nothing must not hold a thread


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    content: bytes
    content_type: str = _TEXT


Routes = Mapping[str, Callable[[], Page]]


def probe_routes(
    is_alive: Callable[[], bool], is_ready: Callable[[], bool], registry: CollectorRegistry
) -> Routes:
    """Return what is for the kubelet and for Prometheus, within the cluster only."""
    return {
        "/healthz": lambda: _verdict(is_alive()),
        "/readyz": lambda: _verdict(is_ready()),
        "/metrics": lambda: Page(200, generate_latest(registry), CONTENT_TYPE_LATEST),
    }


def public_routes(recipient: Callable[[], Recipient | None]) -> Routes:
    """Return what anyone may see: the key that manifests are sealed to."""

    def current() -> Page:
        found = recipient()
        if found is None:
            return Page(503, b"no key yet\n")
        return Page(200, str(found).encode())

    return {"/v1/recipient": current}


def _verdict(good: bool) -> Page:  # noqa: FBT001  (one word in, one word out)
    return Page(200, b"ok\n") if good else Page(503, b"failed\n")


class Server:
    """Serves GET and HEAD for a few fixed paths, in threads. `start` opens it, `stop` closes it."""

    def __init__(self, address: str, port: int, routes: Routes) -> None:
        """Bind to `port`, 0 for any free one.

        Raises:
            OSError: the port cannot be had.
        """
        self._server = _Listener((address, port), _handler(routes))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name=f"http-{self.port}", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that is served."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a kept connection of a scraper would hold up the end

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away: a traceback is no line of a log."""


def _handler(routes: Routes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _REQUEST_SECONDS
        server_version = "sealkit"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer(with_content=True)

        def do_HEAD(self) -> None:
            self._answer(with_content=False)

        def _answer(self, *, with_content: bool) -> None:
            route = routes.get(self.path.partition("?")[0])
            page = route() if route is not None else Page(404, b"not found\n")
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if with_content:
                self.wfile.write(page.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (inherited name)
            """Log no requests."""

    return Handler
