"""HTTP to one server: under a deadline, up to a size, never to another host, never twice.

`requests` takes this as its transport adapter, so that its own ideas of proxies, redirects, trust
and environment have nothing to act on: there is one pool, and it leads to one server.
"""

from __future__ import annotations

import http.client
import io
import ssl
import time
from collections.abc import Callable
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from sealkit.errors import VaultError
from sealkit.vault.reason import Reason
from sealkit.vault.server import Limits, Server, tls_context

if TYPE_CHECKING:
    import socket

_CHUNK_BYTES: Final = 1 << 16
_KEPT_HEADERS: Final = ("Retry-After",)  # no Location, no Set-Cookie
_FAILURES: Final = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


def session_to(
    server: Server, limits: Limits, monotonic: Callable[[], float] = time.monotonic
) -> requests.Session:
    """Return a session that reaches this server only. For any number of threads.

    Raises:
        VaultError: InvalidReference, as for `tls_context`.
    """
    session = requests.Session()
    session.trust_env = False  # else .netrc would add a password, and variables a CA
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update({"User-Agent": "sealkit", "Accept": "application/json"})
    door = _Door(server, limits, monotonic)
    session.adapters.clear()
    session.mount(f"{urlsplit(server.address).scheme}://", door)
    return session


class _Door(BaseAdapter):
    """The way to one server. Raises VaultError: VaultUnavailable or, for size, TargetTooLarge."""

    def __init__(self, server: Server, limits: Limits, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._limits = limits
        self._timeout = urllib3.Timeout(limits.connect_seconds, limits.read_seconds)
        trust: dict[str, Any] = {}
        kind: type[HTTPConnection] = HTTPConnection
        if urlsplit(server.address).scheme == "https":
            name = server.tls.server_name or None
            trust = {"ssl_context": tls_context(server.tls), "server_hostname": name}
            kind = HTTPSConnection
        self._pool = urllib3.connection_from_url(
            server.address, maxsize=limits.connections, timeout=self._timeout, **trust
        )
        answer = partial(_TimedAnswer, limits=limits, monotonic=monotonic)
        members = {"response_class": staticmethod(answer)}
        self._pool.ConnectionCls = type(kind.__name__, (kind,), members)

    def send(
        self, request: requests.PreparedRequest, *_: object, **__: object
    ) -> requests.Response:
        """Send a request once and read the whole answer, whatever its status."""
        failure = None
        try:
            return self._exchanged(request)
        except _FAILURES as error:
            failure = VaultError(_described(error), Reason.VAULT_UNAVAILABLE)
        raise failure  # outside of the handler: the error holds the request with its token

    def close(self) -> None:
        """Close the connections, for good."""
        self._pool.close()

    def _exchanged(self, request: requests.PreparedRequest) -> requests.Response:
        raw = self._pool.urlopen(
            request.method or "GET",
            request.path_url,
            body=request.body if isinstance(request.body, bytes) else None,
            headers={name: str(value) for name, value in request.headers.items()},
            retries=False,
            redirect=False,
            timeout=self._timeout,
            preload_content=False,
            decode_content=False,
        )
        return _response(request, raw, _whole_body(raw, self._limits.body_bytes))


class _TimedAnswer(http.client.HTTPResponse):
    """An answer that has to be complete, head and body, by a deadline.

    The timeout of a socket starts again with each byte, so by itself it never ends a server that
    sends one now and then.
    """

    def __init__(
        self,
        sock: socket.socket,
        *arguments: Any,
        limits: Limits,
        monotonic: Callable[[], float],
        **options: Any,
    ) -> None:
        super().__init__(sock, *arguments, **options)
        deadline = monotonic() + limits.total_seconds

        def await_more() -> None:
            left_seconds = deadline - monotonic()
            if left_seconds <= 0:
                raise TimeoutError
            sock.settimeout(min(left_seconds, limits.read_seconds))

        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock.makefile("rb", buffering=0), await_more))


class _TimedReader(io.RawIOBase):
    """The bytes of a socket; `await_more` is called before each wait for some."""

    def __init__(self, source: io.RawIOBase, await_more: Callable[[], None]) -> None:
        super().__init__()
        self._source = source
        self._await_more = await_more

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """See `io.RawIOBase`. Raises TimeoutError too."""
        self._await_more()
        return self._source.readinto(buffer)

    def close(self) -> None:
        """See `io.RawIOBase`."""
        self._source.close()
        super().close()


def _whole_body(raw: urllib3.BaseHTTPResponse, limit_bytes: int) -> bytes:
    body = bytearray()
    if (raw.length_remaining or 0) <= limit_bytes:
        while chunk := raw.read(_CHUNK_BYTES, decode_content=False):
            body += chunk
            if len(body) > limit_bytes:
                break
        else:
            return bytes(body)
    raw.close()
    raw.release_conn()
    raise VaultError(
        f"the answer is longer than {limit_bytes} bytes", Reason.TARGET_TOO_LARGE, status=raw.status
    )


def _response(
    request: requests.PreparedRequest, raw: urllib3.BaseHTTPResponse, body: bytes
) -> requests.Response:
    """Return only what is needed, so that `requests` sees no redirect to follow and no cookie."""
    response = requests.Response()
    response.request = request
    response.status_code = raw.status
    response.headers.update({k: raw.headers[k] for k in _KEPT_HEADERS if k in raw.headers})
    response.raw = io.BytesIO(body)
    return response


def _described(error: Exception) -> str:
    for cause in (error, *error.args):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted: {cause.verify_message}"
    # To urllib3 a connection that is refused is one that timed out.
    is_refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    if isinstance(error, (TimeoutError, urllib3.exceptions.TimeoutError)) and not is_refused:
        return "the server does not answer in time"
    return f"the server cannot be reached ({type(error).__name__})"
