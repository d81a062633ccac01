"""HTTP to the API server: keep-alive connections with explicit timeouts, and the watch reader.

One connection serves one request at a time; idle ones are kept for the next. Nothing here knows
Kubernetes beyond how a watch separates its events.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Final

CONNECT_SECONDS: Final = 3.0
# An idle connection older than this is looked at before it is used: the server may have closed it.
_TRUSTED_IDLE_SECONDS: Final = 1.0
_READ_BYTES: Final = 1 << 16
_MAX_RESPONSE_BYTES: Final = 1 << 28  # a page of 500 objects of the largest size
_MAX_EVENT_BYTES: Final = 1 << 24  # etcd refuses objects beyond 1.5 MiB by far

Failure = (OSError, http.client.HTTPException)


def no_authorization(renew: bool) -> str:  # noqa: FBT001  (the type of the field below)
    """Send no credentials."""
    del renew
    return ""


@dataclass(frozen=True)
class Access:
    """Where an API server is and how to prove who we are.

    `authorization(renew)` returns the header's value, "" for none; with `renew` it must read the
    token again from its source. `tls` of None means plain HTTP, for a local proxy. `server_name`
    is the name in the certificate where that differs from `host`.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    base_path: str = ""
    server_name: str = ""
    authorization: Callable[[bool], str] = no_authorization


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `repeatable` means that sending it twice does no harm.

    The timeout is that of each read or write, not of the whole.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    repeatable: bool = False
    timeout_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response."""

    status: int
    retry_after: str
    body: bytes


class _Connection(HTTPConnection):
    """A connection that sends a request in one piece, not head and body in one each.

    Each piece is a TLS record, a system call and a turn of the threads, here and at the server.
    """

    def __init__(self, sock: socket.socket, host: str, port: int) -> None:
        super().__init__(host, port)
        self.auto_open = 0  # never by itself, which would be without TLS
        self.sock = sock
        self._pieces: list[bytes] = []

    def send(self, data: bytes) -> None:  # type: ignore[override]  # only what `request` passes
        """Keep a piece until `flush`."""
        self._pieces.append(data)

    def flush(self) -> None:
        """Send what was kept."""
        pieces, self._pieces = self._pieces, []
        self.sock.sendall(b"".join(pieces))


class Pool:
    """Idle keep-alive connections to one server, the most recently used first."""

    def __init__(self, access: Access, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._access = access
        self._now = monotonic
        self._idle: deque[tuple[_Connection, float]] = deque()
        self._closed = False

    def exchange(self, request: Request) -> Response:
        """Send a request and read the whole response.

        A kept connection that turns out to be closed is replaced once, if the request cannot have
        been acted on or may be repeated.

        Raises:
            OSError, HTTPException: see `Failure`.
        """
        kept = self._take_idle()
        if kept is not None:
            response = self._try_kept(kept, request)
            if response is not None:
                return response
        connection = self._connect()
        self._send(connection, request)
        return self._receive(connection)

    def stream(self, request: Request) -> Stream:
        """Send a request on a connection of its own and read the head of the response.

        Raises:
            OSError, HTTPException: see `Failure`.
        """
        connection = self._connect()
        self._send(connection, request)
        with _closed_on_error(connection):
            sock = connection.sock  # http.client forgets it when the response ends the connection
            return Stream(sock, connection.getresponse())

    def close(self) -> None:
        """Close the idle connections, and from now on each connection after its request."""
        self._closed = True
        while self._idle:
            self._idle.pop()[0].close()

    def _try_kept(self, kept: _Connection, request: Request) -> Response | None:
        try:
            self._send(kept, request)
        except ConnectionError:
            return None  # the server never had the whole of it
        try:
            return self._receive(kept)
        except ConnectionError:
            # Not after a timeout: the server may still be working on it.
            if not request.repeatable:
                raise
            return None

    def _send(self, connection: _Connection, request: Request) -> None:
        with _closed_on_error(connection):
            connection.sock.settimeout(request.timeout_seconds)
            try:
                connection.request(
                    request.method,
                    request.path,
                    request.body if request.method != "GET" else None,
                    dict(request.headers),
                )
                connection.flush()
            except ValueError:  # such as a damaged token, which its text would show
                raise http.client.HTTPException("not fit for a header") from None

    def _receive(self, connection: _Connection) -> Response:
        with _closed_on_error(connection):
            answer = connection.getresponse()
            body = _whole_body(answer)
        self._keep(connection, reusable=not answer.will_close)
        return Response(answer.status, answer.getheader("Retry-After", ""), body)

    def _keep(self, connection: _Connection, *, reusable: bool) -> None:
        if reusable and not self._closed:
            self._idle.append((connection, self._now()))
            if not self._closed:  # else close() ran in between and may have missed it
                return
            self.close()
        connection.close()

    def _take_idle(self) -> _Connection | None:
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if self._now() - since < _TRUSTED_IDLE_SECONDS or not _is_readable(connection.sock):
                return connection
            connection.close()

    def _connect(self) -> _Connection:
        """Open a connection. The socket is made here: TLS by another name than the host's."""
        access = self._access
        sock = socket.create_connection((access.host, access.port), timeout=CONNECT_SECONDS)
        with _closed_on_error(sock):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if access.tls is not None:
                name = access.server_name or access.host
                sock = access.tls.wrap_socket(sock, server_hostname=name)
        return _Connection(sock, access.host, access.port)


