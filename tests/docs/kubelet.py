"""What runs the pods of a Deployment, where there is no node: each as a process of its own.

As much of a kubelet and of the Deployment controller as docs/controller.md needs: pods start when a
Deployment appears, are replaced when it changes, end when it goes, and its status says so. Each
gets the environment of its container and a token of its ServiceAccount.
"""

import os
import subprocess
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.apiserver import ApiServer
from tests.cluster.world import READY_SECONDS, VENV
from tests.packaging.documents import Document, environ

DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
MERGE = "application/merge-patch+json"
POLL_SECONDS = 0.1
UP = ('"Ready"', '"Standing by"')  # what a replica logs when its readiness probe would succeed
ON_LOOPBACK = {
    "SEALKIT_BIND_ADDRESS": "127.0.0.1",
    "SEALKIT_PUBLIC_PORT": "0",
    "SEALKIT_PROBE_PORT": "0",
}


@dataclass
class Pods:
    """The processes of one version of a Deployment."""

    generation: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    told: int = -1

    @property
    def ready(self) -> int:
        """How many are up."""
        return sum(any(word in log.read_text() for word in UP) for log in self.logs)

    def stop(self) -> None:
        """End them in order, all at once."""
        for process in self.processes:
            process.terminate()
        codes = [process.wait(READY_SECONDS) for process in self.processes]
        assert not any(codes), [log.read_text()[-2000:] for log in self.logs]


class Kubelet:
    """Runs the Deployments of one namespace; `run` is its thread, until `stop`."""

    def __init__(self, server: ApiServer, folder: Path, namespace: str) -> None:
        self._server = server
        self._folder = folder
        self._path = DEPLOYMENTS.format(namespace)
        self._namespace = namespace
        self._pods: dict[str, Pods] = {}
        self._stopping = threading.Event()
        self._count = 0

    def run(self) -> None:
        """Bring processes in step with Deployments, again and again."""
        while not self._stopping.wait(POLL_SECONDS):
            with suppress(OSError, HTTPException):
                self._step(self._server.ask("GET", self._path).body.get("items", []))
        for pods in self._pods.values():
            pods.stop()

    def stop(self) -> None:
        """End everything."""
        self._stopping.set()

    def _step(self, deployments: list[Document]) -> None:
        found = {one["metadata"]["name"]: one for one in deployments}
        for name in self._pods.keys() - found.keys():
            self._pods.pop(name).stop()
        for name, deployment in found.items():
            generation = deployment["metadata"]["generation"]
            pods = self._pods.get(name)
            if pods is None or pods.generation != generation:
                if pods is not None:
                    pods.stop()
                pods = self._pods[name] = self._start(deployment)
            if pods.ready != pods.told:
                self._tell(name, pods)

    def _start(self, deployment: Document) -> Pods:
        pods = Pods(deployment["metadata"]["generation"])
        for _ in range(deployment["spec"]["replicas"]):
            self._count += 1
            pod = f"{deployment['metadata']['name']}-{self._count}"
            kubeconfig = self._account(deployment).write_kubeconfig(self._folder / f"{pod}.config")
            log = self._folder / f"{pod}.log"
            with log.open("wb") as stream:
                process = subprocess.Popen(
                    [VENV / "sealkit-controller", "--kubeconfig", str(kubeconfig)],
                    env={
                        "PATH": os.environ["PATH"],
                        **environ([{**deployment, "kind": "Deployment"}], pod),
                        **ON_LOOPBACK,
                    },
                    stdout=stream,
                    stderr=stream,
                )
            pods.processes.append(process)
            pods.logs.append(log)
        return pods

    def _account(self, deployment: Document) -> ApiServer:
        """Return the server as the pod's ServiceAccount sees it, where it knows of such."""
        name = deployment["spec"]["template"]["spec"]["serviceAccountName"]
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{name}/token"
        body = '{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}'
        answer = self._server.ask("POST", path, body, "application/json")
        if answer.status != 201:  # the sandbox has one user only
            return self._server
        return replace(self._server, token=answer.body["status"]["token"])

    def _tell(self, name: str, pods: Pods) -> None:
        ready, count = pods.ready, len(pods.processes)
        numbers = {
            "replicas": count,
            "updatedReplicas": count,
            "observedGeneration": pods.generation,
        }
        numbers |= {"readyReplicas": ready, "availableReplicas": ready}
        body = f'{{"status": {str(numbers).replace(chr(39), chr(34))}}}'
        answer = self._server.ask("PATCH", f"{self._path}/{name}/status", body, MERGE)
        if answer.status == 200:
            pods.told = ready


@contextmanager
def kubelet(server: ApiServer, folder: Path, namespace: str) -> Iterator[None]:
    """Run the Deployments of a namespace until the end of the block."""
    made = Kubelet(server, folder, namespace)
    failed: list[Any] = []

    def run() -> None:
        try:
            made.run()
        except Exception as error:  # noqa: BLE001  (told below, by the test's own thread)
            failed.append(error)
            (folder / "kubelet.log").write_text(traceback.format_exc())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        made.stop()
        thread.join()
    assert not failed, failed
