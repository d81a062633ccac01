"""Whoever may only create SealedSecrets in one namespace gains nothing beyond it.

The account `writer` holds one right: `create sealedsecrets` in its namespace. The controller holds
every right of install.yaml, on a real API server. There is a real Vault with something for each
namespace, a store that the bystanders made for themselves, and one of the whole cluster that shows
each namespace its own part.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver import Answer, ApiServer
from tests.cluster.kubectl import Kubectl
from tests.cluster.world import World
from tests.fakes.vault_stub import Asked, Reply, stub
from tests.packaging.account import Install, account, installed
from tests.packaging.audit import Audited
from tests.packaging.documents import Document
from tests.packaging.vault import Vault, apply, referring, restarted_for, workload

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
STORES = "/apis/sealkit.dev/v1alpha1"
SHARED = {"store": {"name": "shared", "kind": "ClusterVaultStore"}}
READER = "vault-reader"  # as whom the shared store logs in, in the controller's namespace


@dataclass(frozen=True)
class Attack:
    """The cluster as its administrator sees it, and as the writer does."""

    world: World
    writer: ApiServer
    audited: Audited
    vault: Vault

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

    def unresolved(self, name: str) -> str:
        """Return why a manifest of the writer has no Secret, once that is known."""
        self.world.wait(f"sealedsecret/{name}", "condition=Ready=False", HERE)
        assert not self.exists(f"secret/{name}", HERE)
        manifest = self.world.get(f"sealedsecret/{name}", HERE)
        return str(manifest["status"]["conditions"][0]["reason"])

    def tokens(self) -> set[tuple[str, str]]:
        """Return the ServiceAccounts that the controller has asked for tokens of so far."""
        return {
            (right.namespace, right.name)
            for use in self.audited.uses(INSTALL.user)
            for right in use.rights
            if right.resource == "serviceaccounts/token"
        }

    def exists(self, what: str, namespace: str) -> bool:
        """Tell whether an object is there."""
        found = self.world.kubectl("get", what, "-n", namespace, check=False)
        return "NotFound" not in found


@pytest.fixture(scope="module")
def attack(
    audited_plane: Audited,
    kubectl: Kubectl,
    vault: Vault,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Attack]:
    world = World(audited_plane.server, kubectl, tmp_path_factory.mktemp("attack"))
    with installed(world, INSTALL, SEALKIT_VAULT_ADDRESSES=vault.server.tls_address):
        world.kubectl("create", "namespace", OTHER)
        world.kubectl("apply", "-n", HERE, "-f", "-", stdin=ROLE)
        _fill(vault, world)
        yield Attack(world, account(world, HERE, "writer"), audited_plane, vault)
        world.kubectl("delete", "sealedsecrets", "--all", "-A")
    world.kubectl("delete", "clustervaultstores", "--all")
    world.kubectl("delete", "--wait=false", "-f", "-", stdin=INSTALL.text)


def _fill(vault: Vault, world: World) -> None:
    """Give each namespace a secret, the bystanders a store, and the cluster one that reads all."""
    for role, namespace, readable in ((READER, INSTALL.system, "*"), (OTHER, OTHER, f"{OTHER}/*")):
        vault.let_in(role, namespace, readable)
        vault.prepare(world, namespace, role)
    for namespace in (HERE, OTHER):
        vault.put(f"{namespace}/db", f"of {namespace}")
    allow = [{"namespaces": [HERE, OTHER], "paths": ["kv/{{namespace}}/*"]}]
    shared: dict[str, object] = {"credentialsNamespace": INSTALL.system, "allow": allow}
    apply(
        world,
        vault.store("VaultStore", {"name": "default", "namespace": OTHER}, OTHER),
        vault.store("ClusterVaultStore", {"name": "shared"}, READER, **shared),
    )


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of the test's own, and of its parameters'."""
    test, bracket, _ = str(request.node.name).partition("[")
    name = test.removeprefix("test_").replace("_", "-")[:40]
    return f"{name}-{sha256(request.node.name.encode()).hexdigest()[:8]}" if bracket else name


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


@pytest.mark.parametrize("key", ["sealkit-key-1", "sealkit-digest-key"])
def test_a_key_is_not_overwritten(attack: Attack, name: str, key: str) -> None:
    attack.create(referring(name, HERE, f"kv/{HERE}/db", vault=SHARED))  # needs a digest
    attack.world.wait(f"sealedsecret/{name}", "condition=Ready", HERE)
    before = attack.world.data(key, INSTALL.system)
    manifest = attack.sealed(key, INSTALL.system)
    manifest["spec"]["recreate"] = True
    attack.world.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    assert attack.reason(key, INSTALL.system) == "SecretNotOwned"
    assert attack.world.data(key, INSTALL.system) == before


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
        ("POST", f"{STORES}/namespaces/{HERE}/vaultstores"),
        ("POST", f"{STORES}/clustervaultstores"),
        ("PATCH", f"{STORES}/clustervaultstores/shared"),
        ("POST", f"/api/v1/namespaces/{HERE}/serviceaccounts/default/token"),
        ("PATCH", f"/apis/apps/v1/namespaces/{HERE}/deployments/web"),
    ],
)
def test_nothing_else_is_allowed(attack: Attack, method: str, path: str) -> None:
    body = json.dumps({}) if method in {"PUT", "POST", "PATCH"} else None
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


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("vault:kv/writers/db#password", "VaultUnavailable"),
        ({"path": "kv/writers/db", "key": "password"}, "VaultUnavailable"),
        (
            {"path": "kv/writers/db", "key": "password", "serviceAccountName": "default"},
            "InvalidManifest",
        ),
    ],
    ids=["text", "structured", "with an account"],
)
def test_without_a_store_no_account_is_used(
    attack: Attack, name: str, reference: object, reason: str
) -> None:
    assert attack.create(referring(name, HERE, "x", references={"A": reference})).status == 201
    assert attack.unresolved(name) == reason
    assert attack.tokens() <= {(INSTALL.system, READER)}


