"""Where values come from that are not in the manifest, as a reconciliation sees it.

Joins the moments of `refresh`, the digests and Vault; what a controller without Vault does is here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

from sealkit.assembly import Salt
from sealkit.errors import VaultError
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.vault import DEFAULT_INTERVAL_SECONDS, RefreshPolicy
from sealkit.references.reference import Store
from sealkit.sensitive import Sensitive
from sealkit_controller.cluster import ApiError
from sealkit_controller.manifest import Manifest
from sealkit_controller.objects import ObjectKey
from sealkit_controller.plan import Plan
from sealkit_controller.record import LeaseNote, Record
from sealkit_controller.refresh import lease_due, refresh_due
from sealkit_controller.status import Reason, Report, Verdict, says_synced


@dataclass(frozen=True, slots=True)
class Values:
    """What the references of a manifest stand for, and what of it ends when."""

    values: Mapping[str, Sensitive]
    leases: tuple[LeaseNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why there is no value, and how long not to ask again where that is known."""

    reason: Reason
    message: str
    retry_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing has to be resolved; `leases` are there if some were renewed."""

    leases: tuple[LeaseNote, ...] | None = None
    again_seconds: float | None = None


FRESH: Final = Fresh()


class References(Protocol):
    """What resolves references; see `vaults.Vaults`. Every method may raise ApiError."""

    def resolve(self, key: ObjectKey, sealed: SealedSecret) -> Values | Unresolved:
        """Return the values of all references of a manifest, or why one of them has none."""

    def renew(
        self, key: ObjectKey, notes: Collection[LeaseNote]
    ) -> tuple[LeaseNote, ...] | Unresolved | None:
        """Renew what is due; None if something new is needed instead."""

    def revoke(self, key: ObjectKey, notes: Collection[LeaseNote]) -> None:
        """End the leases of a manifest that is gone. May raise VaultError."""

    def forget(self, key: ObjectKey) -> None:
        """Drop what is kept for a manifest that is gone."""

    def interval_seconds(self, namespace: str, stores: Collection[Store]) -> int:
        """Return how long what was read from some stores is good."""


class Macs(Protocol):
    """What makes digests; see `digests.Digests`. May raise ApiError."""

    def mac(self, uid: str, secret_type: str, data: Mapping[str, Sensitive]) -> str:
        """Return the digest of what a Secret holds."""

    def salt(self, uid: str) -> Salt:
        """Return the salt of one manifest."""


class NoVault:
    """Resolves nothing: this controller has no right to."""

    def resolve(self, *_: object, **__: object) -> Unresolved:
        """See `References.resolve`."""
        return Unresolved(Reason.INVALID_REFERENCE, "this controller runs with SEALKIT_VAULT=off")

    def renew(self, *_: object, **__: object) -> None:
        """See `References.renew`."""

    def revoke(self, *_: object, **__: object) -> None:
        """See `References.revoke`."""

    def forget(self, *_: object, **__: object) -> None:
        """See `References.forget`."""

    def interval_seconds(self, *_: object, **__: object) -> int:
        """See `References.interval_seconds`."""
        return DEFAULT_INTERVAL_SECONDS


@dataclass(frozen=True, slots=True)
class _Left:
    """What a manifest leaves behind at Vault should it go."""

    revoke: bool
    leases: tuple[LeaseNote, ...]


@dataclass
class Sources:
    """Everything a reconciliation gets from elsewhere; for any number of threads.

    `failed` hears of leases that could not be revoked. `stale` tells for each manifest whose
    references have no value now when they last had one, None for never.
    """

    references: References
    macs: Macs
    now: Callable[[], datetime]
    failed: Callable[[ObjectKey, Exception], None] = lambda *_: None
    stale: dict[ObjectKey, datetime | None] = field(default_factory=dict)
    _left: dict[ObjectKey, _Left] = field(default_factory=dict)
    _outdated: set[ObjectKey] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def outdate(self, key: ObjectKey) -> None:
        """Resolve a manifest anew the next time: something that it depends on changed."""
        with self._lock:
            self._outdated.add(key)

    def note(self, manifest: Manifest) -> None:
        """Note what a manifest would leave behind."""
        record, refreshing = manifest.record, manifest.refreshing
        if record.leases and refreshing is not None:
            self._left[manifest.metadata.key] = _Left(refreshing.revoke_on_delete, record.leases)

    def gone(self, key: ObjectKey) -> None:
        """Clean up after a manifest that is gone, as it wanted."""
        self.stale.pop(key, None)
        left = self._left.pop(key, None)
        try:
            if left is not None and left.revoke:
                self.references.revoke(key, left.leases)
        except (ApiError, VaultError) as error:
            self.failed(key, error)
        self.references.forget(key)

    def resolve(self, manifest: Manifest, sealed: SealedSecret) -> Values | Unresolved:
        """Return the values of the references, or why there are none."""
        key = manifest.metadata.key
        with self._lock:
            self._outdated.discard(key)
        return self.references.resolve(key, sealed)

    def judge(self, manifest: Manifest, report: Report) -> None:
        """Note whether the Secret is as old as when its references last had values."""
        key = manifest.metadata.key
        if manifest.refreshing is None or report.verdict is Verdict.TRUE:
            self.stale.pop(key, None)
        elif report.reason is not Reason.SUSPENDED:
            self.stale[key] = manifest.record.refreshed_at

    def keep_fresh(self, manifest: Manifest) -> Fresh | Unresolved | None:
        """Renew what ends, if that is all there is to do; None if all has to be resolved."""
        record, refreshing = manifest.record, manifest.refreshing
        key = manifest.metadata.key
        assert refreshing is not None  # noqa: S101  (asked for manifests with references only)
        if refreshing.policy is RefreshPolicy.CREATED_ONCE:
            return FRESH
        now = self.now()
        if self._is_due(manifest, record, now):
            return None
        due = lease_due(refreshing, record)
        if due is None or now < due:
            return Fresh(again_seconds=self.again_seconds(manifest, record))
        leases = self.references.renew(key, record.leases)
        if leases is None or isinstance(leases, Unresolved):
            return leases
        renewed = replace(record, leases=leases)
        return Fresh(leases, self.again_seconds(manifest, renewed))

    def _is_due(self, manifest: Manifest, record: Record, now: datetime) -> bool:
        with self._lock:
            if manifest.metadata.key in self._outdated:
                return True
        # After a failure everything is asked anew.
        if record.refreshed_at is None or not says_synced(manifest.status):
            return True
        due = self._refresh_due(manifest, record)
        return due is not None and now >= due

    def _refresh_due(self, manifest: Manifest, record: Record) -> datetime | None:
        refreshing = manifest.refreshing
        if refreshing is None:
            return None
        namespace = manifest.metadata.key.namespace
        seconds = self.references.interval_seconds(namespace, refreshing.stores)
        return refresh_due(refreshing, record, seconds, manifest.metadata.uid)

    def again_seconds(self, manifest: Manifest, record: Record) -> float | None:
        """Return in how many seconds something of a manifest is due, None for not by time."""
        refreshing = manifest.refreshing
        if refreshing is None:
            return None
        moments = (self._refresh_due(manifest, record), lease_due(refreshing, record))
        known = [moment for moment in moments if moment is not None]
        return max(0.0, (min(known) - self.now()).total_seconds()) if known else None

    def record(self, manifest: Manifest, version: str, plan: Plan, found: Values | None) -> Record:
        """Return what to remember of a Secret that is right now."""
        desired, uid = plan.desired, manifest.metadata.uid
        mac = ""
        if desired is not None and (desired.restarts or found is not None):
            mac = self.macs.mac(uid, desired.secret.type, desired.secret.data)
        if found is None:
            return Record(version, mac)
        record = Record(version, mac, self.now(), found.leases)
        self._left.pop(manifest.metadata.key, None)
        if found.leases and manifest.refreshing:
            left = _Left(manifest.refreshing.revoke_on_delete, found.leases)
            self._left[manifest.metadata.key] = left
        return record

    def salt(self, uid: str) -> Salt:
        """Return the salt of one manifest."""
        return self.macs.salt(uid)
