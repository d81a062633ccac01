"""The installed `sealkit-controller` in a process of its own: started, asked and stopped."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.apiserver import ApiServer
from tests.bench.usage import Usage, usage_of
from tests.cluster.part import Part
from tests.cluster.world import VENV

_READERS = {"GET", "WATCH"}


class Installed:
    """A controller on an API server, as its administrator; the same after each start."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        """Write its kubeconfig into `folder`, where its log will be."""
        self._port = free_port()
        kubeconfig = server.write_kubeconfig(folder / "controller.kubeconfig")
        program = str(VENV / "sealkit-controller")
        settings = {
            # Modules are compiled beforehand, as in the image, whatever this environment says.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
            "SEALKIT_BIND_ADDRESS": "127.0.0.1",
            "SEALKIT_CLUSTER_NAME": "bench",
            "SEALKIT_PROBE_PORT": str(self._port),
            "SEALKIT_PUBLIC_PORT": "0",
        }
        compiling = with_environment(settings, [program, "--version"])
        subprocess.run(compiling, stdout=subprocess.DEVNULL, check=True)
        self.part = Part(
            with_environment(settings, [program, "--kubeconfig", str(kubeconfig)]),
            folder / "controller.log",
            lambda: answers_ok(self._port, "/readyz"),
        )

    @contextmanager
    def running(self) -> Iterator[float]:
        """Run it until the end of the block; the value is the seconds until it was ready.

        That is looked at every 50 ms, by the answer of `/readyz`.
        """
        started = time.monotonic()
        self.part.start()
        try:
            yield time.monotonic() - started
        finally:
            self.part.stop()

    def usage(self) -> Usage:
        """Return what it takes of the machine."""
        pid = self.part.pid
        assert pid is not None, f"it ended\n{self.part.tail()}"
        return usage_of(pid)

    def synced(self) -> int:
        """Return how many manifests it knows to be ready."""
        return int(self._total("sealkit_sealedsecrets", ready="True"))

    def writes(self) -> int:
        """Return how many requests it has sent that change something."""
        methods = self._by_label("rest_client_requests_total", "method")
        return int(sum(count for method, count in methods.items() if method not in _READERS))

    def _total(self, name: str, **labels: str) -> float:
        samples = self._samples(name)
        return sum(value for found, value in samples if labels.items() <= found.items())

    def _by_label(self, name: str, label: str) -> dict[str, float]:
        totals: dict[str, float] = {}
        for labels, value in self._samples(name):
            totals[labels[label]] = totals.get(labels[label], 0) + value
        return totals

    def _samples(self, name: str) -> list[tuple[dict[str, str], float]]:
        families = text_string_to_metric_families(get(self._port, "/metrics")[1])
        samples = (sample for family in families for sample in family.samples)
        return [(sample.labels, sample.value) for sample in samples if sample.name == name]


def free_port() -> int:
    """Return a port of the loopback interface that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def with_environment(variables: dict[str, str], command: list[str]) -> list[str]:
    """Return a command that runs `command` with further environment variables."""
    env = shutil.which("env")
    assert env is not None, "there is no env on PATH"
    return [env, *(f"{name}={value}" for name, value in variables.items()), *command]


def get(port: int, path: str) -> tuple[int, str]:
    """Return status and text of an answer over plain HTTP."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def answers_ok(port: int, path: str) -> bool:
    """Tell whether a path answers with 200."""
    return get(port, path)[0] == 200
