"""Suite X1: post-quantum hybrid envelopes for manifest values (docs/format.md, "Suite X1").

A data key (DEK) of 32 random bytes encrypts the values of one envelope; HPKE wraps it to each
cluster. We compose two published constructions and add no primitive of our own:

- wrap: HPKE base mode (RFC 9180) with KEM 0x647A MLKEM768-X25519 (X-Wing, draft-ietf-hpke-pq),
  HKDF-SHA256 and ChaCha20-Poly1305;
- item: Cobblestone-256 (C2SP chunked-encryption), which commits to its key and its context.

The suite name is ours and has no parameters: a change of any part is a new name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final, NewType, NoReturn

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256, SHAKE256, Hash
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from sealkit.crypto.context import Binding, context, extended
from sealkit.crypto.halves import mlkem_private, mlkem_public, x25519_private, x25519_public
from sealkit.encoding import to_base32
from sealkit.errors import ConfigError, SealkitError, UnsealError
from sealkit.padding import pad, unpad
from sealkit.sensitive import Sensitive

Kid = NewType("Kid", str)

NAME: Final = "X1"
SEED_BYTES: Final = 32  # X-Wing decapsulation key, draft-connolly-cfrg-xwing-kem section 5.2
PUBLIC_KEY_BYTES: Final = 1216  # ML-KEM-768 encapsulation key (1184) || X25519 public key (32)
DEK_BYTES: Final = 32
WRAP_BYTES: Final = 1168  # KEM ciphertext (1120) || encrypted DEK (32) || tag (16)

_MLKEM_PUBLIC_BYTES: Final = 1184
_MLKEM_SEED_BYTES: Final = 64  # d || z, FIPS 203
_HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class PublicKey:
    """A cluster's public key: what anyone needs to seal for that cluster. Equal by its bytes."""

    def __init__(self, raw: bytes) -> None:
        """Check and hold the 1216 raw bytes.

        Raises:
            ConfigError: wrong length, a non-canonical ML-KEM key (FIPS 203 section 7.2) or an
                X25519 point of low order, with which every shared secret would be zero.
            SealkitError: this build of `cryptography` has no ML-KEM.
        """
        if len(raw) != PUBLIC_KEY_BYTES:
            raise ConfigError(f"a public key of suite X1 has {PUBLIC_KEY_BYTES} bytes")
        self.raw = bytes(raw)
        try:
            with _mlkem_needed():
                _ = self.hpke
        except ValueError:
            raise ConfigError("not a usable public key of suite X1") from None

    @cached_property
    def hpke(self) -> MLKEM768X25519PublicKey:
        """The key as the HPKE implementation wants it."""
        mlkem, x25519 = self.raw[:_MLKEM_PUBLIC_BYTES], self.raw[_MLKEM_PUBLIC_BYTES:]
        return MLKEM768X25519PublicKey(mlkem_public(mlkem), x25519_public(x25519))

    @cached_property
    def kid(self) -> Kid:
        """The key id: base32 of the first 16 bytes of SHA-256(ctx("kid", "X1", public key))."""
        digest = Hash(SHA256())  # not that of hashlib, which loads OpenSSL once more
        digest.update(context("kid", NAME, self.raw))
        return Kid(to_base32(digest.finalize()[:16]))

    def __eq__(self, other: object) -> bool:
        """Compare the raw bytes, which are public."""
        return isinstance(other, PublicKey) and self.raw == other.raw

    def __hash__(self) -> int:
        """Hash the raw bytes, which are public."""
        return hash(self.raw)

    def __repr__(self) -> str:
        """Show the key id."""
        return f"PublicKey({self.kid})"


