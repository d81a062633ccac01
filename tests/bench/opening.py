"""How long it takes to open values, in this process: the hybrid of suite X1 beside RSA.

What a controller does for each manifest. Both rest on OpenSSL here; Bitnami's controller itself is
in Go. In turn, again and again; medians.
"""

import os
import statistics
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import rsa

from sealkit.crypto import x1
from sealkit.crypto.context import Binding
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.sealing import open_values, seal
from sealkit.sensitive import Sensitive
from tests.bench import bitnami
from tests.bench.manifests import VALUE_BYTES, VALUES

ROUNDS = 25
TOGETHER = 20  # of one kind in a row, as a controller does with a queue of manifests
OURS = f"`open_values`, {VALUES} values of one envelope"
THEIRS = f"{VALUES} values as Bitnami seals them, RSA-4096-OAEP"
OUR_KEY = "a data key from its wrap, ML-KEM-768 and X25519"
THEIR_KEY = "a session key from RSA-4096-OAEP"


def measure(rounds: int = ROUNDS, key_bits: int = bitnami.KEY_BITS) -> dict[str, float]:
    """Return the median of microseconds that each opening takes."""
    openings = _ours() | _theirs(key_bits)
    taken: dict[str, list[float]] = {what: [] for what in openings}
    for _ in range(rounds):
        for what, act in openings.items():
            started = time.perf_counter()
            for _ in range(TOGETHER):
                act()
            taken[what].append((time.perf_counter() - started) / TOGETHER)
    return {what: statistics.median(seconds) * 1e6 for what, seconds in taken.items()}


def _ours() -> dict[str, Callable[[], object]]:
    key = x1.PrivateKey.generate(os.urandom)
    data = {f"key-{number}": Sensitive(os.urandom(VALUE_BYTES)) for number in range(VALUES)}
    sealed = seal(Secret("db", "shop", data), [key.public], Scope.STRICT, os.urandom)
    binding, envelope = Binding("strict", "shop", "db"), os.urandom(16)
    wrapped = x1.wrap(Sensitive(os.urandom(x1.DEK_BYTES)), key.public, binding, envelope)
    return {
        OURS: lambda: open_values(sealed, {key.kid: key}),
        OUR_KEY: lambda: x1.unwrap(wrapped, key, binding, envelope),
    }


def _theirs(key_bits: int) -> dict[str, Callable[[], object]]:
    key = rsa.generate_private_key(65537, key_bits)
    label = b"shop/db"
    values = [
        bitnami.seal_value(key.public_key(), os.urandom(VALUE_BYTES), label) for _ in range(VALUES)
    ]
    wrapped = key.public_key().encrypt(os.urandom(32), bitnami.oaep(label))
    return {
        THEIRS: lambda: [bitnami.open_value(key, value, label) for value in values],
        THEIR_KEY: lambda: key.decrypt(wrapped, bitnami.oaep(label)),
    }
