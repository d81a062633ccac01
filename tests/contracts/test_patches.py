"""Merge patch, JSON patch, strategic merge patch."""

from typing import Any

import pytest

from tests.contracts.client import JSON_PATCH, MERGE, STRATEGIC, WIDGETS, Client, secret, widget

SECRETS = "secrets"


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_merge_patch_sets_and_removes(api: Client, kind: str) -> None:
    api.create(SECRETS, secret("a", data={"k": "", "l": ""})).ok()
    reply = api.patch(SECRETS, "a", {"data": {"k": None, "m": "dg=="}}, kind).ok()
    assert reply.json["data"] == {"l": "", "m": "dg=="}


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_text_data_can_be_patched_in(api: Client, kind: str) -> None:
    api.create(SECRETS, secret("a", data={"k": ""})).ok()
    reply = api.patch(SECRETS, "a", {"stringData": {"l": "v"}}, kind).ok()
    assert reply.json["data"] == {"k": "", "l": "dg=="}


def test_a_merge_patch_replaces_lists(api: Client) -> None:
    spec = {"size": 1, "parts": [{"name": "a"}, {"name": "b"}]}
    api.create(WIDGETS, widget("a", spec=spec)).ok()
    reply = api.patch(WIDGETS, "a", {"spec": {"parts": [{"name": "c"}]}}).ok()
    assert reply.json["spec"]["parts"] == [{"name": "c", "weight": 1}]


def test_a_strategic_patch_merges_the_lists_it_knows(api: Client) -> None:
    api.create(SECRETS, secret("a", metadata={"name": "a", "finalizers": ["example.com/x"]})).ok()
    body = {"metadata": {"finalizers": ["example.com/y"]}}
    reply = api.patch(SECRETS, "a", body, STRATEGIC).ok()
    assert sorted(reply.json["metadata"]["finalizers"]) == ["example.com/x", "example.com/y"]
    api.patch(SECRETS, "a", {"metadata": {"finalizers": None}}).ok()


def test_a_strategic_patch_can_replace_a_map(api: Client) -> None:
    api.create(SECRETS, secret("a", data={"k": ""})).ok()
    reply = api.patch(SECRETS, "a", {"data": {"$patch": "replace", "l": ""}}, STRATEGIC).ok()
    assert reply.json["data"] == {"l": ""}


def test_custom_resources_know_no_strategic_patch(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    reply = api.patch(WIDGETS, "a", {}, STRATEGIC)
    assert (reply.code, reply.reason) == (415, "UnsupportedMediaType")
    assert reply.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )


OPERATIONS: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    "add": ([{"op": "add", "path": "/data/m", "value": "dg=="}], {"k": "YQ==", "m": "dg=="}),
    "replace": ([{"op": "replace", "path": "/data/k", "value": ""}], {"k": ""}),
    "copy": ([{"op": "copy", "from": "/data/k", "path": "/data/l"}], {"k": "YQ==", "l": "YQ=="}),
    "move": ([{"op": "move", "from": "/data/k", "path": "/data/l"}], {"l": "YQ=="}),
    "test": (
        [
            {"op": "test", "path": "/data/k", "value": "YQ=="},
            {"op": "add", "path": "/data/tls.crt", "value": ""},
        ],
        {"k": "YQ==", "tls.crt": ""},
    ),
}


@pytest.mark.parametrize(("operations", "data"), OPERATIONS.values(), ids=OPERATIONS)
def test_a_json_patch_is_carried_out(
    api: Client, operations: list[dict[str, Any]], data: dict[str, str]
) -> None:
    api.create(SECRETS, secret("a", data={"k": "YQ=="})).ok()
    assert api.patch(SECRETS, "a", operations, JSON_PATCH).ok().json["data"] == data


def test_a_json_pointer_is_unescaped(api: Client) -> None:
    api.create(SECRETS, secret("a", metadata={"name": "a", "labels": {"x.y/z": "1"}})).ok()
    operations = [{"op": "replace", "path": "/metadata/labels/x.y~1z", "value": "2"}]
    reply = api.patch(SECRETS, "a", operations, JSON_PATCH).ok()
    assert reply.json["metadata"]["labels"] == {"x.y/z": "2"}


REFUSED: dict[str, list[dict[str, Any]]] = {
    "missing": [{"op": "remove", "path": "/data/none"}],
    "test": [
        {"op": "add", "path": "/data/l", "value": ""},
        {"op": "test", "path": "/type", "value": "other"},
    ],
    "unknown": [{"op": "frobnicate", "path": "/type"}],
}


