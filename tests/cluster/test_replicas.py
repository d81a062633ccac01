"""Several controllers as an operator runs them: replicas of one shard, and shards.

Of replicas one writes, and another takes over when it stops. Shards share the namespaces.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealkit_controller.leader import lease_name, shard_of
from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.cluster.kubectl import Kubectl
from tests.cluster.world import World, running_controller

SYSTEM, SHOP, BLOG = "sealkit-system", "shop", "blog"
ON = {"SEALKIT_LEADER_ELECTION": "true"}


@pytest.fixture
def world(tmp_path: Path, kubectl: Kubectl) -> Iterator[World]:
    with Sandbox() as sandbox:
        sandbox.install_crds()
        (tmp_path / "ca.pem").write_bytes(sandbox.ca_pem)
        server = ApiServer(sandbox.url, sandbox.admin_token, tmp_path / "ca.pem")
        made = World(server, kubectl, tmp_path)
        for namespace in (SYSTEM, SHOP, BLOG):
            made.kubectl("create", "namespace", namespace)
        yield made


def holder(world: World, name: str = "sealkit-controller") -> str:
    lease = world.get(f"lease/{name}", SYSTEM)
    identity: str = lease["spec"]["holderIdentity"]
    return identity.partition("_")[0]


def prepare(world: World, *namespaces: str) -> list[Path]:
    """Pin the key that the leader made, and seal a Secret for each namespace."""
    world.wait("configmap/sealkit-public-keys", "create", SYSTEM)
    world.sealkit("init")
    world.sealkit("clusters", "add", "test", "--kubeconfig", str(world.folder / "a.kubeconfig"))
    make = (
        "create",
        "secret",
        "generic",
        "db",
        "--from-literal=A=1",
        "--dry-run=client",
        "-o=yaml",
    )
    return [world.seal(world.kubectl(*make, "-n", name), f"{name}.yaml") for name in namespaces]


def test_the_standby_takes_over_at_once_when_the_leader_stops(world: World) -> None:
    with (
        running_controller(world.server, world.folder, "a", **ON) as a,
        running_controller(world.server, world.folder, "b", **ON) as b,
    ):
        (path,) = prepare(world, SHOP)
        world.apply(path)
        world.wait("sealedsecret/db", "condition=Ready", SHOP)
        leader, follower = (a, "b") if holder(world) == "a" else (b, "a")
        leader.terminate()
        assert leader.wait(timeout=20) == 0
        world.kubectl("delete", "secret", "db", "-n", SHOP)
        world.wait("secret/db", "create", SHOP)
        assert holder(world) == follower
    assert len(world.kubectl("get", "secrets", "-n", SYSTEM, "-o=name").split()) == 1


def test_shards_share_the_namespaces(world: World) -> None:
    """Each has a Lease of its own; a namespace whose shard is down waits for it."""
    on = [{**ON, "SEALKIT_SHARDS": "2", "SEALKIT_SHARD": str(number)} for number in range(2)]
    keys, first, second = (shard_of(name, 2) for name in (SYSTEM, SHOP, BLOG))
    assert {first, second} == {0, 1}
    places = {first: SHOP, second: BLOG}
    with running_controller(world.server, world.folder, "a", **on[keys]):
        for path in prepare(world, SHOP, BLOG):
            world.apply(path)
        world.wait("sealedsecret/db", "condition=Ready", places[keys])
        assert world.get("sealedsecret/db", places[1 - keys])["status"] == {
            "observedGeneration": -1
        }
        with running_controller(world.server, world.folder, "b", **on[1 - keys]):
            world.wait("sealedsecret/db", "condition=Ready", places[1 - keys])
            holders = [holder(world, lease_name(number, 2)) for number in (keys, 1 - keys)]
            assert holders == ["a", "b"]
    assert len(world.kubectl("get", "secrets", "-n", SYSTEM, "-o=name").split()) == 1
