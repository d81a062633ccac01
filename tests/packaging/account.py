"""The controller under its own ServiceAccount, as the manifests install it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tests.apiserver import ApiServer
from tests.cluster.world import READY_SECONDS, VENV, World
from tests.packaging.documents import MANIFESTS, Document, environ, parse

ACCOUNT = "sealkit-controller"
_ON_LOOPBACK = {
    "SEALKIT_BIND_ADDRESS": "127.0.0.1",
    "SEALKIT_PUBLIC_PORT": "0",
    "SEALKIT_PROBE_PORT": "0",
    "SEALKIT_CLUSTER_NAME": "test",
}


@dataclass(frozen=True)
class Install:
    """One file of plain YAML: the namespace it puts the controller in, and one to work in."""

    file: str
    system: str
    work: str

    @cached_property
    def text(self) -> str:
        """The file, with its namespace replaced by `system`."""
        return (MANIFESTS / self.file).read_text().replace("sealkit-system", self.system)

    @cached_property
    def documents(self) -> list[Document]:
        """What it installs."""
        return parse(self.text)

    @property
    def user(self) -> str:
        """The controller, as the API server calls it."""
        return f"system:serviceaccount:{self.system}:{ACCOUNT}"


CLUSTER = Install("install.yaml", "sealkit-system", "shop")
NAMESPACED = Install("namespaced.yaml", "sealkit-team-a", "team-a")


def install(world: World, what: Install) -> None:
    """Apply the file with stock kubectl, after the namespace to work in."""
    for namespace in (what.work, what.system):
        world.kubectl("create", "namespace", namespace)
    world.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=what.text)


def account(world: World, namespace: str, name: str = ACCOUNT) -> ApiServer:
    """Return the API server as a ServiceAccount sees it, by a fresh token."""
    token = world.kubectl("create", "token", name, "-n", namespace).strip()
    return replace(world.server, token=token)


def environment(what: Install) -> dict[str, str]:
    """Return what the container is given, but for the network; a pod's own namespace is mounted."""
    return {"SEALKIT_NAMESPACE": what.system, **environ(what.documents), **_ON_LOOPBACK}


@contextmanager
def controller(
    server: ApiServer, folder: Path, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the installed controller until the block ends; it must stop cleanly."""
    kubeconfig = server.write_kubeconfig(folder / "account.kubeconfig")
    log = folder / "controller.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [VENV / "sealkit-controller", "--kubeconfig", str(kubeconfig)],
            env={"PATH": os.environ["PATH"], **variables},
            stdout=stream,
            stderr=stream,
        )
        try:
            yield process
        finally:
            process.terminate()
            code = process.wait(timeout=READY_SECONDS)
    assert code == 0, f"the controller ended with {code}\n{log.read_text()[-4000:]}"


@contextmanager
def installed(world: World, what: Install, **variables: str) -> Iterator[World]:
    """Install, run the controller with the pod's environment and `variables`, trust its key."""
    install(world, what)
    given = environment(what) | variables
    with controller(account(world, what.system), world.folder, given):
        world.wait("configmap/sealkit-public-keys", "create", what.system)
        world.sealkit("init")
        kubeconfig = world.server.write_kubeconfig(world.folder / "admin.kubeconfig")
        place = ("--kubeconfig", str(kubeconfig), "--controller-namespace", what.system)
        world.sealkit("clusters", "add", "test", *place)
        yield world
