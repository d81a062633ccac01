"""`basicAuth`: user and password as they are, if they can be that."""

from __future__ import annotations

import pytest

from tests.sealkit.builders.samples import LOGIN, built, value_refused


@pytest.mark.parametrize("password", [b"", b"a:b\n", b"\x00\xff"], ids=repr)
def test_user_and_password_pass_unchanged(password: bytes) -> None:
    made = built("basicAuth", LOGIN, {"user": "jörg".encode(), "pass": password})
    assert made == {"username": "jörg".encode(), "password": password}


@pytest.mark.parametrize("user", [b"", b"can:canary", b"canary\n", b"canary \xff"], ids=repr)
def test_a_user_that_no_login_can_have_is_refused(user: bytes) -> None:
    assert value_refused("basicAuth", LOGIN, {"user": user, "pass": b"x"}) == "user"
