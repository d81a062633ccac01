import threading
from collections.abc import Callable

import pytest

from sealkit_controller.cache import (
    Backoff,
    Change,
    Hear,
    Reflector,
    Store,
    Stores,
    Time,
    nothing,
    whole,
)
from sealkit_controller.cluster import ApiError, Selection
from sealkit_controller.objects import SEALED_SECRETS, SECRETS, JsonObject, ObjectKey
from tests.controller.world import DB
from tests.fakes.cluster import FakeCluster

ALL = Selection(SEALED_SECRETS)


def raw(name: str, version: int = 0, **spec: object) -> JsonObject:
    metadata = {"namespace": "shop", "name": name, "uid": f"uid-{name}"}
    if version:
        metadata["resourceVersion"] = str(version)
    return {"metadata": metadata, "spec": spec}


class Follower:
    """A reflector in a thread, on a clock that only its pauses move."""

    def __init__(
        self,
        cluster: FakeCluster,
        *,
        pauses: int = 50,
        step: float = 2.0,
        selection: Selection = ALL,
    ) -> None:
        self.changes: list[Change] = []
        self.pauses: list[float] = []
        self.errors = 0
        self._most = pauses
        self._now = 0.0
        self._step = step  # by default no watch of these tests is a short one
        self._news = threading.Condition()
        self.store = Store(whole)
        time = Time(self.monotonic, lambda: 0.0, self._pause)
        hear = Hear(self._change, error=self._error)
        self.reflector = Reflector(cluster, selection, self.store, hear, time)
        self._thread = threading.Thread(target=self.reflector.run)

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reflector.stop()
        self.join()

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()

    def monotonic(self) -> float:
        self._now += self._step
        return self._now

    def wait_for(self, holds: Callable[["Follower"], bool]) -> None:
        with self._news:
            assert self._news.wait_for(lambda: holds(self), 10), self.told()

    def told(self) -> list[tuple[str, str]]:
        """Return name and kind of every change that was told."""
        kinds = {(True, False): "added", (True, True): "changed", (False, True): "gone"}
        return [
            ((c.new or c.old).metadata.key.name, kinds[c.new is not None, c.old is not None])  # type: ignore[union-attr]  # one of them is there
            for c in self.changes
        ]

    def _change(self, change: Change) -> None:
        with self._news:
            self.changes.append(change)
            self._news.notify_all()

    def _error(self, _: ApiError) -> None:
        with self._news:
            self.errors += 1
            self._news.notify_all()

    def _pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return len(self.pauses) >= self._most


def test_lists_every_page_then_follows() -> None:
    cluster = FakeCluster(page_size=2)
    for name in ("a", "b", "c"):
        cluster.put(SEALED_SECRETS, raw(name))
    with Follower(cluster) as follower:
        assert follower.reflector.synced.wait(10)
        cluster.put(SEALED_SECRETS, raw("d"))
        cluster.edit(SEALED_SECRETS, ObjectKey("shop", "a"), {"spec": {"x": 1}})
        cluster.drop(SEALED_SECRETS, ObjectKey("shop", "b"))
        follower.wait_for(lambda f: len(f.changes) == 6)
    assert follower.told() == [
        *(("a", "added"), ("b", "added"), ("c", "added")),
        *(("d", "added"), ("a", "changed"), ("b", "gone")),
    ]
    assert len(cluster.sent("list")) == 2
    assert len(follower.store) == 3
    assert follower.errors == 0


@pytest.mark.parametrize("where", ["stream", "response"])
def test_an_expired_version_leads_to_a_full_list_with_deletions(where: str) -> None:
    cluster = FakeCluster()
    cluster.put(SEALED_SECRETS, raw("a"))
    cluster.put(SEALED_SECRETS, raw("b"))
    with Follower(cluster) as follower:
        assert follower.reflector.synced.wait(10)
        gone = ApiError(410, "Expired")
        if where == "response":
            cluster.fail("watch", "sealedsecrets", gone)
        cluster.fail("list", "sealedsecrets", ApiError(500, "InternalError"))
        with cluster._lock:
            cluster.end_watches(gone if where == "stream" else None)
            cluster.drop(SEALED_SECRETS, ObjectKey("shop", "a"))
            cluster.edit(SEALED_SECRETS, ObjectKey("shop", "b"), {"spec": {"x": 1}})
            cluster.compact()
        follower.wait_for(lambda f: len(f.changes) == 4)
    assert follower.told()[2:] == [("a", "gone"), ("b", "changed")]


