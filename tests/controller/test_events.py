import threading
from dataclasses import replace

import pytest

from sealkit_controller.cluster import ApiError
from sealkit_controller.events import Note, Recorder
from sealkit_controller.objects import EVENTS, Metadata, ObjectKey, child, text
from tests.controller.world import DB, NOW
from tests.fakes.cluster import FakeCluster

NOTE = Note(Metadata(DB, uid="u", resource_version="7"), "Warning", "NoKey", "Unseal", "no key")


class Desk:
    """A recorder on a clock that stands until it is moved."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.now = 0.0
        self.dropped = 0
        self.recorder = Recorder(self.cluster, "pod-1", lambda: NOW, lambda: self.now, self._drop)

    def _drop(self) -> None:
        self.dropped += 1


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_event_has_what_the_api_server_demands(desk: Desk) -> None:
    desk.recorder.send(NOTE)
    body = desk.cluster.sent("create", "events")[0].body
    assert body["eventTime"] == "2026-05-04T03:02:01.000000Z"
    assert body["reportingController"] == "sealkit.dev/sealkit-controller"
    assert body["reportingInstance"] == "pod-1"
    assert (body["type"], body["reason"], body["action"], body["note"]) == (
        *("Warning", "NoKey", "Unseal", "no key"),
    )
    assert child(body, "regarding") == {
        "apiVersion": "sealkit.dev/v1alpha1",
        "kind": "SealedSecret",
        "namespace": "shop",
        "name": "db",
        "uid": "u",
        "resourceVersion": "7",
    }
    assert not {"firstTimestamp", "lastTimestamp", "count", "source"} & set(body)


def test_the_same_again_counts_and_is_written_now_and_then(desk: Desk) -> None:
    for _ in range(5):
        desk.recorder.send(NOTE)
    assert len(desk.cluster.requests) == 1
    desk.now = 301.0
    desk.recorder.send(replace(NOTE, manifest=replace(NOTE.manifest, resource_version="8")))
    assert [sent.verb for sent in desk.cluster.requests] == ["create", "merge"]
    series = child(desk.cluster.requests[1].body, "series")
    assert series == {"count": 6, "lastObservedTime": "2026-05-04T03:02:01.000000Z"}


def test_something_else_is_another_event(desk: Desk) -> None:
    desk.recorder.send(NOTE)
    for other in (
        replace(NOTE, reason="InvalidManifest"),
        replace(NOTE, note="another key"),
        replace(NOTE, manifest=replace(NOTE.manifest, uid="v", key=ObjectKey("shop", "x"))),
    ):
        desk.recorder.send(other)
    assert len(desk.cluster.sent("create", "events")) == 4


def test_an_event_that_expired_is_made_anew(desk: Desk) -> None:
    desk.recorder.send(NOTE)
    name = text(child(desk.cluster.sent("create")[0].body, "metadata"), "name")
    desk.cluster.drop(EVENTS, ObjectKey("shop", name))
    desk.now = 301.0
    desk.recorder.send(NOTE)
    assert [sent.verb for sent in desk.cluster.requests] == ["create", "merge", "create"]


def test_a_refused_event_is_dropped_and_the_next_one_sent(desk: Desk) -> None:
    desk.cluster.fail("create", "events", ApiError(403, "Forbidden"))
    done = threading.Event()
    desk.cluster.on_request = lambda sent: done.set() if sent.name.startswith("next") else None
    thread = threading.Thread(target=desk.recorder.run)
    thread.start()
    desk.recorder.record(NOTE)
    other = replace(NOTE.manifest, key=ObjectKey("shop", "next"), uid="n")
    desk.recorder.record(replace(NOTE, manifest=other))
    assert done.wait(10)
    desk.recorder.close()
    thread.join(10)
    assert not thread.is_alive()
    assert desk.dropped == 1


def test_when_too_many_wait_the_rest_is_dropped(desk: Desk) -> None:
    for _ in range(1003):
        desk.recorder.record(NOTE)
    assert desk.dropped == 3


def test_after_the_end_nothing_is_taken(desk: Desk) -> None:
    desk.recorder.close()
    desk.recorder.record(NOTE)
    desk.recorder.run()
    assert desk.cluster.requests == []
    assert desk.dropped == 1
