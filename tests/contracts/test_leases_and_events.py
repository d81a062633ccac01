"""Leases and Events: times of microseconds, strict rules, two versions of one object."""

from typing import Any

import pytest

from tests.contracts.client import Client

LEASES = "apis/coordination.k8s.io/v1/leases"
EVENTS = "apis/events.k8s.io/v1/events"
MOMENT = "2024-01-02T03:04:05.678901Z"


def lease(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "a"},
        "spec": spec,
    }


def test_a_lease_keeps_its_microseconds(api: Client) -> None:
    spec = {"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": MOMENT}
    api.create(LEASES, lease(**spec)).ok()
    assert api.get(LEASES, "a").json["spec"] == spec


@pytest.mark.parametrize("moment", ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.123Z", "now"])
def test_other_times_are_refused(api: Client, moment: str) -> None:
    reply = api.create(LEASES, lease(renewTime=moment))
    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert f'parsing time "{moment}"' in reply.message


def test_the_numbers_of_a_lease_are_checked(api: Client) -> None:
    reply = api.create(LEASES, lease(leaseDurationSeconds=0, leaseTransitions=-1))
    fields = [cause["field"] for cause in reply.causes]
    assert fields == ["spec.leaseDurationSeconds", "spec.leaseTransitions"]


def test_a_lease_is_replaced_at_a_version_only(api: Client) -> None:
    created = api.create(LEASES, lease(holderIdentity="me")).ok()
    assert api.replace(LEASES, "a", lease(holderIdentity="you")).code == 422
    body = created.json | {"spec": {"holderIdentity": "you"}}
    api.replace(LEASES, "a", body).ok()
    assert api.replace(LEASES, "a", body).code == 409


def test_a_lease_can_be_created_by_replacing_it(api: Client) -> None:
    assert api.replace(LEASES, "a", lease(holderIdentity="me")).code == 201


def event(api: Client, **fields: Any) -> dict[str, Any]:
    about = {"apiVersion": "v1", "kind": "Secret", "name": "s", "namespace": api.namespace}
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "a"},
        "eventTime": MOMENT,
        "type": "Normal",
        "reason": "Written",
        "action": "Write",
        "note": "written",
        "reportingController": "example.com/controller",
        "reportingInstance": "one",
        "regarding": about,
    } | fields


def test_an_event_is_seen_in_both_versions(api: Client) -> None:
    api.create(EVENTS, event(api)).ok()
    core = api.get("events", "a").ok().json
    assert core["apiVersion"] == "v1"
    assert core["message"] == "written"
    assert core["involvedObject"]["name"] == "s"
    assert core["reportingComponent"] == "example.com/controller"
    new = api.get(EVENTS, "a").ok().json
    assert (new["note"], new["regarding"]) == ("written", core["involvedObject"])


@pytest.mark.parametrize(
    ("resource", "selector"),
    [("events", "involvedObject.name=s"), (EVENTS, "regarding.name=s")],
)
def test_events_are_found_by_what_they_are_about(api: Client, resource: str, selector: str) -> None:
    api.create(EVENTS, event(api)).ok()
    assert len(api.get(resource, fieldSelector=selector).ok().json["items"]) == 1
    other = selector.replace("=s", "=t")
    assert api.get(resource, fieldSelector=other).ok().json["items"] == []


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "type": ({"type": "Other"}, "type"),
    "time": ({"eventTime": None}, "eventTime"),
    "controller": ({"reportingController": "a b"}, "reportingController"),
    "instance": ({"reportingInstance": ""}, "reportingInstance"),
    "action": ({"action": "x" * 129}, "action"),
    "reason": ({"reason": ""}, "reason"),
    "note": ({"note": "x" * 1025}, "message"),
    "count": ({"deprecatedCount": 1}, "count"),
    "series": ({"series": {"count": 1, "lastObservedTime": MOMENT}}, "series.count"),
    "namespace": ({"regarding": {}}, "involvedObject.namespace"),
}


@pytest.mark.parametrize(("fields", "field"), BAD.values(), ids=BAD)
def test_a_broken_event_is_refused(api: Client, fields: dict[str, Any], field: str) -> None:
    reply = api.create(EVENTS, event(api, **fields))
    assert (reply.code, reply.reason) == (422, "Invalid")
    assert field in [cause["field"] for cause in reply.causes]


def test_only_the_series_of_an_event_changes(api: Client) -> None:
    api.create(EVENTS, event(api)).ok()
    series = {"count": 2, "lastObservedTime": MOMENT}
    assert api.patch(EVENTS, "a", {"series": series}).ok().json["series"] == series
    reply = api.patch(EVENTS, "a", {"note": "other"})
    assert (reply.code, reply.causes[0]["field"]) == (422, "message")
