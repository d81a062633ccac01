"""A repository, a real control plane and a running controller, used as a person would."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.apiserver import ApiServer
from tests.cluster.kubectl import Kubectl

VENV = Path(sys.executable).parent
READY_SECONDS = 30


@dataclass(frozen=True)
class World:
    """Stock kubectl, the installed `sealkit`, and a folder to work in."""

    server: ApiServer
    run_kubectl: Kubectl
    folder: Path

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """Run kubectl and return what it printed on both streams."""
        done = self.run_kubectl(self.server, *arguments, stdin=stdin, check=check)
        return done.stdout + done.stderr

    def sealkit(self, *arguments: str, stdin: bytes = b"", code: int = 0) -> bytes:
        """Run sealkit, which has to end with `code`, and return its standard output."""
        done = subprocess.run(
            [VENV / "sealkit", *arguments],
            input=stdin,
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
        return done.stdout

    def seal(self, secret: str, file: str) -> Path:
        """Seal a Secret to a file of the repository and return its path."""
        path = self.folder / file
        path.write_bytes(self.sealkit("seal", stdin=secret.encode()))
        return path

    def apply(self, path: Path) -> str:
        """Apply a file with stock kubectl."""
        return self.kubectl("apply", "-f", str(path))

    def wait(self, what: str, condition: str, namespace: str) -> None:
        """Wait until kubectl says that a condition is met; fail after ten seconds."""
        self.kubectl("wait", what, f"--for={condition}", "-n", namespace, "--timeout=10s")

    def get(self, what: str, namespace: str) -> Any:
        """Return an object as stock kubectl prints it."""
        return json.loads(self.kubectl("get", what, "-n", namespace, "-o", "json"))

    def data(self, name: str, namespace: str) -> dict[str, bytes]:
        """Return the decoded values of a Secret."""
        secret = self.get(f"secret/{name}", namespace)
        return {key: b64decode(value) for key, value in secret.get("data", {}).items()}


@contextmanager
def running_controller(
    server: ApiServer, folder: Path, name: str = "controller", **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the installed controller against a server until the block ends; it must stop cleanly.

    `settings` are further environment variables.
    """
    kubeconfig = server.write_kubeconfig(folder / f"{name}.kubeconfig")
    log = folder / f"{name}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [VENV / "sealkit-controller", "--kubeconfig", str(kubeconfig)],
            env={
                "PATH": os.environ["PATH"],
                "SEALKIT_CLUSTER_NAME": "test",
                "SEALKIT_PUBLIC_PORT": "0",
                "SEALKIT_PROBE_PORT": "0",
                "SEALKIT_BIND_ADDRESS": "127.0.0.1",
                "SEALKIT_POD_NAME": name,
                **settings,
            },
            stdout=stream,
            stderr=stream,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            code = process.wait(timeout=READY_SECONDS)
    assert code == 0, f"the controller ended with {code}\n{log.read_text()[-4000:]}"
