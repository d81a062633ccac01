"""JSON Web Tokens signed with ES256: written, read, verified. What they claim is not judged here.

Compact form: RFC 7515, section 7.1. Algorithm: RFC 7518, section 3.4. Key set: RFC 7517.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealkit_controller.sandbox.objects.status import JsonObject

ALGORITHM: Final = "ES256"
_NUMBER_BYTES: Final = 32  # of a coordinate and of each half of a signature on P-256


class TokenError(Exception):
    """A text that is no token, or one that this key did not sign; the text is never quoted."""


@dataclass(frozen=True)
class UnverifiedToken:
    """A token taken apart. Nothing in it can be trusted yet."""

    header: JsonObject
    claims: JsonObject
    signed: bytes
    signature: bytes


class SigningKey:
    """A key on P-256 that signs tokens and knows its own again."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self._public = key.public_key()
        self.key_id = _key_id(self._public)

    def sign(self, claims: JsonObject) -> str:
        """Return a token with these claims."""
        header = {"alg": ALGORITHM, "kid": self.key_id}
        signed = f"{_encode_json(header)}.{_encode_json(claims)}"
        pair = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        signature = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in pair)
        return f"{signed}.{_encode(signature)}"

    def verify(self, token: UnverifiedToken) -> None:
        """Check that this key signed the token.

        Raises:
            TokenError: it names another key or algorithm, or the signature is wrong.
        """
        if token.header.get("kid", self.key_id) != self.key_id:
            raise TokenError("invalid signature, no keys found")
        signature = token.signature
        if token.header.get("alg") != ALGORITHM or len(signature) != 2 * _NUMBER_BYTES:
            raise TokenError(_WRONG_SIGNATURE)
        halves = signature[:_NUMBER_BYTES], signature[_NUMBER_BYTES:]
        encoded = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
        try:
            self._public.verify(encoded, token.signed, ec.ECDSA(SHA256()))
        except InvalidSignature as error:
            raise TokenError(_WRONG_SIGNATURE) from error

    def to_jwk(self) -> JsonObject:
        """Return the public key as an entry of a key set."""
        numbers = self._public.public_numbers()
        place = {
            name: _encode(number.to_bytes(_NUMBER_BYTES, "big"))
            for name, number in (("x", numbers.x), ("y", numbers.y))
        }
        named = {"use": "sig", "kty": "EC", "kid": self.key_id, "crv": "P-256", "alg": ALGORITHM}
        return named | place


_WRONG_SIGNATURE: Final = "go-jose/go-jose: error in cryptographic primitive"  # the real wording


def make_key() -> SigningKey:
    """Return a new key."""
    return SigningKey(ec.generate_private_key(ec.SECP256R1()))


def read_unverified(text: str) -> UnverifiedToken:
    """Take a token apart.

    Raises:
        TokenError: it is none; there is one way to write a token, and others are refused.
    """
    parts = text.split(".")
    if len(parts) != 3:
        raise TokenError("a token has three parts")
    try:
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
        signature = _decode(parts[2])
    except (ValueError, RecursionError) as error:
        raise TokenError("a part of the token cannot be decoded") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenError("a part of the token is no object")
    return UnverifiedToken(header, claims, ".".join(parts[:2]).encode(), signature)


def _key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return the key's name as the real server makes it: a digest of the key's DER."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _encode(hashlib.sha256(der).digest())


def _encode_json(value: Any) -> str:
    return _encode(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(data) != text:  # spare bits of the last character
        raise ValueError("not the canonical form")
    return data
