"""Reflectors: local, read-only views of what the API server has, kept by list and watch.

A view may lag behind; it never goes back. Our own writes show in it at once, so that a decision
is not taken twice because the watch has not caught up.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sealkit_controller.cluster import ApiError, Cluster, Selection, Watch
from sealkit_controller.objects import JsonObject, Metadata, ObjectKey, child, text

_FIRST_PAUSE_SECONDS: Final = 0.8
_LONGEST_PAUSE_SECONDS: Final = 30.0
_CALM_SECONDS: Final = 120.0  # after which the next error counts as the first
_SHORT_WATCH_SECONDS: Final = 1.0
_NOT_FOUND: Final = 404
_STALE_LISTS: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: its metadata, and as JSON what else the view keeps of it, perhaps nothing."""

    metadata: Metadata
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an object: `old` is None when it is new, `new` when it is gone."""

    old: Entry | None
    new: Entry | None


Encode = Callable[[JsonObject], bytes]


def whole(raw: JsonObject) -> bytes:
    """Keep the object without managedFields, which are half of it and of no use here."""
    metadata = {k: v for k, v in child(raw, "metadata").items() if k != "managedFields"}
    return json.dumps({**raw, "metadata": metadata}, separators=(",", ":")).encode()


def nothing(raw: JsonObject) -> bytes:
    """Keep the metadata only."""
    del raw
    return b""


def everything(namespace: str) -> bool:
    """Keep the objects of each namespace."""
    del namespace
    return True


@dataclass(slots=True)
class _Written:
    """An object as our write left it, and the versions that it supersedes ("" = not there)."""

    entry: Entry
    supersedes: set[str]


class Store:
    """A view of one selection of objects. Reads from any thread, changes from its reflector's.

    Objects of a namespace that is not among those `wanted` are passed over.
    """

    def __init__(self, encode: Encode, wanted: Callable[[str], bool] = everything) -> None:
        self._encode = encode
        self._wanted = wanted
        self._entries: dict[ObjectKey, Entry] = {}
        self._written: dict[ObjectKey, _Written] = {}
        self._heard = ""  # the version up to which everything is in the entries
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self._entries)

    def get(self, key: ObjectKey) -> Entry | None:
        """Return an object as it was last heard of, from the watch or from our own write.

        Takes no lock, so that no worker waits for another. The order counts: what is taken out of
        the own writes is among the entries by then.
        """
        written = self._written.get(key)
        entry = self._entries.get(key)
        if written is not None and (_version(entry) if entry else "") in written.supersedes:
            return written.entry
        return entry

    def entries(self) -> list[Entry]:
        """Return every object as `get` does, in no order."""
        with self._lock:
            found = [self.get(key) for key in self._entries.keys() | self._written.keys()]
        return [entry for entry in found if entry is not None]

    def written(self, before: str, raw: JsonObject) -> Entry:
        """Note that our write turned version `before` ("" = not there) of an object into `raw`.

        Without effect if the watch was faster: what it told may include that the object is gone.
        """
        entry = self.entry(raw)
        key = entry.metadata.key
        with self._lock:
            if self._heard and not _is_later(_version(entry), self._heard):
                return entry
            earlier = self._written.get(key)
            chain = earlier.supersedes if earlier and _version(earlier.entry) == before else set()
            self._written[key] = _Written(entry, chain | {before})
            self._drop_if_seen(key)
        return entry

    def entry(self, raw: JsonObject) -> Entry:
        """Return an object as this view keeps it."""
        return Entry(Metadata.of(raw), self._encode(raw))

    def listed(self, items: Iterable[JsonObject]) -> list[Entry]:
        """Return those of a page's objects that are wanted, as this view keeps them."""
        return [
            self.entry(raw)
            for raw in items
            if self._wanted(text(child(raw, "metadata"), "namespace"))
        ]

    def upsert(self, raw: JsonObject) -> Change | None:
        """Take in an object the watch told of; None if it is older than what is known, or equal."""
        metadata = Metadata.of(raw)
        key = metadata.key
        if not self._wanted(key.namespace):
            return None
        with self._lock:
            old = self._entries.get(key)
            if old is not None and _is_not_newer(metadata, old.metadata):
                return None
            written = self._written.get(key)
        ours = written is not None and _version(written.entry) == metadata.resource_version
        new = written.entry if written and ours else Entry(metadata, self._encode(raw))
        with self._lock:
            self._entries[key] = new
            self._heard = metadata.resource_version
            self._drop_if_seen(key)
        return Change(old, new)

    def remove(self, raw: JsonObject) -> Change | None:
        """Forget an object; None if it was not known."""
        metadata = Metadata.of(raw)
        with self._lock:
            self._heard = metadata.resource_version or self._heard
            self._written.pop(metadata.key, None)
            old = self._entries.pop(metadata.key, None)
        return Change(old, None) if old is not None else None

    def replace(self, entries: Iterable[Entry], version: str = "") -> list[Change]:
        """Take in a full list of some version; return what differs, deletions included."""
        listed = {entry.metadata.key: entry for entry in entries}
        with self._lock:
            old = self._entries
            self._entries = listed
            self._heard = version
            lost = [key for key in self._written if key not in listed]
            # Our own write may be all that was ever heard of an object that is gone again.
            unheard = {key: self._written.pop(key).entry for key in lost}
            for key in list(self._written):
                self._drop_if_seen(key)
        known = {**unheard, **old}
        gone = [Change(entry, None) for key, entry in known.items() if key not in listed]
        return gone + [
            Change(old.get(key), entry)
            for key, entry in listed.items()
            if key not in old or _version(old[key]) != _version(entry)
        ]

    def _drop_if_seen(self, key: ObjectKey) -> None:
        """Forget our write once the view has it or something that came after."""
        entry = self._entries.get(key)
        written = self._written.get(key)
        if written is not None and (_version(entry) if entry else "") not in written.supersedes:
            del self._written[key]


