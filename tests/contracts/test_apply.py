"""Server-side apply: who owns which field, and what follows from it."""

import base64
from typing import Any

import pytest

from tests.contracts.client import (
    GROUP,
    STRATEGIC,
    WIDGETS,
    Client,
    config_map,
    secret,
    widget,
)

MAPS = "configmaps"


def owners(document: dict[str, Any]) -> dict[str, Any]:
    """Return what `managedFields` says, by manager and operation."""
    entries = document["metadata"].get("managedFields", [])
    return {f"{one['manager']} {one['operation']}": one["fieldsV1"] for one in entries}


def apply(api: Client, manager: str, data: dict[str, str], **query: str) -> Any:
    return api.apply(MAPS, "a", config_map("a", data=data), manager, **query)


def test_apply_creates_what_is_missing(api: Client) -> None:
    reply = apply(api, "alice", {"k": "v"})
    assert reply.code == 201
    (entry,) = reply.json["metadata"]["managedFields"]
    assert entry.pop("time")
    assert entry == {
        "manager": "alice",
        "operation": "Apply",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:k": {}}},
    }


def test_applying_the_same_again_changes_nothing(api: Client) -> None:
    first = apply(api, "alice", {"k": "v"})
    second = apply(api, "alice", {"k": "v"})
    assert (second.code, second.json) == (200, first.json)


def test_a_manager_must_be_named(api: Client) -> None:
    reply = api.patch(MAPS, "a", config_map("a"), "application/apply-patch+yaml")
    assert (reply.code, reply.causes[0]["field"]) == (422, "fieldManager")


def test_what_is_dropped_goes(api: Client) -> None:
    apply(api, "alice", {"k": "v", "l": "w"}).ok()
    assert apply(api, "alice", {"l": "w"}).json["data"] == {"l": "w"}
    assert "data" not in api.apply(MAPS, "a", config_map("a"), "alice").ok().json


def test_what_another_manager_also_applies_stays(api: Client) -> None:
    apply(api, "alice", {"k": "v"}).ok()
    apply(api, "bob", {"k": "v"}).ok()
    api.apply(MAPS, "a", config_map("a"), "alice").ok()
    reply = api.get(MAPS, "a").ok()
    assert reply.json["data"] == {"k": "v"}
    assert owners(reply.json) == {"bob Apply": {"f:data": {"f:k": {}}}}


def test_another_value_is_a_conflict(api: Client) -> None:
    apply(api, "alice", {"k": "v"}).ok()
    reply = apply(api, "bob", {"k": "w"})
    assert (reply.code, reply.reason) == (409, "Conflict")
    assert reply.message == 'Apply failed with 1 conflict: conflict with "alice": .data.k'
    assert reply.causes == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "alice"',
            "field": ".data.k",
        }
    ]


def test_several_conflicts_are_all_told(api: Client) -> None:
    apply(api, "alice", {"k": "v", "l": "v"}).ok()
    reply = apply(api, "bob", {"k": "w", "l": "w"})
    assert reply.message == (
        'Apply failed with 2 conflicts: conflicts with "alice":\n- .data.k\n- .data.l'
    )


def test_force_takes_over(api: Client) -> None:
    apply(api, "alice", {"k": "v", "l": "v"}).ok()
    reply = apply(api, "bob", {"k": "w"}, force="true").ok()
    assert reply.json["data"] == {"k": "w", "l": "v"}
    assert owners(reply.json) == {
        "alice Apply": {"f:data": {"f:l": {}}},
        "bob Apply": {"f:data": {"f:k": {}}},
    }


def test_other_verbs_record_an_updater(api: Client) -> None:
    body = config_map("a", data={"k": "v"}, metadata={"name": "a", "labels": {"l": "w"}})
    created = api.create(MAPS, body, fieldManager="carol").ok()
    assert owners(created.json) == {
        "carol Update": {
            "f:data": {".": {}, "f:k": {}},
            "f:metadata": {"f:labels": {".": {}, "f:l": {}}},
        }
    }


def test_the_user_agent_names_a_manager_that_names_itself_not(api: Client) -> None:
    created = api.create(MAPS, config_map("a", data={"k": "v"})).ok()
    assert list(owners(created.json)) == ["contract-tests Update"]


