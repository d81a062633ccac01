"""A real control plane whose parts are killed under load, and the controller on it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sealkit_controller.cluster import ApiError
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import SECRETS, JsonObject, strings
from tests.cluster.binaries import Binaries
from tests.cluster.controlplane import ControlPlane
from tests.cluster.controlplane import control_plane as run_control_plane
from tests.conftest import CRDS
from tests.controller.server import access, create_namespace
from tests.controller.test_integration import FAST, World
from tests.controller.world import sealed

COUNT = 90


@pytest.fixture
def plane(control_plane_binaries: Binaries, tmp_path: Path) -> Iterator[ControlPlane]:
    with run_control_plane(tmp_path, control_plane_binaries, sorted(CRDS.glob("*.yaml"))) as made:
        yield made


def apply(plane: ControlPlane, world: World, manifest: JsonObject) -> None:
    """Apply a manifest, as often as it takes."""
    for _ in range(100):
        try:
            world.apply(manifest)
        except ApiError:
            plane.kube_apiserver.await_ready(60)
        else:
            return
    pytest.fail("the API server does not come back")


@pytest.mark.cluster
def test_killed_servers_lose_nothing(plane: ControlPlane) -> None:
    server = plane.api_server
    with closing(HttpCluster(access(server), FAST)) as cluster:
        world = World(server, cluster, "system", "shop")
        for name in (world.system, world.namespace):
            create_namespace(cluster, name)
        with world.controller():
            key = world.key()
            for number in range(COUNT):
                if number == COUNT // 3:
                    plane.kube_apiserver.kill()
                    plane.kube_apiserver.start()
                if number == COUNT * 2 // 3:
                    plane.etcd.kill()
                    plane.etcd.start()
                values = {"a": str(number).encode(), "b": b"same"}
                apply(plane, world, sealed(values, world.place(f"db-{number}"), to=key))
            for number in range(COUNT):
                world.wait_synced(f"db-{number}")
        assert world.key().kid == key.kid
        for number in range(COUNT):
            found = world.find(SECRETS, world.place(f"db-{number}")) or {}
            assert len(strings(found, "data")) == 2
