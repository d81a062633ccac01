"""Keys and certificates as Bitnami's controller has them, but small and made anew each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def _key(_: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def key(name: str = "ours", bits: int = 2048) -> rsa.RSAPrivateKey:
    """A small key for each name, always the same."""
    return _key(name, bits)


@cache
def elliptic() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(of: AnyKey) -> bytes:
    """A certificate as their controller makes it: without a name, expiring in ten years."""
    nobody = x509.Name([])
    start = datetime(2026, 11, 23, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(nobody).issuer_name(nobody)
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=3650))
    builder = builder.serial_number(1).public_key(of.public_key())
    return builder.sign(of, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


PKCS1: Final = serialization.PrivateFormat.TraditionalOpenSSL
PKCS8: Final = serialization.PrivateFormat.PKCS8


def pem(of: AnyKey, form: serialization.PrivateFormat = PKCS1, password: bytes = b"") -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return of.private_bytes(serialization.Encoding.PEM, form, encryption)
