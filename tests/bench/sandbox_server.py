"""The sandbox in a process of its own, which can be asked what it was asked for."""

import multiprocessing
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer

Requests = Mapping[tuple[str, str], int]
"""How many requests there were, by Kubernetes verb and resource."""


@dataclass(frozen=True)
class SandboxProcess:
    """A running sandbox; it ends with this process, however that ends."""

    server: ApiServer
    pid: int
    _pipe: Connection

    def requests(self) -> Requests:
        """Return the requests since the last call, of the last 10,000."""
        self._pipe.send("requests")
        found: Requests = self._pipe.recv()
        return found


@contextmanager
def sandbox_process(folder: Path) -> Iterator[SandboxProcess]:
    """Run a sandbox with our kinds until the end of the block."""
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(theirs,), name="sandbox", daemon=True)
    process.start()
    theirs.close()
    try:
        url, token, authority = ours.recv()
        ca_file = folder / "sandbox.pem"
        ca_file.write_bytes(authority)
        assert process.pid is not None
        yield SandboxProcess(ApiServer(url, token, ca_file), process.pid, ours)
    finally:
        ours.close()
        process.join(10)
        process.kill()
        process.join()
        process.close()


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends this one
    with Sandbox() as sandbox, suppress(EOFError):
        sandbox.install_crds()
        pipe.send((sandbox.url, sandbox.admin_token, sandbox.ca_pem))
        while pipe.recv():
            counts = Counter((entry.verb, entry.facts.resource) for entry in sandbox.requests)
            sandbox.requests.clear()
            pipe.send(counts)