class PrivateKey:
    """A cluster's private key: the 32-byte X-Wing seed, and nothing else, is what is stored.

    Both component keys are expanded from the one seed, so halves of different keys cannot be mixed.
    """

    __slots__ = ("hpke", "public", "seed")

    def __init__(self, seed: Sensitive) -> None:
        """Expand `seed` (32 bytes) into the key pair: SHAKE256 to d || z || X25519 scalar.

        Raises:
            ConfigError: the seed has another length.
            SealkitError: this build of `cryptography` has no ML-KEM.
        """
        if len(seed.reveal()) != SEED_BYTES:
            raise ConfigError(f"a private key of suite X1 is a seed of {SEED_BYTES} bytes")
        shake = Hash(SHAKE256(_MLKEM_SEED_BYTES + 32))
        shake.update(seed.reveal())
        expanded = shake.finalize()
        with _mlkem_needed():
            mlkem = mlkem_private(expanded[:_MLKEM_SEED_BYTES])
        x25519 = x25519_private(expanded[_MLKEM_SEED_BYTES:])
        self.seed = seed
        self.public = PublicKey(
            mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        )
        self.hpke = MLKEM768X25519PrivateKey(mlkem, x25519)

    @classmethod
    def generate(cls, random: Callable[[int], bytes]) -> PrivateKey:
        """Make a new key pair from `random`, which must be a cryptographic source."""
        return cls(Sensitive(random(SEED_BYTES)))

    @property
    def kid(self) -> Kid:
        """The key id, that of the public key."""
        return self.public.kid

    def __repr__(self) -> str:
        """Show the key id, which is public."""
        return f"PrivateKey({self.kid})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied into another process."""
        raise TypeError("a PrivateKey cannot be pickled")


def wrap(dek: Sensitive, recipient: PublicKey, binding: Binding, envelope: bytes) -> bytes:
    """Return the data key encrypted to one cluster, bound to its place, envelope and key id."""
    info = context("wrap", NAME, *binding, envelope, recipient.kid)
    return _HPKE.encrypt(dek.reveal(), recipient.hpke, info)


def unwrap(wrapped: bytes, key: PrivateKey, binding: Binding, envelope: bytes) -> Sensitive:
    """Return the data key inside a wrap.

    Raises:
        UnsealError: it was made for another key, place or envelope, or it was changed.
    """
    info = context("wrap", NAME, *binding, envelope, key.kid)
    if len(wrapped) != WRAP_BYTES:
        raise UnsealError("an envelope could not be opened")
    try:
        return Sensitive(_HPKE.decrypt(wrapped, key.hpke, info))
    except InvalidTag:
        raise UnsealError("an envelope could not be opened") from None


class Envelope:
    """One open envelope: a data key with its id and place, ready to seal or open values."""

    __slots__ = ("_binding", "_dek", "_id", "_place")

    def __init__(self, dek: Sensitive, binding: Binding, envelope: bytes) -> None:
        self._dek = dek
        self._binding = binding
        self._id = envelope
        self._place = context("value", NAME, *binding, envelope)

    def _context(self, data_key: str) -> bytes:
        return extended(self._place, data_key)

    def wrap(self, recipient: PublicKey) -> bytes:
        """Return this envelope's data key encrypted to one cluster."""
        return wrap(self._dek, recipient, self._binding, self._id)

    def seal(self, data_key: str, value: Sensitive) -> bytes:
        """Return the item for one value; it opens only under the same data key of the Secret.

        A random 24-byte salt inside makes each call's result different.
        """
        encryptor = Cobblestone256Encryptor(self._dek.reveal(), self._context(data_key))
        return encryptor.update(pad(value.reveal())) + encryptor.finalize()

    def open(self, data_key: str, item: bytes) -> Sensitive:
        """Return the value of one item.

        Raises:
            UnsealError: it was sealed elsewhere or under another data key, or it was changed.
        """
        decryptor = Cobblestone256Decryptor(self._dek.reveal(), self._context(data_key))
        try:
            padded = decryptor.update(item) + decryptor.finalize()
        except (InvalidTag, ValueError):
            raise UnsealError("a value could not be opened") from None
        return Sensitive(unpad(padded))


@contextmanager
def _mlkem_needed() -> Iterator[None]:
    try:
        yield
    except UnsupportedAlgorithm:
        raise SealkitError(
            "this build of the cryptography package has no ML-KEM-768",
            hint="install the wheel from the package index, or build against OpenSSL 3.5 or newer",
        ) from None
