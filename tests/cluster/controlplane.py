"""A real Kubernetes control plane on the loopback interface, for as long as a `with` lasts."""

import random
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.apiserver import ApiServer
from tests.cluster.binaries import Binaries
from tests.cluster.part import POLL_SECONDS, Part

# Below Linux's ephemeral ports, so that no client's own port keeps a server from coming back.
PORTS = range(20_000, 32_000)
# Sockets in the directory, since the parts run in it; etcd wants something like a port in them.
ETCD_URL = "unix://etcd.sock:0"
ETCD_DATA = "etcd"
ETCD_PEER_URL = "unix://etcd-peer.sock:0"
CONTROLLERS = "garbage-collector-controller,namespace-controller,serviceaccount-controller"
CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane; each part can be stopped, killed and started again."""

    api_server: ApiServer
    etcd: Part
    kube_apiserver: Part
    controller_manager: Part | None

    def parts(self) -> tuple[Part, ...]:
        """Return the parts, first the one that needs the others."""
        manager = (self.controller_manager,) if self.controller_manager else ()
        return (*manager, self.kube_apiserver, self.etcd)


@contextmanager
def control_plane(
    directory: Path, binaries: Binaries, crds: Sequence[Path] = ()
) -> Iterator[ControlPlane]:
    """Run a control plane whose data, certificates and logs are in `directory`.

    `crds` are installed before the garbage collector starts, which notices kinds that come
    later only at its next round, up to 30 s late. The token belongs to `system:masters`.

    Raises:
        PartError: a part did not come up; the message ends with its log's tail.
    """
    plane = _describe(directory.resolve(), binaries)
    try:
        plane.etcd.start()
        plane.kube_apiserver.start()
        for crd in crds:
            install_crd(plane.api_server, crd)
        if plane.controller_manager:
            plane.controller_manager.start()
        yield plane
    finally:
        for part in plane.parts():
            part.kill()  # nothing but logs is kept, so nothing needs a clean end
        shutil.rmtree(directory / ETCD_DATA, ignore_errors=True)  # 64 MB even when empty


def install_crd(server: ApiServer, file: Path, deadline_seconds: float = 20) -> None:
    """Apply the one CustomResourceDefinition in `file` and return once it is served.

    Raises:
        TimeoutError: it was not served in time.
    """
    text = file.read_text()
    name = yaml.safe_load(text)["metadata"]["name"]
    applied = server.ask("PATCH", f"{CRD_PATH}/{name}?fieldManager=tests&force=true", text)
    assert applied.status in {200, 201}, applied.body
    give_up = time.monotonic() + deadline_seconds
    while not _established(server, name):
        if time.monotonic() > give_up:
            raise TimeoutError(f"{name} is not served after {deadline_seconds} s")
        time.sleep(POLL_SECONDS)


def _established(server: ApiServer, name: str) -> bool:
    status = server.ask("GET", f"{CRD_PATH}/{name}").body["status"]
    conditions = status["conditions"] or ()  # null at first
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def _describe(directory: Path, binaries: Binaries) -> ControlPlane:
    server = ApiServer(
        url=f"https://127.0.0.1:{_free_port()}",
        token=secrets.token_hex(16),
        ca_file=directory / "certificates" / "apiserver.crt",  # the API server makes it
    )
    manager = binaries.controller_manager
    return ControlPlane(
        api_server=server,
        etcd=_etcd(binaries.etcd, directory),
        kube_apiserver=_kube_apiserver(binaries.apiserver, directory, server),
        controller_manager=_controller_manager(manager, directory, server) if manager else None,
    )


def _etcd(binary: Path, directory: Path) -> Part:
    command = (
        str(binary),
        f"--data-dir={ETCD_DATA}",
        "--unsafe-no-fsync",  # the data does not outlive the test
        f"--listen-client-urls={ETCD_URL}",
        f"--advertise-client-urls={ETCD_URL}",
        f"--listen-peer-urls={ETCD_PEER_URL}",
        f"--initial-advertise-peer-urls={ETCD_PEER_URL}",
        f"--initial-cluster=default={ETCD_PEER_URL}",
        "--log-level=warn",
    )
    return Part(command, directory / "etcd.log", lambda: _etcd_ready(directory))


def _kube_apiserver(binary: Path, directory: Path, server: ApiServer) -> Part:
    (directory / "tokens.csv").write_text(f'{server.token},admin,admin,"system:masters"\n')
    (directory / "service-accounts.pem").write_bytes(_private_key())
    command = (
        str(binary),
        f"--etcd-servers={ETCD_URL}",
        "--cert-dir=certificates",
        "--bind-address=127.0.0.1",
        f"--secure-port={server.port}",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",  # a loopback address is no valid endpoint
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        "--token-auth-file=tokens.csv",
        f"--service-account-issuer={server.url}",
        "--service-account-key-file=service-accounts.pem",
        "--service-account-signing-key-file=service-accounts.pem",
        "--shutdown-watch-termination-grace-period=1s",  # else a stop waits a minute for watches
        "--profiling=false",
    )
    return Part(command, directory / "kube-apiserver.log", lambda: _apiserver_ready(server))


def _controller_manager(binary: Path, directory: Path, server: ApiServer) -> Part:
    command = (
        str(binary),
        "--kubeconfig=kubeconfig",
        f"--controllers={CONTROLLERS}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={(port := _free_port())}",
        "--cert-dir=certificates",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--profiling=false",
    )
    server.write_kubeconfig(directory / "kubeconfig")
    health = replace(
        server,
        url=f"https://127.0.0.1:{port}",
        ca_file=directory / "certificates" / "kube-controller-manager.crt",
    )
    return Part(command, directory / "kube-controller-manager.log", lambda: _ok(health, "/healthz"))


def _etcd_ready(directory: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(directory / ETCD_URL.removeprefix("unix://")))
        client.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        return b" 200 " in client.recv(64)


def _apiserver_ready(server: ApiServer) -> bool:
    # The first namespace appears a little after the server calls itself ready.
    return _ok(server, "/readyz") and _ok(server, "/api/v1/namespaces/default")


def _ok(server: ApiServer, path: str) -> bool:
    return server.ca_file.exists() and server.ask("GET", path).status == 200


def _private_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    # The API server reads no public key out of a PKCS #8 file.
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _free_port() -> int:
    while True:
        port = random.choice(PORTS)  # noqa: S311 - not a secret
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
