"""What only the sandbox does: start and end, survive, forget, and read protobuf."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sealkit_controller.sandbox import Sandbox
from tests.contracts.client import GROUP, WIDGETS, Client, config_map, secret, widget
from tests.controller.sandbox.conftest import MakeSandbox

CRD = yaml.safe_load(Path("tests/contracts/widgets.yaml").read_text(encoding="utf-8"))
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SECRETS = "secrets"
PROTOBUF = "application/vnd.kubernetes.protobuf"


def names(reply: Any) -> list[str]:
    return [item["metadata"]["name"] for item in reply.ok().json["items"]]


def test_it_starts_with_the_namespaces_of_a_cluster(api: Client) -> None:
    assert names(api.get("/api/v1/namespaces")) == ["default", "kube-public", "kube-system"]


def test_it_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with Sandbox() as sandbox:
        assert len(threading.enumerate()) > len(before)
        sandbox.close()
    assert set(threading.enumerate()) == before


def test_closing_ends_open_watches(sandbox: Sandbox, api: Client) -> None:
    with api.watch(SECRETS, api.get(SECRETS).version, timeoutSeconds="600") as events:
        sandbox.close()
        assert list(events) == []


def test_its_kubeconfig_names_one_context(sandbox: Sandbox) -> None:
    document = yaml.safe_load(sandbox.kubeconfig())
    assert document["current-context"] == "sandbox"
    assert document["clusters"][0]["cluster"]["server"] == sandbox.url
    assert document["users"][0]["user"]["token"] == sandbox.admin_token
    assert document["contexts"][0]["context"]["namespace"] == "default"


def test_the_kinds_of_the_controller_can_be_installed(sandbox: Sandbox, api: Client) -> None:
    sandbox.install_crds()
    sandbox.install_crds()
    assert names(api.get("apis/sealkit.dev/v1alpha1/sealedsecrets")) == []


def test_the_clock_is_an_argument(make_sandbox: MakeSandbox) -> None:
    moment = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
    _, api = make_sandbox(clock=lambda: moment)
    created = api.create(SECRETS, secret("a")).ok().json["metadata"]
    assert created["creationTimestamp"] == "2031-02-03T04:05:06Z"
    assert created["managedFields"][0]["time"] == "2031-02-03T04:05:06Z"


def test_the_source_of_uids_is_an_argument(make_sandbox: MakeSandbox) -> None:
    numbers = iter(range(100))
    _, api = make_sandbox(new_uid=lambda: f"uid-{next(numbers)}")
    uid = api.create(SECRETS, secret("a")).ok().json["metadata"]["uid"]
    assert uid.startswith("uid-")


def test_objects_survive_in_a_file(make_sandbox: MakeSandbox, tmp_path: Path) -> None:
    file = tmp_path / "objects.sqlite"
    first, api = make_sandbox(database=file)
    api.request("POST", DEFINITIONS, CRD).ok()
    labelled = secret("a", metadata={"name": "a", "labels": {"l": "v"}})
    kept = api.create(SECRETS, labelled).ok().json
    api.create(SECRETS, secret("b")).ok()
    api.delete(SECRETS, "b").ok()
    last = api.create(WIDGETS, widget("w")).ok().version
    first.close()
    _, again = make_sandbox(database=file)
    assert again.get(SECRETS, "a").json == kept
    assert names(again.get(SECRETS, labelSelector="l=v")) == ["a"]
    assert again.get(SECRETS, "b").code == 404
    assert names(again.get(WIDGETS)) == ["w"]
    assert int(again.create(SECRETS, secret("c")).ok().version) > int(last)


def test_the_file_is_private(make_sandbox: MakeSandbox, tmp_path: Path) -> None:
    file = tmp_path / "objects.sqlite"
    make_sandbox(database=file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_deletion_goes_on_after_a_restart(make_sandbox: MakeSandbox, tmp_path: Path) -> None:
    file = tmp_path / "objects.sqlite"
    first, api = make_sandbox(database=file)
    body = secret("held", metadata={"name": "held", "finalizers": ["example.com/x"]})
    api.create(SECRETS, body).ok()
    api.delete(SECRETS, "held").ok()
    first.close()
    _, again = make_sandbox(database=file)
    assert again.get(SECRETS, "held").json["metadata"]["deletionTimestamp"]
    again.patch(SECRETS, "held", {"metadata": {"finalizers": None}}).ok()
    assert again.get(SECRETS, "held").code == 404


def test_a_watch_from_a_compacted_version_ends_with_an_error(sandbox: Sandbox, api: Client) -> None:
    start = api.get(SECRETS).version
    api.create(SECRETS, secret("a")).ok()
    sandbox.compact()
    with api.watch(SECRETS, start) as events:
        (event,) = list(events)
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith(f"too old resource version: {start} (")


def test_a_watch_from_the_present_outlives_a_compaction(sandbox: Sandbox, api: Client) -> None:
    sandbox.compact()
    start = api.get(SECRETS).version
    with api.watch(SECRETS, start) as events:
        api.create(SECRETS, secret("a")).ok()
        assert next(events)["type"] == "ADDED"


def test_the_rest_of_a_list_is_gone_after_a_compaction(sandbox: Sandbox, api: Client) -> None:
    for name in "abc":
        api.create(SECRETS, secret(name)).ok()
    token = api.get(SECRETS, limit="1").json["metadata"]["continue"]
    api.create(SECRETS, secret("bb")).ok()
    sandbox.compact()
    reply = api.get(SECRETS, **{"continue": token})
    assert (reply.code, reply.reason) == (410, "Expired")
    assert reply.message.startswith("The provided continue parameter is too old")
    rest = api.get(SECRETS, **{"continue": reply.json["metadata"]["continue"]})
    assert names(rest) == ["b", "bb", "c"]


def test_a_past_state_is_gone_after_a_compaction(sandbox: Sandbox, api: Client) -> None:
    start = api.get(SECRETS).version
    api.create(SECRETS, secret("a")).ok()
    sandbox.compact()
    query = {"resourceVersion": start, "resourceVersionMatch": "Exact"}
    reply = api.get(SECRETS, **query)
    assert (reply.code, reply.reason) == (410, "Expired")


def test_bookmarks_come_as_often_as_wished(make_sandbox: MakeSandbox) -> None:
    _, api = make_sandbox(bookmark_seconds=0.1)
    start = api.get(SECRETS).version
    with api.watch(SECRETS, start, allowWatchBookmarks="true") as events:
        version = api.create("configmaps", config_map("a")).ok().version
        bookmarks = (next(events) for _ in range(100))
        assert any(one["object"]["metadata"]["resourceVersion"] == version for one in bookmarks)


def test_a_definition_takes_its_objects_with_it(api: Client) -> None:
    created = api.request("POST", DEFINITIONS, CRD).ok()
    name = CRD["metadata"]["name"]
    api.create(WIDGETS, widget("a")).ok()
    with api.watch(DEFINITIONS, created.version) as events:
        api.request("DELETE", f"{DEFINITIONS}/{name}").ok()
        assert any(event["type"] == "DELETED" for event in events)
    assert api.get(WIDGETS).code == 404
    api.request("POST", DEFINITIONS, CRD).ok()
    assert names(api.get(WIDGETS)) == []


def test_a_new_schema_shows_at_once_in_old_objects(api: Client) -> None:
    api.request("POST", DEFINITIONS, CRD).ok()
    api.create(WIDGETS, widget("a")).ok()
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/text/default"
    body = [{"op": "add", "path": path, "value": "new"}]
    resource = f"{DEFINITIONS}/{CRD['metadata']['name']}"
    api.request("PATCH", resource, body, content_type="application/json-patch+json").ok()
    assert api.get(WIDGETS, "a").json["spec"]["text"] == "new"
    assert api.get(WIDGETS).json["items"][0]["spec"]["text"] == "new"


def test_two_versions_of_a_kind_share_their_objects(api: Client) -> None:
    definition = yaml.safe_load(yaml.safe_dump(CRD))
    (version,) = definition["spec"]["versions"]
    definition["spec"]["versions"].append(version | {"name": "v2", "storage": False})
    api.request("POST", DEFINITIONS, definition).ok()
    api.create(WIDGETS, widget("a")).ok()
    newer = api.get(f"apis/{GROUP}/v2/widgets", "a").ok()
    assert newer.json["apiVersion"] == f"{GROUP}/v2"
    assert newer.json["spec"] == api.get(WIDGETS, "a").json["spec"]


BROKEN: dict[str, Callable[[Any], Any]] = {
    "metadata.name": lambda one: one["metadata"].update(name="other.example.com"),
    "spec.scope": lambda one: one["spec"].update(scope="Everywhere"),
    "spec.versions": lambda one: one["spec"]["versions"][0].update(storage=False),
    "spec.versions[0].schema.openAPIV3Schema": lambda one: one["spec"]["versions"][0].pop("schema"),
}


@pytest.mark.parametrize("field", BROKEN)
def test_a_broken_definition_is_refused(api: Client, field: str) -> None:
    definition = yaml.safe_load(yaml.safe_dump(CRD))
    BROKEN[field](definition)
    reply = api.request("POST", DEFINITIONS, definition)
    assert reply.code == 422
    assert field in [cause["field"] for cause in reply.causes]


def field(number: int, payload: bytes) -> bytes:
    return bytes([number << 3 | 2, len(payload)]) + payload


def test_a_protobuf_secret_is_read(api: Client) -> None:
    metadata = field(1, field(1, b"a") + field(8, b""))
    data = field(2, field(1, b"k") + field(2, b"v"))
    kind = field(1, field(1, b"v1") + field(2, b"Secret"))
    body = b"k8s\0" + kind + field(2, metadata + data + field(3, b"x/y") + b"\x28\x01")
    reply = api.request("POST", api.path(SECRETS), body, content_type=PROTOBUF).ok()
    document = reply.json
    assert (document["metadata"]["name"], document["data"]) == ("a", {"k": "dg=="})
    assert (document["type"], document["immutable"]) == ("x/y", True)


@pytest.mark.parametrize("body", [b"", b"k8s\0\x0a", b"k8s\0\x0a\xff", b"k8s\0\x0d\0\0\0\0", b"{}"])
def test_broken_protobuf_is_a_bad_request(api: Client, body: bytes) -> None:
    reply = api.request("POST", api.path(SECRETS), body, content_type=PROTOBUF)
    assert (reply.code, reply.reason) == (400, "BadRequest")


def test_a_body_that_is_too_large_is_refused(api: Client) -> None:
    large = replace(api, headers={"Content-Length": str(4 << 20)})
    reply = large.request("POST", api.path(SECRETS), b"")
    assert (reply.code, reply.reason) == (413, "RequestEntityTooLarge")


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "sealkit_controller.sandbox", "--kubeconfig", str(kubeconfig)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert process.stdout.readline() == f"export KUBECONFIG={kubeconfig}\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    url = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    assert first == f"serving {url}\n"
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
