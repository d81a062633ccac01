import os

import pytest

from sealkit.crypto.recipient import Recipient
from sealkit.keypair import KeyPair, KeyState
from sealkit_controller.cache import Store, whole
from sealkit_controller.cluster import ApiError, Selection
from sealkit_controller.keysync import KeySync, Source
from sealkit_controller.objects import CONFIG_MAPS, KEY_LABEL, SECRETS, ObjectKey, child, strings
from tests.controller.world import KEY, NAMESPACE, NOW, OTHER_KEY, key_secret, pair
from tests.fakes.cluster import FakeCluster

FIRST = ObjectKey(NAMESPACE, "sealkit-key-1")
PUBLIC = ObjectKey(NAMESPACE, "sealkit-public-keys")


class Replica:
    """One controller's key handling on a cluster it may share; its view is updated by hand."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        self.store = Store(whole)
        source = Source(os.urandom, lambda: NOW)
        self.keys = KeySync(cluster, self.store, NAMESPACE, "prod", source)

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
    assert strings(child(stored, "metadata"), "labels") == {KEY_LABEL: "active"}
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
