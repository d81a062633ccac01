"""Lists: pages, selectors, versions, forms."""

from typing import Any

import pytest

from tests.contracts.client import WIDGETS, Client, config_map, secret, widget

MAPS = "configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as={};v=v1;g=meta.k8s.io,application/json"


def names(document: Any) -> list[str]:
    return [item["metadata"]["name"] for item in document["items"]]


@pytest.fixture
def five(api: Client) -> Client:
    """A namespace with the Secrets a to e; a, b and c are labelled."""
    for name in "ecadb":
        labels = {"part": name, "common": "yes"} if name < "d" else {}
        body = secret(name, metadata={"name": name, "labels": labels})
        api.create("secrets", body | ({"type": "x/y"} if name == "e" else {})).ok()
    return api


def test_a_list_is_ordered_by_name(five: Client) -> None:
    reply = five.get("secrets").ok()
    assert names(reply.json) == ["a", "b", "c", "d", "e"]
    assert (reply.json["kind"], reply.json["apiVersion"]) == ("SecretList", "v1")


def test_items_of_built_in_kinds_do_not_repeat_the_kind(five: Client) -> None:
    assert all("kind" not in item for item in five.get("secrets").json["items"])


def test_items_of_custom_kinds_do(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    reply = api.get(WIDGETS).ok()
    assert reply.json["kind"] == "WidgetList"
    assert [item["kind"] for item in reply.json["items"]] == ["Widget"]


def test_a_list_of_nothing_has_items(api: Client) -> None:
    assert api.get("secrets").json["items"] == []


def test_pages_follow_each_other(five: Client) -> None:
    first = five.get("secrets", limit="2").ok().json
    assert (names(first), first["metadata"]["remainingItemCount"]) == (["a", "b"], 3)
    token = first["metadata"]["continue"]
    second = five.get("secrets", limit="2", **{"continue": token}).ok().json
    assert (names(second), second["metadata"]["remainingItemCount"]) == (["c", "d"], 1)
    token = second["metadata"]["continue"]
    third = five.get("secrets", limit="2", **{"continue": token}).ok().json
    assert names(third) == ["e"]
    assert not third["metadata"].get("continue")
    assert "remainingItemCount" not in third["metadata"]


def test_pages_show_one_moment(five: Client) -> None:
    first = five.get("secrets", limit="2").ok().json
    five.delete("secrets", "d").ok()
    five.create("secrets", secret("bb")).ok()
    five.patch("secrets", "e", {"data": {"k": ""}}).ok()
    rest = five.get("secrets", **{"continue": first["metadata"]["continue"]}).ok().json
    assert names(rest) == ["c", "d", "e"]
    assert "data" not in rest["items"][2]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_broken_continue_token_is_a_bad_request(api: Client) -> None:
    reply = api.get("secrets", **{"continue": "!"})
    assert (reply.code, reply.reason) == (400, "BadRequest")


SELECTORS = {
    "common=yes": "abc",
    "common==yes": "abc",
    "part!=a": "bcde",
    "part": "abc",
    "!part": "de",
    "part in (a, c)": "ac",
    "part notin (a)": "bcde",
    "part in (a,b),common=yes,part!=b": "a",
    "": "abcde",
}


@pytest.mark.parametrize(("selector", "expected"), SELECTORS.items(), ids=SELECTORS)
def test_labels_select(five: Client, selector: str, expected: str) -> None:
    assert names(five.get("secrets", labelSelector=selector).ok().json) == list(expected)


FIELDS = {
    "metadata.name=b": "b",
    "metadata.name!=b": "acde",
    "type=x/y": "e",
    "type=Opaque,metadata.name!=a": "bcd",
    "metadata.name=none": "",
}


@pytest.mark.parametrize(("selector", "expected"), FIELDS.items(), ids=FIELDS)
def test_fields_select(five: Client, selector: str, expected: str) -> None:
    assert names(five.get("secrets", fieldSelector=selector).ok().json) == list(expected)


@pytest.mark.parametrize("selector", ["a=b=c", "a in (", "=", "a in b", "a b"])
def test_a_broken_label_selector_is_a_bad_request(api: Client, selector: str) -> None:
    assert api.get("secrets", labelSelector=selector).code == 400


def test_a_field_that_cannot_be_selected_is_a_bad_request(api: Client) -> None:
    reply = api.get("secrets", fieldSelector="data=x")
    assert (reply.code, reply.message) == (400, "field label not supported: data")


def test_one_list_can_be_of_all_namespaces(five: Client) -> None:
    reply = five.get("/api/v1/secrets", fieldSelector=f"metadata.namespace={five.namespace}").ok()
    assert names(reply.json) == ["a", "b", "c", "d", "e"]


def test_a_past_state_can_be_listed(five: Client) -> None:
    version = five.get("secrets").ok().version
    five.delete("secrets", "a").ok()
    query = {"resourceVersion": version, "resourceVersionMatch": "Exact"}
    reply = five.get("secrets", **query).ok()
    assert (names(reply.json)[0], reply.version) == ("a", version)


def test_a_future_state_cannot(api: Client) -> None:
    reply = api.get("secrets", resourceVersion="999999999999")
    assert (reply.code, reply.reason) == (504, "Timeout")
    assert reply.causes[0]["reason"] == "ResourceVersionTooLarge"


def test_a_match_without_version_is_invalid(api: Client) -> None:
    reply = api.get("secrets", resourceVersionMatch="Exact")
    assert (reply.code, reply.causes[0]["field"]) == (422, "resourceVersionMatch")


def test_any_version_will_do_for_zero(five: Client) -> None:
    assert len(five.get("secrets", resourceVersion="0").ok().json["items"]) <= 5


def test_secrets_can_be_listed_without_their_data(five: Client) -> None:
    partial = five.accepting(PARTIAL.format("PartialObjectMetadataList"))
    reply = partial.get("secrets", limit="1").ok()
    assert reply.json["kind"] == "PartialObjectMetadataList"
    assert reply.json["apiVersion"] == "meta.k8s.io/v1"
    (item,) = reply.json["items"]
    assert item.keys() == {"kind", "apiVersion", "metadata"}
    assert item["kind"] == "PartialObjectMetadata"
    assert reply.json["metadata"]["continue"]


def test_one_secret_can_be_read_without_its_data(five: Client) -> None:
    reply = five.accepting(PARTIAL.format("PartialObjectMetadata")).get("secrets", "a").ok()
    assert reply.json.keys() == {"kind", "apiVersion", "metadata"}


def cells(reply: Any) -> tuple[list[str], list[Any]]:
    columns = [column["name"] for column in reply.json["columnDefinitions"]]
    return columns, [row["cells"] for row in reply.json["rows"]]


def test_a_table_has_the_columns_of_its_kind(api: Client) -> None:
    api.create("secrets", secret("a", data={"k": "", "l": ""})).ok()
    columns, rows = cells(api.accepting(TABLE).get("secrets").ok())
    assert columns == ["Name", "Type", "Data", "Age"]
    assert [row[:3] for row in rows] == [["a", "Opaque", 2]]
    assert all(row[3].endswith("s") for row in rows)


def test_a_table_of_config_maps_counts_their_keys(api: Client) -> None:
    api.create(MAPS, config_map("a", data={"k": "v"}, binaryData={"b": ""})).ok()
    columns, rows = cells(api.accepting(TABLE).get(MAPS).ok())
    assert columns == ["Name", "Data", "Age"]
    assert ["a", 2] in [row[:2] for row in rows]


def test_a_crd_gives_the_columns_of_its_tables(api: Client) -> None:
    api.create(WIDGETS, widget("a", spec={"size": 7})).ok()
    status = {"conditions": [{"type": "Other", "status": "X"}, {"type": "Ready", "status": "True"}]}
    api.patch(WIDGETS, "a/status", {"status": status}).ok()
    reply = api.accepting(TABLE).get(WIDGETS).ok()
    columns, rows = cells(reply)
    assert columns == ["Name", "Size", "Ready", "Colour", "Age"]
    assert [row[:4] for row in rows] == [["a", 7, "True", "red"]]
    priorities = [column["priority"] for column in reply.json["columnDefinitions"]]
    assert priorities == [0, 0, 0, 1, 0]


def test_a_cell_without_value_is_empty(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    _, rows = cells(api.accepting(TABLE).get(WIDGETS).ok())
    assert rows[0][2] is None


def test_rows_carry_metadata_or_objects_or_nothing(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()

    def row(**query: str) -> Any:
        reply = api.accepting(TABLE).get(WIDGETS, **query).ok()
        return reply.json["rows"][0]["object"]

    assert row()["kind"] == "PartialObjectMetadata"
    assert row(includeObject="Object")["spec"]["size"] == 1
    assert row(includeObject="None") is None


COLUMNS = {
    "serviceaccounts": ["Name", "Age"],
    "events": ["Last Seen", "Type", "Reason", "Object", "Message"],
    "apis/coordination.k8s.io/v1/leases": ["Name", "Holder", "Age"],
    "apis/rbac.authorization.k8s.io/v1/roles": ["Name", "Created At"],
    "apis/rbac.authorization.k8s.io/v1/rolebindings": ["Name", "Role", "Age"],
    "/api/v1/namespaces": ["Name", "Status", "Age"],
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": ["Name", "Created At"],
}


@pytest.mark.parametrize(("resource", "columns"), COLUMNS.items(), ids=COLUMNS)
def test_built_in_kinds_have_columns(api: Client, resource: str, columns: list[str]) -> None:
    reply = api.accepting(TABLE).get(resource).ok()
    definitions = reply.json["columnDefinitions"]
    assert [one["name"] for one in definitions if one["priority"] == 0] == columns


def test_an_event_is_shown_in_one_row(api: Client) -> None:
    about = {"kind": "Secret", "name": "s", "namespace": api.namespace}
    event = {"metadata": {"name": "e"}, "involvedObject": about, "reason": "R", "message": "m"}
    more = {"source": {"component": "c", "host": "h"}, "count": 3, "type": "Normal"}
    moments = {"firstTimestamp": "2024-01-01T00:00:00Z", "lastTimestamp": "2024-01-02T00:00:00Z"}
    api.create("events", event | more | moments).ok()
    _, (row,) = cells(api.accepting(TABLE).get("events").ok())
    assert row[1:7] == ["Normal", "R", "secret/s", "", "c, h", "m"]
    assert row[8:] == [3, "e"]


def test_a_binding_is_shown_with_its_subjects(api: Client) -> None:
    subjects = [
        {"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"},
        {"kind": "Group", "name": "g", "apiGroup": "rbac.authorization.k8s.io"},
        {"kind": "ServiceAccount", "name": "s", "namespace": api.namespace},
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    resource = "apis/rbac.authorization.k8s.io/v1/rolebindings"
    api.create(resource, {"metadata": {"name": "b"}, "roleRef": role, "subjects": subjects}).ok()
    _, (row,) = cells(api.accepting(TABLE).get(resource).ok())
    assert [*row[:2], *row[3:]] == ["b", "Role/r", "u", "g", f"{api.namespace}/s"]


def test_one_object_can_be_a_table(api: Client) -> None:
    api.create("secrets", secret("a")).ok()
    columns, rows = cells(api.accepting(TABLE).get("secrets", "a").ok())
    assert (columns[0], rows[0][0]) == ("Name", "a")


def test_what_was_written_can_be_answered_as_metadata(api: Client) -> None:
    partial = api.accepting(PARTIAL.format("PartialObjectMetadata"))
    reply = partial.create("secrets", secret("a", data={"k": "dg=="})).ok()
    assert (reply.json["kind"], "data" in reply.json) == ("PartialObjectMetadata", False)


@pytest.mark.parametrize("selector", ["metadata.name", "a~b"])
def test_a_broken_field_selector_is_a_bad_request(api: Client, selector: str) -> None:
    assert api.get("secrets", fieldSelector=selector).code == 400


def test_a_limit_must_be_a_number(api: Client) -> None:
    assert api.get("secrets", limit="x").code == 400
