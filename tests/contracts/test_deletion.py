"""Deletion: preconditions, finalizers, dependents, namespaces."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.contracts.client import WIDGETS, Client, config_map, secret, widget

SECRETS, MAPS = "secrets", "configmaps"
FINALIZER = "example.com/hold"
NAMESPACES = "/api/v1/namespaces"


@contextmanager
def gone(api: Client, resource: str, name: str, **query: str) -> Iterator[None]:
    """Wait, at the end of the block, until an object that exists now is deleted."""
    selected = {"fieldSelector": f"metadata.name={name}"} | query
    start = api.get(resource, **selected).ok().version
    with api.watch(resource, start, **selected) as events:
        yield
        assert any(event["type"] == "DELETED" for event in events), f"{resource}/{name} is left"


def reference(document: Any, **fields: Any) -> dict[str, Any]:
    """Return an owner reference to an object."""
    metadata = document["metadata"]
    owner = {"apiVersion": document["apiVersion"], "kind": document["kind"]}
    return owner | {"name": metadata["name"], "uid": metadata["uid"]} | fields


def owned(name: str, *owners: dict[str, Any]) -> dict[str, Any]:
    return secret(name, metadata={"name": name, "ownerReferences": list(owners)})


def test_a_deleted_object_is_told_by_kind_and_uid(api: Client) -> None:
    uid = api.create(SECRETS, secret("a")).ok().json["metadata"]["uid"]
    reply = api.delete(SECRETS, "a").ok()
    assert reply.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "a", "kind": "secrets", "uid": uid},
    }
    assert api.get(SECRETS, "a").code == 404
    assert api.delete(SECRETS, "a").code == 404


def test_a_name_can_be_taken_again(api: Client) -> None:
    first = api.create(SECRETS, secret("a")).ok().json["metadata"]["uid"]
    api.delete(SECRETS, "a").ok()
    assert api.create(SECRETS, secret("a")).ok().json["metadata"]["uid"] != first


def test_a_delete_can_name_the_uid(api: Client) -> None:
    uid = api.create(SECRETS, secret("a")).ok().json["metadata"]["uid"]
    other = "11111111-1111-1111-1111-111111111111"
    refused = api.delete(SECRETS, "a", {"preconditions": {"uid": other}})
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert f"the UID in the precondition ({other}) does not match" in refused.message
    api.delete(SECRETS, "a", {"preconditions": {"uid": uid}}).ok()


def test_a_delete_can_name_the_version(api: Client) -> None:
    stale = api.create(SECRETS, secret("a")).ok().version
    current = api.patch(SECRETS, "a", {"data": {"k": ""}}).ok().version
    refused = api.delete(SECRETS, "a", {"preconditions": {"resourceVersion": stale}})
    assert (refused.code, refused.reason) == (409, "Conflict")
    api.delete(SECRETS, "a", {"preconditions": {"resourceVersion": current}}).ok()


def test_a_dry_run_deletes_nothing(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    api.delete(SECRETS, "a", dryRun="All").ok()
    api.delete(SECRETS, "a", {"dryRun": ["All"]}).ok()
    api.get(SECRETS, "a").ok()


def test_a_finalizer_holds_an_object(api: Client) -> None:
    body = widget("a", metadata={"name": "a", "finalizers": [FINALIZER]})
    api.create(WIDGETS, body).ok()
    held = api.delete(WIDGETS, "a").ok().json
    assert held["metadata"]["deletionTimestamp"]
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    assert held["metadata"]["generation"] == 2
    again = api.delete(WIDGETS, "a").ok().json
    assert again["metadata"]["resourceVersion"] == held["metadata"]["resourceVersion"]
    api.patch(WIDGETS, "a", {"metadata": {"finalizers": None}}).ok()
    assert api.get(WIDGETS, "a").code == 404


def test_an_object_that_is_going_gets_no_new_finalizers(api: Client) -> None:
    body = secret("a", metadata={"name": "a", "finalizers": [FINALIZER]})
    api.create(SECRETS, body).ok()
    api.delete(SECRETS, "a").ok()
    finalizers = [FINALIZER, "example.com/more"]
    reply = api.patch(SECRETS, "a", {"metadata": {"finalizers": finalizers}})
    assert (reply.code, reply.causes[0]["field"]) == (422, "metadata.finalizers")
    api.patch(SECRETS, "a", {"metadata": {"finalizers": None}}).ok()


def test_a_collection_is_deleted_by_selector(api: Client) -> None:
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        api.create(SECRETS, secret(name, metadata={"name": name, "labels": {"l": label}})).ok()
    reply = api.delete(SECRETS, labelSelector="l=x").ok()
    assert reply.json["kind"] == "SecretList"
    left = api.get(SECRETS).ok().json["items"]
    assert [item["metadata"]["name"] for item in left] == ["c"]


def test_dependents_go_with_their_owner(api: Client) -> None:
    owner = api.create(MAPS, config_map("owner")).ok().json
    api.create(SECRETS, owned("a", reference(owner, controller=True))).ok()
    with gone(api, SECRETS, "a"):
        api.delete(MAPS, "owner").ok()


def test_dependents_of_dependents_go_too(api: Client) -> None:
    owner = api.create(MAPS, config_map("owner")).ok().json
    middle = api.create(SECRETS, owned("middle", reference(owner))).ok().json
    api.create(SECRETS, owned("last", reference(middle))).ok()
    with gone(api, SECRETS, "last"):
        api.delete(MAPS, "owner").ok()


def test_an_object_whose_owner_never_was_is_collected(api: Client) -> None:
    owner = api.create(MAPS, config_map("owner")).ok().json
    api.delete(MAPS, "owner").ok()
    start = api.get(SECRETS).version
    with api.watch(SECRETS, start) as events:
        api.create(SECRETS, owned("a", reference(owner))).ok()
        assert [next(events)["type"] for _ in range(2)] == ["ADDED", "DELETED"]


def test_one_living_owner_is_enough(api: Client) -> None:
    first = api.create(MAPS, config_map("first")).ok().json
    second = api.create(MAPS, config_map("second")).ok().json
    body = owned("a", reference(first), reference(second))
    start = api.create(SECRETS, body).ok().version
    with api.watch(SECRETS, start) as events:
        api.delete(MAPS, "first").ok()
        event = next(events)
    assert event["type"] == "MODIFIED"
    owners = event["object"]["metadata"]["ownerReferences"]
    assert [owner["name"] for owner in owners] == ["second"]


def test_orphans_forget_their_owner(api: Client) -> None:
    owner = api.create(MAPS, config_map("owner")).ok().json
    api.create(SECRETS, owned("a", reference(owner))).ok()
    with gone(api, MAPS, "owner"):
        api.delete(MAPS, "owner", {"propagationPolicy": "Orphan"}).ok()
    assert "ownerReferences" not in api.get(SECRETS, "a").ok().json["metadata"]


def test_in_the_foreground_the_owner_goes_last(api: Client) -> None:
    owner = api.create(MAPS, config_map("owner")).ok().json
    api.create(SECRETS, owned("a", reference(owner, blockOwnerDeletion=True))).ok()
    with gone(api, MAPS, "owner"):
        held = api.delete(MAPS, "owner", {"propagationPolicy": "Foreground"}).ok().json
        assert held["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert api.get(SECRETS, "a").code == 404


def test_an_unknown_policy_is_invalid(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    reply = api.delete(SECRETS, "a", {"propagationPolicy": "Sideways"})
    assert (reply.code, reply.causes[0]["field"]) == (422, "propagationPolicy")


def test_a_namespace_goes_with_its_content(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    api.create(WIDGETS, widget("a")).ok()
    with gone(api, NAMESPACES, api.namespace):
        reply = api.request("DELETE", f"{NAMESPACES}/{api.namespace}").ok()
        assert reply.json["status"]["phase"] == "Terminating"
    assert api.get(SECRETS, "a").code == 404
    assert api.get(WIDGETS, "a").code == 404


def test_a_namespace_that_is_going_takes_nothing_new(api: Client) -> None:
    body = secret("held", metadata={"name": "held", "finalizers": [FINALIZER]})
    api.create(SECRETS, body).ok()
    with gone(api, NAMESPACES, api.namespace):
        api.request("DELETE", f"{NAMESPACES}/{api.namespace}").ok()
        reply = api.create(SECRETS, secret("late"))
        assert (reply.code, reply.reason) == (403, "Forbidden")
        assert reply.causes[0]["reason"] == "NamespaceTerminating"
        assert reply.message == (
            f'secrets "late" is forbidden: unable to create new content in namespace '
            f"{api.namespace} because it is being terminated"
        )
        api.patch(SECRETS, "held", {"metadata": {"finalizers": None}}).ok()


def test_the_first_namespaces_stay(api: Client) -> None:
    reply = api.request("DELETE", f"{NAMESPACES}/default")
    assert (reply.code, reply.reason) == (403, "Forbidden")
    assert reply.message == 'namespaces "default" is forbidden: this namespace may not be deleted'


def test_a_namespace_has_a_label_with_its_name(api: Client) -> None:
    reply = api.request("GET", f"{NAMESPACES}/{api.namespace}").ok()
    assert reply.json["metadata"]["labels"] == {"kubernetes.io/metadata.name": api.namespace}
    assert reply.json["status"] == {"phase": "Active"}


def test_deleted_data_is_in_the_last_event_only(api: Client) -> None:
    value = base64.b64encode(b"v").decode()
    start = api.create(SECRETS, secret("a", data={"k": value})).ok().version
    with api.watch(SECRETS, start) as events:
        api.delete(SECRETS, "a").ok()
        assert next(events)["object"]["data"] == {"k": value}
    assert api.get(SECRETS).json["items"] == []
