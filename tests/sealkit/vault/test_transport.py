"""Servers that misbehave, an environment that interferes: stubs that say it byte by byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealkit.vault import Ask, Breaker, Limits, Reason, Vault
from tests.fakes.vault_stub import Asked, Reply, Script, stub
from tests.sealkit.vault.world import Clock, Connect, refused

SELF = Reply(200, {"data": {"ttl": 0}})
VALUE = Reply(200, {"data": {"key": "value"}})


def saying(reply: Reply) -> Script:
    """Give the same answer to everything but a login."""
    return lambda asked: SELF if is_lookup(asked) else reply


def read(vault: Vault) -> object:
    return vault.ask(Ask("kv/a")).reveal()


def is_lookup(asked: Asked) -> bool:
    return asked.path.endswith("lookup-self")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(connect: Connect, status: int) -> None:
    with stub(lambda _: VALUE) as other:
        away = Reply(status, b"", {"Location": f"{other.address}/v1/kv/a"})
        with stub(saying(away)) as server, refused(Reason.VAULT_UNAVAILABLE, status) as errors:
            read(connect(server.address))
        assert other.asked == []
        assert "active node" in errors[0].hint


@pytest.mark.parametrize("where", ["/v1/kv/b", "//[", "https://[::1", "file:///etc/passwd"])
def test_no_kind_of_redirect_is_followed(connect: Connect, where: str) -> None:
    away = Reply(307, b"", {"Location": where})
    with stub(saying(away)) as server:
        with refused(Reason.VAULT_UNAVAILABLE, 307):
            read(connect(server.address))
        assert [asked.path for asked in server.asked[1:]] == ["/v1/kv/a"]


def huge(head: bytes, sent: list[int]) -> Iterator[bytes]:
    """100 MB, as long as somebody takes them."""
    yield head
    for _ in range(1600):
        sent.append(1)
        yield b"10000\r\n" + b"x" * 65536 + b"\r\n"


@pytest.mark.parametrize("status", [200, 307, 403, 404, 500])
@pytest.mark.parametrize("framing", ["Content-Length: 104857600", "Transfer-Encoding: chunked"])
def test_a_body_of_100_megabytes_is_cut(connect: Connect, framing: str, status: int) -> None:
    sent: list[int] = []
    head = f"HTTP/1.1 {status} X\r\nLocation: /\r\n{framing}\r\n\r\n".encode()
    with stub(lambda asked: SELF if is_lookup(asked) else huge(head, sent)) as server:
        vault = connect(server.address)
        with refused(Reason.TARGET_TOO_LARGE, status):
            read(vault)
        assert vault.check_login()
    assert len(sent) < 400  # what the kernel holds, beyond 4 MiB


def dripping(pieces: Iterator[bytes], clock: Clock) -> Iterator[bytes]:
    for piece in pieces:
        clock.advance(1)
        yield piece


def endless(head: bytes) -> Iterator[bytes]:
    yield from (head[i : i + 1] for i in range(len(head)))
    while True:
        yield b"x"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
        b"HTTP/1.1 2",
    ],
    ids=["body", "body without end", "header", "continue", "status"],
)
def test_a_drip_feed_is_cut(connect: Connect, clock: Clock, head: bytes) -> None:
    """Each piece comes a second later: no wait is long, but all together they are."""
    with stub(lambda asked: SELF if is_lookup(asked) else dripping(endless(head), clock)) as server:
        vault = connect(server.address, monotonic=clock)
        with refused(Reason.VAULT_UNAVAILABLE, 0):
            read(vault)


def test_a_silent_server_is_given_up(connect: Connect) -> None:
    over = threading.Event()

    def silence(_: Asked) -> Reply:
        over.wait(10)
        return VALUE

    with stub(silence) as server:
        vault = connect(server.address, limits=Limits(read_seconds=0.05))
        with refused(Reason.VAULT_UNAVAILABLE, 0) as errors:
            read(vault)
        over.set()
    assert "in time" in str(errors[0])


def test_a_deadline_shorter_than_a_wait_rules(connect: Connect) -> None:
    over = threading.Event()

    def silence(_: Asked) -> Reply:
        over.wait(10)
        return VALUE

    with stub(silence) as server:
        limits = Limits(read_seconds=60, total_seconds=0.05)
        with refused(Reason.VAULT_UNAVAILABLE, 0):
            read(connect(server.address, limits=limits))
        over.set()


def test_nobody_listens(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with refused(Reason.VAULT_UNAVAILABLE, 0) as errors:
        read(connect(f"http://127.0.0.1:{port}"))
    assert "cannot be reached" in str(errors[0])


BROKEN = [
    b"",
    b"nonsense\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


@pytest.mark.parametrize("said", BROKEN, ids=["nothing", "no HTTP", "half", "bad chunk"])
def test_a_broken_answer_is_an_outage_and_not_asked_for_again(
    connect: Connect, said: bytes
) -> None:
    with stub(lambda asked: SELF if is_lookup(asked) else [said]) as server:
        with refused(Reason.VAULT_UNAVAILABLE, 0):
            read(connect(server.address))
        assert len(server.asked) == 2


DEEP = b'{"data":' * 70 + b"1" + b"}" * 70
STRANGE = [
    b"<html>log in</html>",
    b"[]",
    b"\x1f\x8b\x08",
    b"{",
    b"[" * 100_000,
    b'"a"',
    b"\xff",
    DEEP,
]


@pytest.mark.parametrize("body", STRANGE, ids=range(len(STRANGE)))
def test_an_answer_of_something_else(connect: Connect, body: bytes) -> None:
    strange = Reply(200, body, {"Content-Type": "text/html", "Content-Encoding": "gzip"})
    with stub(saying(strange)) as server:
        vault = connect(server.address, breaker=Breaker(1))
        for _ in range(2):
            with refused(Reason.VAULT_UNAVAILABLE, 200):
                read(vault)


def test_an_empty_answer_has_no_data(connect: Connect) -> None:
    with stub(saying(Reply(204))) as server:
        assert connect(server.address).ask(Ask("kv/a", "PUT", {"a": 1})).reveal() == {}
        assert (server.asked[1].method, server.asked[1].body) == ("PUT", {"a": 1})


@pytest.mark.parametrize("life", ["x", -1, 1.5, 10**18, True, None, [1]], ids=str)
def test_odd_members_are_as_if_absent(connect: Connect, life: object) -> None:
    odd = {"lease_id": 7, "lease_duration": life, "renewable": "yes", "data": [1]}
    with stub(saying(Reply(200, odd))) as server:
        answer = connect(server.address).ask(Ask("kv/a"))
    assert (answer.lease.id, answer.lease.seconds, answer.lease.renewable) == ("", 0, False)
    assert answer.reveal() == {}


@pytest.mark.parametrize("said", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 400])
def test_a_retry_after_that_is_no_count_is_as_if_absent(connect: Connect, said: str) -> None:
    many = Reply(429, {}, {"Retry-After": said})
    with stub(saying(many)) as server, refused(Reason.RATE_LIMITED, 429) as errors:
        read(connect(server.address))
    assert errors[0].retry_after_seconds is None


def test_the_environment_is_not_asked(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home: Path = tmp_path_factory.mktemp("home")
    (home / ".vault-token").write_text("token-of-the-environment")
    (home / ".netrc").write_text("default login somebody password something\n")
    nowhere = "http://127.0.0.1:1"
    for name in ("VAULT_ADDR", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    monkeypatch.setenv("VAULT_TOKEN", "token-of-the-environment")
    monkeypatch.setenv("VAULT_NAMESPACE", "namespace-of-the-environment")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    for name in ("VAULT_CACERT", "VAULT_CAPATH", "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"):
        monkeypatch.setattr(f"hvac.v1.{name}", "/nowhere")  # read when it is imported
    with stub(saying(VALUE)) as server:
        assert read(connect(server.address)) == {"key": "value"}
    for asked in server.asked:
        assert "environment" not in str(asked)
        assert "authorization" not in asked.headers


def test_cookies_are_not_kept(connect: Connect) -> None:
    reply = Reply(200, SELF.body, {"Set-Cookie": "node=1"})
    with stub(lambda _: reply) as server:
        vault = connect(server.address)
        for _ in range(3):
            vault.check_login()
    assert all("cookie" not in asked.headers for asked in server.asked)


def test_the_address_may_have_a_path(connect: Connect) -> None:
    with stub(saying(VALUE)) as server:
        read(connect(f"{server.address}/behind/it/"))
    assert server.asked[1].path == "/behind/it/v1/kv/a"


def test_connections_are_kept(connect: Connect) -> None:
    with stub(saying(VALUE)) as server:
        vault = connect(server.address)
        for _ in range(5):
            read(vault)
        pool = vault._wire._session.get_adapter(server.address)._pool  # type: ignore[attr-defined]  # ours
        assert pool.num_connections == 1
