"""The peer: Bitnami's sealed-secrets-controller, where its binary is on PATH.

It finds its API server only as a pod does, by two variables and by files at a fixed place. So it
runs in a mount namespace of its own, in which that place holds the files of our server.
"""

import base64
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealkit_controller.cluster import Cluster
from sealkit_controller.objects import SECRETS, JsonObject, Resource
from tests.apiserver import ApiServer
from tests.bench.installed import answers_ok, free_port, with_environment
from tests.bench.manifests import VALUE_BYTES, VALUES
from tests.cluster.part import Part
from tests.controller.server import create_namespace

BINARY = "sealed-secrets-controller"
CRD = Path(__file__).with_name("bitnami-crd.yaml")
NAMESPACE = "bitnami-system"
SEALED = Resource("bitnami.com", "v1alpha1", "sealedsecrets", "SealedSecret")
RATE_FLAG = "--kubeclient-qps"
KEY_BITS = 4096  # their default
_NONCE = bytes(12)  # theirs, which is safe for a session key that is used once
_AS_IN_A_POD = """
set -e
mount -t tmpfs none "$(readlink -f /var/run)"
folder=/var/run/secrets/kubernetes.io/serviceaccount
mkdir -p $folder
printf %s "$TOKEN" > $folder/token
printf %s "$AUTHORITY" > $folder/ca.crt
exec "$@"
"""


@dataclass(frozen=True)
class Absent:
    """Why the peer is not measured, in a few words."""

    reason: str


@dataclass(frozen=True)
class Peer:
    """The binary, its sealing key, and the flags to run it with, by what that is called."""

    binary: Path
    key: rsa.RSAPrivateKey
    ways: Mapping[str, Sequence[str]]

    def manifest(self, name: str, namespace: str) -> JsonObject:
        """Return a manifest of five values for its controller, of strict scope."""
        label = f"{namespace}/{name}".encode()
        key = self.key.public_key()
        values = {
            f"value-{n}": base64.b64encode(seal_value(key, os.urandom(VALUE_BYTES), label)).decode()
            for n in range(VALUES)
        }
        return {
            "apiVersion": SEALED.api_version,
            "kind": SEALED.kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "encryptedData": values,
                "template": {"metadata": {"name": name, "namespace": namespace}, "type": "Opaque"},
            },
        }

    def install_key(self, cluster: Cluster) -> None:
        """Create its namespace and key, so that it has not to make one first."""
        create_namespace(cluster, NAMESPACE)
        public = certificate(self.key).public_bytes(serialization.Encoding.PEM)
        private_key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        files = {"tls.crt": public, "tls.key": private_key}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "sealed-secrets-key-1",
                "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
            },
            "type": "kubernetes.io/tls",
            "data": {name: base64.b64encode(raw).decode() for name, raw in files.items()},
        }
        cluster.create(SECRETS, NAMESPACE, body)

    def part(self, server: ApiServer, flags: Sequence[str], log: Path) -> Part:
        """Describe its process on an API server, as an administrator."""
        port = free_port()
        environment = {
            "KUBERNETES_SERVICE_HOST": server.host,
            "KUBERNETES_SERVICE_PORT": str(server.port),
            "POD_NAMESPACE": NAMESPACE,
            "TOKEN": server.token,
            "AUTHORITY": server.ca_file.read_text(),
        }
        addresses = (
            f"--listen-addr=127.0.0.1:{port}",
            f"--listen-metrics-addr=127.0.0.1:{free_port()}",
        )
        shell = ("sh", "-c", _AS_IN_A_POD, "sh", str(self.binary), *addresses, *flags)
        command = with_environment(environment, ["unshare", "--mount", "--map-root-user", *shell])
        return Part(command, log, lambda: answers_ok(port, "/healthz"))


def seal_value(key: rsa.RSAPublicKey, value: bytes, label: bytes) -> bytes:
    """Return a value as kubeseal seals it for the place that `label` says."""
    session_key = os.urandom(32)
    wrapped = key.encrypt(session_key, oaep(label))
    sealed = AESGCM(session_key).encrypt(_NONCE, value, None)
    return len(wrapped).to_bytes(2, "big") + wrapped + sealed


def open_value(key: rsa.RSAPrivateKey, sealed: bytes, label: bytes) -> bytes:
    """Return the value inside, as their controller opens it."""
    end = 2 + int.from_bytes(sealed[:2], "big")
    session_key = key.decrypt(sealed[2:end], oaep(label))
    return AESGCM(session_key).decrypt(_NONCE, sealed[end:], None)


def oaep(label: bytes) -> padding.OAEP:
    """Return the padding of their format, bound to a place."""
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)


def find_peer() -> Peer | Absent:
    """Look for the binary and for what it takes to run it."""
    binary = shutil.which(BINARY)
    if binary is None:
        return Absent(f"not run (needs {BINARY} on PATH)")
    if not _can_mount():
        return Absent("not run (needs a mount namespace of its own, by unshare)")
    ways = {"Bitnami, defaults": ()} | _unlimited(binary)
    return Peer(Path(binary), rsa.generate_private_key(65537, KEY_BITS), ways)


def _can_mount() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    command = [unshare, "--mount", "--map-root-user", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unlimited(binary: str) -> dict[str, Sequence[str]]:
    """Return the flags that lift its limit of requests, if it has them."""
    shown = subprocess.run([binary, "--help"], capture_output=True, text=True, check=False)
    if RATE_FLAG not in shown.stdout + shown.stderr:
        return {}
    return {"Bitnami, no rate limit": (f"{RATE_FLAG}=-1",)}


def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """Return a certificate for a sealing key, as their controller makes one."""
    nobody = x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(nobody).issuer_name(nobody)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=3650))
    builder = builder.serial_number(x509.random_serial_number()).public_key(key.public_key())
    return builder.sign(key, hashes.SHA256())