def test_a_continued_list_that_expired_starts_anew() -> None:
    cluster = FakeCluster(page_size=1)
    cluster.put(SEALED_SECRETS, raw("a"))
    cluster.put(SEALED_SECRETS, raw("b"))
    lists = 0

    def expire_the_second_page(sent: object) -> None:
        nonlocal lists
        lists += getattr(sent, "verb", "") == "list"
        if lists == 2:
            lists += 1
            raise ApiError(410, "Expired")

    cluster.on_request = expire_the_second_page
    with Follower(cluster) as follower:
        assert follower.reflector.synced.wait(10)
    assert follower.told() == [("a", "added"), ("b", "added")]


def test_bookmarks_move_the_version_so_that_quiet_kinds_do_not_expire() -> None:
    cluster = FakeCluster()
    with Follower(cluster) as follower:
        assert follower.reflector.synced.wait(10)
        cluster.wait_until_heard()
        for number in range(5):
            cluster.put(SECRETS, raw(f"noise-{number}"))
        cluster.bookmark()
        cluster.wait_until_heard()
        cluster.compact()
        cluster.end_watches()
        cluster.put(SEALED_SECRETS, raw("a"))
        follower.wait_for(lambda f: len(f.changes) == 1)
    assert len(cluster.sent("list")) == 1
    assert follower.errors == 0


def test_a_watch_that_breaks_goes_on_where_it_was() -> None:
    cluster = FakeCluster()
    with Follower(cluster) as follower:
        assert follower.reflector.synced.wait(10)
        with cluster._lock:
            cluster.end_watches(ApiError(0, "TimeoutError"))
            cluster.put(SEALED_SECRETS, raw("a"))
        follower.wait_for(lambda f: len(f.changes) == 1)
    assert len(cluster.sent("list")) == 1


@pytest.mark.parametrize("status", [0, 401, 403, 429, 500])
@pytest.mark.parametrize("verb", ["list", "watch"])
def test_every_error_costs_a_growing_pause(verb: str, status: int) -> None:
    cluster = FakeCluster()
    cluster.fail(verb, "sealedsecrets", ApiError(status, "Broken"), times=100)
    with Follower(cluster, pauses=8) as follower:
        follower.join()
    assert follower.pauses == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert len(cluster.sent(verb)) == 8


@pytest.mark.parametrize("optional", [False, True])
def test_of_a_kind_that_may_be_missing_there_are_none(*, optional: bool) -> None:
    cluster = FakeCluster()
    cluster.fail("list", "sealedsecrets", ApiError(404, "NotFound"), times=3)
    selection = Selection(SEALED_SECRETS, optional=optional)
    with Follower(cluster, pauses=3, selection=selection) as follower:
        follower.join()
        assert follower.reflector.synced.is_set() is optional
        assert (follower.reflector.last_activity > 4) is optional
    assert follower.errors == 3


def test_a_kind_that_is_installed_later_is_seen() -> None:
    cluster = FakeCluster()
    cluster.fail("list", "sealedsecrets", ApiError(404, "NotFound"))
    cluster.put(SEALED_SECRETS, raw("late"))
    with Follower(cluster, selection=Selection(SEALED_SECRETS, optional=True)) as follower:
        follower.wait_for(lambda seen: seen.told() == [("late", "added")])


def test_a_watch_that_ends_at_once_counts_as_an_error() -> None:
    cluster = FakeCluster()
    with Follower(cluster, pauses=3, step=0.0) as follower:
        for _ in range(3):
            cluster.wait_until_heard()
            cluster.end_watches()
        follower.join()
    assert follower.pauses == [0.8, 1.6, 3.2]


def test_stop_cuts_off_a_silent_watch() -> None:
    cluster = FakeCluster()
    with Follower(cluster) as follower:
        assert follower.reflector.synced.wait(10)
        cluster.wait_until_heard()


def test_calm_resets_the_pauses() -> None:
    backoff = Backoff()
    assert [backoff.next_seconds(now, 0.0) for now in (0, 1, 2, 200, 201)] == [
        0.8, 1.6, 3.2, 0.8, 1.6,
    ]  # fmt: skip
    assert backoff.next_seconds(202, 1.0) == 6.4


# The store.


def stored(*objects: JsonObject) -> Store:
    store = Store(whole)
    store.replace([store.entry(entry) for entry in objects])
    return store


def version(store: Store, key: ObjectKey = DB) -> str:
    entry = store.get(key)
    return entry.metadata.resource_version if entry else ""


def test_an_older_version_of_an_object_is_not_taken_in() -> None:
    store = stored(raw("db", 20))
    assert store.upsert(raw("db", 19)) is None
    assert store.upsert(raw("db", 20)) is None
    assert version(store) == "20"
    another = raw("db", 5)
    another["metadata"] = {**another["metadata"], "uid": "new"}  # type: ignore[dict-item]  # a dict
    assert store.upsert(another) is not None


