"""The elector as its process sees it, on the fake."""

import threading
import uuid
from collections.abc import Mapping

import pytest

from sealkit_controller.cluster import ApiError
from sealkit_controller.election import LEASES, Candidate, Loss, identity
from sealkit_controller.leader import Elector, Hear
from sealkit_controller.objects import child
from tests.controller.candidates import KEY, LEASE, WAIT_SECONDS, HandClock, Wire, replica
from tests.fakes.cluster import FakeCluster


def spec(cluster: FakeCluster) -> Mapping[str, object]:
    return child(cluster.find(LEASES, KEY) or {}, "spec")


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


def test_the_first_makes_the_lease_and_leads(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    assert not one.elector.is_leader
    assert one.elector.attempt() == 2
    assert one.elector.is_leader
    assert one.elector.elected.is_set()
    stamp = "2026-05-04T03:18:41.000000Z"
    assert spec(cluster) == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": stamp,
        "renewTime": stamp,
        "leaseTransitions": 0,
    }


def test_a_renewal_is_one_request(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    first = dict(spec(cluster))
    cluster.requests.clear()
    hand.seconds += 2
    one.elector.attempt()
    assert [sent.verb for sent in cluster.requests] == ["merge"]
    assert spec(cluster) == first | {"renewTime": "2026-05-04T03:18:43.000000Z"}


def test_the_second_takes_over_when_the_lease_has_run_out(
    cluster: FakeCluster, hand: HandClock
) -> None:
    one, two = replica(cluster, hand, "a"), replica(cluster, hand, "b")
    one.elector.attempt()
    two.elector.attempt()
    hand.seconds += 14.9
    assert two.elector.attempt() == pytest.approx(0.1)
    assert not two.elector.is_leader
    hand.seconds += 0.2
    two.elector.attempt()
    assert two.elector.is_leader
    assert not one.elector.is_leader
    assert (spec(cluster)["holderIdentity"], spec(cluster)["leaseTransitions"]) == ("b", 1)


def test_a_lease_that_is_renewed_is_left_alone(cluster: FakeCluster, hand: HandClock) -> None:
    one, two = replica(cluster, hand, "a"), replica(cluster, hand, "b")
    for _ in range(30):
        one.elector.attempt()
        two.elector.attempt()
        hand.seconds += 2
    assert one.elector.is_leader
    assert {sent.body["spec"]["holderIdentity"] for sent in cluster.writes()} == {"a"}  # type: ignore[index]  # a Lease


def test_leading_ends_without_any_thread(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    hand.seconds += 9.9
    assert one.elector.is_leader
    hand.seconds += 0.1
    assert not one.elector.is_leader


def test_a_slow_answer_does_not_lengthen_the_term(cluster: FakeCluster, hand: HandClock) -> None:
    def slow() -> None:
        hand.seconds += 4

    one = replica(Wire(cluster, after=slow), hand)
    one.elector.attempt()
    hand.seconds += 5.9
    assert one.elector.is_leader
    hand.seconds += 0.1
    assert not one.elector.is_leader


def test_a_hung_request_ends_the_term_all_the_same(cluster: FakeCluster, hand: HandClock) -> None:
    """The loop hangs in a renewal; the guard tells of the loss, and the late answer is too late."""
    answered, hanging = threading.Event(), threading.Event()
    wire = Wire(cluster)
    one = replica(wire, hand)
    one.elector.attempt()

    def hang() -> None:
        hanging.set()
        assert answered.wait(WAIT_SECONDS)

    wire.before = hang
    loop = threading.Thread(target=one.elector.run)
    loop.start()
    assert hanging.wait(WAIT_SECONDS)
    one.elector.guard()
    assert one.lost == [Loss.EXPIRED]
    assert hand.seconds == 1010
    answered.set()
    loop.join(WAIT_SECONDS)
    assert not loop.is_alive()
    assert not one.elector.is_leader
    assert one.lost == [Loss.EXPIRED]


def test_the_guard_sleeps_through_renewals(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    renewals = iter([True, True, True])

    def renew() -> None:
        hand.seconds -= 1  # a little before the deadline
        if next(renewals, False):
            one.elector.attempt()
        else:
            hand.seconds += 1

    hand.then = renew
    one.elector.guard()
    assert one.lost == [Loss.EXPIRED]
    assert hand.waits[0] is None
    assert len(hand.waits) >= 4


def test_the_loop_renews_until_it_cannot(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    hand.then = lambda: (
        cluster.fail("merge", "leases", ApiError(503, "Down"), 100)
        if (hand.seconds >= 1010)
        else None
    )
    one.elector.run()
    assert one.lost == [Loss.EXPIRED]
    assert {error.status for error in one.errors} == {503}
    # The last renewal that was answered was sent at 1008 s.
    assert 1018 <= hand.seconds < 1021


def test_a_stop_gives_the_lease_back_and_the_next_leads_at_once(
    cluster: FakeCluster, hand: HandClock
) -> None:
    one, two = replica(cluster, hand, "a"), replica(cluster, hand, "b")
    one.elector.attempt()
    two.elector.attempt()
    one.elector.stop()
    assert not one.elector.is_leader
    assert spec(cluster)["holderIdentity"] == "a"
    one.elector.run()
    one.elector.guard()
    assert (spec(cluster)["holderIdentity"], spec(cluster)["leaseDurationSeconds"]) == ("", 1)
    two.elector.attempt()
    assert two.elector.is_leader
    assert spec(cluster)["leaseTransitions"] == 1
    assert one.lost == []


def test_a_stop_can_leave_the_lease_to_run_out(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    one.elector.stop(release=False)
    one.elector.run()
    assert spec(cluster)["holderIdentity"] == "a"
    assert not one.elector.is_leader


def test_one_that_never_led_gives_nothing_back(cluster: FakeCluster, hand: HandClock) -> None:
    one, two = replica(cluster, hand, "a"), replica(cluster, hand, "b")
    one.elector.attempt()
    two.elector.attempt()
    cluster.requests.clear()
    two.elector.stop()
    two.elector.run()
    assert cluster.requests == []


def test_a_lease_is_given_back_even_if_its_making_was_never_answered(
    cluster: FakeCluster, hand: HandClock
) -> None:
    def lose() -> None:
        raise ApiError(0, "Timeout")

    wire = Wire(cluster, after=lose)
    one = replica(wire, hand)
    one.elector.attempt()
    assert not one.elector.is_leader
    wire.after = lambda: None
    one.elector.stop()
    one.elector.run()
    assert spec(cluster)["holderIdentity"] == ""


def test_the_lease_of_another_is_not_given_back(cluster: FakeCluster, hand: HandClock) -> None:
    def lose() -> None:
        raise ApiError(0, "Timeout")

    one = replica(Wire(cluster, after=lose), hand, "a")
    two = replica(cluster, hand, "b")
    one.elector.attempt()
    two.elector.attempt()
    hand.seconds += 15
    two.elector.attempt()
    one.elector.stop()
    one.elector.run()
    assert two.elector.is_leader
    assert spec(cluster)["holderIdentity"] == "b"


def test_giving_back_is_tried_once_more_after_a_conflict(
    cluster: FakeCluster, hand: HandClock
) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    cluster.fail("merge", "leases", ApiError(409, "Conflict"))
    one.elector.stop()
    one.elector.run()
    assert spec(cluster)["holderIdentity"] == ""


def test_nothing_is_given_back_that_was_lost(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    hand.seconds += 60
    one.elector.check()
    cluster.requests.clear()
    one.elector.stop()
    one.elector.run()
    assert cluster.requests == []
    assert one.lost == [Loss.EXPIRED]


def test_what_runs_out_after_a_stop_is_no_loss(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    one.elector.stop(release=False)
    hand.seconds += 60
    one.elector.check()
    assert one.lost == []


def test_a_stop_ends_the_guard_of_one_that_never_led(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.stop()
    one.elector.guard()
    assert hand.waits == [None]
    assert one.lost == []


def test_who_has_lost_asks_for_nothing_more(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    hand.seconds += 10
    cluster.requests.clear()
    one.elector.attempt()
    one.elector.attempt()
    assert cluster.requests == []
    assert one.lost == [Loss.EXPIRED]


def test_a_lost_answer_costs_one_round(cluster: FakeCluster, hand: HandClock) -> None:
    def lose() -> None:
        raise ApiError(0, "Timeout")

    wire = Wire(cluster, after=lose)
    one = replica(wire, hand)
    one.elector.attempt()
    wire.after = lambda: None
    hand.seconds += 2
    one.elector.attempt()
    assert one.elector.is_leader
    assert spec(cluster)["leaseTransitions"] == 0


def test_a_lost_answer_to_a_renewal_is_no_loss(cluster: FakeCluster, hand: HandClock) -> None:
    def lose() -> None:
        raise ApiError(0, "Timeout")

    wire = Wire(cluster)
    one = replica(wire, hand)
    one.elector.attempt()
    wire.after = lose
    hand.seconds += 2
    one.elector.attempt()
    wire.after = lambda: None
    hand.seconds += 2
    one.elector.attempt()
    hand.seconds += 9.9
    assert one.elector.is_leader
    assert one.lost == []


def test_a_holder_written_by_hand_ends_the_term(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    cluster.edit(LEASES, KEY, {"spec": {"holderIdentity": "somebody"}})
    one.elector.attempt()
    one.elector.attempt()
    one.elector.check()
    assert one.lost == [Loss.TAKEN]
    assert spec(cluster)["holderIdentity"] == "somebody"


def test_other_edits_of_the_lease_do_no_harm(cluster: FakeCluster, hand: HandClock) -> None:
    one = replica(cluster, hand)
    one.elector.attempt()
    cluster.edit(LEASES, KEY, {"metadata": {"annotations": {"note": "hello"}}})
    hand.seconds += 2
    one.elector.attempt()
    hand.seconds += 9
    assert one.elector.is_leader
    annotations = child(child(cluster.find(LEASES, KEY) or {}, "metadata"), "annotations")
    assert annotations == {"note": "hello"}


def test_a_deleted_lease_is_made_again_by_its_leader(cluster: FakeCluster, hand: HandClock) -> None:
    one, two = replica(cluster, hand, "a"), replica(cluster, hand, "b")
    one.elector.attempt()
    two.elector.attempt()
    cluster.drop(LEASES, KEY)
    two.elector.attempt()
    assert not two.elector.is_leader
    hand.seconds += 2
    one.elector.attempt()
    assert one.elector.is_leader
    assert spec(cluster)["holderIdentity"] == "a"


def test_a_write_that_changed_nothing_does_not_count(cluster: FakeCluster, hand: HandClock) -> None:
    """The others tell a renewal by its version, so a server that made none has not renewed."""
    one = replica(Wire(cluster, forgets=True), hand)
    one.elector.attempt()
    hand.seconds += 9
    one.elector.attempt()
    hand.seconds += 1
    assert not one.elector.is_leader
    assert [error.reason for error in one.errors] == ["NotWritten"]


@pytest.mark.parametrize("status", [0, 403, 404, 429, 500])
def test_an_election_that_cannot_be_held_is_told(
    cluster: FakeCluster, hand: HandClock, status: int
) -> None:
    one = replica(cluster, hand)
    cluster.fail("create", "leases", ApiError(status, "No"))
    assert one.elector.attempt() == 2
    assert [error.status for error in one.errors] == [status]
    assert not one.elector.is_leader


def test_errors_may_go_unheard(cluster: FakeCluster, hand: HandClock) -> None:
    cluster.fail("get", "leases", ApiError(500, "No"))
    elector = Elector(cluster, Candidate(LEASE, "a"), hand.clock, Hear(lambda _: None))
    elector.attempt()
    assert not elector.is_leader


def test_an_identity_is_the_pod_and_something_unique() -> None:
    unique = uuid.UUID(int=1)
    assert identity("pod-1", unique) == "pod-1_00000000-0000-0000-0000-000000000001"
