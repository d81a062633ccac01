"""References resolved: which store, as whom, under which rules; and what is kept between times."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from sealkit.assembly import render_values
from sealkit.errors import ManifestError, VaultError
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.stores import VaultStore
from sealkit.manifests.vault import DEFAULT_INTERVAL_SECONDS
from sealkit.references.failures import Failed
from sealkit.references.reference import Method, Store, StoreKind
from sealkit_controller.addresses import refusal
from sealkit_controller.cluster import Cluster
from sealkit_controller.credentials import Fetcher
from sealkit_controller.objects import Metadata, ObjectKey
from sealkit_controller.record import LeaseNote
from sealkit_controller.sources import Unresolved, Values
from sealkit_controller.status import Reason

if TYPE_CHECKING:
    from sealkit.vault import Breaker, Vault
    from sealkit.vault.held import Held, Term
    from sealkit.vault.wire import Observe

_RECHECK_SECONDS: Final = 300.0  # how long credentials are believed to be what they were
_RECHECK_FAILED_SECONDS: Final = 5.0  # the same after a failure, which new ones may mend
_IDLE_SECONDS: Final = 3600.0
_ROTATION: Final = (
    "rotation"  # in place of a question: a password that the server changes by itself
)
_MOST_SECONDS: Final = 100 * 365 * 24 * 3600.0


class KeptStore(Protocol):
    """A store in a view."""

    @property
    def metadata(self) -> Metadata:
        """Its metadata."""

    @property
    def body(self) -> bytes:
        """The object as JSON."""


class StoreView(Protocol):
    """What is needed of a cached view of stores; see `cache.Store`."""

    def get(self, key: ObjectKey) -> KeptStore | None:
        """Return a store as it was last heard of."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds that only grow, and the time of day."""

    monotonic: Callable[[], float]
    now: Callable[[], datetime]


@dataclass(slots=True)
class _Entry:
    """A client, the credentials it was made with, and when they were last looked at and used."""

    vault: Vault
    digest: bytes
    checked: float
    used: float
    failed: bool = False


