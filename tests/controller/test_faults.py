"""The controller on the sandbox while things go wrong: afterwards every Secret must be right."""

import base64
import io
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sealkit.crypto.x1 import PrivateKey
from sealkit_controller import logs
from sealkit_controller.app import Controller
from sealkit_controller.cluster import Selection
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import EVENTS, SEALED_SECRETS, SECRETS
from sealkit_controller.sandbox import Answer, Cut, Fault, Reset, Sandbox
from tests.apiserver import ApiServer
from tests.controller.server import access, create_namespace
from tests.controller.test_integration import FAST, World
from tests.controller.world import condition, sealed

STATUS = "sealedsecrets/status"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as made:
        made.install_crds()
        yield made


@pytest.fixture
def world(box: Sandbox, tmp_path: Path) -> Iterator[World]:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(box.ca_pem)
    server = ApiServer(box.url, box.admin_token, ca_file)
    with closing(HttpCluster(access(server), FAST)) as cluster:
        for name in ("system", "shop"):
            create_namespace(cluster, name)
        yield World(server, cluster, "system", "shop")


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(Answer(500), "create", "secrets", "shop")],
        [Fault(Answer(503), "create", "secrets", "shop")],
        [Fault(Answer(429, retry_after_seconds=1), "create", "secrets", "shop")],
        [Fault(Answer(401), "create", "secrets", "shop")],
        [Fault(Answer(403, reason="Forbidden"), "create", "secrets", "shop")],
        [Fault(Reset(), "create", "secrets", "shop")],
        [Fault(Reset(after_effect=True), "create", "secrets", "shop")],
        [Fault(Answer(500), "update", STATUS)],
        [Fault(Answer(409, reason="Conflict"), "update", STATUS)],
        [Fault(Reset(), "update", STATUS)],
        [Fault(Reset(after_effect=True), "update", STATUS)],
        [Fault(Answer(500), "create", "events"), Fault(Reset(), "create", "events", skip=1)],
    ],
    ids=[
        *("create 500", "create 503", "create 429", "create 401", "create 403"),
        *("create lost", "create done, answer lost"),
        *("status 500", "status 409", "status lost", "status done, answer lost"),
        "events fail",
    ],
)
def test_a_sync_gets_through(box: Sandbox, world: World, faults: list[Fault]) -> None:
    with world.controller():
        key = world.key()
        for fault in faults:
            box.faults.add(fault)
        world.apply(sealed({"a": b"1", "b": b"2"}, world.place(), to=key))
        world.wait_synced()
        world.wait_data({"a": b"1", "b": b"2"})
        assert box.requests.count("patch", "secrets") == 0  # never written twice


@pytest.mark.parametrize(
    "action",
    [Cut(), Cut(events=1), Cut(events=1, in_line=True), Answer(500), Answer(410, reason="Expired")],
    ids=["cut", "cut after one", "cut in a line", "500", "410"],
)
@pytest.mark.parametrize("resource", ["sealedsecrets", "secrets"])
def test_watches_recover(box: Sandbox, world: World, action: Cut | Answer, resource: str) -> None:
    box.faults.add(Fault(action, "watch", resource, times=2))
    with world.controller():
        key = world.key()
        for number in range(3):
            name = f"db-{number}"
            world.apply(sealed({"a": b"1"}, world.place(name), to=key))
            world.wait_synced(name)
            world.edit(SECRETS, {"data": {"a": "eA=="}}, name)
            world.wait_data({"a": b"1"}, name)


def test_what_happened_before_a_compaction_is_not_missed(box: Sandbox, world: World) -> None:
    with world.controller():
        key = world.key()
        world.apply(sealed({"a": b"1"}, world.place(), to=key))
        world.wait_synced()
    world.edit(SECRETS, {"data": {"a": "eA=="}})
    box.compact()
    box.faults.add(Fault(Cut(), "watch", times=3))
    with world.controller():
        world.wait_data({"a": b"1"})


def test_nothing_that_was_decrypted_gets_out(world: World) -> None:
    """Look for a value and for the key itself in everything the controller says."""
    canary = b"canary-4be1f0"
    stream = io.StringIO()
    settings = replace(world.settings, probe_port=0, public_port=0, bind_address="127.0.0.1")
    log = logs.logger(stream, "debug")
    with Controller(settings, world.cluster, log=log) as controller:
        assert controller.wait_until_ready(20)
        key = world.key()
        world.apply(sealed({"a": canary}, world.place(), to=key))
        world.wait_synced()
        docker = {"type": "kubernetes.io/dockerconfigjson"}
        bad = sealed({".dockerconfigjson": canary}, world.place("bad"), to=key)
        world.apply(bad | {"spec": {**dict(bad["spec"]), "template": docker}})  # type: ignore[call-overload]  # a dict
        world.wait_for(SEALED_SECRETS, lambda raw: condition(raw)[1] == "SecretInvalid", "bad")
        world.apply(sealed(key=world.place("lost"), to=PrivateKey.generate(os.urandom)))
        world.wait_for(SEALED_SECRETS, lambda raw: condition(raw)[1] == "NoKey", "lost")
        url = f"http://127.0.0.1:{controller.probe_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as response:
            metrics = response.read().decode()
    said = [stream.getvalue(), metrics]
    for kind in (EVENTS, SEALED_SECRETS):
        pages = world.cluster.pages(Selection(kind, world.namespace))
        said += [json.dumps(raw) for page in pages for raw in page.items]
    assert len(said) > 4
    for secret in (canary, key.seed.reveal()):
        for form in (secret.decode("latin-1"), base64.b64encode(secret).decode(), secret.hex()):
            assert not any(form in text for text in said)
