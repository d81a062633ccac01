import os
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from sealkit.crypto.recipient import Recipient
from sealkit.keypair import KeyPair, KeyState
from sealkit_controller.cache import Store, whole
from sealkit_controller.cluster import ApiError, Cluster, Selection
from sealkit_controller.keysync import KeySync, Source
from sealkit_controller.objects import CONFIG_MAPS, KEY_LABEL, SECRETS, ObjectKey, child, strings
from tests.controller.world import KEY, NAMESPACE, NOW, OTHER_KEY, key_secret, pair
from tests.fakes.cluster import FakeCluster
from tests.faults.lives import Mortal

FIRST = ObjectKey(NAMESPACE, "sealkit-key-1")
MONTH = timedelta(days=30)
PUBLIC = ObjectKey(NAMESPACE, "sealkit-public-keys")


class Replica:
    """One controller's key handling on a cluster it may share; its view is updated by hand."""

    def __init__(
        self, cluster: FakeCluster, now: datetime = NOW, writer: Cluster | None = None
    ) -> None:
        self.cluster = cluster
        self.store = Store(whole)
        self.now = now
        source = Source(os.urandom, lambda: self.now, MONTH)
        self.keys = KeySync(writer or cluster, self.store, NAMESPACE, "prod", source)

    def look(self) -> None:
        pages = list(self.cluster.pages(Selection(SECRETS, NAMESPACE, KEY_LABEL)))
        self.store.replace([self.store.entry(raw) for page in pages for raw in page.items])

    def sync(self) -> None:
        self.look()
        self.cluster.requests.clear()
        self.keys.sync()


@pytest.fixture
def replica() -> Replica:
    return Replica(FakeCluster())


def test_the_first_start_creates_a_key_and_publishes_it(replica: Replica) -> None:
    replica.sync()
    stored = replica.cluster.find(SECRETS, FIRST)
    assert stored is not None
    key = KeyPair.from_secret(stored)
    assert (stored["type"], stored["immutable"]) == ("sealkit.dev/key", True)
    labels = strings(child(stored, "metadata"), "labels")
    assert labels == {KEY_LABEL: "active", "sealkit.dev/kid": key.key.kid}
    assert replica.keys.recipient == Recipient("prod", key.key.public)
    published = strings(replica.cluster.find(CONFIG_MAPS, PUBLIC) or {}, "data")
    assert published["recipient"] == str(replica.keys.recipient)
    assert [sent.verb for sent in replica.cluster.writes()] == ["create", "apply"]


def test_the_second_time_nothing_is_written(replica: Replica) -> None:
    replica.sync()
    replica.sync()
    assert replica.cluster.writes() == []


def test_a_key_is_not_served_before_it_is_stored(replica: Replica) -> None:
    replica.cluster.fail("create", "secrets", ApiError(500, "InternalError"))
    with pytest.raises(ApiError):
        replica.sync()
    assert replica.keys.recipient is None
    assert replica.cluster.find(CONFIG_MAPS, PUBLIC) is None


def test_of_two_replicas_one_creates_the_key_and_the_other_takes_it(replica: Replica) -> None:
    other = Replica(replica.cluster)
    replica.look()
    other.look()
    replica.keys.sync()
    other.keys.sync()
    assert other.keys.recipient is None
    other.sync()
    assert other.keys.recipient == replica.keys.recipient
    assert replica.cluster.find(SECRETS, ObjectKey(NAMESPACE, "sealkit-key-2")) is None


def test_a_restored_and_a_relabelled_key_count_at_once(replica: Replica) -> None:
    replica.now = pair(day=3).not_before
    replica.cluster.put(SECRETS, key_secret(pair(KEY, day=1)))
    replica.sync()
    replica.cluster.put(SECRETS, key_secret(pair(OTHER_KEY, day=2), "restored"))
    replica.sync()
    assert set(replica.keys.ring.pairs) == {KEY.kid, OTHER_KEY.kid}
    retired = {"metadata": {"labels": {KEY_LABEL: "retired"}}}
    replica.cluster.edit(SECRETS, ObjectKey(NAMESPACE, "restored"), retired)
    replica.sync()
    assert replica.keys.ring.pairs[OTHER_KEY.kid].state is KeyState.RETIRED
    published = strings(replica.cluster.find(CONFIG_MAPS, PUBLIC) or {}, "data")
    assert set(published) >= {"recipient", f"{KEY.kid}.pub"}


def test_when_no_key_is_active_the_next_one_is_made(replica: Replica) -> None:
    replica.cluster.put(SECRETS, key_secret(pair(KEY, KeyState.COMPROMISED)))
    replica.sync()
    assert replica.cluster.find(SECRETS, ObjectKey(NAMESPACE, "sealkit-key-2")) is not None
    assert KEY.kid in replica.keys.ring.pairs