class Stores:
    """The views of one kind of object in several namespaces as one, or of the whole cluster.

    Each namespace is listed and watched for itself, so each has versions of its own.
    """

    def __init__(
        self,
        encode: Encode,
        namespaces: Collection[str] = (),
        wanted: Callable[[str], bool] = everything,
    ) -> None:
        """Make one view for each of the namespaces; without any, one of the whole cluster."""
        self.by_namespace = {name: Store(encode, wanted) for name in namespaces or ("",)}

    def __len__(self) -> int:
        """How many objects there are."""
        return sum(map(len, self.by_namespace.values()))

    def get(self, key: ObjectKey) -> Entry | None:
        """See `Store.get`."""
        return self._of(key.namespace).get(key)

    def entries(self) -> list[Entry]:
        """See `Store.entries`."""
        return [entry for store in self.by_namespace.values() for entry in store.entries()]

    def written(self, before: str, raw: JsonObject) -> Entry:
        """See `Store.written`."""
        return self._of(text(child(raw, "metadata"), "namespace")).written(before, raw)

    def _of(self, namespace: str) -> Store:
        found = self.by_namespace.get(namespace)
        return found if found is not None else self.by_namespace[""]


def _version(entry: Entry) -> str:
    return entry.metadata.resource_version


def _is_not_newer(new: Metadata, old: Metadata) -> bool:
    if new.uid != old.uid:
        return False
    return not _is_later(new.resource_version, old.resource_version)


def _is_later(new: str, old: str) -> bool:
    """Compare versions. They are opaque unless both are numbers, as those of Kubernetes are."""
    if new.isdigit() and old.isdigit():
        return int(new) > int(old)
    return new != old


class Backoff:
    """Pauses between errors: 0.8 s doubled up to 30 s, spread over twice the time. Pure."""

    def __init__(self) -> None:
        self._pause = _FIRST_PAUSE_SECONDS
        self._last = float("-inf")

    def next_seconds(self, now: float, spread: float) -> float:
        """Return the pause after an error at `now`; `spread` is from 0 to 1."""
        if now - self._last > _CALM_SECONDS:
            self._pause = _FIRST_PAUSE_SECONDS
        self._last = now
        pause = min(_LONGEST_PAUSE_SECONDS, self._pause * (1 + spread))
        self._pause = min(_LONGEST_PAUSE_SECONDS, self._pause * 2)
        return pause


@dataclass(frozen=True, slots=True)
class Time:
    """The clock and the dice of a loop. `pause` sleeps, and returns True to end the loop."""

    monotonic: Callable[[], float]
    random: Callable[[], float]
    pause: Callable[[float], bool]


