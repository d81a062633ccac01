"""Connections to the API server: whole responses or errors, and no leaks."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from sealkit_controller.connection import Access, Failure, Pool, Request, Response
from tests.controller.stub import Stub, answer

HEAD = b"HTTP/1.1 200 OK\r\nDate: now\r\n"


@contextmanager
def answering(raw: bytes) -> Iterator[Pool]:
    """A server that answers each connection with these bytes, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        thread = Thread(target=_answer, args=(server, raw))
        thread.start()
        pool = Pool(Access("127.0.0.1", server.getsockname()[1]))
        try:
            yield pool
        finally:
            pool.close()
            thread.join()


def _answer(server: socket.socket, raw: bytes) -> None:
    peer, _ = server.accept()
    with peer:
        peer.recv(1 << 16)
        peer.sendall(raw)


def ask(pool: Pool) -> Response:
    return pool.exchange(Request("GET", "/", {}, timeout_seconds=5))


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        pytest.param(b"Content-Length: 3\r\n\r\nabc", b"abc", id="by-length"),
        pytest.param(b"Content-Length: 0\r\n\r\n", b"", id="empty"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            b"abc",
            id="by-chunks",
        ),
    ],
)
def test_a_whole_body_is_read(rest: bytes, body: bytes) -> None:
    with answering(HEAD + b"Retry-After: 7\r\n" + rest) as pool:
        assert ask(pool) == Response(200, "7", body)


WHOLE = [
    HEAD + b"Content-Length: 7\r\n\r\nabcdefg",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("whole", WHOLE, ids=["by-length", "by-chunks"])
@pytest.mark.parametrize("lost", range(6, 60, 7))
def test_a_response_that_breaks_off_is_never_taken_for_a_whole_one(whole: bytes, lost: int) -> None:
    with answering(whole[:-lost]) as pool, pytest.raises(Failure):
        ask(pool)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    ],
    ids=["not-http", "no-length", "no-number", "too-many-headers"],
)
def test_what_cannot_be_trusted_is_refused(raw: bytes) -> None:
    with answering(raw) as pool, pytest.raises(Failure):
        ask(pool)


@pytest.mark.parametrize("value", ["Bearer a\r\nX: y", "Bearer a\n"])
def test_a_header_cannot_break_out_of_its_line(value: str) -> None:
    with Stub(lambda _: answer(200)) as stub:
        pool = Pool(stub.access)
        request = Request("GET", "/", {"Authorization": value}, timeout_seconds=5)
        with pytest.raises(http.client.HTTPException):
            pool.exchange(request)
    assert stub.asked == []


def test_a_connection_is_closed_when_the_pool_was_closed_meanwhile() -> None:
    with Stub(lambda _: answer(200)) as stub:
        pool = Pool(stub.access)
        pool.close()
        for _ in range(2):
            pool.exchange(Request("GET", "/", {}, timeout_seconds=5))
    assert [asked.connection for asked in stub.asked] == [1, 2]
