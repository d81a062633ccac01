"""HTTP as clients of every kind speak it, and the database below."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from sealkit_controller.sandbox import Sandbox
from sealkit_controller.sandbox.store.database import Database, MemoryStore
from sealkit_controller.sandbox.store.records import Key, to_record
from tests.contracts.client import Client, config_map


@contextmanager
def connected(api: Client) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection((api.server.host, api.server.port), timeout=10) as plain,
        api.server.ssl_context().wrap_socket(plain, server_hostname=api.server.host) as secure,
    ):
        yield secure


def ask(connection: ssl.SSLSocket, text: str) -> bytes:
    """Send a request that asks for the connection to be closed, and return all that comes."""
    connection.sendall(text.replace("\n", "\r\n").encode())
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_body_may_come_in_chunks(api: Client) -> None:
    body = '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"}}'
    half = len(body) // 2
    chunks = f"{half:x}\n{body[:half]}\n{len(body) - half:x};x=y\n{body[half:]}\n0\n\n"
    head = f"POST {api.path('secrets')} HTTP/1.1\nHost: x\nAuthorization: Bearer {api.server.token}"
    more = "Content-Type: application/json\nTransfer-Encoding: chunked\nConnection: close"
    with connected(api) as connection:
        answer = ask(connection, f"{head}\n{more}\n\n{chunks}")
    assert answer.startswith(b"HTTP/1.1 201 Created\r\n")


def test_a_client_may_wait_before_it_sends_the_body(api: Client) -> None:
    head = f"POST {api.path('secrets')} HTTP/1.1\nAuthorization: Bearer {api.server.token}"
    more = "Expect: 100-continue\nContent-Length: 2\nConnection: close"
    with connected(api) as connection:
        answer = ask(connection, f"{head}\n{more}\n\n{{}}")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 422")


def test_requests_may_follow_each_other_at_once(api: Client) -> None:
    with connected(api) as connection:
        first, last = "GET /healthz HTTP/1.1\n\n", "GET /version HTTP/1.1\nConnection: close\n\n"
        answer = ask(connection, first + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_a_head_has_no_body(api: Client) -> None:
    with connected(api) as connection:
        answer = ask(connection, "HEAD /healthz HTTP/1.1\nConnection: close\n\n")
    assert answer.endswith(b"Content-Length: 2\r\n\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "nonsense\n\n",
        "GET /healthz HTTP/1.1\nContent-Length: x\n\n",
        "GET " + "x" * 70_000,
        "GET /healthz HTTP/1.1\nTransfer-Encoding: chunked\n\nzz\n",
    ],
    ids=["line", "length", "endless", "chunk"],
)
def test_what_is_no_request_ends_the_connection_only(api: Client, text: str) -> None:
    with connected(api) as connection, suppress(OSError):  # it may be reset, with data unread
        assert ask(connection, text) == b""
    assert api.request("GET", "/healthz").code == 200


def test_plain_text_is_not_served(sandbox: Sandbox, api: Client) -> None:
    address = (api.server.host, api.server.port)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        with suppress(OSError):
            assert b"200 OK" not in connection.recv(1024)
    assert api.request("GET", "/healthz").code == 200


def put(database: Database, name: str) -> int:
    key = Key("configmaps", "default", name)
    document = config_map(name)
    document["metadata"] = {"name": name, "namespace": "default", "uid": f"uid-of-{name}"}
    with database.lock:
        record = to_record(key, document, database.next_version())
        return database.write(key, record).version


def test_the_log_is_bounded() -> None:
    database = Database(MemoryStore(), log_length=10)
    first = put(database, "a")
    for number in range(10):
        put(database, f"b{number}")
    assert database.compacted > first
    assert database.records_at("configmaps", "", first) is None
    assert len(database.changes("configmaps", database.compacted)) < 10


def test_a_past_state_is_found_by_undoing() -> None:
    database = Database(MemoryStore())
    put(database, "a")
    then = put(database, "b")
    put(database, "c")
    put(database, "a")
    with database.lock:
        database.write(Key("configmaps", "default", "b"), None)
    records = database.records_at("configmaps", "default", then)
    assert records is not None
    assert [(one.key.name, one.version) for one in records] == [("a", then - 1), ("b", then)]
    assert [one.key.name for one in database.records("configmaps")] == ["a", "c"]
    assert database.records("configmaps", "other") == []
