"""Custom resources: pruning, defaults, validation, status, generation."""

from typing import Any

import pytest

from tests.contracts.client import WIDGETS, Client, widget


def test_unknown_fields_are_pruned(api: Client) -> None:
    spec = {"size": 1, "extra": 1, "parts": [{"name": "a", "extra": 2}]}
    reply = api.create(WIDGETS, widget("a", spec=spec, other=3)).ok()
    assert "extra" not in reply.json["spec"]
    assert reply.json["spec"]["parts"] == [{"name": "a", "weight": 1}]
    assert "other" not in reply.json


def test_unknown_fields_are_told_by_path(api: Client) -> None:
    spec = {"size": 1, "extra": 1, "parts": [{"name": "a", "more": 2}]}
    reply = api.create(WIDGETS, widget("a", spec=spec), fieldValidation="Strict")
    assert reply.message == (
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: '
        'unknown field "spec.extra", unknown field "spec.parts[0].more"'
    )


def test_free_form_fields_are_kept(api: Client) -> None:
    free = {"a": {"b": [1, {"c": None}]}}
    reply = api.create(WIDGETS, widget("a", spec={"size": 1, "free": free})).ok()
    assert reply.json["spec"]["free"] == free


def test_defaults_are_filled_in(api: Client) -> None:
    reply = api.create(WIDGETS, widget("a", spec={"size": 1, "parts": [{"name": "a"}]})).ok()
    assert reply.json["spec"]["colour"] == "red"
    assert reply.json["spec"]["parts"] == [{"name": "a", "weight": 1}]
    assert reply.json["status"] == {"observedGeneration": -1}


def test_null_is_absent_unless_the_schema_allows_it(api: Client) -> None:
    spec = {"size": 1, "colour": None, "text": None, "maybe": None}
    reply = api.create(WIDGETS, widget("a", spec=spec)).ok()
    assert reply.json["spec"] == {"size": 1, "colour": "red", "maybe": None}


INVALID: dict[str, tuple[dict[str, Any], str, str]] = {
    "required": ({}, "spec.size", "Required value"),
    "minimum": (
        {"size": 0},
        "spec.size",
        "Invalid value: 0: spec.size in body should be greater than or equal to 1",
    ),
    "maximum": (
        {"size": 101},
        "spec.size",
        "Invalid value: 101: spec.size in body should be less than or equal to 100",
    ),
    "type": (
        {"size": "x"},
        "spec.size",
        'Invalid value: "string": spec.size in body must be of type integer: "string"',
    ),
    "boolean": (
        {"size": 1, "enabled": 1},
        "spec.enabled",
        'Invalid value: "integer": spec.enabled in body must be of type boolean: "integer"',
    ),
    "enum": (
        {"size": 1, "colour": "green"},
        "spec.colour",
        'Unsupported value: "green": supported values: "red", "blue"',
    ),
    "pattern": (
        {"size": 1, "code": "A1"},
        "spec.code",
        "Invalid value: \"A1\": spec.code in body should match '^[a-z]+$'",
    ),
    "pattern-newline": (
        {"size": 1, "code": "ab\n"},
        "spec.code",
        "Invalid value: \"ab\\n\": spec.code in body should match '^[a-z]+$'",
    ),
    "min-length": (
        {"size": 1, "code": "a"},
        "spec.code",
        'Invalid value: "a": spec.code in body should be at least 2 chars long',
    ),
    "max-length": (
        {"size": 1, "code": "abcdef"},
        "spec.code",
        "Too long: may not be more than 5 bytes",
    ),
    "format": (
        {"size": 1, "at": "yesterday"},
        "spec.at",
        'Invalid value: "yesterday": spec.at in body must be of type date-time: "yesterday"',
    ),
    "min-properties": (
        {"size": 1, "values": {}},
        "spec.values",
        "Invalid value: 0: spec.values in body should have at least 1 properties",
    ),
    "max-properties": (
        {"size": 1, "values": {"a": "", "b": "", "c": ""}},
        "spec.values",
        "Too many: 3: must have at most 2 items",
    ),
    "map-value": (
        {"size": 1, "values": {"a": "123456"}},
        "spec.values.a",
        "Too long: may not be more than 5 bytes",
    ),
    "max-items": (
        {"size": 1, "tags": ["a", "b", "c", "d"]},
        "spec.tags",
        "Too many: 4: must have at most 3 items",
    ),
    "set": ({"size": 1, "tags": ["a", "a"]}, "spec.tags[1]", 'Duplicate value: "a"'),
    "map-list": (
        {"size": 1, "parts": [{"name": "a"}, {"name": "a"}]},
        "spec.parts[1]",
        'Duplicate value: {"name":"a"}',
    ),
    "item": ({"size": 1, "parts": [{}]}, "spec.parts[0].name", "Required value"),
}


