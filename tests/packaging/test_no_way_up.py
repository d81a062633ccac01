"""Whoever may only create SealedSecrets in one namespace gains nothing beyond it.

The account `writer` holds one right: `create sealedsecrets` in its namespace. The controller holds
every right of install.yaml, on a real API server.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver import Answer, ApiServer
from tests.cluster.kubectl import Kubectl
from tests.cluster.world import World
from tests.packaging.account import Install, account, installed
from tests.packaging.audit import Audited
from tests.packaging.documents import Document

pytestmark = pytest.mark.cluster

HERE, OTHER = "writers", "bystanders"
INSTALL = Install("install.yaml", "sealkit-guarded", HERE)
ROLE = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: writer, namespace: writers}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writer}
rules: [{apiGroups: [sealkit.dev], resources: [sealedsecrets], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}
subjects: [{kind: ServiceAccount, name: writer, namespace: writers}]
"""
SEALED = "/apis/sealkit.dev/v1alpha1/namespaces/{}/sealedsecrets"


@dataclass(frozen=True)
class Attack:
    """The cluster as its administrator sees it, and as the writer does."""

    world: World
    writer: ApiServer
    audited: Audited

    def sealed(self, name: str, namespace: str = HERE, **template: object) -> Document:
        """Return a manifest that anybody can make: the public key is public."""
        secret = ("create", "secret", "generic", name, "--from-literal=A=1", "-n", namespace)
        path = self.world.seal(
            self.world.kubectl(*secret, "--dry-run=client", "-o=yaml"), f"{namespace}-{name}.yaml"
        )
        manifest: Document = yaml.safe_load(path.read_text())
        if template:
            manifest["spec"]["template"] = template
        return manifest

    def create(self, manifest: Document, namespace: str = HERE) -> Answer:
        """Create a manifest as the writer."""
        body = json.dumps(manifest)
        return self.writer.ask("POST", SEALED.format(namespace), body, "application/json")

    def reason(self, name: str, namespace: str = HERE) -> str:
        """Return why a manifest is stalled, once it is."""
        self.world.wait(f"sealedsecret/{name}", "condition=Stalled", namespace)
        manifest = self.world.get(f"sealedsecret/{name}", namespace)
        return str(manifest["status"]["conditions"][0]["reason"])

    def exists(self, what: str, namespace: str) -> bool:
        """Tell whether an object is there."""
        found = self.world.kubectl("get", what, "-n", namespace, check=False)
        return "NotFound" not in found


@pytest.fixture(scope="module")
def attack(
    audited_plane: Audited, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Attack]:
    world = World(audited_plane.server, kubectl, tmp_path_factory.mktemp("attack"))
    with installed(world, INSTALL):
        world.kubectl("create", "namespace", OTHER)
        world.kubectl("apply", "-n", HERE, "-f", "-", stdin=ROLE)
        yield Attack(world, account(world, HERE, "writer"), audited_plane)
        world.kubectl("delete", "sealedsecrets", "--all", "-A")
    world.kubectl("delete", "--wait=false", "-f", "-", stdin=INSTALL.text)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of the test's own."""
    return str(request.node.name).split("[")[0].removeprefix("test_").replace("_", "-")[:50]


@pytest.mark.parametrize(
    "secret_type", ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"]
)
def test_no_token_is_minted(attack: Attack, name: str, secret_type: str) -> None:
    annotations = {"kubernetes.io/service-account.name": "default"}
    manifest = attack.sealed(name, type=secret_type, metadata={"annotations": annotations})
    answer = attack.create(manifest)
    assert answer.status == 422
    assert not attack.exists(f"secret/{name}", HERE)


def test_a_foreign_secret_is_not_overwritten(attack: Attack, name: str) -> None:
    attack.world.kubectl("create", "secret", "generic", name, "--from-literal=A=mine", "-n", HERE)
    template = {"annotations": {"sealkit.dev/adopt": "true"}, "labels": {"a": "b"}}
    assert attack.create(attack.sealed(name, metadata=template)).status == 201
    assert attack.reason(name) == "SecretNotOwned"
    assert attack.world.data(name, HERE) == {"A": b"mine"}


def test_a_foreign_secret_is_not_replaced_or_retained(attack: Attack, name: str) -> None:
    attack.world.kubectl("create", "secret", "generic", name, "--from-literal=A=mine", "-n", HERE)
    manifest = attack.sealed(name, type="example.com/x")
    manifest["spec"] |= {"recreate": True, "deletionPolicy": "Retain"}
    assert attack.create(manifest).status == 201
    assert attack.reason(name) == "SecretNotOwned"
    assert attack.world.data(name, HERE) == {"A": b"mine"}


