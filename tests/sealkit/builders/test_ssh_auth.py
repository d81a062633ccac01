"""`sshAuth`: keys that OpenSSH reads."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from tests.sealkit.builders.samples import SSH_KEY, built, parsed, value_refused

ALONE = {"privateKey": "ssh"}
BOTH = {"privateKey": "ssh", "knownHosts": "hosts"}
NEW = ed25519.Ed25519PrivateKey.generate().private_bytes(
    Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
)
OLD = rsa.generate_private_key(65537, 2048).private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)


def key_of(value: bytes) -> bytes:
    return built("sshAuth", ALONE, {"ssh": value})["ssh-privatekey"]


def test_keys_stay_keys() -> None:
    new = load_ssh_private_key(key_of(NEW.strip()), None)
    old = load_pem_private_key(key_of(OLD.strip()), None)
    assert isinstance(new, ed25519.Ed25519PrivateKey)
    assert isinstance(old, rsa.RSAPrivateKey)


@pytest.mark.parametrize(
    "value",
    [NEW, NEW.strip(), b"\n" + NEW + b"\n", NEW.replace(b"\n", b"\r\n")],
    ids=["good", "no line break", "more line breaks", "CRLF"],
)
def test_lines_end_as_openssh_wants_them(value: bytes) -> None:
    assert key_of(value) == NEW


def test_known_hosts_are_optional_lines() -> None:
    made = built("sshAuth", BOTH, {"ssh": SSH_KEY, "hosts": b"a ssh-ed25519 A\r\nb ssh-rsa B"})
    assert made["known_hosts"] == b"a ssh-ed25519 A\nb ssh-rsa B\n"
    assert parsed("sshAuth", ALONE).makes == {"ssh-privatekey"}
    assert parsed("sshAuth", ALONE).to_dict() == ALONE


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"canary",
        NEW.replace(b"\n", b" "),
        SSH_KEY.replace(b"\n", b" ", 1),
        NEW.replace(b"\n", b"\\n"),
        NEW[:-40],
        b"PuTTY-User-Key-File-3: canary\n",
        NEW.replace(b"END OPENSSH", b"END RSA"),
        NEW + NEW[:40],
    ],
    ids=[
        "empty",
        "bytes",
        "text",
        "one line",
        "joined",
        "escaped",
        "cut",
        "PuTTY",
        "mixed",
        "more",
    ],
)
def test_what_openssh_cannot_read_is_refused(value: bytes) -> None:
    assert value_refused("sshAuth", ALONE, {"ssh": value}) == "ssh"


@pytest.mark.parametrize("value", [b" \n", b"canary\xff"], ids=repr)
def test_known_hosts_that_are_no_lines_are_refused(value: bytes) -> None:
    assert value_refused("sshAuth", BOTH, {"ssh": SSH_KEY, "hosts": value}) == "hosts"
