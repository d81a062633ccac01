"""A real Vault that takes the word of a real API server for who somebody is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.world import World
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import OpenBao, running
from tests.packaging.account import account
from tests.packaging.documents import Document

REVIEWER = "vault-reviewer"
AUTHORITY = "vault-authority"  # the ConfigMap that stores name
_SEALED = "sealkit.dev/v1alpha1"


@dataclass(frozen=True)
class Vault:
    """A server with the mount `kv`, and kubernetes auth for one cluster."""

    server: OpenBao
    authority: Authority

    def put(self, path: str, value: str) -> None:
        """Write the key `password` of a secret of the mount `kv`."""
        self.server.admin.do("POST", f"kv/data/{path}", {"data": {"password": value}})

    def let_in(self, role: str, namespace: str, readable: str) -> None:
        """Let the ServiceAccount that a role is named after read some paths of `kv`."""
        admin = self.server.admin
        admin.policy(role, {f"kv/data/{readable}": "read"})
        bound = {
            "bound_service_account_names": [role],
            "bound_service_account_namespaces": [namespace],
            "audience": "vault",
            "token_policies": [role],
        }
        admin.do("POST", f"auth/kubernetes/role/{role}", bound)

    def store(self, kind: str, place: dict[str, str], role: str, **more: object) -> Document:
        """Return a store for a role, at the server's TLS port, with its CA in a ConfigMap."""
        login = {"role": role, "serviceAccountName": role}
        spec = {
            "address": self.server.tls_address,
            "tls": {"caConfigMapRef": {"name": AUTHORITY}},
            "auth": {"kubernetes": login},
            **more,
        }
        return {"apiVersion": _SEALED, "kind": kind, "metadata": place, "spec": spec}

    def prepare(self, world: World, namespace: str, role: str) -> None:
        """Make what a store needs in a namespace: the ServiceAccount and the ConfigMap."""
        world.kubectl("create", "serviceaccount", role, "-n", namespace)
        pem = f"--from-literal=ca.crt={self.authority.pem.decode()}"
        world.kubectl("create", "configmap", AUTHORITY, pem, "-n", namespace)


def referring(name: str, namespace: str, path: str, **spec: object) -> Document:
    """Return a manifest that holds nothing but a reference to the key `password` of a path."""
    return {
        "apiVersion": _SEALED,
        "kind": "SealedSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"scope": "strict", "references": {"A": f"vault:{path}#password"}, **spec},
    }


def workload(kind: str, name: str, namespace: str) -> Document:
    """Return a workload with the label `app`, whose pods nobody starts here."""
    labels = {"app": name}
    container = {"name": "main", "image": "registry.example/none"}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def apply(world: World, *documents: Document) -> None:
    """Apply objects with stock kubectl."""
    world.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))


def restarted_for(world: World, workload: str, namespace: str, secret: str) -> str:
    """Return what a pod template says of a Secret, "" if it was never restarted for it."""
    template = world.get(workload, namespace)["spec"]["template"]["metadata"]
    found: str = template.get("annotations", {}).get(f"restart.sealkit.dev/{secret}", "")
    return found


@contextmanager
def trusted(binary: Path, folder: Path, world: World) -> Iterator[Vault]:
    """Run a server that has the tokens of a cluster's ServiceAccounts reviewed by it."""
    authority = Authority("vault")
    with running(binary, folder, authority) as server:
        binding = ("--clusterrole=system:auth-delegator", f"--serviceaccount=default:{REVIEWER}")
        world.kubectl("create", "serviceaccount", REVIEWER, "-n", "default")
        world.kubectl("create", "clusterrolebinding", REVIEWER, *binding)
        config = {
            "kubernetes_host": world.server.url,
            "kubernetes_ca_cert": world.server.ca_file.read_text(),
            "token_reviewer_jwt": account(world, "default", REVIEWER).token,
            "disable_local_ca_jwt": True,
        }
        server.admin.mount("kv", "kv", version="2")
        server.admin.enable("kubernetes", "kubernetes")
        server.admin.do("POST", "auth/kubernetes/config", config)
        yield Vault(server, authority)
