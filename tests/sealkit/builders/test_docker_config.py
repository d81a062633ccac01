"""`dockerConfigJson`, read as Docker and kubelet do."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.sealkit.builders.samples import (
    CANARY,
    LOGIN,
    built,
    field_refused,
    parsed,
    value_refused,
)

KEY = ".dockerconfigjson"
HUB = {"server": "https://index.docker.io/v1/", "username": "hub", "password": "token"}
GHCR = {"server": "ghcr.io", **LOGIN, "email": "mail"}
VALUES = {"user": b"shop", "pass": b"a:b", "mail": b"a@b", "hub": "jörg".encode(), "token": b'"\n'}


def auths(registries: list[dict[str, str]]) -> dict[str, Any]:
    config = json.loads(built("dockerConfigJson", {"registries": registries}, VALUES)[KEY])
    assert list(config) == ["auths"]
    return dict(config["auths"])


def test_the_fields_are_those_of_kubectl() -> None:
    assert auths([GHCR])["ghcr.io"] == {
        "username": "shop",
        "password": "a:b",
        "email": "a@b",
        "auth": base64.b64encode(b"shop:a:b").decode(),
    }


def test_auth_is_user_and_password_for_any_text() -> None:
    raw = base64.b64decode(auths([HUB])[HUB["server"]]["auth"]).decode()
    assert raw.partition(":") == ("jörg", ":", '"\n')


def test_the_order_of_registries_does_not_matter() -> None:
    one, other = ({"registries": registries} for registries in ([GHCR, HUB], [HUB, GHCR]))
    assert parsed("dockerConfigJson", one) == parsed("dockerConfigJson", other)
    assert list(auths([HUB, GHCR])) == ["ghcr.io", HUB["server"]]


@pytest.mark.parametrize(
    "user", ["a:canary", "", "canary\n", " canary", "can\x00ary", "canary\x7f"]
)
def test_a_user_that_no_login_can_have_is_refused(user: str) -> None:
    values = VALUES | {"user": user.encode()}
    assert value_refused("dockerConfigJson", {"registries": [GHCR]}, values) == "user"


@pytest.mark.parametrize("name", ["user", "pass", "mail"])
def test_what_is_not_text_is_refused(name: str) -> None:
    values = VALUES | {name: CANARY.encode() + b"\xff"}
    assert value_refused("dockerConfigJson", {"registries": [GHCR]}, values) == name


@pytest.mark.parametrize(
    ("registries", "field"),
    [
        pytest.param([], "", id="none"),
        pytest.param({}, "", id="mapping"),
        pytest.param([{**GHCR, "server": str(number)} for number in range(65)], "", id="many"),
        pytest.param([HUB, CANARY], "[1]", id="text"),
        pytest.param([{**HUB, "server": f"a {CANARY}"}], "[0].server", id="space"),
        pytest.param([{**HUB, "server": "a\n"}], "[0].server", id="control"),
        pytest.param([{**HUB, "email": ""}], "[0].email", id="empty"),
        pytest.param([{**HUB, "token": CANARY}], "[0].token", id="unknown"),
        pytest.param([LOGIN], "[0].server", id="missing"),
        pytest.param([HUB, GHCR, HUB], "[2].server", id="twice"),
    ],
)
def test_registries_that_cannot_be_are_refused(registries: object, field: str) -> None:
    refused = field_refused({"dockerConfigJson": {"registries": registries}})
    assert refused == f".dockerConfigJson.registries{field}"
