"""Secrets and ConfigMaps: types, sizes, keys, text data, immutability."""

import base64
from typing import Any

import pytest

from tests.contracts.client import Client, config_map, secret

SECRETS = "secrets"
FROZEN = "field is immutable when `immutable` is set"


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def test_text_data_is_merged_into_data_and_wins(api: Client) -> None:
    body = secret("a", data={"k": text("old"), "l": text("l")}, stringData={"k": "new"})
    reply = api.create(SECRETS, body).ok()
    assert reply.json["data"] == {"k": text("new"), "l": text("l")}
    assert "stringData" not in reply.json


def test_the_type_is_opaque_unless_given(api: Client) -> None:
    assert api.create(SECRETS, secret("a")).ok().json["type"] == "Opaque"


GOOD: dict[str, dict[str, Any]] = {
    "any": {"type": "example.com/own", "data": {}},
    "tls": {"type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": ""}},
    "basic": {"type": "kubernetes.io/basic-auth", "data": {"password": ""}},
    "ssh": {"type": "kubernetes.io/ssh-auth", "stringData": {"ssh-privatekey": "k"}},
    "docker": {
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": "{}"},
    },
    "dockercfg": {"type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": '{"a": 1}'}},
}


@pytest.mark.parametrize("fields", GOOD.values(), ids=GOOD)
def test_a_type_with_its_keys_is_taken(api: Client, fields: dict[str, Any]) -> None:
    api.create(SECRETS, secret("a", **fields)).ok()


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "tls": ({"type": "kubernetes.io/tls"}, ["data[tls.crt]", "data[tls.key]"]),
    "basic": ({"type": "kubernetes.io/basic-auth"}, ["data[username]", "data[password]"]),
    "ssh": (
        {"type": "kubernetes.io/ssh-auth", "data": {"ssh-privatekey": ""}},
        ["data[ssh-privatekey]"],
    ),
    "docker": ({"type": "kubernetes.io/dockerconfigjson"}, ["data[.dockerconfigjson]"]),
    "docker-list": (
        {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "[]"}},
        ["data[.dockerconfigjson]"],
    ),
    "account": (
        {"type": "kubernetes.io/service-account-token"},
        ["metadata.annotations[kubernetes.io/service-account.name]"],
    ),
    "slash": ({"data": {"a/b": ""}}, ["data[a/b]"]),
    "dots": ({"data": {"..a": ""}}, ["data[..a]"]),
    "long-key": ({"data": {"k" * 254: ""}}, [f"data[{'k' * 254}]"]),
}


@pytest.mark.parametrize(("fields", "expected"), BAD.values(), ids=BAD)
def test_what_a_secret_lacks_is_told_by_field(
    api: Client, fields: dict[str, Any], expected: list[str]
) -> None:
    reply = api.create(SECRETS, secret("a", **fields))
    assert (reply.code, reply.reason) == (422, "Invalid")
    assert sorted(cause["field"] for cause in reply.causes) == sorted(expected)


def test_a_broken_docker_configuration_is_not_quoted(api: Client) -> None:
    fields = {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "pw"}}
    reply = api.create(SECRETS, secret("a", **fields))
    assert reply.causes[0]["message"].startswith('Invalid value: "<secret contents redacted>"')


def test_the_decoded_values_together_are_limited(api: Client) -> None:
    fits = {"a": text("x" * (1 << 19)), "b": text("x" * (1 << 19))}
    api.create(SECRETS, secret("a", data=fits), dryRun="All").ok()
    reply = api.create(SECRETS, secret("a", data=fits | {"c": text("x")}))
    assert (reply.code, reply.causes[0]["field"]) == (422, "data")
    assert reply.causes[0]["message"] == "Too long: may not be more than 1048576 bytes"


@pytest.mark.parametrize("value", ["!!", "YQ", "a b="])
def test_data_must_be_base64(api: Client, value: str) -> None:
    reply = api.create(SECRETS, secret("a", data={"k": value}))
    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert "illegal base64 data at input byte" in reply.message


def test_the_type_never_changes(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    reply = api.patch(SECRETS, "a", {"type": "example.com/other"})
    assert reply.message == (
        'Secret "a" is invalid: type: Invalid value: "example.com/other": field is immutable'
    )


def test_an_immutable_secret_keeps_its_data(api: Client) -> None:
    api.create(SECRETS, secret("a", immutable=True, data={"k": ""})).ok()
    changed = api.patch(SECRETS, "a", {"data": {"l": ""}})
    freed = api.patch(SECRETS, "a", {"immutable": False})
    assert (changed.code, freed.code) == (422, 422)
    assert changed.message == f'Secret "a" is invalid: data: Forbidden: {FROZEN}'
    assert freed.message == f'Secret "a" is invalid: immutable: Forbidden: {FROZEN}'


def test_an_immutable_secret_can_still_be_labelled(api: Client) -> None:
    api.create(SECRETS, secret("a", immutable=True, data={"k": ""})).ok()
    api.patch(SECRETS, "a", {"metadata": {"labels": {"l": "v"}}}).ok()


def test_a_config_map_key_is_text_or_bytes(api: Client) -> None:
    body = config_map("a", data={"k": "v"}, binaryData={"k": "dg=="})
    reply = api.create("configmaps", body)
    assert reply.causes[0]["message"] == (
        'Invalid value: "k": duplicate of key present in binaryData'
    )


def test_an_immutable_config_map_keeps_its_data(api: Client) -> None:
    api.create("configmaps", config_map("a", immutable=True, data={"k": "v"})).ok()
    reply = api.patch("configmaps", "a", {"data": {"k": "w"}})
    assert reply.message == f'ConfigMap "a" is invalid: data: Forbidden: {FROZEN}'
