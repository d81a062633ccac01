"""Private keys and tokens of every kind, made anew for each run."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Iterator
from functools import cache
from typing import Protocol

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"


class Words(Protocol):
    """What makes values up."""

    def word(self, size: int = ..., alphabet: str = ...) -> str: ...


@cache
def pem_keys() -> dict[str, tuple[str, str]]:
    """Return name to rule and text."""
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 (to be found)
    curve, edwards = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    old, new, ssh = (
        form.PrivateFormat.TraditionalOpenSSL,
        form.PrivateFormat.PKCS8,
        form.PrivateFormat.OpenSSH,
    )
    none, locked = form.NoEncryption(), form.BestAvailableEncryption(b"x")
    quick = ssh.encryption_builder().kdf_rounds(1).build(b"x")
    pem = form.Encoding.PEM
    return {
        "PKCS1": ("SK409", small.private_bytes(pem, old, none).decode()),
        "PKCS8": ("SK409", small.private_bytes(pem, new, none).decode()),
        "EC": ("SK409", curve.private_bytes(pem, old, none).decode()),
        "EC in PKCS8": ("SK409", curve.private_bytes(pem, new, none).decode()),
        "Ed25519": ("SK409", edwards.private_bytes(pem, new, none).decode()),
        "OpenSSH": ("SK409", edwards.private_bytes(pem, ssh, none).decode()),
        "PKCS1 encrypted": ("SK410", small.private_bytes(pem, old, locked).decode()),
        "PKCS8 encrypted": ("SK410", curve.private_bytes(pem, new, locked).decode()),
        "OpenSSH encrypted": ("SK410", edwards.private_bytes(pem, ssh, quick).decode()),
    }


def private_keys(words: Words) -> Iterator[tuple[str, str, str]]:
    """Yield name, rule and text."""
    for name, (rule, text) in pem_keys().items():
        yield name, rule, text
    key = pem_keys()["EC"][1]
    yield "PEM in JSON", "SK409", json.dumps({"key": key})
    yield "PEM in a program", "SK409", "".join(f'  "{line}\\n" +\n' for line in key.splitlines())
    for name in ("PKCS1", "PKCS8", "EC in PKCS8", "Ed25519"):
        body = "".join(pem_keys()[name][1].splitlines()[1:-1])
        yield f"{name} without its lines", "SK409", f"tls.key: {body}\n"
    yield "PEM in base64", "SK409", f"key: {base64.b64encode(key.encode()).decode()}\n"
    body = base64.b64encode(words.word(90).encode()).decode()
    block = "PGP PRIVATE KEY BLOCK-----"
    yield "PGP", "SK409", f"-----BEGIN {block}\nVersion: 1\n\n{body}\n=abcd\n-----END {block}\n"
    yield "age", "SK411", f"# created: today\nAGE-SECRET-KEY-1{words.word(64, BECH32)[1:-3]}\n"
    yield "age, post-quantum", "SK411", f"x=AGE-SECRET-KEY-PQ-1{words.word(64, BECH32)[1:-3]}"
    letters = string.ascii_letters + string.digits
    yield "Vault", "SK412", f"vault login hvs.{words.word(90, letters + '-_')}\n"
    yield "Vault, batch", "SK412", f"VAULT_TOKEN='hvb.{words.word(120)}'\n"
    yield "Vault, old", "SK412", f"token: s.{words.word(24)[:17]}aB3dE9x\n"
    for name, claims in (
        ("old", {"iss": "kubernetes/serviceaccount"}),
        ("bound", {"kubernetes.io": {}}),
    ):
        parts = (
            json.dumps({"alg": "RS256"}),
            json.dumps(claims | {"sub": words.word()}),
            words.word(64),
        )
        token = ".".join(
            base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts
        )
        yield f"service account, {name}", "SK413", f"Authorization: Bearer {token}\n"
