"""The guard before every write, and which namespaces a process may write in."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sealkit_controller.cluster import ApiError, Cluster, PatchKind, Selection, Target
from sealkit_controller.leader import Led, NotLeadingError, lease_name, ownership, shard_of
from sealkit_controller.objects import SECRETS, JsonObject, ObjectKey, child, text
from tests.controller.candidates import HandClock, replica
from tests.fakes.cluster import FakeCluster


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


WRITES: dict[str, Callable[[Cluster, Target], object]] = {
    "create": lambda cluster, it: cluster.create(SECRETS, it.namespace, _secret(it)),
    "patch": lambda cluster, it: cluster.patch(it, {"data": {}}, PatchKind.MERGE),
    "replace": lambda cluster, it: cluster.replace(it, _secret(it)),
    "delete": lambda cluster, it: cluster.delete(it, "uid", "1"),
}
PLACE = Target(SECRETS, "shop", "db")


def _secret(target: Target) -> JsonObject:
    metadata = {"name": target.name, "namespace": target.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_does_not_lead_writes_nothing(
    cluster: FakeCluster, write: Callable[[Cluster, Target], object]
) -> None:
    led = Led(cluster, lambda _: False)
    with pytest.raises(NotLeadingError) as caught:
        write(led, PLACE)
    assert isinstance(caught.value, ApiError)
    assert (caught.value.status, caught.value.reason) == (0, "NotLeading")
    assert str(caught.value).endswith(": not the leader")
    assert cluster.requests == []


def test_the_leader_writes_and_all_read(cluster: FakeCluster) -> None:
    leading = True
    led = Led(cluster, lambda namespace: leading and namespace == "shop")
    led.create(SECRETS, "shop", _secret(PLACE))
    raw = led.patch(PLACE, {"data": {"a": "YQ=="}}, PatchKind.MERGE)
    metadata = child(raw, "metadata")
    version = text(metadata, "resourceVersion")
    changed = _secret(PLACE) | {"metadata": metadata, "type": "Opaque", "data": {"a": "Yg=="}}
    metadata = child(led.replace(PLACE, changed), "metadata")
    leading = False
    assert child(led.get(PLACE), "data") == {"a": "Yg=="}
    assert [len(page.items) for page in led.pages(Selection(SECRETS))] == [1]
    led.watch(Selection(SECRETS), version).close()
    leading = True
    led.delete(PLACE, text(metadata, "uid"), text(metadata, "resourceVersion"))
    assert cluster.find(SECRETS, ObjectKey("shop", "db")) is None
    led.close()


def test_a_paused_leader_resumes_before_its_write(cluster: FakeCluster) -> None:
    hand = HandClock()
    one, two = replica(cluster, hand, "a"), replica(cluster, hand, "b")
    one.elector.attempt()
    two.elector.attempt()
    led = Led(cluster, ownership(1, {0: one.elector}))
    led.create(SECRETS, "shop", _secret(PLACE))
    hand.seconds += 15  # stopped here, and the other took over
    two.elector.attempt()
    assert two.elector.is_leader
    with pytest.raises(NotLeadingError):
        led.patch(PLACE, {"data": {}}, PatchKind.MERGE)


@dataclass
class Leading:
    is_leader: bool


@pytest.mark.parametrize(
    ("namespace", "shards", "shard"),
    [("default", 1, 0), ("default", 7, 4), ("kube-system", 7, 1), ("shop", 7, 2), ("shop", 4, 1)],
)
def test_a_namespace_stays_in_its_shard(namespace: str, shards: int, shard: int) -> None:
    """Known answers: another function here would let two versions write at once."""
    assert shard_of(namespace, shards) == shard


def test_shards_are_of_like_size() -> None:
    counts = [0] * 8
    for number in range(4000):
        counts[shard_of(f"team-{number}", 8)] += 1
    assert min(counts) > 400
    assert max(counts) < 600


def test_there_is_at_least_one_shard() -> None:
    with pytest.raises(ValueError, match="at least one"):
        shard_of("default", 0)


def test_each_namespace_has_one_owner() -> None:
    processes = [
        ownership(3, {shard: Leading(is_leader=True)}) for shard in range(3)
    ]  # fmt: skip
    for number in range(100):
        assert sum(owns(f"n-{number}") for owns in processes) == 1


def test_a_namespace_is_owned_only_while_its_elector_leads() -> None:
    leading = Leading(is_leader=True)
    owns = ownership(1, {0: leading})
    assert owns("any")
    leading.is_leader = False
    assert not owns("any")


def test_a_lease_has_a_number_where_there_are_several() -> None:
    assert lease_name(0, 1) == "sealkit-controller"
    assert [lease_name(shard, 2) for shard in range(2)] == [
        "sealkit-controller-0",
        "sealkit-controller-1",
    ]
