"""Who may ask, and what can be asked for."""

from typing import Any

import pytest

from tests.apiserver import ApiServer
from tests.contracts.client import GROUP, Client, eventually

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_an_unknown_token_is_unauthorized(api: Client) -> None:
    server = ApiServer(api.server.url, "not-a-token", api.server.ca_file)
    reply = Client(server, api.namespace).get("secrets")
    assert (reply.code, reply.reason, reply.message) == (401, "Unauthorized", "Unauthorized")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez"])
def test_health_is_told(api: Client, path: str) -> None:
    reply = api.request("GET", path)
    assert (reply.code, reply.text) == (200, "ok")


def test_the_version_is_told(api: Client) -> None:
    reply = api.request("GET", "/version").ok()
    assert reply.json["gitVersion"].startswith("v1.36.")


def test_the_core_group_has_version_one(api: Client) -> None:
    assert api.request("GET", "/api").ok().json["versions"] == ["v1"]


def test_groups_are_listed(api: Client) -> None:
    groups = {group["name"]: group for group in api.request("GET", "/apis").ok().json["groups"]}
    version = {"groupVersion": f"{GROUP}/v1", "version": "v1"}
    assert groups[GROUP]["preferredVersion"] == version
    assert groups[GROUP]["versions"] == [version]
    wanted = {"apps", "apiextensions.k8s.io", "coordination.k8s.io", "events.k8s.io"}
    assert wanted | {"rbac.authorization.k8s.io"} <= groups.keys()
    assert api.request("GET", f"/apis/{GROUP}").ok().json["name"] == GROUP


def test_resources_are_listed(api: Client) -> None:
    reply = api.request("GET", f"/apis/{GROUP}/v1").ok().json
    found = {resource["name"]: resource for resource in reply["resources"]}
    assert (
        found["widgets"].items()
        >= {
            "singularName": "widget",
            "namespaced": True,
            "kind": "Widget",
            "shortNames": ["wd"],
            "categories": ["contracts"],
        }.items()
    )
    verbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
    assert set(found["widgets"]["verbs"]) == verbs
    assert set(found["widgets/status"]["verbs"]) == {"get", "patch", "update"}


@pytest.mark.parametrize(
    ("path", "group", "plural"), [("/api", "", "secrets"), ("/apis", GROUP, "widgets")]
)
def test_discovery_comes_in_one_piece(api: Client, path: str, group: str, plural: str) -> None:
    reply = api.accepting(f"{AGGREGATED},application/json").request("GET", path).ok()
    assert reply.headers["Content-Type"] == AGGREGATED
    assert reply.json["kind"] == "APIGroupDiscoveryList"
    items = {item["metadata"].get("name", ""): item for item in reply.json["items"]}
    (version,) = items[group]["versions"]
    assert (version["version"], version["freshness"]) == ("v1", "Current")
    found = {one["resource"]: one for one in version["resources"]}
    assert (found[plural]["scope"], "watch" in found[plural]["verbs"]) == ("Namespaced", True)


@pytest.mark.parametrize("path", ["/nope", "/apis/nope.example.com/v1/things"])
def test_a_path_that_leads_nowhere_is_told_in_plain_text(api: Client, path: str) -> None:
    reply = api.request("GET", path)
    assert (reply.code, reply.text.strip()) == (404, "404 page not found")


def test_a_resource_that_is_not_served_is_not_found(api: Client) -> None:
    reply = api.get("gizmos", "a")
    assert (reply.code, reply.reason) == (404, "NotFound")
    assert reply.message == "the server could not find the requested resource"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v1/namespaces/default/secrets/a"), ("POST", "/api/v1/secrets")],
)
def test_a_method_that_makes_no_sense_is_refused(api: Client, method: str, path: str) -> None:
    reply = api.request(method, path, {})
    assert (reply.code, reply.reason) == (405, "MethodNotAllowed")


def test_a_client_can_ask_who_it_is(api: Client) -> None:
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    reply = api.request("POST", path, body).ok()
    assert "system:masters" in reply.json["status"]["userInfo"]["groups"]


def test_a_client_can_ask_what_it_may_do(api: Client) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    spec = {"resourceAttributes": {"verb": "create", "resource": "secrets"}}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    reply = api.request("POST", path, body | {"spec": spec}).ok()
    assert reply.json["status"]["allowed"] is True


def openapi(api: Client) -> Any:
    name = f"apis/{GROUP}/v1"  # published a moment after it is served
    index = eventually(
        lambda: api.request("GET", "/openapi/v3").ok(), lambda reply: name in reply.json["paths"]
    )
    path, _, query = index.json["paths"][name]["serverRelativeURL"].partition("?hash=")
    return api.request("GET", path, hash=query).ok().json


def test_the_schema_of_a_custom_kind_is_published(api: Client) -> None:
    schemas = openapi(api)["components"]["schemas"]
    gvk = {"group": GROUP, "version": "v1", "kind": "Widget"}
    found = [one for one in schemas.values() if one.get("x-kubernetes-group-version-kind") == [gvk]]
    assert "size" in found[0]["properties"]["spec"]["properties"]


def test_clients_learn_that_the_server_validates(api: Client) -> None:
    patch = openapi(api)["paths"][f"/apis/{GROUP}/v1/namespaces/{{namespace}}/widgets/{{name}}"]
    names = [one.get("name") for one in patch["patch"]["parameters"]]
    assert "fieldValidation" in names
