"""Secrets are read with the checks of the API server, so that what is sealed will be accepted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import ManifestError
from sealkit.manifests.secret import MAX_DATA_BYTES, MAX_DATA_KEYS, Secret, check_values
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import REMOVED, Path, a_secret, edited, revealed, sensitive

RAW: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "db", "namespace": "shop"},
    "data": {"password": "aHVudGVyMg=="},
}


def refused(raw: dict[str, Any]) -> str:
    with pytest.raises(ManifestError) as caught:
        Secret.from_dict(raw)
    return caught.value.field


@given(st.dictionaries(st.from_regex(r"[a-z][-._a-z]{0,5}", fullmatch=True), st.binary()))
def test_a_secret_comes_back(data: dict[str, bytes]) -> None:
    secret = a_secret(data)
    assert Secret.from_dict(secret.to_dict()) == secret


def test_everything_optional_comes_back() -> None:
    secret = Secret(
        name="db",
        namespace="",
        data={},
        type="example.com/any",
        immutable=True,
        labels={"app": "db"},
        annotations={"owner": "me"},
    )
    assert Secret.from_dict(secret.to_dict()) == secret


def test_string_data_wins_over_data() -> None:
    raw = RAW | {"stringData": {"password": "new", "user": "é"}}
    assert revealed(Secret.from_dict(raw)) == {"password": b"new", "user": "é".encode()}


def test_what_is_missing_has_the_default_of_the_api_server() -> None:
    secret = Secret.from_dict({"metadata": {"name": "db"}})
    assert (secret.namespace, secret.type, secret.immutable, secret.data) == (
        "",
        "Opaque",
        False,
        {},
    )


@pytest.mark.parametrize(
    "path",
    [("data",), ("stringData",), ("type",), ("immutable",), ("metadata", "labels"),
     ("metadata", "annotations"), ("metadata", "namespace"), ("metadata", "creationTimestamp")],
    ids=".".join,
)  # fmt: skip
def test_null_means_absent(path: Path) -> None:
    with_null = edited(RAW, path, None)
    without = edited(with_null, path, REMOVED)
    assert Secret.from_dict(with_null) == Secret.from_dict(without)


def test_an_empty_type_is_opaque() -> None:
    assert Secret.from_dict(RAW | {"type": ""}).type == "Opaque"


def test_what_the_api_server_adds_is_left_out() -> None:
    metadata = {"name": "db", "uid": "1", "ownerReferences": [{}], "finalizers": ["x"]}
    assert "uid" not in str(Secret.from_dict(RAW | {"metadata": metadata}).to_dict())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("", b"", id="empty"),
        pytest.param("aHVu\ndGVy\nMg==\n", b"hunter2", id="line-breaks"),
        pytest.param("aHVu\r\ndGVyMg==", b"hunter2", id="crlf"),
        pytest.param("QR==", b"A", id="spare-bits"),
    ],
)
def test_base64_is_read_as_leniently_as_the_api_server_does(text: str, value: bytes) -> None:
    assert revealed(Secret.from_dict(RAW | {"data": {"k": text}})) == {"k": value}


@pytest.mark.parametrize(
    "text", ["QQ", "QQ=", "Q", "====", "QQ==QQ==", "aHVu dGVy", "aHVu\tdGVy", "-_-_", "plain!", "é"]
)
def test_what_the_api_server_cannot_decode_is_refused(text: str) -> None:
    assert refused(RAW | {"data": {"k": text}}) == "data.k"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        pytest.param(("kind",), "ConfigMap", "kind", id="kind"),
        pytest.param(("apiVersion",), "v2", "kind", id="version"),
        pytest.param(("spec",), {}, "spec", id="unknown-field"),
        pytest.param(("metadata",), [], "metadata", id="metadata-list"),
        pytest.param(("metadata",), {}, "metadata.name", id="no-name"),
        pytest.param(("metadata", "name"), "DB", "metadata.name", id="bad-name"),
        pytest.param(("metadata", "name"), 7, "metadata.name", id="name-number"),
        pytest.param(("metadata", "namespace"), "a.b", "metadata.namespace", id="bad-namespace"),
        pytest.param(("metadata", "namespace"), 0, "metadata.namespace", id="namespace-zero"),
        pytest.param(("metadata", "namespace"), False, "metadata.namespace", id="namespace-false"),
        pytest.param(("metadata", "labels"), {"a": 1}, "metadata.labels.a", id="label-number"),
        pytest.param(
            ("metadata", "annotations"), {"a": True}, "metadata.annotations.a", id="note-boolean"
        ),
        pytest.param(("type",), 5, "type", id="type-number"),
        pytest.param(("immutable",), "true", "immutable", id="immutable-text"),
        pytest.param(("data",), "text", "data", id="data-text"),
        pytest.param(("data", "password"), 5, "data.password", id="value-number"),
        pytest.param(("data", "password"), None, "data.password", id="value-null"),
        pytest.param(("stringData",), {"a": 5}, "stringData.a", id="string-number"),
        pytest.param(("stringData",), {"a": True}, "stringData.a", id="string-boolean"),
        pytest.param(("stringData",), {"a": "\ud800"}, "stringData.a", id="half-a-surrogate"),
        pytest.param(("stringData",), {1: "a"}, "stringData", id="key-number"),
    ],
)
def test_a_wrong_field_is_named(path: Path, value: object, field: str) -> None:
    assert refused(edited(RAW, path, value)) == field


@pytest.mark.parametrize("key", ["a", "-", "_", ".a", "a.", "A.b_c-0", "a" * 253])
def test_a_data_key_may_be(key: str) -> None:
    assert list(Secret.from_dict(RAW | {"data": {key: ""}}).data) == [key]


@pytest.mark.parametrize(
    "key", ["", ".", "..", "..a", "a b", "a/b", "a:b", "é", "a\n", "a" * 254], ids=repr
)
def test_a_data_key_may_not_be(key: str) -> None:
    assert refused(RAW | {"data": {key: ""}}) == f"data.{key}"


def test_the_largest_number_of_keys() -> None:
    keys = {f"k{number}": "" for number in range(MAX_DATA_KEYS)}
    assert len(Secret.from_dict(RAW | {"data": keys}).data) == MAX_DATA_KEYS
    assert refused(RAW | {"data": keys | {"more": ""}}) == "data"


def test_the_largest_size_is_that_of_all_values_together() -> None:
    half = "a" * (MAX_DATA_BYTES // 2)
    raw = RAW | {"data": {}, "stringData": {"a": half, "b": half}}
    assert sum(map(len, revealed(Secret.from_dict(raw)).values())) == MAX_DATA_BYTES
    assert refused(RAW | {"data": {}, "stringData": {"a": half, "b": half + "a"}}) == "data"


TLS = {"tls.crt": b"", "tls.key": b""}
DOCKER, OLD_DOCKER = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"


@pytest.mark.parametrize(
    ("type_name", "data"),
    [
        pytest.param("kubernetes.io/tls", TLS, id="tls"),
        pytest.param("kubernetes.io/tls", TLS | {"ca.crt": b""}, id="tls-with-more"),
        pytest.param("kubernetes.io/basic-auth", {"username": b""}, id="basic-auth-user"),
        pytest.param("kubernetes.io/basic-auth", {"password": b""}, id="basic-auth-password"),
        pytest.param("kubernetes.io/ssh-auth", {"ssh-privatekey": b"k"}, id="ssh"),
        pytest.param(DOCKER, {".dockerconfigjson": b'{"auths": {}}'}, id="docker"),
        pytest.param(DOCKER, {".dockerconfigjson": b'{"a": "\xff"}'}, id="docker-as-go-reads-it"),
        pytest.param(OLD_DOCKER, {".dockercfg": b"{}"}, id="old-docker"),
        pytest.param("example.com/own", {"any": b""}, id="own-type"),
    ],
)
def test_a_type_accepts(type_name: str, data: dict[str, bytes]) -> None:
    check_values(type_name, sensitive(data))


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


@pytest.mark.parametrize(
    ("type_name", "data", "field"),
    [
        pytest.param("kubernetes.io/tls", {"tls.crt": b""}, "data.tls.key", id="tls-no-key"),
        pytest.param("kubernetes.io/tls", {"tls.key": b""}, "data.tls.crt", id="tls-no-crt"),
        pytest.param("kubernetes.io/basic-auth", {"user": b""}, "data", id="basic-auth"),
        pytest.param("kubernetes.io/ssh-auth", {}, "data.ssh-privatekey", id="ssh"),
        pytest.param(
            "kubernetes.io/ssh-auth", {"ssh-privatekey": b""}, "data.ssh-privatekey", id="ssh-empty"
        ),
        pytest.param(DOCKER, {}, "data..dockerconfigjson", id="docker"),
        *(
            pytest.param(DOCKER, {".dockerconfigjson": text}, "data..dockerconfigjson", id=name)
            for name, text in {
                "docker-empty": b"",
                "docker-list": b"[]",
                "docker-text": b"auths",
                "docker-nan": b'{"a": NaN}',
                "docker-utf16": '{"a": 1}'.encode("utf-16"),
                "docker-byte-order-mark": b"\xef\xbb\xbf{}",
                "docker-deep": DEEP,
            }.items()
        ),
        pytest.param(OLD_DOCKER, {".dockercfg": b"1"}, "data..dockercfg", id="old-docker"),
        pytest.param("kubernetes.io/service-account-token", {}, "type", id="service-account"),
        pytest.param("bootstrap.kubernetes.io/token", {}, "type", id="bootstrap"),
    ],
)
def test_a_type_refuses(type_name: str, data: dict[str, bytes], field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        check_values(type_name, sensitive(data))
    assert caught.value.field == field


def test_a_secret_is_written_sorted_and_without_what_is_empty() -> None:
    secret = Secret("db", "", {"b": Sensitive(b"2"), "a": Sensitive(b"1")})
    assert str(secret.to_dict()) == str(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "db"},
            "type": "Opaque",
            "data": {"a": "MQ==", "b": "Mg=="},
        }
    )
