"""Two replicas as an operator runs them: one writes, the other takes over when it stops."""

from pathlib import Path

from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.cluster.kubectl import Kubectl
from tests.cluster.world import World, running_controller

SYSTEM, SHOP = "sealkit-system", "shop"


def holder(world: World) -> str:
    lease = world.get("lease/sealkit-controller", SYSTEM)
    identity: str = lease["spec"]["holderIdentity"]
    return identity.partition("_")[0]


def prepare(world: World) -> Path:
    """Pin the key that the leader made, and seal a Secret for it."""
    world.wait("configmap/sealkit-public-keys", "create", SYSTEM)
    world.sealkit("init")
    world.sealkit("clusters", "add", "test", "--kubeconfig", str(world.folder / "a.kubeconfig"))
    arguments = ("generic", "db", "-n", SHOP, "--from-literal=A=1", "--dry-run=client", "-o=yaml")
    return world.seal(world.kubectl("create", "secret", *arguments), "db.sealed.yaml")


def test_the_standby_takes_over_at_once_when_the_leader_stops(
    tmp_path: Path, kubectl: Kubectl
) -> None:
    with Sandbox() as sandbox:
        sandbox.install_crds()
        (tmp_path / "ca.pem").write_bytes(sandbox.ca_pem)
        server = ApiServer(sandbox.url, sandbox.admin_token, tmp_path / "ca.pem")
        world = World(server, kubectl, tmp_path)
        for namespace in (SYSTEM, SHOP):
            world.kubectl("create", "namespace", namespace)
        on = {"SEALKIT_LEADER_ELECTION": "true"}
        with (
            running_controller(server, tmp_path, "a", **on) as a,
            running_controller(server, tmp_path, "b", **on) as b,
        ):
            world.apply(prepare(world))
            world.wait("sealedsecret/db", "condition=Ready", SHOP)
            leader, follower = (a, "b") if holder(world) == "a" else (b, "a")
            leader.terminate()
            assert leader.wait(timeout=20) == 0
            world.kubectl("delete", "secret", "db", "-n", SHOP)
            world.wait("secret/db", "create", SHOP)
            assert holder(world) == follower
        assert len(world.kubectl("get", "secrets", "-n", SYSTEM, "-o=name").split()) == 1
