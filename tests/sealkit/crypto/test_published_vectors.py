"""The libraries we build on, held to the published vectors of the constructions we compose.

Source: the `cryptography_vectors` distribution: HPKE-PQ (draft-ietf-hpke-pq) and C2SP
chunked-encryption. The file for the latter instantiates the scheme with SHA-256, Cobblestone-256
with SHA-512: so a second implementation passes the file, and then checks the library both ways.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from importlib.resources import files
from typing import Any

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sealkit.crypto.x1 import PrivateKey
from sealkit.sensitive import Sensitive
from tests.sealkit.crypto.chunked_encryption import CHUNK, decrypt, encrypt

SUITES = {1: KDF.HKDF_SHA256, 17: KDF.SHAKE256}


def load(path: str) -> Any:
    return json.loads(files("cryptography_vectors").joinpath(path).read_bytes())


HYBRID = [
    pytest.param(vector, id=f"kdf-{vector['kdf_id']}")
    for vector in load("HPKE/hpke-pq-test-vectors.json")
    if vector["kem_id"] == 0x647A
]
CHUNKED = [
    pytest.param(vector, id=vector["name"])
    for vector in load("chunked-encryption/vectors.json")["vectors"]
    if vector["aead"].startswith("AEAD_AES")
]


def test_there_are_vectors() -> None:
    assert len(HYBRID) == 2
    assert len(CHUNKED) == 68


@pytest.mark.parametrize("vector", HYBRID)
def test_a_seed_expands_to_the_public_key_of_the_draft(vector: dict[str, Any]) -> None:
    key = PrivateKey(Sensitive(bytes.fromhex(vector["skRm"])))
    assert key.public.raw.hex() == vector["pkRm"]


@pytest.mark.parametrize("vector", HYBRID)
def test_hpke_opens_the_first_message_of_the_draft(vector: dict[str, Any]) -> None:
    key = PrivateKey(Sensitive(bytes.fromhex(vector["skRm"])))
    suite = Suite(KEM.MLKEM768_X25519, SUITES[vector["kdf_id"]], AEAD.CHACHA20_POLY1305)
    first = vector["encryptions"][0]
    message = bytes.fromhex(vector["enc"] + first["ct"])
    opened = openssl.hpke._decrypt_with_aad(  # the vectors use associated data
        suite, message, key.hpke, bytes.fromhex(vector["info"]), bytes.fromhex(first["aad"])
    )
    assert opened.hex() == first["pt"]


def open_with_sha256(vector: dict[str, Any]) -> bytes:
    raw = base64.b64decode(vector["ciphertext"] or "")
    message = zlib.decompress(raw) if vector.get("compressed") else raw
    key, context = bytes.fromhex(vector["key"]), vector["context"].encode()
    return decrypt(key, context, message, hashes.SHA256())


@pytest.mark.parametrize("vector", CHUNKED)
def test_our_second_implementation_gives_the_verdict_of_the_vector(vector: dict[str, Any]) -> None:
    if vector["expect"] == "success":
        opened = open_with_sha256(vector)
        assert hashlib.sha256(opened).hexdigest() == vector["payload_sha256"]
    else:
        with pytest.raises(InvalidTag):
            open_with_sha256(vector)


LENGTHS = [0, 1, 64, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]
KEY, SALT_BYTES, CONTEXT = bytes(range(32)), bytes(range(24)), b"context"


@pytest.mark.parametrize("length", LENGTHS)
def test_cobblestone_opens_what_the_second_implementation_sealed(length: int) -> None:
    message = bytes(length)
    sealed = encrypt(KEY, SALT_BYTES, CONTEXT, message, hashes.SHA512())
    decryptor = Cobblestone256Decryptor(KEY, CONTEXT)
    assert decryptor.update(sealed) + decryptor.finalize() == message


@pytest.mark.parametrize("length", LENGTHS)
def test_the_second_implementation_opens_what_cobblestone_sealed(length: int) -> None:
    message = bytes(length)
    encryptor = Cobblestone256Encryptor(KEY, CONTEXT)
    sealed = encryptor.update(message) + encryptor.finalize()
    assert decrypt(KEY, CONTEXT, sealed, hashes.SHA512()) == message
