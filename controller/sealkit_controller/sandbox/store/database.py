"""All objects in memory, one version counter, and a bounded log from which watches are served.

Every change has the next version, across all kinds. The log reaches back to the last compaction;
older states cannot be listed or watched from any more.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sealkit_controller.sandbox.store.records import Key, Record

LOG_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """One write: the object before and after, either of which may be missing."""

    version: int
    key: Key
    before: Record | None
    after: Record | None


class Store(Protocol):
    """Where records survive a restart."""

    def load(self) -> tuple[int, list[Record]]:
        """Return the last version and every record."""
        ...

    def save(self, change: Change) -> None:
        """Make one change durable."""
        ...

    def close(self) -> None:
        """Release what the store holds."""
        ...


class MemoryStore:
    """Nothing survives."""

    def load(self) -> tuple[int, list[Record]]:
        """Return an empty database."""
        return 0, []

    def save(self, change: Change) -> None:
        """Forget the change."""

    def close(self) -> None:
        """Do nothing."""


@dataclass
class _Shelf:
    """The objects of one storage key, and the changes of them that are still known."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    order: list[tuple[str, str]] = field(default_factory=list)
    log: list[Change] = field(default_factory=list)

    def put(self, record: Record) -> None:
        place = record.key[1:]
        if place not in self.records:
            insort(self.order, place)
        self.records[place] = record

    def drop(self, key: Key) -> None:
        place = key[1:]
        del self.records[place]
        del self.order[bisect_left(self.order, place)]


class Database:
    """Records by key. Every method may be called from any thread; `lock` guards read-then-write.

    `get` and `key_of` take no lock: an object that is being written is never missing meanwhile.
    """

    def __init__(self, store: Store, log_length: int = LOG_LENGTH) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.listeners: list[Callable[[Change], None]] = []  # called with each write, under lock
        self._store = store
        self._log_length = log_length
        self._shelves: dict[str, _Shelf] = {}
        self._dependents: dict[str, set[Key]] = {}
        self._uids: dict[str, Key] = {}
        self.version, records = store.load()
        self.version = max(self.version, 1)
        self.compacted = self.version
        for record in records:
            self._index(record)

    def close(self) -> None:
        """Close the store below. Wakes every waiting watch."""
        with self.changed:
            self._store.close()
            self.changed.notify_all()

    def get(self, key: Key) -> Record | None:
        """Return the current record of an object, None if there is none."""
        shelf = self._shelves.get(key.storage)
        return shelf.records.get(key[1:]) if shelf else None

    def records(self, storage: str, namespace: str = "") -> list[Record]:
        """Return the records of one storage key, ordered by namespace and name."""
        with self.lock:
            shelf = self._shelves.get(storage)
            if shelf is None:
                return []
            return [shelf.records[place] for place in _within(shelf.order, namespace)]

    def records_at(self, storage: str, namespace: str, version: int) -> list[Record] | None:
        """Return the records as they were at `version`, None if that is no longer known."""
        with self.lock:
            if version < self.compacted:
                return None
            later = self.changes(storage, version)
            if not later:
                return self.records(storage, namespace)
            state = {record.key: record for record in self.records(storage, namespace)}
            for change in reversed(later):
                state.pop(change.key, None)
                before = change.before
                if before and namespace in {"", before.key.namespace}:
                    state[before.key] = before
            return [state[key] for key in sorted(state)]

    def write(self, key: Key, record: Record | None) -> Change:
        """Make `record`, which has version `next_version()`, the state of `key`; None deletes it.

        The caller holds `lock` since it read the state that the write is based on.
        """
        shelf = self._shelves.setdefault(key.storage, _Shelf())
        change = Change(self.version + 1, key, shelf.records.get(key[1:]), record)
        self._store.save(change)
        self.version = change.version
        if record:
            self._index(record)
        if change.before:
            self._forget(change.before, record)
        shelf.log.append(change)
        if len(shelf.log) > self._log_length:
            del shelf.log[: self._log_length // 2]
            self.compacted = max(self.compacted, shelf.log[0].version - 1)
        self.changed.notify_all()
        for listener in self.listeners:
            listener(change)
        return change

    def next_version(self) -> int:
        """Return the version that the next write will have. Only meaningful under `lock`."""
        return self.version + 1

    def _index(self, record: Record) -> None:
        self._shelves.setdefault(record.key.storage, _Shelf()).put(record)
        self._uids[record.uid] = record.key
        for owner in record.owners:
            self._dependents.setdefault(owner, set()).add(record.key)

    def _forget(self, record: Record, successor: Record | None) -> None:
        """Drop what only `record` is known by, after its successor has been put in its place."""
        if successor is None:
            self._shelves[record.key.storage].drop(record.key)
        if successor is None or successor.uid != record.uid:
            self._uids.pop(record.uid, None)
        for owner in record.owners:
            if successor is None or owner not in successor.owners:
                self._dependents.get(owner, set()).discard(record.key)

    def dependents(self, uid: str) -> list[Key]:
        """Return the objects that name `uid` as an owner."""
        with self.lock:
            return sorted(self._dependents.get(uid, ()))

    def key_of(self, uid: str) -> Key | None:
        """Return where the object with this uid is, None if it is gone."""
        return self._uids.get(uid)

    def storages(self) -> Sequence[str]:
        """Return the storage keys that have objects."""
        with self.lock:
            return [storage for storage, shelf in self._shelves.items() if shelf.records]

    def changes(self, storage: str, after: int) -> Sequence[Change]:
        """Return the known changes of one storage key after a version, oldest first."""
        with self.lock:
            shelf = self._shelves.get(storage)
            log = shelf.log if shelf else []
            if not log or log[-1].version <= after:
                return []
            return log[bisect_left(log, after + 1, key=_version) :]

    def compact(self) -> None:
        """Forget every past state: what is not at the current version is gone for good."""
        with self.lock:
            self.compacted = self.version
            for shelf in self._shelves.values():
                shelf.log.clear()
            self.changed.notify_all()


def _version(change: Change) -> int:
    return change.version


def _within(order: list[tuple[str, str]], namespace: str) -> list[tuple[str, str]]:
    if not namespace:
        return order
    start = bisect_left(order, (namespace, ""))
    end = bisect_left(order, (namespace + "\0", ""))
    return order[start:end]
