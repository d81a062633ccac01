"""`htpasswd`, verified as proxies do, and the same again for the same users."""

from __future__ import annotations

from typing import Any

import bcrypt
import pytest

from sealkit.sensitive import Sensitive
from tests.sealkit.builders.samples import LOGIN, built, field_refused, parsed, value_refused

RAW = {"users": [LOGIN]}
TWO = {"users": [LOGIN, {"username": "user2", "password": "pass2"}]}
VALUES = {"user": b"shop", "pass": b"hunter2", "user2": "jörg".encode(), "pass2": b"hunter2"}
LONGEST = b"p" * 72


def lines(raw: object, values: dict[str, bytes]) -> dict[str, bytes]:
    content = built("htpasswd", raw, values)["auth"]
    assert content.endswith(b"\n")
    pairs = [line.split(b":", 1) for line in content.splitlines()]
    return {user.decode(): hashed for user, hashed in pairs}


def test_each_user_has_a_line_in_the_order_of_the_manifest() -> None:
    assert list(lines(TWO, VALUES)) == ["shop", "jörg"]


@pytest.mark.parametrize("password", [b"hunter2", b"", "pä$:ss".encode(), LONGEST], ids=repr)
def test_the_password_verifies_and_no_other(password: bytes) -> None:
    hashed = lines(RAW, {**VALUES, "pass": password})["shop"]
    assert bcrypt.checkpw(password, hashed)
    assert not bcrypt.checkpw(b"x" + password[1:], hashed)


def test_the_hash_is_the_one_that_apache_takes() -> None:
    hashed = lines(RAW, VALUES)["shop"]
    assert hashed.startswith(b"$2y$10$")
    assert len(hashed) == 60


def test_users_with_one_password_have_different_hashes() -> None:
    hashes = lines(TWO, VALUES)
    assert hashes["shop"] != hashes["jörg"]


def test_a_hash_is_bound_to_user_and_password() -> None:
    contexts: set[bytes] = set()

    def recording(context: bytes) -> bytes:
        contexts.add(context)
        return bytes(16)

    for user, password in ((b"ab", b"c"), (b"a", b"bc"), (b"a", b"c")):
        values = {"user": Sensitive(user), "pass": Sensitive(password)}
        parsed("htpasswd", RAW).build(values, recording)
    assert len(contexts) == 3


@pytest.mark.parametrize("byte", [0, 0xFF, 0b10101010], ids=hex)
def test_any_bytes_make_a_salt(byte: int) -> None:
    values = {name: Sensitive(value) for name, value in VALUES.items()}
    content = parsed("htpasswd", RAW).build(values, lambda _: bytes([byte]) * 32)["auth"]
    assert bcrypt.checkpw(b"hunter2", content.reveal().strip().partition(b":")[2])


def test_the_salt_is_the_16_bytes_and_no_others() -> None:
    values = {name: Sensitive(value) for name, value in VALUES.items()}
    salts = [bytes(16), bytes(32), bytes(15) + b"\x01"]
    hashes = [
        parsed("htpasswd", RAW).build(values, lambda _, one=salt: one)["auth"].reveal()  # type: ignore[misc]  # mypy cannot infer a default
        for salt in salts
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_default_file_is_left_out() -> None:
    assert parsed("htpasswd", {**RAW, "file": "auth"}).to_dict() == RAW


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("user", b"", id="no user"),
        pytest.param("user", b"a:canary", id="colon"),
        pytest.param("user", b"canary\n", id="line break"),
        pytest.param("user", b"#canary", id="comment"),
        pytest.param("user", b"canary\xff", id="bytes"),
        pytest.param("user2", b"shop", id="twice"),
        pytest.param("pass", b"canary\n", id="password with line break"),
        pytest.param("pass", b"can\x00canary", id="NUL"),
        pytest.param("pass", b"canary\xff", id="password of bytes"),
        pytest.param("pass", b"canary" * 12 + b"!", id="73 bytes"),
        pytest.param("pass", "ä".encode() * 37, id="74 bytes"),
    ],
)
def test_what_a_proxy_would_read_otherwise_is_refused(name: str, value: bytes) -> None:
    assert value_refused("htpasswd", TWO, {**VALUES, name: value}) == name


@pytest.mark.parametrize(
    ("users", "field"),
    [
        ([], ""),
        ({}, ""),
        ([LOGIN] * 65, ""),
        ([LOGIN, "canary"], "[1]"),
        ([{"username": "user"}], "[0].password"),
        ([{**LOGIN, "password": 7}], "[0].password"),
        ([{**LOGIN, "hash": "canary"}], "[0].hash"),
    ],
    ids=["none", "mapping", "many", "text", "missing", "number", "unknown"],
)
def test_users_that_cannot_be_are_refused(users: Any, field: str) -> None:
    assert field_refused({"htpasswd": {"users": users}}) == f".htpasswd.users{field}"
