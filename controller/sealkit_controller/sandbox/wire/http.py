"""HTTP/1.1 over TLS, one thread for each connection. Knows nothing of Kubernetes."""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote

from sealkit_controller.sandbox.wire.messages import Request, Response, Stream

_MAX_HEAD: Final = 64 * 1024
_MAX_BODY: Final = 3 * 1024 * 1024  # as the real server
_HEADER: Final = re.compile(r"([^:\r\n]+):[ \t]*([^\r\n]*)")
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_LINGER_RESET: Final = struct.pack("ii", 1, 0)  # close sends RST instead of FIN


@dataclass(frozen=True)
class Drop:
    """Reset the connection instead of answering."""


@dataclass(frozen=True)
class Mute:
    """Keep the connection open without answering until the server closes."""


class CutError(Exception):
    """Raised by a stream to have its connection cut in the middle."""


Result = Response | Stream | Drop | Mute
Handler = Callable[[Request], Result]


class _BrokenRequestError(Exception):
    """What came is not a request that can be answered on this connection."""


def listen(port: int) -> socket.socket:
    """Return a socket that listens on the loopback interface; port 0 takes a free one."""
    return socket.create_server(("127.0.0.1", port), backlog=256)


class HttpServer:
    """Serves `handler` on `listener`, which becomes its own, from construction until `close`."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        handler: Handler,
        closing: threading.Event,
    ) -> None:
        self.closing = closing
        self._context = context
        self._handler = handler
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._listener = listener
        self._acceptor = threading.Thread(target=self._accept, name="sandbox-accept", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop: no new connections, open ones are cut, every thread has ended on return."""
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):  # wakes `accept` where the shutdown of a listener does not
            socket.create_connection(self._listener.getsockname(), timeout=1).close()
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            threads = list(self._connections.values())
            for connection in self._connections:
                _shut(connection)
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                continue  # the listener was shut down, or the client was gone already
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="sandbox-connection", daemon=True
            )
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The plain socket stays open beside the TLS one, so that `close` can shut it.
            with self._context.wrap_socket(
                connection.dup(), server_side=True, suppress_ragged_eofs=True
            ) as secure:
                _Conversation(secure, self._handler, self.closing).run()
        except (OSError, _BrokenRequestError):
            pass  # the client went away or does not speak HTTP: nobody is left to tell
        finally:
            with self._lock:
                del self._connections[connection]
            connection.close()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Conversation:
    """The requests and answers on one connection."""

    def __init__(self, secure: ssl.SSLSocket, handler: Handler, closing: threading.Event) -> None:
        self._socket = secure
        self._handler = handler
        self._closing = closing
        self._buffer = b""

    def run(self) -> None:
        """Answer requests until one side has enough."""
        while not self._closing.is_set():
            head = self._read_head()
            if not head:
                return
            request = self._read_request(head)
            if not self._answer(request, self._handler(request)):
                return
            if request.headers.get("connection", "").lower() == "close":
                return

    def _read_head(self) -> bytes:
        """Return the lines before the body, b"" if the client has left."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise _BrokenRequestError
            if not self._fill():
                return b""
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        return head

    def _fill(self) -> bool:
        more = self._socket.recv(64 * 1024)
        self._buffer += more
        return bool(more)

    def _read_request(self, head: bytes) -> Request:
        first, _, rest = head.decode("latin-1").partition("\r\n")
        try:
            method, target, _ = first.split(" ")
        except ValueError as error:
            raise _BrokenRequestError from error
        headers = {name.lower(): value.strip() for name, value in _HEADER.findall(rest)}
        if headers.get("expect", "").lower() == "100-continue":
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        path, _, query = target.partition("?")
        values: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            values.setdefault(name, value)
        return Request(method, unquote(path), values, headers, self._read_body(headers))

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._read_chunks()
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            raise _BrokenRequestError
        return self._read_exactly(int(length))

    def _read_exactly(self, length: int) -> bytes:
        if length > _MAX_BODY:
            self._answer(Request("", ""), Response(413, _TOO_LARGE))
            raise _BrokenRequestError
        while len(self._buffer) < length:
            if not self._fill():
                raise _BrokenRequestError
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _read_chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._buffer:
                if not self._fill():
                    raise _BrokenRequestError
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            size = _chunk_size(line)
            chunk = self._read_exactly(size + 2)[:-2]
            if not size:
                return body
            body += chunk

    def _answer(self, request: Request, result: Result) -> bool:
        """Send the answer and return whether the connection can be used again."""
        match result:
            case Response():
                self._socket.sendall(_head(result.code, result) + b"\r\n" + _body(request, result))
                return True
            case Stream():
                return self._send_stream(result)
            case Drop():
                self._reset()
            case Mute():
                while not self._closing.wait(0.5) and not self._client_has_left():
                    pass
        return False

    def _send_stream(self, stream: Stream) -> bool:
        head = f"HTTP/1.1 {stream.code} OK\r\nContent-Type: {stream.content_type}\r\n"
        self._socket.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for chunk in stream.chunks:
                if chunk:
                    self._socket.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                elif self._client_has_left():
                    return False
        except CutError:
            self._reset()
            return False
        self._socket.sendall(b"0\r\n\r\n")
        return True

    def _client_has_left(self) -> bool:
        """Return whether anything came that is not a new request, which nobody sends in between."""
        readable, _, _ = select.select([self._socket], [], [], 0)
        if not readable:
            return False
        self._socket.settimeout(0)
        try:
            return not self._fill()
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        finally:
            self._socket.settimeout(None)

    def _reset(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)


_TOO_LARGE: Final = (
    b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Request '
    b'entity too large: limit is 3145728","reason":"RequestEntityTooLarge","code":413}'
)


def _chunk_size(line: bytes) -> int:
    text = line.partition(b";")[0].strip()
    if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", text):
        raise _BrokenRequestError
    return int(text, 16)


def _head(code: int, response: Response) -> bytes:
    lines = [
        f"HTTP/1.1 {code} {_PHRASES.get(code, 'Unknown')}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        *(f"{name}: {value}" for name, value in response.headers),
        "",
    ]
    return "\r\n".join(lines).encode()


def _body(request: Request, response: Response) -> bytes:
    return b"" if request.method == "HEAD" else response.body
