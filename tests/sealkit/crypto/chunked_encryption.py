"""C2SP chunked-encryption written again from its specification, to check the library against.

Parametrised by hash and AEAD as the specification is: with SHA-256 it is held to the vectors that
`cryptography_vectors` ships; with SHA-512 and AES-256-GCM it is Cobblestone-256. Slow and simple.
"""

from __future__ import annotations

from hmac import compare_digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

CHUNK = 16 * 1024
TAG = 16
SALT, COMMITMENT, NONCE = 24, 32, 12


def derive(
    key: bytes, salt: bytes, context: bytes, algorithm: HashAlgorithm
) -> tuple[AESGCM, int, bytes]:
    name = {16: b"AEAD_AES_128_GCM", 32: b"AEAD_AES_256_GCM"}.get(len(key))
    if name is None:
        raise InvalidTag
    info = b"c2sp.org/chunked-encryption@v1+" + name + b"\0" + salt + context
    length = len(key) + NONCE + COMMITMENT
    derived = HKDFExpand(algorithm, length, info).derive(key)
    nonce = int.from_bytes(derived[len(key) : -COMMITMENT], "big")
    return AESGCM(derived[: len(key)]), nonce, derived[-COMMITMENT:]


def encrypt(
    key: bytes, salt: bytes, context: bytes, message: bytes, algorithm: HashAlgorithm
) -> bytes:
    aead, nonce, commitment = derive(key, salt, context, algorithm)
    chunks = [message[start : start + CHUNK] for start in range(0, len(message) + 1, CHUNK)]
    sealed = [
        aead.encrypt((nonce ^ number).to_bytes(NONCE, "big"), chunk, None)
        for number, chunk in enumerate(chunks)
    ]
    return b"".join([salt, commitment, *sealed])


def decrypt(key: bytes, context: bytes, sealed: bytes, algorithm: HashAlgorithm) -> bytes:
    salt, given = sealed[:SALT], sealed[SALT : SALT + COMMITMENT]
    aead, nonce, commitment = derive(key, salt, context, algorithm)
    if not compare_digest(commitment, given):
        raise InvalidTag
    body = sealed[SALT + COMMITMENT :]
    if len(body) % (CHUNK + TAG) < TAG:  # the last chunk is never full and never without its tag
        raise InvalidTag
    starts = range(0, len(body), CHUNK + TAG)
    return b"".join(
        aead.decrypt(
            (nonce ^ number).to_bytes(NONCE, "big"), body[start : start + CHUNK + TAG], None
        )
        for number, start in enumerate(starts)
    )