def test_a_manifest_of_another_namespace_does_not_open_here(attack: Attack, name: str) -> None:
    stolen = attack.sealed(name, OTHER)
    stolen["metadata"]["namespace"] = HERE
    assert attack.create(stolen).status == 201
    assert attack.reason(name) == "DecryptionFailed"
    assert not attack.exists(f"secret/{name}", HERE)


@pytest.mark.parametrize("namespace", [OTHER, INSTALL.system, "kube-system"])
def test_nothing_can_be_created_elsewhere(attack: Attack, name: str, namespace: str) -> None:
    assert attack.create(attack.sealed(name, namespace), namespace).status == 403


def test_a_forged_status_and_owner_are_worth_nothing(attack: Attack, name: str) -> None:
    attack.world.kubectl("create", "secret", "generic", name, "--from-literal=A=mine", "-n", HERE)
    uid = attack.world.get(f"secret/{name}", HERE)["metadata"]["uid"]
    manifest = attack.sealed(name)
    condition = {
        "type": "Ready", "status": "True", "reason": "Synced", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    manifest["status"] = {"conditions": [condition], "secretResourceVersion": "1"}
    manifest["metadata"]["uid"] = uid
    assert attack.create(manifest).status == 201
    assert attack.reason(name) == "SecretNotOwned"


def test_no_key_is_slipped_in(attack: Attack) -> None:
    """Even with a manifest in the controller's own namespace, which the writer cannot make."""
    before = attack.world.get("configmap/sealkit-public-keys", INSTALL.system)["data"]
    labels = {"sealkit.dev/key": "active"}
    manifest = attack.sealed(
        "sealkit-key-9", INSTALL.system, type="sealkit.dev/key", metadata={"labels": labels}
    )
    attack.world.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    attack.world.wait("sealedsecret/sealkit-key-9", "condition=Synced", INSTALL.system)
    secret = attack.world.get("secret/sealkit-key-9", INSTALL.system)
    assert "sealkit.dev/key" not in secret["metadata"]["labels"]
    assert attack.world.get("configmap/sealkit-public-keys", INSTALL.system)["data"] == before


def test_a_key_is_not_overwritten(attack: Attack) -> None:
    before = attack.world.data("sealkit-key-1", INSTALL.system)
    manifest = attack.sealed("sealkit-key-1", INSTALL.system)
    manifest["spec"]["recreate"] = True
    attack.world.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    assert attack.reason("sealkit-key-1", INSTALL.system) == "SecretNotOwned"
    assert attack.world.data("sealkit-key-1", INSTALL.system) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/api/v1/namespaces/{HERE}/secrets"),
        ("GET", f"/api/v1/namespaces/{INSTALL.system}/secrets/sealkit-key-1"),
        ("GET", f"/api/v1/namespaces/{INSTALL.system}/configmaps"),
        ("GET", f"/api/v1/namespaces/{INSTALL.system}/configmaps/kube-root-ca.crt"),
        ("DELETE", f"/api/v1/namespaces/{INSTALL.system}/configmaps/sealkit-public-keys"),
        ("GET", SEALED.format(HERE)),
        ("DELETE", f"{SEALED.format(HERE)}/x"),
        ("PUT", f"{SEALED.format(HERE)}/x/status"),
        ("GET", "/apis/sealkit.dev/v1alpha1/sealedsecrets"),
    ],
)
def test_nothing_else_is_allowed(attack: Attack, method: str, path: str) -> None:
    body = json.dumps({}) if method == "PUT" else None
    assert attack.writer.ask(method, path, body, "application/json").status == 403


def test_whoever_can_log_in_may_read_the_public_keys_and_nothing_more(attack: Attack) -> None:
    """The API server's own list of what the writer may do in the controller's namespace."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    body = json.dumps({"spec": {"namespace": INSTALL.system}})
    answer = attack.writer.ask("POST", path, body, "application/json")
    assert answer.status == 201
    own = {"authorization.k8s.io", "authentication.k8s.io"}  # what anybody may ask about himself
    rules: list[Any] = [
        rule for rule in answer.body["status"]["resourceRules"] if not own & {*rule["apiGroups"]}
    ]
    assert rules == [
        {
            "verbs": ["get"],
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": ["sealkit-public-keys"],
        }
    ]
    path = f"/api/v1/namespaces/{INSTALL.system}/configmaps/sealkit-public-keys"
    assert attack.writer.ask("GET", path).status == 200


def test_the_controller_was_not_made_to_write_elsewhere(attack: Attack, tmp_path: Path) -> None:
    """Last or not: whatever the writer has done so far, and one manifest that works."""
    assert attack.create(attack.sealed("honest")).status == 201
    attack.world.wait("secret/honest", "create", HERE)
    uses = list(attack.audited.uses(INSTALL.user))
    assert [use.path for use in uses if use.status == 403] == []
    places = {use.namespace for use in uses if use.is_write}
    assert {HERE} < places <= {HERE, INSTALL.system}