@contextlib.contextmanager
def _closed_on_error(opened: socket.socket | HTTPConnection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        opened.close()
        raise


def _whole_body(answer: http.client.HTTPResponse) -> bytes:
    """Read a body of known length, or in chunks.

    Raises:
        HTTPException: it breaks off, or is too long. A body that only the end of the connection
            ends cannot be told from one that broke off, and no API server sends one.
    """
    if answer.chunked:
        body = answer.read(_MAX_RESPONSE_BYTES)
        is_too_long = bool(answer.read(1))
    elif answer.length is not None:
        is_too_long = answer.length > _MAX_RESPONSE_BYTES
        body = (
            b"" if is_too_long else answer.read()
        )  # notices a missing end, with a size it does not
    else:
        raise http.client.IncompleteRead(b"")
    if is_too_long:
        raise http.client.HTTPException("the response is too long")
    return body


def _is_readable(sock: socket.socket) -> bool:
    """Between responses a server sends nothing, so something to read is the end of the stream."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class Stream:
    """A response whose end is not waited for. `close` from another thread ends the iteration."""

    def __init__(self, sock: socket.socket, response: http.client.HTTPResponse) -> None:
        self._sock = sock
        self._response = response
        self._closed = False
        self._reading = False
        self.status = response.status

    def lines(self) -> Generator[bytes]:
        """Yield each complete line, then close. A last line without its end is half an event.

        Raises:
            OSError, HTTPException: see `Failure`; not after `close`.
        """
        self._reading = True
        try:
            yield from self._lines()
        except (*Failure, ValueError, AttributeError):
            # The last two: http.client trips over a response that is closed under it.
            if not self._closed:
                raise
        finally:
            self._release()

    def _lines(self) -> Iterator[bytes]:
        pending = b""
        while not self._closed and (chunk := self._response.read1(_READ_BYTES)):
            *complete, rest = chunk.split(b"\n")
            if complete:
                yield pending + complete[0]
                yield from complete[1:]
                pending = b""
            pending += rest
            if len(pending) > _MAX_EVENT_BYTES:
                raise http.client.HTTPException("an event is too long")

    def finish(self) -> Response:
        """Read the rest as one response, and close.

        Raises:
            OSError, HTTPException: see `Failure`.
        """
        try:
            body = self._response.read(_MAX_EVENT_BYTES)
            return Response(self.status, self._response.getheader("Retry-After", ""), body)
        finally:
            self._release()

    def close(self) -> None:
        """Wake the reader and end it; release everything if nobody reads."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if not self._reading:
            self._release()

    def _release(self) -> None:
        self._response.close()
        self._sock.close()