@pytest.mark.parametrize("spelling", ["vault", "store", "reference", "path", "text"])
def test_no_address_is_named(attack: Attack, name: str, spelling: str) -> None:
    with stub(_say_nothing) as elsewhere:
        shared = SHARED["store"] | {"address": elsewhere.address}
        structured = {"path": "kv/writers/db", "key": "password"}
        spec: dict[str, dict[str, object]] = {
            "vault": {"vault": {"address": elsewhere.address}},
            "store": {"vault": {"store": shared}},
            "reference": {"references": {"A": {**structured, "address": elsewhere.address}}},
            "path": {"references": {"A": {**structured, "path": f"{elsewhere.address}/kv/x"}}},
            "text": {"references": {"A": f"vault:{elsewhere.address}/kv/x#password"}},
        }
        assert attack.create(referring(name, HERE, "x", **spec[spelling])).status == 201
        assert attack.unresolved(name) in {"InvalidManifest", "VaultUnavailable"}
    assert elsewhere.asked == []


def _say_nothing(_: Asked) -> Reply:
    return Reply(404)


@pytest.mark.parametrize(
    "store",
    [
        {"name": "default"},
        {"name": "default", "namespace": OTHER},
        {"name": f"{OTHER}/default"},
        {"name": f"../{OTHER}/default"},
    ],
    ids=["same name", "namespace", "in the name", "climbing"],
)
def test_a_store_of_another_namespace_is_out_of_reach(
    attack: Attack, name: str, store: dict[str, str]
) -> None:
    manifest = referring(name, HERE, f"kv/{OTHER}/db", vault={"store": store})
    assert attack.create(manifest).status == 201
    assert attack.unresolved(name) in {"InvalidManifest", "VaultUnavailable"}
    assert (OTHER, OTHER) not in attack.tokens()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (f"kv/{OTHER}/db", "PathNotAllowed"),
        (f"kv/data/{OTHER}/db", "PathNotAllowed"),
        (f"kv/{HERE}", "PathNotAllowed"),
        ("sys/mounts", "PathNotAllowed"),
        (f"kv/{HERE}/../{OTHER}/db", "InvalidManifest"),
        (f"kv/{HERE}/%2e%2e/{OTHER}/db", "InvalidManifest"),
        (f"kv/{HERE}/..%2f{OTHER}/db", "InvalidManifest"),
    ],
)
def test_a_path_that_is_not_listed_is_out_of_reach(
    attack: Attack, name: str, path: str, reason: str
) -> None:
    """The shared store's own identity may read them all: only its list stands in the way."""
    reference = {"path": path, "key": "password"}
    manifest = referring(name, HERE, "x", references={"A": reference}, vault=SHARED)
    assert attack.create(manifest).status == 201
    assert attack.reason(name) == reason
    assert not attack.exists(f"secret/{name}", HERE)


def test_no_workload_of_another_namespace_is_restarted(attack: Attack, name: str) -> None:
    """Those of his own namespace are: that much the writer gains, unless it is switched off."""
    world = attack.world
    for namespace in (HERE, OTHER):
        apply(world, workload("Deployment", "web", namespace))
    attack.vault.put(f"{HERE}/restart", "old")
    everywhere = [
        {"kind": "Deployment", "matchLabels": {"app": "web"}, "namespace": OTHER},
        {"kind": "Deployment", "name": "web", "namespace": OTHER},
    ]
    path = f"kv/{HERE}/restart"
    manifest = referring(name, HERE, path, vault=SHARED, rolloutRestart=everywhere)
    assert attack.create(manifest).status == 201
    world.wait(f"sealedsecret/{name}", "condition=Ready", HERE)
    attack.vault.put(f"{HERE}/restart", "new")
    world.kubectl("annotate", "sealedsecret", name, "-n", HERE, "sealkit.dev/refresh=1")
    answered = "jsonpath={.status.lastHandledReconcileAt}=1"
    world.wait(f"sealedsecret/{name}", answered, HERE)
    assert world.data(name, HERE) == {"A": b"new"}
    assert restarted_for(world, "deployment/web", HERE, name) != ""
    assert restarted_for(world, "deployment/web", OTHER, name) == ""


def test_the_controller_was_not_made_to_write_elsewhere(attack: Attack, tmp_path: Path) -> None:
    """Last or not: whatever the writer has done so far, and one manifest that works."""
    assert attack.create(attack.sealed("honest")).status == 201
    attack.world.wait("secret/honest", "create", HERE)
    uses = list(attack.audited.uses(INSTALL.user))
    assert [use.path for use in uses if use.status == 403] == []
    places = {use.namespace for use in uses if use.is_write}
    assert {HERE} < places <= {HERE, INSTALL.system}
