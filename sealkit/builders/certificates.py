"""PEM certificates and keys: read, checked against each other, written (RFC 7468).

Imports cryptography: do it where a certificate is really there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from sealkit.builders.inputs import Inputs


def certificates(inputs: Inputs, name: str) -> list[x509.Certificate]:
    """Return the certificates in a value, of which there is at least one.

    Raises:
        TemplateError: there is none, or one that is no certificate.
    """
    return _parse(inputs, name, inputs.raw(name))


def chain(inputs: Inputs, name: str) -> list[x509.Certificate]:
    """Return the certificates in a value that may be blank, or a JSON list as Vault's `ca_chain`.

    Raises:
        TemplateError: there is something else, or one that is no certificate.
    """
    raw = inputs.raw(name).strip()
    if raw.startswith(b"["):
        raw = _joined(inputs, name)
    return _parse(inputs, name, raw) if raw else []


def _joined(inputs: Inputs, name: str) -> bytes:
    text = inputs.text(name)
    with suppress(ValueError, TypeError, RecursionError):
        return "\n".join(json.loads(text)).encode("ascii")
    raise inputs.refused(name, "is not a JSON list of PEM certificates")


def _parse(inputs: Inputs, name: str, raw: bytes) -> list[x509.Certificate]:
    with suppress(ValueError, x509.InvalidVersion):
        return x509.load_pem_x509_certificates(raw)
    raise inputs.refused(name, "is not made of PEM certificates")


def write(chosen: Iterable[x509.Certificate]) -> bytes:
    """Return the PEM of each once, with one line break at its end."""
    return b"".join(dict.fromkeys(one.public_bytes(Encoding.PEM) for one in chosen))


def fitting_key(inputs: Inputs, name: str, certificate: x509.Certificate) -> bytes:
    """Return the private key in a value as it is, with one line break at its end.

    Raises:
        TemplateError: it is no PEM key, is encrypted, of a kind that is not supported, or not the
            one of `certificate`.
    """
    raw = inputs.raw(name).strip() + b"\n"
    problem = "is not a private key in PEM"
    with suppress(ValueError, UnsupportedAlgorithm):
        try:
            public = load_pem_private_key(raw, password=None).public_key()
        except TypeError:  # as cryptography tells that a passphrase is missing
            problem = "is a private key under a passphrase, which no server could read"
        else:
            if _spki(public) == _spki(certificate.public_key()):
                return raw
            problem = "is not the private key of the certificate"
    raise inputs.refused(name, problem)


def _spki(public: PublicKeyTypes) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