def test_our_own_write_shows_before_the_watch_tells_of_it() -> None:
    store = stored(raw("db", 20))
    store.written("20", raw("db", 21))
    store.written("21", raw("db", 22))
    assert version(store) == "22"
    store.upsert(raw("db", 21))
    assert version(store) == "22"
    store.upsert(raw("db", 22))
    assert version(store) == "22"
    store.upsert(raw("db", 23))
    assert version(store) == "23"


def test_a_write_on_top_of_an_unseen_version_does_not_hide_it() -> None:
    store = stored(raw("db", 20))
    store.upsert(raw("db", 25))
    store.written("24", raw("db", 26))
    assert version(store) == "25"  # until the watch brings 26


def test_what_we_created_is_there_until_it_is_told_to_be_gone() -> None:
    store = stored()
    store.written("", raw("db", 5))
    assert version(store) == "5"
    store.upsert(raw("db", 5))
    store.remove(raw("db", 6))
    assert version(store) == ""


def test_a_full_list_settles_what_our_writes_left_open() -> None:
    store = stored()
    store.written("", raw("db", 5))
    store.replace([])
    assert version(store) == ""


def test_what_we_created_and_somebody_deleted_unheard_is_told_to_be_gone() -> None:
    store = stored()
    store.written("", raw("db", 5))
    (change,) = store.replace([])
    assert change.old is not None
    assert change.old.metadata.key == DB
    assert change.new is None


def test_a_write_that_the_watch_was_faster_than_does_not_come_back() -> None:
    store = stored()
    store.upsert(raw("db", 5))
    store.remove(raw("db", 6))
    store.written("", raw("db", 5))
    assert version(store) == ""


def test_a_write_before_a_list_is_in_the_list_or_gone() -> None:
    store = stored()
    store.replace([], "7")
    store.written("", raw("db", 5))
    assert version(store) == ""
    store.written("", raw("db", 8))
    assert version(store) == "8"


def test_only_metadata_is_kept_where_that_is_all_that_is_needed() -> None:
    store = Store(nothing)
    store.upsert(raw("db", 1, password="hunter2"))
    entry = store.get(DB)
    assert entry is not None
    assert entry.body == b""


def test_managed_fields_are_not_kept() -> None:
    given = raw("db", 1)
    given["metadata"] = {**given["metadata"], "managedFields": [{"manager": "x"}]}  # type: ignore[dict-item]  # a dict
    assert b"managedFields" not in whole(given)


def older(cluster: FakeCluster) -> None:
    with cluster._lock:
        cluster._version = 50
        cluster.end_watches(ApiError(410, "Expired"))


def test_a_list_of_the_past_is_refused_until_it_persists() -> None:
    cluster = FakeCluster()
    cluster.put(SEALED_SECRETS, raw("a"))
    with Follower(cluster) as follower:
        assert follower.reflector.synced.wait(10)
        cluster.wait_until_heard()
        with cluster._lock:
            cluster._objects.clear()
        older(cluster)
        follower.wait_for(lambda f: ("a", "gone") in f.told())
    assert follower.errors == 4  # the 410 and three refusals


# Several namespaces, and a part of them.


def at(namespace: str, name: str, version: int) -> JsonObject:
    metadata = {"namespace": namespace, "name": name, "uid": name}
    return {"metadata": {**metadata, "resourceVersion": str(version)}}


def test_views_of_several_namespaces_are_one() -> None:
    stores = Stores(whole, ("a", "b"))
    for name, store in stores.by_namespace.items():
        store.replace([store.entry(at(name, "x", 5))], "5")
    assert len(stores) == len(stores.entries()) == 2
    made = stores.written("5", at("b", "x", 7))
    assert stores.get(ObjectKey("b", "x")) == made
    found = stores.get(ObjectKey("a", "x"))
    assert found is not None
    assert found.metadata.resource_version == "5"


def test_a_list_of_one_namespace_is_none_of_another() -> None:
    stores = Stores(whole, ("a", "b"))
    first, second = stores.by_namespace.values()
    first.replace([first.entry(at("a", "x", 5))], "5")
    assert second.replace([], "9") == []
    assert len(stores) == 1


def test_without_namespaces_one_view_has_all() -> None:
    stores = Stores(nothing)
    (store,) = stores.by_namespace.values()
    store.replace([store.entry(at(name, "x", 5)) for name in "ab"], "5")
    assert {entry.metadata.key.namespace for entry in stores.entries()} == {"a", "b"}
    assert stores.get(ObjectKey("b", "x")) is not None


def test_what_is_not_wanted_is_not_kept() -> None:
    store = Store(whole, lambda namespace: namespace == "a")
    entries = store.listed([at("a", "x", 5), at("b", "x", 5)])
    assert [entry.metadata.key for entry in entries] == [("a", "x")]
    store.replace(entries, "5")
    assert store.upsert(at("b", "y", 6)) is None
    assert store.remove(at("b", "y", 7)) is None
    assert store.upsert(at("a", "y", 8)) is not None
    assert len(store) == 2
