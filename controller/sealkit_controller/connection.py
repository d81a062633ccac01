"""HTTP to the API server: keep-alive connections with explicit timeouts, and the watch reader.

One connection serves one request at a time; idle ones are kept for the next. Nothing here knows
Kubernetes beyond how a watch separates its events.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

CONNECT_SECONDS: Final = 3.0
# An idle connection older than this is looked at before it is used: the server may have closed it.
_TRUSTED_IDLE_SECONDS: Final = 1.0
_READ_BYTES: Final = 1 << 16
_MAX_RESPONSE_BYTES: Final = 1 << 28  # a page of 500 objects of the largest size
_MAX_LINE_BYTES: Final = 1 << 16
_MAX_HEADERS: Final = 200
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
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


class _Connection:
    """An open connection and the buffer in front of it."""

    __slots__ = ("reader", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.reader: BinaryIO = sock.makefile("rb")

    def close(self) -> None:
        self.reader.close()
        self.sock.close()


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
        connection = _Connection(self._connect())
        self._send(connection, request)
        return self._receive(connection)

    def stream(self, request: Request) -> Stream:
        """Send a request on a connection of its own and read the head of the response.

        Raises:
            OSError, HTTPException: see `Failure`.
        """
        sock = self._connect()
        with _closed_on_error(sock):
            self._write(sock, request)
            response = http.client.HTTPResponse(sock)
            response.begin()
            return Stream(sock, response)

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
        except (ConnectionError, http.client.RemoteDisconnected):
            # Not after a timeout: the server may still be working on it.
            if not request.repeatable:
                raise
            return None

    def _send(self, connection: _Connection, request: Request) -> None:
        with _closed_on_error(connection):
            self._write(connection.sock, request)

    def _write(self, sock: socket.socket, request: Request) -> None:
        sock.settimeout(request.timeout_seconds)
        sock.sendall(_message(request, f"{self._access.host}:{self._access.port}"))

    def _receive(self, connection: _Connection) -> Response:
        with _closed_on_error(connection):
            response, reusable = read_response(connection.reader)
        self._keep(connection, reusable=reusable)
        return response

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

    def _connect(self) -> socket.socket:
        access = self._access
        sock = socket.create_connection((access.host, access.port), timeout=CONNECT_SECONDS)
        with _closed_on_error(sock):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if access.tls is None:
                return sock
            name = access.server_name or access.host
            return access.tls.wrap_socket(sock, server_hostname=name)


@contextlib.contextmanager
def _closed_on_error(opened: socket.socket | _Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        opened.close()
        raise


def _message(request: Request, host: str) -> bytes:
    """Return head and body as one piece: one write is one packet and one TLS record.

    Raises:
        HTTPException: a header would break out of its line.
    """
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.method != "GET":
        lines.append(f"Content-Length: {len(request.body)}")
    if any("\r" in line or "\n" in line or not line.isascii() for line in lines):
        raise http.client.HTTPException("not fit for a header")  # such as a damaged token
    return "\r\n".join([*lines, "", ""]).encode("ascii") + request.body


def read_response(reader: BinaryIO) -> tuple[Response, bool]:
    """Read one response (RFC 9112); return it, and whether the connection can be used again.

    http.client does the same several times slower, by way of its parser for mail headers, and a
    sync is little but two responses. Streams, which are few, are left to it.

    Raises:
        HTTPException: the response breaks off or is not HTTP.
        OSError: the connection failed.
    """
    status = 100
    while 100 <= status < 200:
        status = _read_status(reader)
        headers = _read_headers(reader)
    chunked = headers.get(b"transfer-encoding", b"").lower() == b"chunked"
    length = headers.get(b"content-length")
    if status in {204, 304}:
        body = b""
    elif chunked:
        body = b"".join(_read_chunks(reader))
    elif length is not None:
        body = _read_exactly(reader, _number(length, 10))
    else:
        body = reader.read(_MAX_RESPONSE_BYTES)
    closes = b"close" in headers.get(b"connection", b"").lower()
    delimited = chunked or length is not None or status in {204, 304}
    retry_after = headers.get(b"retry-after", b"").decode("latin-1")
    return Response(status, retry_after, body), delimited and not closes


def _read_status(reader: BinaryIO) -> int:
    line = reader.readline(_MAX_LINE_BYTES)
    if not line:
        raise http.client.RemoteDisconnected("the connection ended before a response")
    match = _STATUS_LINE.match(line)
    if not match:
        raise http.client.BadStatusLine("")  # without the line: it may be anything
    return int(match[1])


def _read_headers(reader: BinaryIO) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for _ in range(_MAX_HEADERS):
        line = reader.readline(_MAX_LINE_BYTES)
        if line in {b"\r\n", b"\n"}:
            return headers
        name, colon, value = line.partition(b":")
        if not colon or not line.endswith(b"\n"):
            raise http.client.IncompleteRead(b"")
        headers[name.lower()] = value.strip()
    raise http.client.HTTPException("too many headers")


def _read_chunks(reader: BinaryIO) -> Iterator[bytes]:
    total = 0
    while size := _number(reader.readline(_MAX_LINE_BYTES).partition(b";")[0].strip(), 16):
        total += size
        if total > _MAX_RESPONSE_BYTES:
            raise http.client.HTTPException("the response is too long")
        yield _read_exactly(reader, size)
        _read_exactly(reader, 2)
    _read_headers(reader)  # trailers


def _read_exactly(reader: BinaryIO, size: int) -> bytes:
    if size > _MAX_RESPONSE_BYTES:
        raise http.client.HTTPException("the response is too long")
    body = reader.read(size)
    if len(body) != size:
        raise http.client.IncompleteRead(b"")
    return body


def _number(digits: bytes, base: int) -> int:
    if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", digits):
        raise http.client.IncompleteRead(b"")
    try:
        return int(digits, base)
    except ValueError:
        raise http.client.HTTPException("not a length") from None


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
