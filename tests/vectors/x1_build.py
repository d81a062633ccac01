"""What the test vectors of suite X1 are built from: known keys, a known random stream, edits.

Seeds, envelope ids and data keys are the same in every run; HPKE and Cobblestone draw randomness of
their own, so wraps and items are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import shake_256
from typing import Any, Final

from cryptography.cobblestone import Cobblestone256Encryptor

from sealkit.crypto import x1
from sealkit.crypto.context import Binding, context
from sealkit.encoding import from_base64, to_base64, to_uuid
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import EnvelopeId, SealedEnvelope, SealedSecret, SealedValue
from sealkit.manifests.secret import Secret
from sealkit.sealing import seal
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import Path, edited

PROD: Final = bytes(range(32))  # the seed of the known answer in docs/format.md
STAGE: Final = bytes(range(32, 64))
STRANGER: Final = bytes(range(64, 96))

VALUES: Final = {"password": b"hunter2", "user": b"shop"}
DATA: Final = ("spec", "encryptedData")


@dataclass(frozen=True)
class Case:
    """One vector: what a reader with the private keys `keys` must make of the manifest.

    `expect` is success, no-key, unseal-failure or manifest-failure; `field` goes with the last.
    """

    name: str
    comment: str
    expect: str
    manifest: Callable[[], Mapping[str, object]] = field(repr=False)
    field: str = ""
    keys: tuple[bytes, ...] = (PROD,)
    data: Mapping[str, bytes] | None = None

    def facts(self) -> dict[str, object]:
        """Everything but the manifest, as the file has it."""
        facts: dict[str, object] = {
            "source": "sealkit, docs/format.md",
            "made_by": "python -m tests.vectors.make_x1",
            "comment": self.comment,
            "expect": self.expect,
            "keys": [key.hex() for key in self.keys],
        }
        if self.field:
            facts["field"] = self.field
        if self.data is not None:
            facts["data"] = {key: to_base64(value) for key, value in self.data.items()}
        return facts


class Stream:
    """A known stream in place of randomness, another one for each `name`. Never for real use."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def __call__(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        self._count += 1
        return shake_256(f"{self._name} {self._count}".encode()).digest(size)


def public(seed: bytes) -> x1.PublicKey:
    return x1.PrivateKey(Sensitive(seed)).public


def sealed(
    values: Mapping[str, bytes] = VALUES,
    scope: Scope = Scope.STRICT,
    seeds: tuple[bytes, ...] = (PROD,),
    stream: str = "vector",
    name: str = "db",
) -> SealedSecret:
    """A manifest `shop/db` sealed to `seeds`."""
    data = {key: Sensitive(value) for key, value in values.items()}
    return seal(Secret(name, "shop", data), map(public, seeds), scope, Stream(stream))


def typed(type_name: str, values: Mapping[str, bytes]) -> dict[str, Any]:
    """A manifest whose type was written in afterwards, so that nothing checked the values."""
    return edited(sealed(values).to_dict(), ("spec", "template", "type"), type_name)


def put(path: Path, value: object, base: SealedSecret | None = None) -> dict[str, Any]:
    return edited((base or sealed()).to_dict(), path, value)


def envelope_id(manifest: SealedSecret) -> EnvelopeId:
    (eid,) = manifest.envelopes
    return eid


def flipped(manifest: SealedSecret, key: str, position: int) -> dict[str, Any]:
    """One bit of the item of `key` changed."""
    item = bytearray(manifest.encrypted_data[key].item)
    item[position] ^= 1
    return with_item(manifest, key, bytes(item))


def with_item(manifest: SealedSecret, key: str, item: bytes) -> dict[str, Any]:
    value = SealedValue(manifest.encrypted_data[key].envelope, item)
    return put((*DATA, key), str(value), manifest)


def with_wrap(manifest: SealedSecret, kid: str, wrap: bytes) -> dict[str, Any]:
    path = ("spec", "envelopes", envelope_id(manifest), "wraps", kid)
    return put(path, f"wrap:{to_base64(wrap)}", manifest)


def wrap_flipped(position: int) -> dict[str, Any]:
    """One bit of the wrap changed."""
    manifest, kid = sealed(), public(PROD).kid
    wrap = bytearray(manifest.envelopes[envelope_id(manifest)].wraps[kid])
    wrap[position] ^= 1
    return with_wrap(manifest, kid, bytes(wrap))


def by_hand(
    padded: bytes,
    item_context: tuple[str, ...] = ("X1", "strict", "shop", "db"),
    wrap_context: tuple[str, ...] = ("X1", "strict", "shop", "db"),
) -> dict[str, Any]:
    """A manifest with one value `password`, padded and bound in any way, wrongly too."""
    stream = Stream("by hand")
    raw_id, dek = stream(16), stream(32)
    encryptor = Cobblestone256Encryptor(dek, context("value", *item_context, raw_id, "password"))
    item = encryptor.update(padded) + encryptor.finalize()
    key = public(PROD)
    wrapped = x1.wrap(Sensitive(dek), key, Binding(*wrap_context[1:]), raw_id)
    eid = EnvelopeId(to_uuid(raw_id))
    return SealedSecret(
        "db",
        "shop",
        Scope.STRICT,
        {eid: SealedEnvelope("X1", {key.kid: wrapped})},
        {"password": SealedValue(eid, item)},
    ).to_dict()


def decoded(data: Mapping[str, str]) -> dict[str, bytes]:
    """The values of a file."""
    return {key: from_base64(value) for key, value in data.items()}
