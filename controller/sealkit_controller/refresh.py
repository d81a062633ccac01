"""When the references of a manifest are resolved again. Pure.

Everything that decides is in the manifest and its status, so a restart changes no moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sealkit.errors import ManifestError
from sealkit.manifests.vault import RefreshPolicy, parse_references, parse_vault
from sealkit.references.reference import Store, StoreKind
from sealkit_controller.objects import JsonObject, child, children, number, text
from sealkit_controller.record import Record

_JITTER: Final = (
    0.1  # of the interval, taken off: what was read together is not read together again
)


@dataclass(frozen=True, slots=True)
class Refreshing:
    """What a manifest with references says about their refresh, kept of it when it is synced.

    `interval_seconds` is None where the stores decide; `requests` is how many answers of Vault it
    takes.
    """

    policy: RefreshPolicy
    interval_seconds: int | None
    stores: tuple[Store, ...]
    requests: int
    revoke_on_delete: bool

    @classmethod
    def of(cls, raw: Mapping[str, object]) -> Refreshing | None:
        """Read a whole manifest; None without references, or if they are wrong.

        Then opening it says what is wrong.
        """
        spec = child(raw, "spec")
        if not spec.get("references"):
            return None
        try:
            terms = parse_vault(spec.get("vault", {}))
            templates = parse_references(spec["references"]).values()
        except ManifestError:
            return None
        references = {one.asking for template in templates for one in template.references}
        stores = {terms.store_of(one) for one in references}
        return cls(
            policy=terms.policy,
            interval_seconds=terms.interval_seconds,
            stores=tuple(sorted(stores, key=lambda store: (store.kind, store.name))),
            requests=len({replace(one, store=terms.store_of(one)) for one in references}),
            revoke_on_delete=terms.revoke_on_delete,
        )

    @classmethod
    def load(cls, kept: Mapping[str, object]) -> Refreshing | None:
        """Read what `to_dict` made."""
        if not kept:
            return None
        return cls(
            RefreshPolicy(text(kept, "policy")),
            number(kept, "interval") or None,
            tuple(
                Store(text(one, "name"), StoreKind(text(one, "kind")))
                for one in children(kept, "stores")
            ),
            number(kept, "requests"),
            kept.get("revoke") is True,
        )

    def to_dict(self) -> JsonObject:
        """Return it as JSON."""
        return {
            "policy": self.policy.value,
            "interval": self.interval_seconds or 0,
            "stores": [{"name": one.name, "kind": one.kind.value} for one in self.stores],
            "requests": self.requests,
            "revoke": self.revoke_on_delete,
        }


def refresh_due(
    refreshing: Refreshing, record: Record, store_interval_seconds: int, uid: str
) -> datetime | None:
    """Return when all references are to be resolved again, None for not by time.

    The interval, less up to a tenth that depends on the manifest and on the last time. What has a
    term of its own goes by that, and where everything has there is no interval.
    """
    if record.refreshed_at is None or refreshing.policy is not RefreshPolicy.PERIODIC:
        return None
    if len(record.leases) >= refreshing.requests:
        return None
    seconds = refreshing.interval_seconds or store_interval_seconds
    drawn = sha256(f"{uid} {record.refreshed_at.isoformat()}".encode()).digest()
    spread = int.from_bytes(drawn[:4], "big") / (1 << 32)
    return record.refreshed_at + timedelta(seconds=seconds * (1 - _JITTER * spread))


def lease_due(refreshing: Refreshing, record: Record) -> datetime | None:
    """Return when the first of what ends has to be renewed or replaced, None if nothing ends."""
    if refreshing.policy is RefreshPolicy.CREATED_ONCE:
        return None
    return min((note.renew_at for note in record.leases), default=None)