def ignore(*_: object) -> None:
    """Hear nothing."""


@dataclass(frozen=True, slots=True)
class Hear:
    """Who is told of changes, of full lists and of failed requests."""

    change: Callable[[Change], None]
    listed: Callable[[], None] = ignore
    error: Callable[[ApiError], None] = ignore


class Reflector:
    """Keeps a store in step with the API server, in a thread of its own that calls `run`.

    What `hear` holds is called in that thread, after the store has changed; it must not block.
    """

    def __init__(
        self,
        cluster: Cluster,
        selection: Selection,
        store: Store,
        hear: Hear,
        time: Time,
    ) -> None:
        self._cluster = cluster
        self._selection = selection
        self._store = store
        self._hear = hear
        self._time = time
        self._backoff = Backoff()
        self._version = ""
        self._stale_lists = 0
        self._watch: Watch | None = None
        self._stopped = False
        self.synced = threading.Event()
        self.last_activity = time.monotonic()

    @property
    def name(self) -> str:
        """What it watches, for logs and metrics."""
        return self._selection.resource.plural

    def run(self) -> None:
        """List, then watch, for ever; each error costs a pause. Returns after `stop`."""
        listed = False
        while not self._stopped:
            try:
                if not listed:
                    self._list()
                    listed = True
                self._follow()
            except ApiError as error:
                listed = listed and error.status != 410  # Gone: too old to go on from
                self._failed(error)

    def stop(self) -> None:
        """End `run`, from any thread: a watch in progress is cut off."""
        self._stopped = True
        watch = self._watch
        if watch is not None:
            watch.close()

    def _failed(self, error: ApiError) -> None:
        if self._stopped:
            return
        self._hear.error(error)
        now = self._time.monotonic()
        if error.status == _NOT_FOUND and self._selection.optional:
            self.last_activity = now
            self.synced.set()
        if self._time.pause(self._backoff.next_seconds(now, self._time.random())):
            self._stopped = True

    def _list(self) -> None:
        entries: list[Entry] = []
        version = ""
        for page in self._cluster.pages(self._selection):
            entries += self._store.listed(page.items)
            version = page.resource_version
        self._refuse_stale(version)
        changes = self._store.replace(entries, version)
        self._version = version
        self.last_activity = self._time.monotonic()
        self._hear.listed()
        for change in changes:
            self._hear.change(change)
        self.synced.set()

    def _refuse_stale(self, version: str) -> None:
        """Do not go back in time: another API server may lag. A restored backup persists, though.

        Raises:
            ApiError: the list is older than what this reflector has seen, for the first times.
        """
        if self._version and version != self._version and not _is_later(version, self._version):
            self._stale_lists += 1
            if self._stale_lists <= _STALE_LISTS:
                raise ApiError(0, "StaleList", doing=f"list {self.name}")
        self._stale_lists = 0

    def _follow(self) -> None:
        """Watch until the server ends it. A watch that ends at once counts as an error.

        Raises:
            ApiError: see `Watch`.
        """
        started = self._time.monotonic()
        watch = self._cluster.watch(self._selection, self._version)
        self._watch = watch
        try:
            if self._stopped:  # stop() may have come before there was a watch to cut off
                return
            for event in watch:
                self._take_in(event.type, event.object)
        finally:
            watch.close()
            self._watch = None
        if self._time.monotonic() - started < _SHORT_WATCH_SECONDS:
            raise ApiError(0, "ShortWatch", doing=f"watch {self.name}")

    def _take_in(self, kind: str, raw: JsonObject) -> None:
        self.last_activity = self._time.monotonic()
        change = None
        if kind in {"ADDED", "MODIFIED"}:
            change = self._store.upsert(raw)
        elif kind == "DELETED":
            change = self._store.remove(raw)
        self._version = text(child(raw, "metadata"), "resourceVersion") or self._version
        if change is not None:
            self._hear.change(change)


def parse(entry: Entry) -> Mapping[str, object]:
    """Return the object that a store kept whole."""
    raw = json.loads(entry.body)
    assert isinstance(raw, dict)  # noqa: S101  (we encoded it)
    return raw
