"""Elections on an API server over the network: the sandbox, and the real one."""

import random
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealkit_controller.cluster import Target
from sealkit_controller.election import LEASES, Candidate, Loss, Terms
from sealkit_controller.kube import HttpCluster
from sealkit_controller.leader import Clock, Elector, Hear, lease_name
from sealkit_controller.objects import child, text
from sealkit_controller.sandbox import Sandbox
from sealkit_controller.settings import Settings
from tests.apiserver import ApiServer
from tests.controller.candidates import WAIT_SECONDS, HandClock, Wire, replica
from tests.controller.server import access, create_namespace

MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture(
    params=["sandbox", pytest.param("control_plane", marks=pytest.mark.cluster)], scope="module"
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    if request.param == "control_plane":
        yield request.getfixturevalue("control_plane")
        return
    with Sandbox() as box:
        ca_file: Path = tmp_path_factory.mktemp("sandbox") / "ca.pem"
        ca_file.write_bytes(box.ca_pem)
        yield ApiServer(box.url, box.admin_token, ca_file)


@pytest.fixture
def remote(server: ApiServer) -> Iterator[tuple[HttpCluster, Target]]:
    """A client, and the place of a Lease in a namespace of this test only."""
    with closing(HttpCluster(access(server), Settings(request_timeout_seconds=5))) as cluster:
        namespace = f"system-{uuid.uuid4().hex[:8]}"
        create_namespace(cluster, namespace)
        yield cluster, Target(LEASES, namespace, lease_name(0, 1))


def test_a_lease_changes_hands_over_the_network(
    remote: tuple[HttpCluster, Target], hand: HandClock
) -> None:
    cluster, lease = remote
    one, two = (replica(cluster, hand, name, lease) for name in "ab")
    for _ in range(10):
        one.elector.attempt()
        two.elector.attempt()
        hand.seconds += 2
    assert (one.elector.is_leader, two.elector.is_leader) == (True, False)
    made = child(cluster.get(lease), "spec")
    assert MICRO_TIME.fullmatch(text(made, "renewTime"))
    assert MICRO_TIME.fullmatch(text(made, "acquireTime"))
    assert text(made, "acquireTime") < text(made, "renewTime")

    one.elector.stop()
    one.elector.run()
    assert text(child(cluster.get(lease), "spec"), "holderIdentity") == ""
    two.elector.attempt()
    assert (one.elector.is_leader, two.elector.is_leader) == (False, True)
    assert child(cluster.get(lease), "spec")["leaseTransitions"] == 1
    assert one.lost + two.lost + one.errors + two.errors == []


def test_a_dead_holder_is_replaced_over_the_network(
    remote: tuple[HttpCluster, Target], hand: HandClock
) -> None:
    cluster, lease = remote
    one, two = (replica(cluster, hand, name, lease) for name in "ab")
    one.elector.attempt()
    seconds = 0.0
    while not two.elector.is_leader:
        pause = two.elector.attempt()
        hand.seconds += pause
        seconds += pause
        assert seconds < 20
    assert seconds > 15
    hand.seconds -= 5  # as the dead one's clock may be slow: its late renewal is refused
    taken = cluster.get(lease)
    assert one.elector.attempt() > 0
    assert cluster.get(lease) == taken
    assert len(one.lost) == 1
    assert text(child(cluster.get(lease), "spec"), "holderIdentity") == "b"


def test_of_two_at_the_same_version_one_wins_over_the_network(
    remote: tuple[HttpCluster, Target], hand: HandClock
) -> None:
    cluster, lease = remote
    one = replica(cluster, hand, "a", lease)

    def first() -> None:
        one.elector.attempt()

    two = replica(Wire(cluster, before=first), hand, "b", lease)
    two.elector.attempt()  # finds nothing; before it can create, the other has
    assert (one.elector.is_leader, two.elector.is_leader) == (True, False)
    hand.seconds += 2
    one.elector.attempt()
    assert one.elector.is_leader
    assert one.errors + two.errors == []


def test_the_loop_as_it_runs_in_the_controller(remote: tuple[HttpCluster, Target]) -> None:
    """Real threads and the real clock, as short as it can be."""
    cluster, lease = remote
    clock = Clock(lambda: datetime.now(UTC), time.monotonic, random.random)
    told: list[Loss] = []
    terms = Terms(lease_seconds=2, renew_deadline_seconds=1.5, retry_seconds=0.05)
    elector = Elector(cluster, Candidate(lease, "a", terms), clock, Hear(told.append))
    threads = [threading.Thread(target=body) for body in (elector.run, elector.guard)]
    for thread in threads:
        thread.start()
    assert elector.elected.wait(WAIT_SECONDS)
    elector.stop()
    for thread in threads:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    assert text(child(cluster.get(lease), "spec"), "holderIdentity") == ""
    assert told == []
