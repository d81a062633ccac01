"""The installed controller as a process: what it opens is nowhere but in the Secret.

tests/controller/test_faults.py looks at events, status and metrics in the same way.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.cluster.kubectl import Kubectl
from tests.cluster.world import World, running_controller

SYSTEM, SHOP = "sealkit-system", "shop"
CANARY = "canary-91c7e2"


@pytest.fixture
def world(tmp_path: Path, kubectl: Kubectl) -> Iterator[World]:
    with Sandbox() as sandbox:
        sandbox.install_crds()
        (tmp_path / "ca.pem").write_bytes(sandbox.ca_pem)
        yield World(
            ApiServer(sandbox.url, sandbox.admin_token, tmp_path / "ca.pem"), kubectl, tmp_path
        )


def forms(secret: bytes) -> tuple[bytes, ...]:
    return secret, base64.b64encode(secret), secret.hex().encode()


def test_nothing_secret_is_in_its_logs_arguments_environment_or_files(world: World) -> None:
    for namespace in (SYSTEM, SHOP):
        world.kubectl("create", "namespace", namespace)
    scratch = world.folder / "scratch"
    scratch.mkdir()
    settings = {"TMPDIR": str(scratch), "HOME": str(scratch), "SEALKIT_LOG_LEVEL": "debug"}
    with running_controller(world.server, world.folder, "c", **settings) as process:
        world.wait("configmap/sealkit-public-keys", "create", SYSTEM)
        world.sealkit("init")
        world.sealkit("clusters", "add", "test", "--kubeconfig", str(world.folder / "c.kubeconfig"))
        make = ("generic", "db", "-n", SHOP, f"--from-literal=A={CANARY}", "--dry-run=client")
        path = world.seal(world.kubectl("create", "secret", *make, "-o=yaml"), "db.yaml")
        world.apply(path)
        world.wait("sealedsecret/db", "condition=Ready", SHOP)
        moved = path.read_text().replace("name: db", "name: moved")
        world.kubectl("apply", "-f", "-", stdin=moved)
        world.wait("sealedsecret/moved", "condition=Stalled", SHOP)
        seed = world.data("sealkit-key-1", SYSTEM)["seed"]
        proc = Path(f"/proc/{process.pid}")
        said = [(proc / name).read_bytes() for name in ("cmdline", "environ")]
    said += [file.read_bytes() for file in scratch.rglob("*") if file.is_file()]
    log = (world.folder / "c.log").read_bytes()
    assert b'"Secret created"' in log
    assert world.data("db", SHOP) == {"A": CANARY.encode()}
    for secret in (CANARY.encode(), seed):
        assert not [text for text in (*said, log) for form in forms(secret) if form in text]
