"""The reader of responses, held against http.client on the same bytes."""

import http.client
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit_controller.connection import Pool, Request, read_response
from tests.controller.stub import Stub, answer

bodies = st.binary(max_size=200)
pieces = st.lists(st.binary(min_size=1, max_size=40), max_size=5)
extra_headers = st.sampled_from(
    [b"", b"Retry-After: 7\r\n", b"connection: Close\r\n", b"X-Long: " + b"x" * 9000 + b"\r\n"]
)


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%X;ext=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def by_length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def by_chunks(parts: list[bytes]) -> bytes:
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunked(parts)


class Wire:
    """Bytes as http.client wants them: something that makes a file."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, mode: str) -> io.BytesIO:
        assert mode == "rb"
        return io.BytesIO(self._raw)


@given(
    st.sampled_from([200, 201, 404, 429, 503]),
    extra_headers,
    st.one_of(bodies.map(by_length), pieces.map(by_chunks), bodies.map(lambda b: b"\r\n" + b)),
    st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]),
)
def test_reads_what_http_client_reads(
    status: int, header: bytes, rest: bytes, before: bytes
) -> None:
    raw = before + b"HTTP/1.1 %d Any Words\r\n" % status + header + rest
    expected = http.client.HTTPResponse(Wire(raw))  # type: ignore[arg-type]  # all that it uses
    expected.begin()
    content = expected.read()
    response, reusable = read_response(io.BytesIO(raw))
    assert (response.status, response.body) == (status, content)
    assert response.retry_after == expected.getheader("Retry-After", "")
    assert reusable == (not expected.will_close)


@given(where=st.integers(0), in_chunks=st.booleans())
def test_a_response_that_breaks_off_is_never_taken_for_a_whole_one(
    *, where: int, in_chunks: bool
) -> None:
    rest = by_chunks([b"abc", b"defg"]) if in_chunks else by_length(b"abcdefg")
    raw = b"HTTP/1.1 200 OK\r\nDate: now\r\n" + rest
    with pytest.raises(http.client.HTTPException):
        read_response(io.BytesIO(raw[: where % len(raw)]))


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: ff\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    ],
)
def test_what_is_not_http_is_refused(raw: bytes) -> None:
    with pytest.raises(http.client.HTTPException):
        read_response(io.BytesIO(raw))


@pytest.mark.parametrize("status", [204, 304])
def test_some_responses_have_no_body(status: int) -> None:
    raw = b"HTTP/1.1 %d Nothing\r\n\r\n" % status
    assert read_response(io.BytesIO(raw))[0].body == b""


@pytest.mark.parametrize("value", ["Bearer a\r\nX: y", "Bearer a\n", "Bearer \u00e9"])
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