def test_apply_conflicts_with_an_updater_too(api: Client) -> None:
    api.create(MAPS, config_map("a", data={"k": "v"}), fieldManager="carol").ok()
    reply = apply(api, "alice", {"k": "w"})
    assert reply.message == (
        'Apply failed with 1 conflict: conflict with "carol" using v1: .data.k'
    )


def test_what_an_updater_owns_survives_the_applier(api: Client) -> None:
    apply(api, "alice", {"k": "v"}).ok()
    api.patch(MAPS, "a", {"data": {"own": "x"}}, fieldManager="carol").ok()
    api.apply(MAPS, "a", config_map("a"), "alice").ok()
    assert api.get(MAPS, "a").json["data"] == {"own": "x"}


def test_an_updater_takes_what_it_changes(api: Client) -> None:
    apply(api, "alice", {"k": "v", "l": "v"}).ok()
    reply = api.patch(MAPS, "a", {"data": {"k": "w"}}, fieldManager="carol").ok()
    assert owners(reply.json) == {
        "alice Apply": {"f:data": {"f:l": {}}},
        "carol Update": {"f:data": {"f:k": {}}},
    }


def test_what_an_updater_removes_is_nobodys(api: Client) -> None:
    apply(api, "alice", {"k": "v", "l": "v"}).ok()
    reply = api.patch(MAPS, "a", {"data": {"k": None}}, fieldManager="carol").ok()
    assert owners(reply.json) == {"alice Apply": {"f:data": {"f:l": {}}}}


def test_many_updaters_are_joined(api: Client) -> None:
    api.create(MAPS, config_map("a", data={"k": "v"}), fieldManager="updater-00").ok()
    for number in range(1, 13):
        body = {"data": {f"k{number}": "v"}}
        api.patch(MAPS, "a", body, fieldManager=f"updater-{number:02}").ok()
    found = owners(api.get(MAPS, "a").json)
    assert len(found) == 10
    assert found["ancient-changes Update"]["f:data"].items() >= {".": {}, "f:k": {}}.items()


def test_books_can_be_cleared(api: Client) -> None:
    apply(api, "alice", {"k": "v"}).ok()
    cleared = api.patch(MAPS, "a", {"metadata": {"managedFields": [{}]}}).ok()
    assert owners(cleared.json) == {}
    reply = apply(api, "alice", {"k": "w"})
    assert 'conflict with "before-first-apply" using v1: .data.k' in reply.message


def test_a_configuration_carries_no_books(api: Client) -> None:
    body = config_map("a", metadata={"name": "a", "managedFields": [{"manager": "x"}]})
    reply = api.apply(MAPS, "a", body)
    assert (reply.code, reply.message) == (400, "metadata.managedFields must be nil")


def test_a_stale_version_in_the_configuration_is_a_conflict(api: Client) -> None:
    stale = apply(api, "alice", {"k": "v"}).version
    apply(api, "alice", {"k": "w"}).ok()
    metadata = {"name": "a", "resourceVersion": stale}
    reply = api.apply(MAPS, "a", config_map("a", metadata=metadata, data={"k": "x"}))
    assert (reply.code, reply.reason) == (409, "Conflict")


def test_a_uid_in_the_configuration_creates_nothing(api: Client) -> None:
    metadata = {"name": "a", "uid": "11111111-1111-1111-1111-111111111111"}
    reply = api.apply(MAPS, "a", config_map("a", metadata=metadata))
    assert (reply.code, reply.reason) == (409, "Conflict")
    assert "no existing object was found" in reply.message


def test_a_field_that_does_not_exist_cannot_be_applied(api: Client) -> None:
    reply = api.apply(WIDGETS, "a", widget("a", spec={"size": 1, "extra": 1}))
    assert reply.code == 500
    assert reply.message.endswith(".spec.extra: field not declared in schema")


def test_owners_of_secret_data_are_told_by_key(api: Client) -> None:
    value = base64.b64encode(b"v").decode()
    reply = api.apply("secrets", "a", secret("a", data={"k": value}, type="x/y")).ok()
    assert owners(reply.json) == {"alice Apply": {"f:data": {"f:k": {}}, "f:type": {}}}


