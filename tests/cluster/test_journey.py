"""The main job with stock kubectl: seal, apply, change, repair, refuse; real and embedded."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.cluster.binaries import Binaries
from tests.cluster.controlplane import control_plane as run_control_plane
from tests.cluster.kubectl import Kubectl
from tests.cluster.world import World, running_controller

CRDS = sorted((Path(__file__).parents[2] / "controller" / "crds").glob("*.yaml"))
SHOP, STAGE = "shop", "stage"


@contextmanager
def sandbox_server(folder: Path) -> Iterator[ApiServer]:
    """The embedded API server, to be held to the same journey."""
    with Sandbox() as sandbox:
        sandbox.install_crds()
        authority = folder / "ca.pem"
        authority.write_bytes(sandbox.ca_pem)
        yield ApiServer(sandbox.url, sandbox.admin_token, authority)


@contextmanager
def real_server(request: pytest.FixtureRequest, folder: Path) -> Iterator[ApiServer]:
    """A control plane of its own: the controller watches all of it."""
    request.getfixturevalue("controller_manager")
    binaries: Binaries = request.getfixturevalue("control_plane_binaries")
    with run_control_plane(folder, binaries, CRDS) as plane:
        yield plane.api_server


@pytest.fixture(scope="module", params=["sandbox", pytest.param("real", marks=pytest.mark.cluster)])
def world(
    request: pytest.FixtureRequest, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """An API server, a controller on it, and a repository that trusts its key."""
    folder = tmp_path_factory.mktemp("journey")
    (folder / "plane").mkdir()
    server = (
        sandbox_server(folder)
        if request.param == "sandbox"
        else real_server(request, folder / "plane")
    )
    with server as api_server:
        world = World(api_server, kubectl, folder)
        for namespace in ("sealkit-system", SHOP, STAGE):
            world.kubectl("create", "namespace", namespace)
        with running_controller(api_server, folder):
            world.wait("configmap/sealkit-public-keys", "create", "sealkit-system")
            world.sealkit("init")
            kubeconfig = str(folder / "controller.kubeconfig")
            world.sealkit("clusters", "add", "test", "--kubeconfig", kubeconfig)
            yield world


def make(world: World, *arguments: str) -> str:
    """Return a Secret as stock kubectl makes it."""
    return world.kubectl("create", "secret", *arguments, "-n", SHOP, "--dry-run=client", "-o=yaml")


def put(world: World, name: str, *arguments: str) -> Path:
    """Make a Secret with kubectl, seal, apply, and wait until it is there."""
    path = world.seal(make(world, *arguments), f"{name}.sealed.yaml")
    world.apply(path)
    world.wait(f"sealedsecret/{name}", "condition=Ready", SHOP)
    return path


def certificate(folder: Path) -> tuple[Path, Path]:
    key, crt = folder / "tls.key", folder / "tls.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", str(key), "-out", str(crt), "-subj", "/CN=shop.example"]
    subprocess.run(command, check=True, capture_output=True)
    return crt, key


def test_an_opaque_secret_is_equal_byte_for_byte(world: World, tmp_path: Path) -> None:
    values = {
        "binary": bytes(range(256)),
        "empty": b"",
        "lines": b"a\nb\r\n",
        "text": "hé".encode(),
    }
    for key, value in values.items():
        (tmp_path / key).write_bytes(value)
    files = [f"--from-file={key}={tmp_path / key}" for key in values]
    put(world, "opaque", "generic", "opaque", *files)
    assert world.data("opaque", SHOP) == values
    assert world.get("secret/opaque", SHOP)["type"] == "Opaque"


def test_a_tls_secret_is_equal(world: World, tmp_path: Path) -> None:
    crt, key = certificate(tmp_path)
    put(world, "web", "tls", "web", f"--cert={crt}", f"--key={key}")
    assert world.data("web", SHOP) == {"tls.crt": crt.read_bytes(), "tls.key": key.read_bytes()}
    assert world.get("secret/web", SHOP)["type"] == "kubernetes.io/tls"


def test_a_docker_secret_is_equal(world: World) -> None:
    login = ["--docker-server=registry.example", "--docker-username=u", "--docker-password=p"]
    put(world, "pull", "docker-registry", "pull", *login)
    config = json.loads(world.data("pull", SHOP)[".dockerconfigjson"])
    assert config["auths"]["registry.example"]["password"] == "p"
    assert world.get("secret/pull", SHOP)["type"] == "kubernetes.io/dockerconfigjson"


def test_a_basic_auth_secret_is_equal(world: World) -> None:
    literals = ["--from-literal=username=app", "--from-literal=password=s3cret"]
    put(world, "login", "generic", "login", "--type=kubernetes.io/basic-auth", *literals)
    assert world.data("login", SHOP) == {"username": b"app", "password": b"s3cret"}
    assert world.get("secret/login", SHOP)["type"] == "kubernetes.io/basic-auth"


def test_the_status_says_so_and_the_secret_belongs_to_the_manifest(world: World) -> None:
    put(world, "owned", "generic", "owned", "--from-literal=A=1")
    manifest, secret = world.get("sealedsecret/owned", SHOP), world.get("secret/owned", SHOP)
    conditions = {entry["type"]: entry["status"] for entry in manifest["status"]["conditions"]}
    assert conditions == {"Synced": "True", "Ready": "True"}
    assert manifest["status"]["observedGeneration"] == manifest["metadata"]["generation"]
    assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == [
        manifest["metadata"]["uid"]
    ]
    assert "owned" in world.kubectl("get", "sealedsecrets", "-n", SHOP)


def test_one_value_is_changed_with_set(world: World) -> None:
    path = put(world, "db", "generic", "db", "--from-literal=A=old", "--from-literal=B=same")
    before = path.read_text().splitlines()
    world.sealkit("set", str(path), "A", stdin=b"new")
    world.apply(path)
    world.wait("secret/db", "jsonpath={.data.A}=bmV3", SHOP)
    assert world.data("db", SHOP) == {"A": b"new", "B": b"same"}
    after = path.read_text().splitlines()
    assert [line.split(":")[0].strip() for line in before if line not in after] == ["A"]


def test_a_deleted_secret_comes_back(world: World) -> None:
    put(world, "lost", "generic", "lost", "--from-literal=A=1")
    world.kubectl("delete", "secret", "lost", "-n", SHOP)
    world.wait("secret/lost", "create", SHOP)
    assert world.data("lost", SHOP) == {"A": b"1"}


def test_an_edited_secret_is_repaired(world: World) -> None:
    put(world, "edited", "generic", "edited", "--from-literal=A=1")
    patch = '{"stringData": {"A": "by hand", "B": "foreign"}}'
    world.kubectl("patch", "secret", "edited", "-n", SHOP, "-p", patch)
    world.wait("secret/edited", "jsonpath={.data.A}=MQ==", SHOP)
    assert world.data("edited", SHOP) == {"A": b"1"}


def test_a_renamed_manifest_is_refused_with_a_clear_condition(world: World) -> None:
    path = put(world, "first", "generic", "first", "--from-literal=A=1")
    moved = path.with_name("moved.sealed.yaml")
    moved.write_text(path.read_text().replace("name: first", "name: second"))
    world.apply(moved)
    world.wait("sealedsecret/second", "condition=Stalled", SHOP)
    status = world.get("sealedsecret/second", SHOP)["status"]
    ready = next(entry for entry in status["conditions"] if entry["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "DecryptionFailed")
    assert "NotFound" in world.kubectl("get", "secret", "second", "-n", SHOP, check=False)


def test_a_manifest_moved_to_another_namespace_is_refused(world: World) -> None:
    path = put(world, "bound", "generic", "bound", "--from-literal=A=1")
    moved = path.with_name("bound-moved.sealed.yaml")
    moved.write_text(path.read_text().replace("namespace: shop", "namespace: stage"))
    world.apply(moved)
    world.wait("sealedsecret/bound", "condition=Stalled", STAGE)
    assert "NotFound" in world.kubectl("get", "secret", "bound", "-n", STAGE, check=False)


def test_a_deleted_manifest_takes_its_secret_along(world: World) -> None:
    put(world, "gone", "generic", "gone", "--from-literal=A=1")
    world.kubectl("delete", "sealedsecret", "gone", "-n", SHOP)
    world.wait("secret/gone", "delete", SHOP)
    assert "NotFound" in world.kubectl("get", "secret", "gone", "-n", SHOP, check=False)


def rules(world: World, path: Path) -> list[str]:
    """What `verify --cluster` finds about a file."""
    online = ("--cluster", "--kubeconfig", "controller.kubeconfig", "--format", "json")
    report = json.loads(world.sealkit("verify", str(path), *online))
    return [finding["rule"] for finding in report["findings"]]


def test_the_desk_sees_what_the_cluster_has(world: World) -> None:
    path = put(world, "seen", "generic", "seen", "--from-literal=A=one", "--from-literal=B=two")
    online = ("--kubeconfig", "controller.kubeconfig")
    assert world.sealkit("view", str(path), "A", *online) == b"one"
    assert rules(world, path) == []
    world.sealkit("set", str(path), "A", stdin=b"new")
    assert rules(world, path) == ["SK314"]
    assert world.sealkit("view", str(path), "A", *online) == b"one"  # what the cluster has
    world.kubectl("delete", "sealedsecret", "seen", "-n", SHOP)
    world.wait("secret/seen", "delete", SHOP)
    assert rules(world, path) == ["SK313"]
    world.sealkit("view", str(path), "A", *online, code=1)
    world.kubectl("create", "secret", "generic", "seen", "-n", SHOP, "--from-literal=A=theirs")
    assert world.sealkit("view", str(path), "A", *online, code=6) == b""
