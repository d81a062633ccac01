"""Workloads restart when, and only when, the data of their Secret changed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sealkit.manifests.vault import WorkloadKind
from sealkit_controller.cluster import ApiError
from sealkit_controller.objects import SECRETS, ObjectKey, child, strings, text
from sealkit_controller.reconcile import RetryAfter
from sealkit_controller.restart import RESOURCES, annotation
from tests.controller.vault.conftest import Mount
from tests.controller.vault.world import VaultWorld, referring
from tests.controller.world import DB, sealed

HOUR = 3600
WEB = {"kind": "Deployment", "name": "web"}
DEPLOYMENTS = RESOURCES[WorkloadKind.DEPLOYMENT]


def workload(
    world: VaultWorld,
    name: str,
    kind: WorkloadKind = WorkloadKind.DEPLOYMENT,
    labels: Mapping[str, str] | None = None,
    namespace: str = DB.namespace,
) -> None:
    resource = RESOURCES[kind]
    world.cluster.put(
        resource,
        {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
            "spec": {"template": {"metadata": {"annotations": {"kept": "yes"}}}},
        },
    )


def restarted_for(
    world: VaultWorld, name: str = "web", kind: WorkloadKind = WorkloadKind.DEPLOYMENT
) -> str:
    raw = world.cluster.find(RESOURCES[kind], ObjectKey(DB.namespace, name))
    template = child(child(child(raw or {}, "spec"), "template"), "metadata")
    found = strings(template, "annotations")
    assert found["kept"] == "yes"
    return found.get(annotation(DB.name), "")


@pytest.fixture
def synced(world: VaultWorld, kv: Mount) -> VaultWorld:
    workload(world, "web")
    world.apply(referring({"password": kv.ref("db", "password")}, rolloutRestart=[WEB]))
    assert world.done().restarted == ()
    assert restarted_for(world) == ""  # what starts with a Secret needs no restart for it
    return world


def test_changed_data_restarts(synced: VaultWorld, kv: Mount) -> None:
    kv.write("db", {"password": "changed"})
    synced.later(HOUR)
    assert synced.done().restarted == ("Deployment/web",)
    mac = text(child(synced.manifest, "status"), "dataMac")
    assert restarted_for(synced) == mac
    synced.later(HOUR)
    assert synced.done().restarted == ()


def test_nothing_else_does(synced: VaultWorld, kv: Mount) -> None:
    spec = {"type": "Opaque", "metadata": {"labels": {"a": "b"}}}
    both = referring({"password": kv.ref("db", "password")}, rolloutRestart=[WEB], template=spec)
    synced.apply(both)
    assert synced.done().action == "updated"
    synced.cluster.edit(SECRETS, DB, {"data": {"password": "eA=="}})
    assert synced.done().action == "updated"
    synced.restart()
    synced.done()
    assert restarted_for(synced) == ""


def test_a_crash_before_the_restart_is_made_up_for(synced: VaultWorld, kv: Mount) -> None:
    kv.write("db", {"password": "changed"})
    synced.later(HOUR)
    synced.cluster.fail("merge", "deployments", ApiError(500, "InternalError"))
    outcome = synced.run()
    assert isinstance(outcome, RetryAfter)
    assert synced.data == {"password": b"changed"}
    assert restarted_for(synced) == ""
    synced.restart()
    assert synced.done().restarted == ("Deployment/web",)
    assert restarted_for(synced)


def test_the_same_process_makes_up_for_it_too(synced: VaultWorld, kv: Mount) -> None:
    kv.write("db", {"password": "changed"})
    synced.later(HOUR)
    synced.cluster.fail("merge", "deployments", ApiError(500, "InternalError"))
    synced.run()
    assert synced.done().restarted == ("Deployment/web",)


def test_sealed_values_restart_as_well(world: VaultWorld) -> None:
    workload(world, "web")
    world.apply(sealed({"a": b"one"}, spec={"rolloutRestart": [WEB]}))
    world.done()
    world.apply(sealed({"a": b"one"}, spec={"rolloutRestart": [WEB]}))
    assert world.done().restarted == ()  # sealed anew, and the same
    world.apply(sealed({"a": b"two"}, spec={"rolloutRestart": [WEB]}))
    assert world.done().restarted == ("Deployment/web",)


def test_kinds_and_labels(world: VaultWorld, kv: Mount) -> None:
    for number, kind in enumerate(WorkloadKind):
        workload(world, f"w{number}", kind, {"uses": "db"})
    workload(world, "other", labels={"uses": "cache"})
    workload(world, "w0", labels={"uses": "db"}, namespace="elsewhere")
    targets = [{"kind": kind.value, "matchLabels": {"uses": "db"}} for kind in WorkloadKind]
    world.apply(referring({"password": kv.ref("db", "password")}, rolloutRestart=targets))
    world.done()
    kv.write("db", {"password": "changed"})
    world.later(HOUR)
    assert world.done().restarted == ("Deployment/w0", "StatefulSet/w1", "DaemonSet/w2")
    assert restarted_for(world, "other") == ""
    elsewhere = world.cluster.find(DEPLOYMENTS, ObjectKey("elsewhere", "w0"))
    assert annotation(DB.name) not in str(elsewhere)


def test_what_is_not_there_needs_no_restart(world: VaultWorld, kv: Mount) -> None:
    world.apply(referring({"password": kv.ref("db", "password")}, rolloutRestart=[WEB]))
    world.done()
    kv.write("db", {"password": "changed"})
    world.later(HOUR)
    assert world.done().restarted == ()


def test_a_long_name_has_an_annotation_of_its_own() -> None:
    names = [annotation("a" * 253), annotation("a" * 252), annotation(f"{'a' * 49}.{'b' * 100}")]
    assert len(set(names)) == 3
    assert all(len(name.partition("/")[2]) <= 63 for name in names)
