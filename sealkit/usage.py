"""Which keys manifests depend on: what may be removed, and what must not be. Pure.

Counted by what is public in a manifest, the key ids of its wraps; nothing is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

Wraps = frozenset[frozenset[str]]
"""For each envelope of a manifest the ids of the keys it is wrapped for."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many manifests depend on one key.

    `manifests` have a wrap for it. `only` of them would no longer open without it: an envelope has
    no wrap for another key at hand.
    """

    manifests: int = 0
    only: int = 0


def wraps_of(raw: Mapping[str, object]) -> Wraps:
    """Return the wraps of a SealedSecret as it was read; what has another shape has none."""
    spec = raw.get("spec")
    envelopes = spec.get("envelopes") if isinstance(spec, Mapping) else None
    found = envelopes.values() if isinstance(envelopes, Mapping) else ()
    wraps = [entry.get("wraps") for entry in found if isinstance(entry, Mapping)]
    return frozenset(frozenset(map(str, w)) for w in wraps if isinstance(w, Mapping))


def needs(wraps: Wraps, kid: str, kids: Collection[str]) -> bool:
    """Tell whether a manifest opens with none of the other `kids`, which are the keys at hand."""
    return any(envelope.intersection(kids) == {kid} for envelope in wraps)


def key_usage(manifests: Mapping[Wraps, int], kids: Collection[str]) -> dict[str, KeyUse]:
    """Return the use of each of `kids`, the keys at hand, by manifests counted by their wraps."""

    def of(kid: str) -> KeyUse:
        using = {wraps: count for wraps, count in manifests.items() if any(kid in e for e in wraps)}
        only = sum(count for wraps, count in using.items() if needs(wraps, kid, kids))
        return KeyUse(sum(using.values()), only)

    return {kid: of(kid) for kid in kids}