class Vaults:
    """Resolves references for all namespaces, each as its own identity; for any number of threads.

    `stores` are the views of VaultStores and, where this controller may see them, of
    ClusterVaultStores. `listed` are the addresses that VaultStores may have; see `addresses`.
    `observe(operation, status, seconds)` hears of each request to a server.
    """

    def __init__(
        self,
        cluster: Cluster,
        stores: Mapping[StoreKind, StoreView],
        clock: Clock,
        listed: Collection[str],
        observe: Observe,
    ) -> None:
        self._cluster = cluster
        self._stores = stores
        self._clock = clock
        self._listed = listed
        self._observe = observe
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, ...], _Entry] = {}
        self._parsed: dict[str, tuple[VaultStore, Metadata]] = {}
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._held: dict[ObjectKey, Mapping[str, Held]] = {}

    def resolve(self, key: ObjectKey, sealed: SealedSecret) -> Values | Unresolved:
        """Return the values of all references of a manifest, or why one of them has none.

        Raises:
            ApiError: the API server cannot be asked for credentials.
        """
        from sealkit.vault.resolve import resolve  # noqa: PLC0415  # a third of a second

        references = {one for entry in sealed.references.values() for one in entry.references}
        # With its store, so that what is held of one store does not stand for another.
        full = {one: replace(one, store=sealed.vault.store_of(one)) for one in references}
        access = _Access(self, key.namespace)
        now = self._clock.now()
        try:
            known = self._prolonged(key, access, now)
        except VaultError as error:
            return _unresolved(error)
        found = resolve(access, frozenset(full.values()), now, known)
        values = render_values(sealed, {one: found.outcomes[full[one]] for one in full})
        self._hold(key, {**known, **found.held} if isinstance(values, Failed) else found.held)
        if isinstance(values, Failed):
            access.failed()
            return Unresolved(
                Reason(values.reason.value), values.detail, found.retry_after_seconds or 0.0
            )
        notes = [access.note(held) for held in found.held.values()]
        if found.rotates_in_seconds is not None:
            notes.append(_rotation(now, found.rotates_in_seconds))
        return Values(values, tuple(sorted(notes, key=lambda note: note.question)))

    def _prolonged(self, key: ObjectKey, access: _Access, now: datetime) -> Mapping[str, Held]:
        """Return what is held, its leases renewed where they are due and can be."""
        for held in self._held.get(key, {}).values():
            if held.term.lease_id and now >= held.term.renew_at:
                self._renewed(key, access.note(held), now)
        return self._held.get(key, {})

    def _hold(self, key: ObjectKey, held: Mapping[str, Held]) -> None:
        if held:
            self._held[key] = held
        else:
            self._held.pop(key, None)

    def renew(
        self, key: ObjectKey, notes: Collection[LeaseNote]
    ) -> tuple[LeaseNote, ...] | Unresolved | None:
        """Renew what is due; None if something new is needed instead.

        Raises:
            ApiError: as `resolve`.
        """
        renewed = []
        now = self._clock.now()
        try:
            for note in notes:
                fresh = note if now < note.renew_at else self._renewed(key, note, now)
                if fresh is None:
                    return None
                renewed.append(fresh)
        except VaultError as error:
            return _unresolved(error)
        return tuple(renewed)

    def revoke(self, key: ObjectKey, notes: Collection[LeaseNote]) -> None:
        """End the leases of a manifest that is gone.

        Raises:
            ApiError, VaultError: one cannot be ended; those before it were.
        """
        self.forget(key)
        for note in notes:
            if note.id:
                self._vault_of(key.namespace, note).revoke_lease(note.id)

    def forget(self, key: ObjectKey) -> None:
        """Drop what is kept for a manifest that is gone."""
        self._held.pop(key, None)

    def interval_seconds(self, namespace: str, stores: Collection[Store]) -> int:
        """Return how long what was read from some stores is good: the shortest of them."""
        seconds = []
        for store in stores:
            try:
                seconds.append(self.store(namespace, store).interval_seconds)
            except VaultError:
                continue  # resolving will say so
        return min(seconds, default=DEFAULT_INTERVAL_SECONDS)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            entries, self._entries = self._entries, {}
        for entry in entries.values():
            entry.vault.close()

    def store(self, namespace: str, store: Store) -> VaultStore:
        """Return the store that a manifest of `namespace` means.

        Raises:
            VaultError: VaultUnavailable if there is none, which may come; InvalidReference if it
                is wrong; PathNotAllowed for an address that only an operator can allow.
        """
        return self._found(namespace, store)[0]

    def _found(self, namespace: str, store: Store) -> tuple[VaultStore, Metadata]:
        view = self._stores.get(store.kind)
        place = "" if store.kind is StoreKind.CLUSTER else namespace
        kept = view.get(ObjectKey(place, store.name)) if view else None
        name = f"{store.kind} {f'{place}/' if place else ''}{store.name}"
        if kept is None:
            raise VaultError(f"there is no {name}", Reason.VAULT_UNAVAILABLE)
        known = self._parsed.get(name)
        if known is None or known[1] is not kept.metadata:
            known = self._parsed[name] = (self._parse(name, kept), kept.metadata)
        return known

    def _parse(self, name: str, kept: KeptStore) -> VaultStore:
        try:
            parsed = VaultStore.from_dict(json.loads(kept.body))
        except ManifestError as error:
            raise VaultError(f"{name}: {error}", Reason.INVALID_REFERENCE) from None
        is_namespaced = parsed.kind is StoreKind.NAMESPACED
        problem = refusal(parsed.address, self._listed) if is_namespaced else ""
        if problem:
            raise VaultError(f"{name}: the address {problem}", Reason.PATH_NOT_ALLOWED)
        return parsed

    def client(self, namespace: str, store: Store) -> Vault:
        """Return the client for a store, as the identity that a manifest of `namespace` has there.

        Raises:
            VaultError: as `store`; AuthFailed if credentials are not there.
            ApiError: the API server cannot be asked for them.
        """
        return self._entry(namespace, store).vault

    def failed(self, namespace: str, store: Store) -> None:
        """Note that a store did not work: its credentials may have changed."""
        try:
            found, metadata = self._found(namespace, store)
        except VaultError:
            return
        entry = self._entries.get(_place(found, metadata, namespace))
        if entry:
            entry.failed = True

    def _entry(self, namespace: str, store: Store) -> _Entry:
        found, metadata = self._found(namespace, store)
        place, now = _place(found, metadata, namespace), self._clock.monotonic()
        entry = self._entries.get(place)
        patience = _RECHECK_FAILED_SECONDS if entry and entry.failed else _RECHECK_SECONDS
        if entry is None or now - entry.checked > patience:
            return self._checked(place, found, found.credentials_in(namespace), now)
        entry.used = now
        return entry

    def _checked(
        self, place: tuple[str, ...], store: VaultStore, namespace: str, now: float
    ) -> _Entry:
        """Look at the credentials; make a new client only if they are others than before."""
        from sealkit.vault import Vault  # noqa: PLC0415  # a third of a second

        made = Fetcher(self._cluster, namespace).fetch(store)
        with self._lock:
            entry = self._entries.get(place)
            if entry is None or entry.digest != made.digest:
                vault = Vault(
                    made.server,
                    made.identity,
                    breaker=self._breaker(store.address, place[-1]),
                    monotonic=self._clock.monotonic,
                    observe=self._observe,
                )
                entry = self._entries[place] = _Entry(vault, made.digest, now, now)
            entry.checked, entry.used, entry.failed = now, now, False
            self._drop_idle(now)
        return entry

    def _drop_idle(self, now: float) -> None:
        idle = [at for at, entry in self._entries.items() if now - entry.used > _IDLE_SECONDS]
        for place in idle:
            self._entries.pop(place).vault.close()

    def _breaker(self, address: str, namespace: str) -> Breaker:
        """Return the breaker of a server, one for each namespace with credentials for it.

        Else a namespace whose store trusts the wrong CA would keep all others from the server.
        """
        from sealkit.vault import Breaker  # noqa: PLC0415  # same

        return self._breakers.setdefault((address, namespace), Breaker())

    def _vault_of(self, namespace: str, note: LeaseNote) -> Vault:
        kind, _, name = note.store.partition("/")
        vault = self.client(namespace, Store(name, StoreKind(kind)))
        return vault.in_namespace(note.namespace) if note.namespace else vault

    def _renewed(self, key: ObjectKey, note: LeaseNote, now: datetime) -> LeaseNote | None:
        from sealkit.vault.held import renewed_term  # noqa: PLC0415  # same

        if not note.id:
            return None
        vault = self._vault_of(key.namespace, note)
        if note.token != vault.log_in():
            return None  # it ends with a token that nobody renews any more
        term = renewed_term(vault, _term(note), now)
        if term is None:
            return None
        held = self._held.get(key, {})
        if note.question in held:
            self._held[key] = {**held, note.question: replace(held[note.question], term=term)}
        return _within_token(_noted(note, term), vault, now)


