"""`tls`, read as web servers do: a certificate chain and the key of its first certificate."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.sealkit.builders.samples import (
    CANARY,
    INTERMEDIATE,
    OTHER_PAIR,
    PAIR,
    ROOT,
    VALUES,
    built,
    parsed,
    value_refused,
)

SHORT = {"certificate": "cert", "key": "key"}
LONG = {**SHORT, "chain": "chain", "ca": "root"}


def chain_of(value: bytes) -> bytes:
    return built("tls", LONG, {**VALUES, "chain": value})["tls.crt"]


def test_a_server_can_use_what_is_made(tmp_path: Path) -> None:
    for key, content in built("tls", LONG, VALUES).items():
        (tmp_path / key).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    context.load_verify_locations(tmp_path / "ca.crt")
    assert len(context.get_ca_certs()) == 1


def test_the_chain_comes_after_the_certificate() -> None:
    made = built("tls", LONG, VALUES)
    assert made["tls.crt"] == PAIR.certificate + INTERMEDIATE.pem
    assert (made["tls.key"], made["ca.crt"]) == (PAIR.key, ROOT.pem)


def test_chain_and_ca_may_be_missing() -> None:
    assert built("tls", SHORT, VALUES) == {"tls.crt": PAIR.certificate, "tls.key": PAIR.key}
    assert parsed("tls", SHORT).to_dict() == SHORT


@pytest.mark.parametrize(
    "change",
    [bytes.strip, lambda pem: b"\n" + pem + b"\n\n", lambda pem: pem.replace(b"\n", b"\r\n")],
    ids=["no line break", "more line breaks", "CRLF"],
)
@pytest.mark.parametrize("name", ["cert", "chain", "root"])
def test_each_certificate_ends_with_one_line_break(
    name: str, change: Callable[[bytes], bytes]
) -> None:
    values = {**VALUES, name: change(VALUES[name])}
    assert built("tls", LONG, values) == built("tls", LONG, VALUES)


@pytest.mark.parametrize("around", [b"", b"\n\n"], ids=["none", "some"])
def test_the_key_ends_with_one_line_break(around: bytes) -> None:
    values = {**VALUES, "key": around + PAIR.key.strip() + around}
    assert built("tls", SHORT, values)["tls.key"] == PAIR.key


def test_the_key_of_a_bundle_stays_out_of_the_public_part() -> None:
    values = {**VALUES, "cert": PAIR.key + PAIR.certificate + INTERMEDIATE.pem}
    assert built("tls", LONG, values)["tls.crt"] == PAIR.certificate + INTERMEDIATE.pem


def test_the_chain_may_be_a_list_as_vault_has_it() -> None:
    pems = [pem.decode().strip() for pem in (INTERMEDIATE.pem, ROOT.pem)]
    assert chain_of(json.dumps(pems).encode()) == PAIR.certificate + INTERMEDIATE.pem + ROOT.pem


@pytest.mark.parametrize("empty", [b"", b" \n", b"[]"], ids=repr)
def test_the_chain_may_be_empty(empty: bytes) -> None:
    assert chain_of(empty) == PAIR.certificate


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["RSA", "EC", "Ed25519"],
)
def test_all_usual_keys_fit(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    now = x509.load_pem_x509_certificate(PAIR.certificate).not_valid_before_utc
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(key, algorithm).public_bytes(Encoding.PEM)
    made = built("tls", SHORT, {"cert": certificate, "key": pem})
    assert made == {"tls.crt": certificate, "tls.key": pem}


def test_a_key_in_the_old_form_fits_and_stays_as_it_is() -> None:
    key = load_pem_private_key(PAIR.key, None)
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert built("tls", SHORT, {**VALUES, "key": old})["tls.key"] == old


BROKEN = PAIR.certificate.replace(b"\nM", f"\n{CANARY}".encode(), 1)
NOT_PEM = [b"", b"\xff", CANARY.encode(), PAIR.key, BROKEN, PAIR.certificate[:-30]]


@pytest.mark.parametrize("value", NOT_PEM, ids=["", "bytes", "text", "key", "broken", "cut"])
@pytest.mark.parametrize("name", ["cert", "root"])
def test_what_is_no_certificate_is_refused(name: str, value: bytes) -> None:
    assert value_refused("tls", LONG, {**VALUES, name: value}) == name


@pytest.mark.parametrize(
    "value",
    [CANARY.encode(), b"[", b"[\xff", b"[1]", b'["canary"]', '["ä"]'.encode(), b"[" * 100_000],
    ids=["text", "no JSON", "no text", "number", "no PEM", "not ASCII", "deep"],
)
def test_what_is_no_chain_is_refused(value: bytes) -> None:
    assert value_refused("tls", LONG, {**VALUES, "chain": value}) == "chain"


ENCRYPTED = load_pem_private_key(PAIR.key, None).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
)


@pytest.mark.parametrize(
    "value",
    [b"", CANARY.encode(), PAIR.certificate, PAIR.key[:-40], OTHER_PAIR.key, ENCRYPTED],
    ids=["empty", "text", "certificate", "cut", "other", "encrypted"],
)
def test_what_is_not_the_key_of_the_certificate_is_refused(value: bytes) -> None:
    assert value_refused("tls", SHORT, {**VALUES, "key": value}) == "key"
