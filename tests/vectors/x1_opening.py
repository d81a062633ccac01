"""Vectors about opening: what opens, what does not, one cause of failure each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from sealkit.crypto.context import Binding
from sealkit.crypto.x1 import PublicKey, wrap
from sealkit.encoding import from_uuid
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedEnvelope, SealedSecret
from sealkit.padding import pad
from sealkit.sealing import set_values
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import REMOVED
from tests.vectors.x1_build import (
    DATA,
    PROD,
    STAGE,
    STRANGER,
    VALUES,
    Case,
    Stream,
    by_hand,
    envelope_id,
    flipped,
    public,
    put,
    sealed,
    typed,
    with_item,
    with_wrap,
    wrap_flipped,
)

BIG: Final = bytes(range(256)) * 80  # 20 KiB: two chunks
THREE_CHUNKS: Final = bytes(range(256)) * 160
BOUNDARIES: Final = {f"bytes-{size}": b"x" * size for size in (60, 61, 1020, 1021, 16380, 16381)}
SCOPES: Final = {"strict": Scope.STRICT, "namespace": Scope.NAMESPACE, "cluster": Scope.CLUSTER}
TLS: Final = {"tls.crt": b"crt", "tls.key": b"key"}


def success(
    name: str, comment: str, values: dict[str, bytes], keys: tuple[bytes, ...] = (PROD,)
) -> Case:
    return Case(name, comment, "success", partial(sealed_dict, values), keys=keys, data=values)


def sealed_dict(values: Mapping[str, bytes], scope: Scope = Scope.STRICT) -> dict[str, object]:
    return sealed(values, scope).to_dict()


def two_clusters() -> dict[str, Any]:
    return sealed(seeds=(PROD, STAGE)).to_dict()


def two_envelopes() -> dict[str, Any]:
    change = {"password": Sensitive(b"new")}
    return set_values(sealed(), change, [public(PROD)], Stream("second")).to_dict()


def place(scope: Scope, namespace: str, name: str) -> dict[str, Any]:
    return put(("metadata",), {"name": name, "namespace": namespace}, sealed(scope=scope))


def swapped_values() -> dict[str, Any]:
    manifest = sealed()
    one, two = (str(manifest.encrypted_data[key]) for key in ("password", "user"))
    return put(DATA, {"password": two, "user": one}, manifest)


def renamed_key() -> dict[str, Any]:
    manifest = sealed({"user": b"shop"})
    return put(DATA, {"User": str(manifest.encrypted_data["user"])}, manifest)


def item_of(other: SealedSecret) -> dict[str, Any]:
    return with_item(sealed(), "user", other.encrypted_data["user"].item)


def wrap_of(other: SealedSecret, key: PublicKey) -> dict[str, Any]:
    (envelope,) = other.envelopes.values()
    return with_wrap(sealed(), public(PROD).kid, envelope.wraps[key.kid])


def from_another_manifest() -> dict[str, Any]:
    """A value and its whole envelope from shop/cache."""
    other, manifest = sealed(stream="other", name="cache"), sealed()
    data = {**manifest.encrypted_data, "user": other.encrypted_data["user"]}
    envelopes = {**manifest.envelopes, **other.envelopes}
    return manifest._replace(encrypted_data=data, envelopes=envelopes).to_dict()


def two_data_keys() -> dict[str, Any]:
    """An envelope whose wraps hold two data keys, with a value under the first."""
    manifest = sealed()
    ((eid, envelope),) = manifest.envelopes.items()
    binding = Binding("strict", "shop", "db")
    other = wrap(Sensitive(bytes(32)), public(STAGE), binding, from_uuid(eid))
    wraps = {**envelope.wraps, public(STAGE).kid: other}
    return manifest._replace(envelopes={eid: SealedEnvelope("X1", wraps)}).to_dict()


def swapped_chunks() -> dict[str, Any]:
    manifest = sealed({"big": THREE_CHUNKS})
    item = manifest.encrypted_data["big"].item
    first, second, size = 56, 56 + 16400, 16400
    parts = (item[:first], item[second : second + size], item[first:second], item[second + size :])
    return with_item(manifest, "big", b"".join(parts))


def zero_share() -> dict[str, Any]:
    manifest, kid = sealed(), public(PROD).kid
    wrap = manifest.envelopes[envelope_id(manifest)].wraps[kid]
    return with_wrap(manifest, kid, wrap[:1088] + bytes(32) + wrap[1120:])


SUCCESSES = (
    *(
        Case(f"scope-{name}", f"scope {scope}, opened where it was sealed for", "success",
             partial(sealed_dict, VALUES, scope), data=VALUES)
        for name, scope in SCOPES.items()
    ),
    Case("namespace-renamed", "scope namespace-wide: the name is free", "success",
         lambda: place(Scope.NAMESPACE, "shop", "other"), data=VALUES),
    Case("cluster-moved", "scope cluster-wide: namespace and name are free", "success",
         lambda: place(Scope.CLUSTER, "stage", "other"), data=VALUES),
    Case("cluster-no-namespace", "scope cluster-wide: no namespace at all", "success",
         lambda: put(("metadata", "namespace"), REMOVED, sealed(scope=Scope.CLUSTER)), data=VALUES),
    Case("two-clusters-first", "two wraps, the reader has the key of the first", "success",
         two_clusters, data=VALUES),
    Case("two-clusters-second", "two wraps, the reader has the key of the second", "success",
         two_clusters, keys=(STAGE,), data=VALUES),
    Case("two-clusters-both", "two wraps, the reader has both keys", "success",
         two_clusters, keys=(PROD, STAGE), data=VALUES),
    Case("two-envelopes", "one value was set later, in an envelope of its own", "success",
         two_envelopes, data=VALUES | {"password": b"new"}),
    success("binary", "every byte", {"bin": bytes(range(256))}),
    success("empty-value", "a value of no bytes", {"empty": b""}),
    success("empty-secret", "no values, no envelopes", {}, keys=()),
    success("big", "20 KiB, more than one chunk of 16 KiB", {"big": BIG}),
    success("boundaries", "lengths around the steps of padding and chunks", BOUNDARIES),
    success("same-value-twice", "one value under two data keys", {"a": b"x", "b": b"x"}),
    Case("tls", "a type with required keys", "success",
         lambda: typed("kubernetes.io/tls", TLS), data=TLS),
    Case("unbound-parts", "labels, type, immutable, suspend and the like are not bound", "success",
         lambda: put(("spec", "template"), {"type": "example.com/x", "immutable": True,
                                            "metadata": {"labels": {"a": "b"}}}), data=VALUES),
    Case("value-taken-out", "the number of values is not bound", "success",
         lambda: put((*DATA, "user"), REMOVED), data={"password": b"hunter2"}),
)  # fmt: skip

NO_KEY = (
    Case("no-key", "the reader has another key", "no-key", lambda: sealed().to_dict(),
         keys=(STRANGER,)),
    Case("no-key-at-all", "the reader has no key", "no-key", lambda: sealed().to_dict(), keys=()),
    Case("no-key-for-one-envelope", "a key for one of two envelopes is not enough", "no-key",
         lambda: set_values(sealed(), {"password": Sensitive(b"new")}, [public(STAGE)],
                            Stream("second")).to_dict()),
)  # fmt: skip

_PLACES = {
    "strict-renamed": (Scope.STRICT, "shop", "other"),
    "strict-moved": (Scope.STRICT, "stage", "db"),
    "namespace-moved": (Scope.NAMESPACE, "stage", "db"),
}
_CLAIMS = {
    "strict-claims-namespace": (Scope.STRICT, "namespace-wide"),
    "strict-claims-cluster": (Scope.STRICT, "cluster-wide"),
    "namespace-claims-strict": (Scope.NAMESPACE, "strict"),
    "namespace-claims-cluster": (Scope.NAMESPACE, "cluster-wide"),
    "cluster-claims-strict": (Scope.CLUSTER, "strict"),
    "cluster-claims-namespace": (Scope.CLUSTER, "namespace-wide"),
}
_ITEM_BITS = {"salt": 0, "commitment": 24, "chunk": 56, "tag": -1}
_WRAP_BITS = {"mlkem": 0, "x25519": 1088, "data-key": 1120, "tag": -1}
_PADDINGS = {
    "padding-not-zero": (pad(b"hunter2")[:-1] + b"\1", "a padding byte is not zero"),
    "padding-longer-than-needed": (pad(b"hunter2") + bytes(64), "a length class too large"),
    "padding-length-too-large": (b"\0\0\0\x3d" + bytes(60), "the length points past the end"),
    "padding-length-huge": (b"\xff" * 64, "the length is 4,294,967,295"),
}

UNSEAL_FAILURES = (
    *(
        Case(name, "the place is not the one it was sealed for", "unseal-failure",
             partial(place, *to))
        for name, to in _PLACES.items()
    ),
    *(
        Case(name, "spec.scope was changed by hand", "unseal-failure",
             partial(put, ("spec", "scope"), claim, sealed(scope=scope)))
        for name, (scope, claim) in _CLAIMS.items()
    ),
    *(
        Case(f"item-{name}-changed", "one bit of an item is changed", "unseal-failure",
             partial(flipped, sealed(), "user", at))
        for name, at in _ITEM_BITS.items()
    ),
    *(
        Case(f"wrap-{name}-changed", "one bit of a wrap is changed", "unseal-failure",
             partial(wrap_flipped, at))
        for name, at in _WRAP_BITS.items()
    ),
    *(
        Case(name, comment, "unseal-failure", partial(by_hand, text))
        for name, (text, comment) in _PADDINGS.items()
    ),
    Case("values-swapped", "two items changed places", "unseal-failure", swapped_values),
    Case("data-key-renamed", "an item under another data key", "unseal-failure", renamed_key),
    Case("item-of-another-envelope", "an item of the same place and data key, sealed another time",
         "unseal-failure", lambda: item_of(sealed(stream="other"))),
    Case("value-of-another-manifest", "a value and its envelope from another name",
         "unseal-failure", from_another_manifest),
    Case("wrap-of-another-envelope", "the wrap of an envelope of the same place",
         "unseal-failure", lambda: wrap_of(sealed(stream="other"), public(PROD))),
    Case("wrap-of-another-cluster", "the wrap for another cluster under this key id",
         "unseal-failure", lambda: wrap_of(sealed(seeds=(STAGE,)), public(STAGE))),
    Case("wrap-x25519-share-zero", "an X25519 share of low order", "unseal-failure", zero_share),
    Case("two-data-keys-in-one-envelope", "an item commits to one data key", "unseal-failure",
         two_data_keys, keys=(STAGE,)),
    Case("chunks-swapped", "two full chunks changed places", "unseal-failure", swapped_chunks),
    Case("item-bound-to-another-suite", "the item's context names suite X2", "unseal-failure",
         lambda: by_hand(pad(b"x"), item_context=("X2", "strict", "shop", "db"))),
    Case("item-with-parts-left-out", "free parts of a context are empty, never left out",
         "unseal-failure", lambda: by_hand(pad(b"x"), item_context=("X1", "strict", "shopdb"))),
)  # fmt: skip

OPENING = (*SUCCESSES, *NO_KEY, *UNSEAL_FAILURES)