@pytest.mark.parametrize(("spec", "field", "message"), INVALID.values(), ids=INVALID)
def test_a_broken_rule_is_told_by_field(
    api: Client, spec: dict[str, Any], field: str, message: str
) -> None:
    reply = api.create(WIDGETS, widget("a", spec=spec))
    assert (reply.code, reply.reason) == (422, "Invalid")
    assert {"field": field, "message": message} in [
        {"field": cause["field"], "message": cause["message"]} for cause in reply.causes
    ]


@pytest.mark.parametrize("port", [80, "http"])
def test_an_int_or_string_is_either(api: Client, port: Any) -> None:
    reply = api.create(WIDGETS, widget("a", spec={"size": 1, "port": port})).ok()
    assert reply.json["spec"]["port"] == port


def test_a_wrong_kind_is_invalid(api: Client) -> None:
    reply = api.create(WIDGETS, widget("a", kind="Gadget"))
    assert reply.causes == [
        {
            "reason": "FieldValueInvalid",
            "message": 'Invalid value: "Gadget": must be Widget',
            "field": "kind",
        }
    ]


def test_the_status_is_ignored_outside_its_endpoint(api: Client) -> None:
    created = api.create(WIDGETS, widget("a", status={"observedGeneration": 5})).ok()
    patched = api.patch(WIDGETS, "a", {"status": {"observedGeneration": 6}}).ok()
    assert created.json["status"] == patched.json["status"] == {"observedGeneration": -1}


def test_everything_else_is_ignored_at_the_status_endpoint(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    body = {
        "status": {"observedGeneration": 1},
        "spec": {"size": 50},
        "metadata": {"labels": {"a": "b"}},
    }
    reply = api.patch(WIDGETS, "a/status", body).ok()
    assert reply.json["status"] == {"observedGeneration": 1}
    assert reply.json["spec"]["size"] == 1
    assert "labels" not in reply.json["metadata"]


def test_the_status_can_be_replaced(api: Client) -> None:
    document = api.create(WIDGETS, widget("a")).ok().json
    status = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}
    api.replace(WIDGETS, "a/status", document | {"status": status}).ok()
    assert api.get(WIDGETS, "a/status").json["status"] == status


def test_a_status_is_replaced_without_sending_the_rest(api: Client) -> None:
    """What others have set stays, and stays theirs."""
    labelled = widget("a", metadata={"name": "a", "labels": {"team": "x"}})
    document = api.apply(WIDGETS, "a", labelled).ok().json
    version = document["metadata"]["resourceVersion"]
    body = {
        "apiVersion": document["apiVersion"],
        "kind": "Widget",
        "metadata": {"name": "a", "namespace": api.namespace, "resourceVersion": version},
        "status": {"observedGeneration": 1},
    }
    api.replace(WIDGETS, "a/status", body, fieldManager="us").ok()
    found = api.get(WIDGETS, "a").json
    assert found["status"] == {"observedGeneration": 1}
    assert found["spec"] == document["spec"]
    assert found["metadata"]["labels"] == {"team": "x"}
    assert found["metadata"]["generation"] == document["metadata"]["generation"]
    managers = {one["manager"]: one["fieldsV1"] for one in found["metadata"]["managedFields"]}
    (before,) = document["metadata"]["managedFields"]
    assert managers["alice"] == before["fieldsV1"]
    assert set(managers["us"]) == {"f:status"}


def test_a_stale_status_is_a_conflict(api: Client) -> None:
    stale = api.create(WIDGETS, widget("a")).ok().version
    api.patch(WIDGETS, "a", {"spec": {"size": 2}}).ok()
    body = {"metadata": {"resourceVersion": stale}, "status": {"observedGeneration": 1}}
    assert api.patch(WIDGETS, "a/status", body).code == 409


def test_the_status_is_validated(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    reply = api.patch(WIDGETS, "a/status", {"status": {"observedGeneration": "x"}})
    assert (reply.code, reply.causes[0]["field"]) == (422, "status.observedGeneration")


def test_only_the_spec_counts_generations(api: Client) -> None:
    def generation() -> int:
        return int(api.get(WIDGETS, "a").ok().json["metadata"]["generation"])

    api.create(WIDGETS, widget("a")).ok()
    assert generation() == 1
    api.patch(WIDGETS, "a", {"metadata": {"labels": {"a": "b"}}}).ok()
    api.patch(WIDGETS, "a/status", {"status": {"observedGeneration": 1}}).ok()
    api.patch(WIDGETS, "a", {"spec": {"size": 1}}).ok()
    assert generation() == 1
    api.patch(WIDGETS, "a", {"spec": {"size": 2}}).ok()
    assert generation() == 2


def test_an_object_without_status_gets_the_default_on_read(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    api.patch(WIDGETS, "a/status", {"status": None}).ok()
    assert api.get(WIDGETS, "a").json["status"] == {"observedGeneration": -1}


def test_there_is_no_status_endpoint_without_status(api: Client) -> None:
    api.create("secrets", {"metadata": {"name": "a"}}).ok()
    assert api.get("secrets", "a/status").code == 404
