"""An HTTP server that says exactly what a test tells it to, byte by byte."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sealkit_controller.connection import Access


@dataclass(frozen=True)
class Asked:
    """A request as it arrived, with the number of the connection it came on."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True)
class Cut:
    """Bytes after which the connection is closed."""

    said: bytes = b""


# What to answer: bytes as they are, then perhaps a cut; None to stay silent.
Answer = bytes | Cut | None


def answer(status: int, body: object = None, **headers: str) -> bytes:
    """Return a complete response of JSON."""
    raw = json.dumps(body if body is not None else {}).encode()
    lines = [f"HTTP/1.1 {status} Whatever", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(raw)}", "", ""]).encode() + raw


def stream(*pieces: bytes, end: bool = True) -> bytes:
    """Return a chunked response, with or without its proper end."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + chunks + (b"0\r\n\r\n" if end else b"")


class Stub:
    """Serves on a free port of the loopback interface; `asked` lists what arrived."""

    def __init__(self, script: Callable[[Asked], Answer]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.asked: list[Asked] = []
        self.access = Access("127.0.0.1", self._listener.getsockname()[1])

    def __enter__(self) -> "Stub":
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_connections()
        for thread in self._threads:
            thread.join(10)

    def drop_connections(self) -> None:
        """Close every open connection, as a server does with idle ones."""
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _spawn(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._sockets.append(sock)
                number = len(self._sockets)
                self._spawn(lambda sock=sock, number=number: self._serve(sock, number))  # type: ignore[misc]  # bound here

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock, sock.makefile("rb") as reader, suppress(OSError):
            while (head := reader.readline().decode().split()) and len(head) == 3:
                headers = {}
                while (line := reader.readline().decode().strip()) != "":
                    name, _, value = line.partition(": ")
                    headers[name.lower()] = value
                body = reader.read(int(headers.get("content-length", "0")))
                asked = Asked(head[0], head[1], headers, body, number)
                self.asked.append(asked)
                said = self._script(asked)
                if said is not None:
                    sock.sendall(said.said if isinstance(said, Cut) else said)
                if isinstance(said, Cut):
                    return
