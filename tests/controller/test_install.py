"""The install file, the README and the settings, held against each other and a real API server."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import pytest
import yaml

from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import SECRETS, JsonObject, Metadata, child, children, text
from sealkit_controller.settings import Settings
from sealkit_controller.status import Reason
from tests.apiserver import ApiServer
from tests.controller.server import access, create_namespace
from tests.controller.test_integration import FAST, World
from tests.controller.world import sealed

CONTROLLER = Path(__file__).parents[2] / "controller"
NAMESPACE = "install-test"
README = (CONTROLLER / "README.md").read_text()


def documents(namespace: str = "sealkit-system") -> list[JsonObject]:
    file = (CONTROLLER / "manifests" / "install.yaml").read_text()
    return list(yaml.safe_load_all(file.replace("sealkit-system", namespace)))


def one(kind: str) -> JsonObject:
    return next(raw for raw in documents(NAMESPACE) if raw["kind"] == kind)


def pod_template() -> JsonObject:
    return dict(child(child(one("Deployment"), "spec"), "template"))


def path_of(raw: JsonObject) -> str:
    plural = f"{str(raw['kind']).lower()}s"
    group, _, version = str(raw["apiVersion"]).rpartition("/")
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    place = Metadata.of(raw).key
    inside = f"/namespaces/{place.namespace}" if place.namespace else ""
    return f"{root}{inside}/{plural}/{place.name}"


@pytest.fixture(scope="module")
def installed(control_plane: ApiServer) -> Iterator[ApiServer]:
    """An API server with everything of the file, in a namespace of its own."""
    made = []
    for raw in documents(NAMESPACE):
        path = f"{path_of(raw)}?fieldManager=tests&force=true"
        answer = control_plane.ask("PATCH", path, json.dumps(raw))
        assert answer.status in {200, 201}, answer.body
        made.append(path_of(raw))
    yield control_plane
    for path in reversed(made):
        control_plane.ask("DELETE", path)


def token(server: ApiServer) -> str:
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/sealkit-controller/token"
    answer = server.ask("POST", path, '{"spec": {}}', "application/json")
    assert answer.status == 201, answer.body
    return str(answer.body["status"]["token"])


@pytest.mark.cluster
def test_the_rights_of_the_install_file_are_enough(installed: ApiServer) -> None:
    """A whole life under the controller's own account; its every refusal is seen as a failure."""
    own = replace(installed, token=token(installed))
    codes: list[tuple[str, str]] = []
    namespace = "install-test-shop"
    with (
        closing(HttpCluster(access(installed), FAST)) as admin,
        closing(HttpCluster(access(own), FAST, count=lambda *c: codes.append(c))) as cluster,
    ):
        create_namespace(admin, namespace)
        world = World(installed, admin, NAMESPACE, namespace)
        with replace(world, cluster=cluster).controller():
            world.apply(sealed({"a": b"1"}, world.place(), to=world.key()))
            world.wait_synced()
            world.edit(SECRETS, {"data": {"a": "eA==", "extra": "eA=="}})
            world.wait_data({"a": b"1"})
            spec = {"template": {"type": "example.com/x"}, "recreate": True}
            world.apply(sealed({"a": b"2"}, world.place(), to=world.key(), spec=spec))
            world.wait_data({"a": b"2"})
            world.wait_synced()
    assert [code for code in codes if code[1] in {"401", "403"}] == []


@pytest.mark.cluster
def test_everyone_who_can_log_in_may_read_the_public_keys_only(installed: ApiServer) -> None:
    def may(resource: str, name: str, verb: str) -> bool:
        attributes = {
            "namespace": NAMESPACE,
            "verb": verb,
            "resource": resource,
            "name": name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": "anybody",
                "groups": ["system:authenticated"],
                "resourceAttributes": attributes,
            },
        }
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        answer = installed.ask("POST", path, json.dumps(review), "application/json")
        return bool(answer.body["status"]["allowed"])

    assert may("configmaps", "sealkit-public-keys", "get")
    assert not may("configmaps", "sealkit-public-keys", "patch")
    assert not may("configmaps", "other", "get")
    assert not may("secrets", "sealkit-key-1", "get")


@pytest.mark.cluster
def test_the_pod_passes_the_restricted_pod_security_standard(installed: ApiServer) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        **pod_template(),
    }
    pod["metadata"] = {"name": "probe"}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All"
    answer = installed.ask("POST", path, json.dumps(pod), "application/json")
    assert answer.status == 201, answer.body


def test_the_ports_and_the_grace_fit_the_settings() -> None:
    spec = child(pod_template(), "spec")
    ports = {
        port["name"]: port["containerPort"]
        for container in children(spec, "containers")
        for port in children(container, "ports")
    }
    assert ports == {"public": Settings().public_port, "probes": Settings().probe_port}
    grace = spec["terminationGracePeriodSeconds"]
    assert isinstance(grace, int)
    assert grace > Settings().shutdown_seconds


def test_every_setting_of_the_pod_exists() -> None:
    container = children(child(pod_template(), "spec"), "containers")[0]
    environ = {text(entry, "name"): text(entry, "value") for entry in children(container, "env")}
    Settings.from_environ({name: value or "x" for name, value in environ.items()})


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(SEALKIT_\w+)` \| ([^|]+) \|", README, re.MULTILINE))
    defaults = {f"SEALKIT_{f.name.upper()}": str(f.default).lower() for f in fields(Settings)}
    assert rows.keys() == defaults.keys()
    for name, default in defaults.items():
        assert f"`{default}`" in rows[name] or default in {"", "()"}


def test_the_readme_lists_every_reason() -> None:
    listed = set(re.findall(r"^\| (?:True|False|Unknown)[^`]*`(\w+)`", README, re.MULTILINE))
    assert listed == {reason.value for reason in Reason}


def test_nothing_is_left_to_chance_in_the_pod() -> None:
    container = children(child(pod_template(), "spec"), "containers")[0]
    security = child(container, "securityContext")
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert child(security, "capabilities")["drop"] == ["ALL"]
