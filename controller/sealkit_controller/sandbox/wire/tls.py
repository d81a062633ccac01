"""A certificate made at start: nobody outside this process ever has its key."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_LIFETIME: Final = timedelta(days=30)
_SLACK: Final = timedelta(hours=1)  # for clients whose clock is behind
_NAME: Final = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sealkit-sandbox")])


@dataclass(frozen=True)
class Identity:
    """A self-signed certificate for the loopback interface, as PEM, and a context that uses it."""

    certificate_pem: bytes
    context: ssl.SSLContext


def make_identity() -> Identity:
    """Return a new identity; valid for 30 days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, datetime.now(UTC))
    certificate_pem = certificate.public_bytes(Encoding.PEM)
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0  # nobody resumes; saves a write per connection
    # The ssl module reads keys from files only; this one is gone before anybody connects.
    with tempfile.TemporaryDirectory(prefix="sealkit-sandbox-") as folder:
        file = Path(folder, "identity.pem")
        file.touch(mode=0o600)
        file.write_bytes(key_pem + certificate_pem)
        context.load_cert_chain(file)
    return Identity(certificate_pem, context)


def _certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    hosts = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ip_address("127.0.0.1")),
            x509.IPAddress(ip_address("::1")),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(hosts, critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(authority, critical=False)
    )
    return builder.sign(key, hashes.SHA256())