@pytest.mark.parametrize("operations", REFUSED.values(), ids=REFUSED)
def test_a_json_patch_that_fails_changes_nothing(
    api: Client, operations: list[dict[str, Any]]
) -> None:
    before = api.create(SECRETS, secret("a", data={"k": ""})).ok().json
    reply = api.patch(SECRETS, "a", operations, JSON_PATCH)
    assert (reply.code, reply.reason) == (422, "Invalid")
    assert api.get(SECRETS, "a").json == before


@pytest.mark.parametrize(("kind", "body"), [(MERGE, "[]"), (JSON_PATCH, "{}"), (MERGE, "{")])
def test_a_patch_of_the_wrong_shape_is_a_bad_request(api: Client, kind: str, body: str) -> None:
    api.create(SECRETS, secret("a")).ok()
    reply = api.patch(SECRETS, "a", body, kind)
    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message.startswith("error decoding patch: ")


def test_an_unknown_kind_of_patch_is_refused(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    assert api.patch(SECRETS, "a", {}, "application/json").code == 415


def test_a_patch_cannot_rename(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    assert api.patch(SECRETS, "a", {"metadata": {"name": "b"}}).code == 400


def test_patching_what_is_not_there_is_not_found(api: Client) -> None:
    assert api.patch(SECRETS, "a", {}).code == 404


def test_unknown_fields_in_a_patch_are_told(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    reply = api.patch(WIDGETS, "a", {"spec": {"extra": 1}}, fieldValidation="Strict")
    assert reply.code in {400, 422}
    assert 'unknown field "spec.extra"' in reply.message


def owner(name: str) -> dict[str, str]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": f"uid-of-{name}"}


def test_a_strategic_patch_merges_owners_by_uid(api: Client) -> None:
    def patched(owners: list[dict[str, Any]], **metadata: Any) -> Any:
        body = {"metadata": {"ownerReferences": owners, **metadata}}
        path = f"{api.path(SECRETS)}/a"
        reply = api.request("PATCH", path, body, content_type=STRATEGIC, dryRun="All").ok()
        found = reply.json["metadata"].get("ownerReferences", [])
        return sorted((one["name"], one.get("controller")) for one in found)

    metadata = {"name": "a", "finalizers": ["example.com/x"], "ownerReferences": [owner("b")]}
    api.create(SECRETS, secret("a", metadata=metadata)).ok()
    assert patched([owner("c")]) == [("b", None), ("c", None)]
    assert patched([owner("b") | {"controller": True}]) == [("b", True)]
    assert patched([{"$patch": "delete", "uid": "uid-of-b"}]) == []
    assert patched([{"$patch": "replace"}, owner("c")]) == [("c", None)]
    api.patch(SECRETS, "a", {"metadata": {"finalizers": None}}).ok()


def test_a_strategic_patch_removes_from_a_plain_list(api: Client) -> None:
    metadata = {"name": "a", "finalizers": ["example.com/x", "example.com/y"]}
    api.create(SECRETS, secret("a", metadata=metadata)).ok()
    body = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/x"]}}
    reply = api.patch(SECRETS, "a", body, STRATEGIC, dryRun="All").ok()
    assert reply.json["metadata"]["finalizers"] == ["example.com/y"]
    api.patch(SECRETS, "a", {"metadata": {"finalizers": None}}).ok()


LISTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "append": ({"op": "add", "path": "/spec/plain/-", "value": "c"}, ["a", "b", "c"]),
    "insert": ({"op": "add", "path": "/spec/plain/1", "value": "c"}, ["a", "c", "b"]),
    "remove": ({"op": "remove", "path": "/spec/plain/0"}, ["b"]),
    "replace": ({"op": "replace", "path": "/spec/plain/1", "value": "c"}, ["a", "c"]),
}


@pytest.mark.parametrize(("operation", "expected"), LISTS.values(), ids=LISTS)
def test_a_json_patch_reaches_into_lists(
    api: Client, operation: dict[str, Any], expected: list[str]
) -> None:
    api.create(WIDGETS, widget("a", spec={"size": 1, "plain": ["a", "b"]})).ok()
    reply = api.patch(WIDGETS, "a", [operation], JSON_PATCH).ok()
    assert reply.json["spec"]["plain"] == expected


@pytest.mark.parametrize("path", ["/spec/plain/7", "/spec/plain/x", "/nope/nope", "spec"])
def test_a_json_patch_of_a_place_that_is_not_there_fails(api: Client, path: str) -> None:
    api.create(WIDGETS, widget("a", spec={"size": 1, "plain": ["a"]})).ok()
    operations = [{"op": "replace", "path": path, "value": "x"}]
    assert api.patch(WIDGETS, "a", operations, JSON_PATCH).code == 422