def test_dropped_text_data_stays_behind(api: Client) -> None:
    """Kubernetes' own trap: apply `data`, never `stringData`."""
    api.apply("secrets", "a", secret("a", stringData={"k": "v"})).ok()
    reply = api.apply("secrets", "a", secret("a")).ok()
    assert list(reply.json["data"]) == ["k"]


def parts(api: Client, manager: str, *items: dict[str, Any], **query: str) -> Any:
    spec = {"size": 1, "parts": list(items)}
    return api.apply(WIDGETS, "a", widget("a", spec=spec), manager, **query)


def test_items_of_a_keyed_list_have_owners_of_their_own(api: Client) -> None:
    parts(api, "alice", {"name": "a"}, {"name": "b", "weight": 2}).ok()
    reply = parts(api, "bob", {"name": "c"}, {"name": "a", "note": "n"}).ok()
    assert reply.json["spec"]["parts"] == [
        {"name": "c", "weight": 1},
        {"name": "a", "weight": 1, "note": "n"},
        {"name": "b", "weight": 2},
    ]
    dropped = parts(api, "alice").ok()
    assert [part["name"] for part in dropped.json["spec"]["parts"]] == ["c", "a"]


def test_a_conflict_in_a_keyed_list_is_told_by_key(api: Client) -> None:
    parts(api, "alice", {"name": "a", "weight": 2}).ok()
    reply = parts(api, "bob", {"name": "a", "weight": 3})
    assert reply.causes[0]["field"] == '.spec.parts[name="a"].weight'


@pytest.mark.parametrize(
    ("first", "second"),
    [({"whole": {"a": "1"}}, {"whole": {"b": "2"}}), ({"plain": ["a"]}, {"plain": ["b"]})],
    ids=["map", "list"],
)
def test_an_atomic_value_has_one_owner(
    api: Client, first: dict[str, Any], second: dict[str, Any]
) -> None:
    api.apply(WIDGETS, "a", widget("a", spec={"size": 1} | first), "alice").ok()
    body = widget("a", spec={"size": 1} | second)
    assert api.apply(WIDGETS, "a", body, "bob").code == 409
    reply = api.apply(WIDGETS, "a", body, "bob", force="true").ok()
    assert reply.json["spec"].items() >= second.items()


def test_items_of_a_set_are_joined(api: Client) -> None:
    api.apply(WIDGETS, "a", widget("a", spec={"size": 1, "tags": ["x"]}), "alice").ok()
    spec = {"size": 1, "tags": ["y"]}
    reply = api.apply(WIDGETS, "a", widget("a", spec=spec), "bob").ok()
    assert sorted(reply.json["spec"]["tags"]) == ["x", "y"]


def condition(kind: str, status: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": "a"},
        "status": {"conditions": [{"type": kind, "status": status}]},
    }


def test_the_status_is_applied_under_its_own_name(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    api.apply(WIDGETS, "a/status", condition("Ready", "True"), "ctl").ok()
    reply = api.apply(WIDGETS, "a/status", condition("Synced", "True"), "ctl").ok()
    assert reply.json["status"]["conditions"] == [{"type": "Synced", "status": "True"}]
    entries = reply.json["metadata"]["managedFields"]
    assert [one.get("subresource") for one in entries if one["manager"] == "ctl"] == ["status"]


def test_the_status_of_nothing_cannot_be_applied(api: Client) -> None:
    assert api.apply(WIDGETS, "a/status", condition("Ready", "True"), "ctl").code == 404


def test_owner_references_and_finalizers_are_owned_by_item(api: Client) -> None:
    def body(finalizer: str) -> dict[str, Any]:
        return config_map("a", metadata={"name": "a", "finalizers": [f"example.com/{finalizer}"]})

    api.apply(MAPS, "a", body("x"), "alice").ok()
    joined = api.apply(MAPS, "a", body("y"), "bob").ok()
    left = api.apply(MAPS, "a", config_map("a"), "alice").ok()
    assert sorted(joined.json["metadata"]["finalizers"]) == ["example.com/x", "example.com/y"]
    assert left.json["metadata"]["finalizers"] == ["example.com/y"]
    api.patch(MAPS, "a", {"metadata": {"finalizers": None}}, STRATEGIC).ok()