def test_changed_published_keys_are_put_right(replica: Replica) -> None:
    replica.sync()
    replica.cluster.edit(CONFIG_MAPS, PUBLIC, {"data": {"recipient": "mine"}})
    replica.sync()
    published = strings(replica.cluster.find(CONFIG_MAPS, PUBLIC) or {}, "data")
    assert published["recipient"] == str(replica.keys.recipient)


def test_a_failure_to_publish_does_not_keep_keys_from_opening(replica: Replica) -> None:
    replica.cluster.put(SECRETS, key_secret(pair()))
    replica.cluster.fail("get", "configmaps", ApiError(403, "Forbidden"))
    with pytest.raises(ApiError):
        replica.sync()
    assert set(replica.keys.ring.pairs) == {KEY.kid}


# Renewal.


def test_an_old_key_gets_a_successor_and_stays(replica: Replica) -> None:
    replica.sync()
    first = replica.keys.recipient
    assert first is not None
    replica.now += MONTH - timedelta(seconds=1)
    replica.sync()
    assert replica.keys.recipient == first
    replica.now += timedelta(seconds=1)
    replica.sync()
    second = replica.keys.recipient
    assert second is not None
    assert second != first
    assert [sent.verb for sent in replica.cluster.writes()] == ["create", "apply"]
    published = strings(replica.cluster.find(CONFIG_MAPS, PUBLIC) or {}, "data")
    assert published["recipient"] == str(second)
    assert published[f"{first.key.kid}.pub"] == str(first)  # pinned in repositories
    assert set(replica.keys.ring.private_keys) == {first.key.kid, second.key.kid}
    replica.sync()
    assert replica.cluster.writes() == []


def test_two_replicas_renew_once(replica: Replica) -> None:
    replica.sync()
    replica.now += MONTH
    other = Replica(replica.cluster, replica.now)
    for one in (replica, other):
        one.look()
    for one in (replica, other):
        one.keys.sync()
    for one in (replica, other):
        one.sync()
    assert other.keys.recipient == replica.keys.recipient
    assert len(replica.keys.ring.pairs) == 2


def test_a_renewal_that_is_refused_leaves_the_old_key_published(replica: Replica) -> None:
    replica.sync()
    before = replica.keys.recipient
    replica.cluster.edit(CONFIG_MAPS, PUBLIC, {"data": {"recipient": "mine"}})
    replica.now += MONTH
    replica.cluster.fail("create", "secrets", ApiError(403, "Forbidden"))
    with pytest.raises(ApiError):
        replica.sync()
    published = strings(replica.cluster.find(CONFIG_MAPS, PUBLIC) or {}, "data")
    assert published["recipient"] == str(before) == str(replica.keys.recipient)


# The writes of the life below: the first key, its publication, and the same of two successors; what
# is left to publish of a key that was retired.
WRITES = 7


@pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("crash_at", range(1, WRITES + 1))
def test_no_crash_at_a_write_loses_a_key(crash_at: int, sent: bool) -> None:  # noqa: FBT001  (a column)
    assert live(crash_at, sent=sent) >= WRITES


def test_that_is_every_write() -> None:
    assert live(0, sent=False) == WRITES


def live(crash_at: int, *, sent: bool) -> int:
    """Make a key, renew it, retire the newest; crash once. Return how many writes there were.

    Whatever was ever served or published is stored, and opens; the next life takes over.
    """
    cluster, shown, done = FakeCluster(), set[Recipient](), 0
    for month in range(3):
        if month == 2:  # as an operator does: what is active now is older, and a new one is due
            newest = ObjectKey(NAMESPACE, "sealkit-key-2")
            cluster.edit(SECRETS, newest, {"metadata": {"labels": {KEY_LABEL: "retired"}}})
        for _ in range(3):
            mortal = Mortal(cluster, lambda n, s, d=done: (d + n, s) == (crash_at, sent))  # type: ignore[misc]  # a default binds
            replica = Replica(cluster, NOW + month * MONTH, mortal)
            with suppress(ApiError):
                replica.look()
                replica.keys.sync()
            done += len(mortal.writes)
            shown |= {replica.keys.recipient} - {None} | published_now(cluster)  # type: ignore[arg-type]  # without None
            assert {one.key.kid for one in shown} <= kept(cluster)
        assert published_now(cluster) == {replica.keys.recipient}
        assert replica.keys.ring.private_keys.keys() == kept(cluster)
    return done


def published_now(cluster: FakeCluster) -> set[Recipient]:
    entries = strings(cluster.find(CONFIG_MAPS, PUBLIC) or {}, "data")
    return {Recipient.parse(entries["recipient"])} if entries else set()


def kept(cluster: FakeCluster) -> set[str]:
    pages = cluster.pages(Selection(SECRETS, NAMESPACE, KEY_LABEL))
    return {KeyPair.from_secret(raw).key.kid for page in pages for raw in page.items}
