"""The two halves of a key pair of suite X1, made without loading all of `cryptography`.

Its public constructors import the whole OpenSSL backend (RSA, block ciphers, modes) for the
question whether an algorithm is supported: half the start of a bare Python, at each command. What
they call then is called here; where a version has it elsewhere, or has no ML-KEM, they are.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.bindings._rust import openssl

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mlkem import (
        MLKEM768PrivateKey,
        MLKEM768PublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

_ANY_SCALAR: Final = b"\x01" * 32


def mlkem_public(raw: bytes) -> MLKEM768PublicKey:
    """Return an encapsulation key of 1184 bytes.

    Raises:
        ValueError: another length, or not canonical (FIPS 203 section 7.2).
        UnsupportedAlgorithm: this build has no ML-KEM.
    """
    make = _maker("mlkem", "from_mlkem768_public_bytes", "MLKEM768PublicKey.from_public_bytes")
    return make(raw)  # type: ignore[no-any-return]  # as the name says


def mlkem_private(seed: bytes) -> MLKEM768PrivateKey:
    """Return the decapsulation key of a seed of 64 bytes.

    Raises:
        ValueError: another length.
        UnsupportedAlgorithm: this build has no ML-KEM.
    """
    make = _maker("mlkem", "from_mlkem768_seed_bytes", "MLKEM768PrivateKey.from_seed_bytes")
    return make(seed)  # type: ignore[no-any-return]  # as the name says


def x25519_public(raw: bytes) -> X25519PublicKey:
    """Return a public key of 32 bytes.

    Raises:
        ValueError: another length, or a point of low order: any exchange with it would be zero
            (RFC 7748 section 6.1).
    """
    key = _maker("x25519", "from_public_bytes", "X25519PublicKey.from_public_bytes")(raw)
    x25519_private(_ANY_SCALAR).exchange(key)
    return key  # type: ignore[no-any-return]  # as the name says


def x25519_private(scalar: bytes) -> X25519PrivateKey:
    """Return the private key of a scalar of 32 bytes.

    Raises:
        ValueError: another length.
    """
    make = _maker("x25519", "from_private_bytes", "X25519PrivateKey.from_private_bytes")
    return make(scalar)  # type: ignore[no-any-return]  # as the name says


def _maker(module: str, direct: str, public: str) -> Callable[[bytes], Any]:
    found = getattr(getattr(openssl, module, None), direct, None)
    if found is None:
        kind, _, method = public.partition(".")
        package = importlib.import_module(f"cryptography.hazmat.primitives.asymmetric.{module}")
        found = getattr(getattr(package, kind), method)
    return found  # type: ignore[no-any-return]  # one of the two
