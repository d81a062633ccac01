"""What every object has in common: identity, versions, conflicts, dry runs, names."""

import re
from typing import Any

import pytest

from tests.contracts.client import WIDGETS, Client, config_map, secret, widget

SECRETS = "secrets"
OTHER_UID = "11111111-1111-1111-1111-111111111111"


def test_a_new_object_gets_identity_and_version(api: Client) -> None:
    reply = api.create(SECRETS, secret("a", stringData={"k": "v"}))
    assert reply.code == 201
    metadata = reply.json["metadata"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert metadata["namespace"] == api.namespace
    assert int(metadata["resourceVersion"]) > 0
    assert api.get(SECRETS, "a").json == reply.json


def test_a_name_can_be_taken_once(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    reply = api.create(SECRETS, secret("a"))
    assert (reply.code, reply.reason) == (409, "AlreadyExists")
    assert reply.message == 'secrets "a" already exists'
    assert reply.json["details"] == {"name": "a", "kind": "secrets"}


def test_a_missing_object_is_named(api: Client) -> None:
    reply = api.get(SECRETS, "nope")
    assert reply.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'secrets "nope" not found',
        "reason": "NotFound",
        "details": {"name": "nope", "kind": "secrets"},
        "code": 404,
    }


def test_a_missing_custom_object_is_named_with_its_group(api: Client) -> None:
    reply = api.get(WIDGETS, "nope")
    assert reply.message == 'widgets.contracts.example.com "nope" not found'
    assert reply.json["details"]["group"] == "contracts.example.com"


def test_generate_name_adds_five_characters(api: Client) -> None:
    body = secret("", metadata={"generateName": "gen-"})
    names = {api.create(SECRETS, body).ok().json["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(re.fullmatch(r"gen-[a-z0-9]{5}", name) for name in names)


def test_versions_grow_with_every_write_of_any_kind(api: Client) -> None:
    first = api.create(SECRETS, secret("a")).ok().version
    second = api.create("configmaps", config_map("a")).ok().version
    third = api.patch(SECRETS, "a", {"data": {"k": ""}}).ok().version
    assert int(first) < int(second) < int(third)


def test_a_write_that_changes_nothing_keeps_the_version(api: Client) -> None:
    created = api.create(SECRETS, secret("a", data={"k": "dg=="})).ok()
    patched = api.patch(SECRETS, "a", {"data": {"k": "dg=="}}).ok()
    replaced = api.replace(SECRETS, "a", created.json).ok()
    assert created.version == patched.version == replaced.version


def test_a_stale_replace_is_a_conflict(api: Client) -> None:
    stale = api.create(SECRETS, secret("a")).ok().json
    api.patch(SECRETS, "a", {"data": {"k": ""}}).ok()
    reply = api.replace(SECRETS, "a", stale)
    assert (reply.code, reply.reason) == (409, "Conflict")
    assert reply.message == (
        'Operation cannot be fulfilled on secrets "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_a_stale_patch_is_a_conflict(api: Client) -> None:
    stale = api.create(SECRETS, secret("a")).ok().version
    api.patch(SECRETS, "a", {"data": {"k": ""}}).ok()
    reply = api.patch(SECRETS, "a", {"metadata": {"resourceVersion": stale}, "type": "x"})
    assert (reply.code, reply.reason) == (409, "Conflict")


def test_a_secret_may_be_replaced_without_a_version(api: Client) -> None:
    api.create(SECRETS, secret("a", data={"k": ""})).ok()
    reply = api.replace(SECRETS, "a", secret("a", data={"l": ""})).ok()
    assert reply.json["data"] == {"l": ""}


def test_a_custom_resource_may_not_be_replaced_without_a_version(api: Client) -> None:
    api.create(WIDGETS, widget("a")).ok()
    reply = api.replace(WIDGETS, "a", widget("a"))
    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.causes[0]["field"] == "metadata.resourceVersion"


def test_replacing_what_is_not_there_is_not_found(api: Client) -> None:
    assert api.replace(SECRETS, "a", secret("a")).code == 404


def test_another_uid_is_a_conflict(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    body = secret("a", metadata={"name": "a", "uid": OTHER_UID})
    reply = api.replace(SECRETS, "a", body)
    assert (reply.code, reply.reason) == (409, "Conflict")
    assert "Precondition failed: UID in precondition" in reply.message


def test_the_server_keeps_what_is_its_own(api: Client) -> None:
    created = api.create(SECRETS, secret("a")).ok().json["metadata"]
    changes = {"creationTimestamp": "2001-01-01T00:00:00Z", "generation": 7}
    changed = api.patch(SECRETS, "a", {"metadata": changes}).ok().json["metadata"]
    assert changed["creationTimestamp"] == created["creationTimestamp"]
    assert "generation" not in changed


def test_a_dry_run_leaves_nothing(api: Client) -> None:
    reply = api.create(SECRETS, secret("a"), dryRun="All")
    assert reply.code == 201
    assert "resourceVersion" not in reply.json["metadata"]
    assert api.get(SECRETS, "a").code == 404


def test_a_dry_run_of_a_change_shows_it_only(api: Client) -> None:
    before = api.create(SECRETS, secret("a")).ok().json
    shown = api.patch(SECRETS, "a", {"data": {"k": "dg=="}}, dryRun="All").ok().json
    assert shown["data"] == {"k": "dg=="}
    assert api.get(SECRETS, "a").json == before


@pytest.mark.parametrize("name", ["Upper", "a_b", "-a", "a.", "a" * 254])
def test_names_are_dns_subdomains(api: Client, name: str) -> None:
    reply = api.create(SECRETS, secret(name))
    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.causes[0]["field"] == "metadata.name"


def test_the_refusal_of_a_name_is_worded_for_users(api: Client) -> None:
    reply = api.create(SECRETS, secret("Bad_Name"))
    assert reply.message == (
        'Secret "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC '
        "1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
        "start and end with an alphanumeric character (e.g. 'example.com', regex used for "
        r"validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    )


def test_labels_and_annotations_are_checked(api: Client) -> None:
    metadata = {"name": "a", "labels": {"a b": "c d"}, "annotations": {"e f": "anything goes"}}
    reply = api.create("configmaps", config_map("a", metadata=metadata))
    fields = [cause["field"] for cause in reply.causes]
    assert fields == ["metadata.labels", "metadata.labels", "metadata.annotations"]


def test_the_annotations_together_are_limited(api: Client) -> None:
    metadata = {"name": "a", "annotations": {"a": "x" * (256 * 1024)}}
    reply = api.create("configmaps", config_map("a", metadata=metadata))
    assert reply.code == 422
    assert reply.causes[0]["message"] == "Too long: may not be more than 262144 bytes"


def test_the_namespace_must_exist(api: Client) -> None:
    reply = api.request("POST", "/api/v1/namespaces/nowhere-at-all/secrets", secret("a"))
    assert (reply.code, reply.message) == (404, 'namespaces "nowhere-at-all" not found')


def test_the_namespace_of_the_object_must_be_that_of_the_path(api: Client) -> None:
    reply = api.create(SECRETS, secret("a", metadata={"name": "a", "namespace": "default"}))
    assert reply.code == 400
    assert reply.message.startswith("the namespace of the provided object does not match")


def test_the_name_of_the_object_must_be_that_of_the_path(api: Client) -> None:
    reply = api.replace(SECRETS, "a", secret("b"))
    assert (reply.code, reply.message) == (
        400,
        "the name of the object (b) does not match the name on the URL (a)",
    )


def test_a_version_cannot_be_given_at_creation(api: Client) -> None:
    reply = api.create(SECRETS, secret("a", metadata={"name": "a", "resourceVersion": "5"}))
    assert reply.message == "resourceVersion should not be set on objects to be created"


@pytest.mark.parametrize("body", ["{", "[]", "", '"text"'])
def test_what_is_no_object_is_a_bad_request(api: Client, body: str) -> None:
    reply = api.create(SECRETS, body)
    assert (reply.code, reply.reason) == (400, "BadRequest")


def test_another_kind_is_a_bad_request(api: Client) -> None:
    reply = api.create(SECRETS, config_map("a"))
    assert (reply.code, reply.reason) == (400, "BadRequest")


def test_unknown_fields_warn_unless_told_otherwise(api: Client) -> None:
    body = secret("a", extra=1)
    warned = api.create(SECRETS, body, dryRun="All").ok()
    ignored = api.create(SECRETS, body, dryRun="All", fieldValidation="Ignore").ok()
    strict = api.create(SECRETS, body, dryRun="All", fieldValidation="Strict")
    assert warned.headers["Warning"] == '299 - "unknown field \\"extra\\""'
    assert "Warning" not in ignored.headers
    assert strict.code == 400
    assert strict.message == (
        'Secret in version "v1" cannot be handled as a Secret: '
        'strict decoding error: unknown field "extra"'
    )


def test_a_wrong_type_in_a_built_in_kind_is_a_bad_request(api: Client) -> None:
    reply = api.create(SECRETS, secret("a", immutable="yes"))
    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message.startswith('Secret in version "v1" cannot be handled as a Secret: json:')


def test_a_body_in_an_unknown_format_is_refused(api: Client) -> None:
    reply = api.request("POST", api.path(SECRETS), "x", content_type="text/plain")
    assert (reply.code, reply.reason) == (415, "UnsupportedMediaType")


def test_a_yaml_body_is_read(api: Client) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  k: v\n"
    path = api.path(SECRETS)
    reply = api.request("POST", path, text, content_type="application/yaml").ok()
    assert reply.json["data"] == {"k": "dg=="}


OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": OTHER_UID}
BAD_METADATA: dict[str, tuple[dict[str, Any], list[str]]] = {
    "empty-owner": (
        {"ownerReferences": [{"apiVersion": "", "kind": "", "name": "", "uid": ""}]},
        [f"metadata.ownerReferences.{one}" for one in ("apiVersion", "kind", "name", "uid")],
    ),
    "two-controllers": (
        {"ownerReferences": [OWNER | {"controller": True, "uid": uid} for uid in ("x", "y")]},
        ["metadata.ownerReferences"],
    ),
    "finalizer": ({"finalizers": ["a b/c"]}, ["metadata.finalizers"]),
    "label-prefix": ({"labels": {"/a": "b"}}, ["metadata.labels"]),
    "label-path": ({"labels": {"a/b/c": "d"}}, ["metadata.labels"]),
    "label-key-length": ({"labels": {"a" * 64: "b"}}, ["metadata.labels"]),
    "label-value-length": ({"labels": {"a": "b" * 64}}, ["metadata.labels"]),
    "label-value": ({"labels": {"a": "-"}}, ["metadata.labels"]),
}


@pytest.mark.parametrize(("fields", "expected"), BAD_METADATA.values(), ids=BAD_METADATA)
def test_broken_metadata_is_told_by_field(
    api: Client, fields: dict[str, Any], expected: list[str]
) -> None:
    reply = api.create("configmaps", config_map("a", metadata={"name": "a"} | fields))
    assert (reply.code, reply.reason) == (422, "Invalid")
    assert {cause["field"] for cause in reply.causes} == set(expected)


def test_a_label_with_a_prefix_and_no_name_is_refused(api: Client) -> None:
    metadata = {"name": "a", "labels": {"example.com/": "b"}}
    reply = api.create("configmaps", config_map("a", metadata=metadata))
    assert reply.code == 422
    assert reply.causes[0]["message"].startswith(
        'Invalid value: "example.com/": name part must be non-empty'
    )


@pytest.mark.parametrize("name", ["A", "a.b", "a" * 64])
def test_namespaces_are_dns_labels(api: Client, name: str) -> None:
    reply = api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert (reply.code, reply.causes[0]["field"]) == (422, "metadata.name")


def test_a_role_may_be_named_freely(api: Client) -> None:
    roles = "apis/rbac.authorization.k8s.io/v1/roles"
    body = {"metadata": {"name": "system:Own"}, "rules": []}
    api.create(roles, body).ok()
    assert api.create(roles, {"metadata": {"name": "a/b"}}).code == 422
    assert api.get(roles, "system:Own").ok().json["metadata"]["name"] == "system:Own"


def test_a_name_is_needed(api: Client) -> None:
    reply = api.create(SECRETS, {"metadata": {}})
    assert (reply.code, reply.causes[0]["message"]) == (
        422,
        "Required value: name or generateName is required",
    )


def test_a_namespace_can_be_labelled(api: Client) -> None:
    path = f"/api/v1/namespaces/{api.namespace}"
    body = {"metadata": {"labels": {"l": "v"}}}
    reply = api.request("PATCH", path, body, content_type="application/merge-patch+json").ok()
    assert reply.json["metadata"]["labels"]["l"] == "v"
    assert reply.json["status"]["phase"] == "Active"
    assert reply.json["spec"] == {"finalizers": ["kubernetes"]}


@pytest.mark.parametrize(
    ("parameter", "value"), [("dryRun", "Some"), ("fieldValidation", "Sometimes")]
)
def test_unknown_options_are_invalid(api: Client, parameter: str, value: str) -> None:
    reply = api.create(SECRETS, secret("a"), **{parameter: value})
    assert (reply.code, reply.causes[0]["field"]) == (422, parameter)
