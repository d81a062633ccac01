"""The scheme of Bitnami Sealed Secrets: one value, sealed to an RSA key and bound to a place. Pure.

An item is `u16be(len C) || C || G`: C is the session key under RSA-OAEP with SHA-256 and the place
as its label, G the value under AES-256-GCM. Neither the name of a value nor the manifest around it
is authenticated; that is their format, not a choice made here.

Only the key and the last day of a certificate are read: `cryptography` refuses the extensions of
those that their controller makes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from sealkit.errors import ConfigError, ManifestError, UnsealError
from sealkit.sensitive import Sensitive

MIN_KEY_BITS: Final = 2048

_SESSION_KEY_BYTES: Final = 32
# A session key encrypts one value and is made for it, so no nonce is ever used twice with it.
_NONCE: Final = bytes(12)
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL
)
_PRIVATE_KEY: Final = re.compile(
    rb"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----.*?-----END ([A-Z]+ )?PRIVATE KEY-----", re.DOTALL
)
_FETCH: Final = "kubeseal --fetch-cert prints the one to seal with"


@dataclass(frozen=True)
class Certificate:
    """The public key that a controller seals with, and the last day to use it."""

    key: RSAPublicKey = field(repr=False)
    not_after: date

    @classmethod
    def parse(cls, pem: bytes) -> Certificate:
        """Read the first certificate of a PEM text, as their tools do.

        Raises:
            ConfigError: there is none, or it has no RSA key of at least `MIN_KEY_BITS`.
        """
        found = _CERTIFICATE.search(pem)
        if found is None:
            what = "holds no certificate"
            if _PRIVATE_KEY.search(pem):
                what = "holds a private key, and the certificate is needed"
            raise ConfigError(what, hint=_FETCH)
        try:
            certificate = load_pem_x509_certificate(found[0])
            key = certificate.public_key()
        except (ValueError, UnsupportedAlgorithm):
            raise ConfigError("holds a damaged certificate", hint=_FETCH) from None
        if not isinstance(key, RSAPublicKey):
            raise ConfigError("has a key that is not RSA, as Bitnami needs it", hint=_FETCH)
        if key.key_size < MIN_KEY_BITS:
            what = f"has an RSA key of {key.key_size} bits, expected at least {MIN_KEY_BITS}"
            raise ConfigError(what, hint=_FETCH)
        return cls(key, certificate.not_valid_after_utc.date())

    def check_usable(self, today: date) -> None:
        """Refuse a certificate whose last day is over, as kubeseal does.

        Raises:
            ConfigError: it is.
        """
        if today > self.not_after:
            raise ConfigError(f"the certificate expired on {self.not_after}", hint=_FETCH)


def parse_private_keys(pem: Sensitive) -> tuple[RSAPrivateKey, ...]:
    """Read all private keys of a PEM text, PKCS#1 or PKCS#8; none of them may be encrypted.

    Raises:
        ConfigError: there is none, or one is damaged, encrypted or not RSA.
    """
    blocks = [found[0] for found in _PRIVATE_KEY.finditer(pem.reveal())]
    if not blocks:
        raise ConfigError("holds no private key in PEM")
    return tuple(_private_key(block) for block in blocks)


def _private_key(block: bytes) -> RSAPrivateKey:
    key = None
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = load_pem_private_key(block, password=None)
    # Raised out here because the codec's own error, its context in there, may tell of the key.
    if key is None:
        raise ConfigError("holds a private key that is damaged or encrypted")
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("holds a private key that is not RSA")
    return key


def label(namespace: str, name: str) -> bytes:
    """Return what a value is bound to; a part is empty where its scope is free.

    Strict is `namespace/name`, namespace-wide `namespace`, cluster-wide nothing.
    """
    return "/".join(part for part in (namespace, name) if part).encode()


def seal(
    value: Sensitive, key: RSAPublicKey, bound_to: bytes, random: Callable[[int], bytes]
) -> str:
    """Return the item for one value, as text. `random` must be a cryptographic source."""
    session_key = random(_SESSION_KEY_BYTES)
    wrapped = key.encrypt(session_key, _oaep(bound_to))
    sealed = AESGCM(session_key).encrypt(_NONCE, value.reveal(), None)
    return base64.b64encode(len(wrapped).to_bytes(2, "big") + wrapped + sealed).decode("ascii")


def parse_item(text: str, path: str) -> bytes:
    """Decode an item as Go does: line breaks are allowed, padding is required.

    Raises:
        ManifestError: it is not base64.
    """
    joined = text.replace("\r", "").replace("\n", "")
    with suppress(binascii.Error, UnicodeEncodeError):
        return base64.b64decode(joined.encode("ascii"), validate=True)
    raise ManifestError("is not base64", field=path)


class Ring:
    """Private keys. Items do not say which one they need, so all are tried, the last hit first."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[RSAPrivateKey]) -> None:
        self._keys = list(keys)

    def open(self, item: bytes, bound_to: bytes) -> Sensitive:
        """Return the value of one item.

        Raises:
            UnsealError: it was sealed to another key or for another place, or it was changed.
        """
        size = int.from_bytes(item[:2], "big")
        wrapped, sealed = item[2 : 2 + size], item[2 + size :]
        for position, key in enumerate(self._keys):
            value = _opened(key, wrapped, sealed, bound_to)
            if value is not None:
                self._keys.insert(0, self._keys.pop(position))
                return value
        raise UnsealError("a value could not be opened")


def _opened(key: RSAPrivateKey, wrapped: bytes, sealed: bytes, bound_to: bytes) -> Sensitive | None:
    """Return the value if this key fits. A block of another length is a `ValueError` as well."""
    with suppress(ValueError, InvalidTag):
        session_key = key.decrypt(wrapped, _oaep(bound_to))
        return Sensitive(AESGCM(session_key).decrypt(_NONCE, sealed, None))
    return None


def _oaep(bound_to: bytes) -> OAEP:
    return OAEP(MGF1(SHA256()), SHA256(), bound_to)