class _Access:
    """What one manifest may reach; see `sealkit.vault.resolve.Access`."""

    def __init__(self, vaults: Vaults, namespace: str) -> None:
        self._vaults = vaults
        self._namespace = namespace
        self._used: set[Store] = set()

    def vault(self, store: Store | None, namespace: str) -> Vault:
        """See `Access.vault`."""
        wanted = _known(store)
        self._used.add(wanted)
        vault = self._vaults.client(self._namespace, wanted)
        return vault.in_namespace(namespace) if namespace else vault

    def check(self, store: Store | None, namespace: str, method: Method, path: str) -> None:
        """See `Access.check`. The rules of a cluster store are about its own Vault namespace."""
        wanted = _known(store)
        found = self._vaults.store(self._namespace, wanted)
        is_elsewhere = namespace not in {"", found.vault_namespace}
        if found.kind is StoreKind.CLUSTER and is_elsewhere:
            what = f"ClusterVaultStore {found.name} reads in its own Vault namespace only"
            raise VaultError(what, Reason.PATH_NOT_ALLOWED)
        if not found.allows(self._namespace, path, method):
            doing = f"{method} {path}"
            what = f"ClusterVaultStore {found.name} does not allow {doing} to {self._namespace}"
            raise VaultError(what, Reason.PATH_NOT_ALLOWED)

    def failed(self) -> None:
        """Note that something did not work with the stores that were used."""
        for store in self._used:
            self._vaults.failed(self._namespace, store)

    def note(self, held: Held) -> LeaseNote:
        """Return what the status says of something that ends."""
        question, term = held.question, held.term
        store = _known(question.store)
        note = LeaseNote(
            question=question.digest,
            store=f"{store.kind}/{store.name}",
            namespace=question.namespace,
            renew_at=term.renew_at,
            ends_at=term.ends_at,
            id=term.lease_id,
            token=term.token_mark,
            seconds=term.granted_seconds,
            renewable=term.renewable,
        )
        if not note.id:
            return note
        vault = self._vaults.client(self._namespace, store)
        return _within_token(note, vault, term.renew_at - (term.ends_at - term.renew_at) * 2)


def _unresolved(error: VaultError) -> Unresolved:
    return Unresolved(Reason(error.reason), str(error), error.retry_after_seconds or 0.0)


def _known(store: Store | None) -> Store:
    assert store is not None  # noqa: S101  (every reference was given its store)
    return store


def _within_token(note: LeaseNote, vault: Vault, now: datetime) -> LeaseNote:
    """Return the note with an earlier end, if the token of its lease ends before it.

    Should this process end, nobody renews that token any more.
    """
    seconds = vault.token_ends_in_seconds()
    if seconds is None or note.token != vault.token_mark():
        return note
    ends_at = now + timedelta(seconds=min(seconds, _MOST_SECONDS))
    if ends_at >= note.ends_at:
        return note
    return replace(
        note, ends_at=ends_at, renew_at=min(note.renew_at, now + (ends_at - now) * 2 / 3)
    )


def _term(note: LeaseNote) -> Term:
    from sealkit.vault.held import Term  # noqa: PLC0415  # a third of a second

    return Term(note.renew_at, note.ends_at, note.seconds, note.id, note.renewable, note.token)


def _noted(note: LeaseNote, term: Term) -> LeaseNote:
    return replace(note, renew_at=term.renew_at, ends_at=term.ends_at, renewable=term.renewable)


def _rotation(now: datetime, seconds: float) -> LeaseNote:
    at = now + timedelta(seconds=min(seconds, _MOST_SECONDS))
    return LeaseNote(_ROTATION, "", at, at)


def _place(store: VaultStore, metadata: Metadata, namespace: str) -> tuple[str, ...]:
    """Return what decides the identity: the store as it is now, and where credentials are."""
    where = store.credentials_in(namespace)
    return (store.kind, store.namespace, store.name, metadata.uid, metadata.resource_version, where)
