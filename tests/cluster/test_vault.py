"""References with stock kubectl, the installed controller and a real OpenBao; real and embedded."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.kubectl import Kubectl
from tests.cluster.test_journey import SHOP, STAGE, real_server, sandbox_server
from tests.cluster.world import World, running_controller
from tests.fakes.vault_admin import Admin
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import require_bao, running

REVIEWER = "vault-reviewer"


@dataclass(frozen=True)
class Place:
    """A cluster with a controller, and a Vault that knows its service accounts."""

    world: World
    vault: Admin

    def store(self, kind: str, name: str, spec: dict[str, object]) -> None:
        """Make a store with kubernetes auth, or change it."""
        namespaced = {"namespace": SHOP} if kind == "VaultStore" else {}
        raw = {
            "apiVersion": "sealkit.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, **namespaced},
            "spec": {"address": self.vault.address, **spec},
        }
        self.world.kubectl("apply", "-f", "-", stdin=json.dumps(raw))

    def put(self, name: str, namespace: str, **literals: str) -> None:
        """Make a Secret with kubectl, seal it, apply it."""
        values = [f"--from-literal={key}={value}" for key, value in literals.items()]
        made = self.world.kubectl(
            *("create", "secret", "generic", name, "-n", namespace, "--dry-run=client", "-o=yaml"),
            *values,
        )
        self.world.apply(self.world.seal(made, f"{name}.sealed.yaml"))

    def refresh(self, name: str, token: str) -> None:
        """Ask for the references to be resolved now."""
        request = f"sealkit.dev/refresh={token}"
        self.world.kubectl("annotate", "sealedsecret", name, "-n", SHOP, "--overwrite", request)

    def status(self, name: str, namespace: str = SHOP) -> str:
        """Return what kubectl shows of a manifest."""
        return self.world.kubectl("get", "sealedsecret", name, "-n", namespace, "-o", "wide")


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    binary = require_bao()
    with running(binary, tmp_path_factory.mktemp("openbao"), Authority("cluster")) as server:
        admin = server.admin
        admin.mount("kv", "kv", version="2")
        for namespace in (SHOP, STAGE):
            admin.policy(namespace, {f"kv/data/{namespace}/*": "read"})
        admin.policy("all", {"kv/data/*": "read"})
        yield admin


@pytest.fixture(scope="module", params=["sandbox", pytest.param("real", marks=pytest.mark.cluster)])
def place(
    request: pytest.FixtureRequest,
    kubectl: Kubectl,
    vault: Admin,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("vault")
    (folder / "plane").mkdir()
    server = (
        sandbox_server(folder)
        if request.param == "sandbox"
        else real_server(request, folder / "plane")
    )
    settings = {"SEALKIT_VAULT": "cluster", "SEALKIT_VAULT_ADDRESSES": vault.address}
    settings["SEALKIT_LOG_LEVEL"] = "debug"
    with server as api_server:
        world = World(api_server, kubectl, folder)
        for namespace in ("sealkit-system", SHOP, STAGE):
            world.kubectl("create", "namespace", namespace)
        for namespace, account in ((SHOP, SHOP), (STAGE, STAGE), ("sealkit-system", REVIEWER)):
            world.kubectl("create", "serviceaccount", account, "-n", namespace)
        method = _let_in(vault, world, request.param)
        with running_controller(api_server, folder, **settings):
            world.wait("configmap/sealkit-public-keys", "create", "sealkit-system")
            world.sealkit("init")
            kubeconfig = str(folder / "controller.kubeconfig")
            world.sealkit("clusters", "add", "test", "--kubeconfig", kubeconfig)
            made = Place(world, vault)
            role = {"role": SHOP, "serviceAccountName": SHOP, "mount": method}
            made.store("VaultStore", "default", {"auth": {"kubernetes": role}})
            yield made


def _let_in(vault: Admin, world: World, method: str) -> str:
    """Let the service accounts of a cluster log in at Vault."""
    binding = ("--clusterrole=system:auth-delegator", f"--serviceaccount=sealkit-system:{REVIEWER}")
    world.kubectl("create", "clusterrolebinding", REVIEWER, *binding)
    vault.enable(method, "kubernetes")
    reviewer = world.kubectl("create", "token", REVIEWER, "-n", "sealkit-system").strip()
    config = {
        "kubernetes_host": world.server.url,
        "kubernetes_ca_cert": Path(world.server.ca_file).read_text(),
        "token_reviewer_jwt": reviewer,
        "disable_local_ca_jwt": True,
    }
    vault.do("POST", f"auth/{method}/config", config)
    for namespace in (SHOP, STAGE):
        role = {
            "bound_service_account_names": [namespace],
            "bound_service_account_namespaces": [namespace],
            "audience": "vault",
            "token_policies": [namespace],
            "token_period": "1h",
        }
        vault.do("POST", f"auth/{method}/role/{namespace}", role)
    return method


def test_a_secret_follows_vault_and_outlives_it(place: Place) -> None:
    place.vault.do("POST", "kv/data/shop/db", {"data": {"password": "first"}})
    place.put("db", SHOP, PASSWORD="vault:kv/shop/db#password", USER="app")
    place.world.wait("sealedsecret/db", "condition=Ready", SHOP)
    assert place.world.data("db", SHOP) == {"PASSWORD": b"first", "USER": b"app"}

    place.vault.do("POST", "kv/data/shop/db", {"data": {"password": "second"}})
    place.refresh("db", "1")
    place.world.wait("secret/db", "jsonpath={.data.PASSWORD}=c2Vjb25k", SHOP)

    place.vault.do("DELETE", "kv/data/shop/db")
    place.refresh("db", "2")
    place.world.wait("sealedsecret/db", "condition=Ready=False", SHOP)
    assert "VersionDeleted" in place.status("db")
    assert place.world.data("db", SHOP)["PASSWORD"] == b"second"

    place.vault.do("POST", "kv/data/shop/db", {"data": {"password": "third"}})
    place.world.wait("sealedsecret/db", "condition=Ready", SHOP)
    assert place.world.data("db", SHOP)["PASSWORD"] == b"third"


def test_another_namespace_has_no_part_in_it(place: Place) -> None:
    place.vault.do("POST", "kv/data/shop/own", {"data": {"password": "of shop"}})
    place.put("own", STAGE, PASSWORD="vault:kv/shop/own#password")
    place.world.wait("sealedsecret/own", "condition=Ready=False", STAGE)
    assert "there is no VaultStore stage/default" in place.status("own", STAGE)


def test_a_store_that_is_mended_wakes_its_manifests(place: Place) -> None:
    place.vault.do("POST", "kv/data/shop/late", {"data": {"password": "late"}})
    reference = {"path": "kv/shop/late", "key": "password"}
    raw = {
        "apiVersion": "sealkit.dev/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "late", "namespace": SHOP},
        "spec": {
            "scope": "strict",
            "references": {"PASSWORD": reference},
            "vault": {"store": {"name": "shared", "kind": "ClusterVaultStore"}},
            "rolloutRestart": [{"kind": "Deployment", "name": "web"}],
        },
    }
    place.world.kubectl("apply", "-f", "-", stdin=json.dumps(raw))
    place.world.wait("sealedsecret/late", "condition=Ready=False", SHOP)
    mount = json.loads(place.world.kubectl("get", "vaultstore", "default", "-n", SHOP, "-o=json"))
    auth = mount["spec"]["auth"]
    place.store("ClusterVaultStore", "shared", {"auth": auth})
    place.world.wait("sealedsecret/late", "condition=Stalled", SHOP)
    assert "PathNotAllowed" in place.status("late")
    allow = [{"namespaces": [SHOP], "paths": ["kv/{{namespace}}/*"]}]
    place.store("ClusterVaultStore", "shared", {"auth": auth, "allow": allow})
    place.world.wait("sealedsecret/late", "condition=Ready", SHOP)
    assert place.world.data("late", SHOP) == {"PASSWORD": b"late"}


def test_nothing_of_vault_is_in_logs_events_or_status(place: Place) -> None:
    canaries = ("canary-5d1f8e", "canary-5d1f8e-new")
    place.vault.do("POST", "kv/data/shop/canary", {"data": {"password": canaries[0], "n": None}})
    place.put("canary", SHOP, A="vault:kv/shop/canary#password", B="x-${vault:kv/shop/canary#n}")
    place.world.wait("sealedsecret/canary", "condition=Ready=False", SHOP)
    place.vault.do("POST", "kv/data/shop/canary", {"data": {"password": canaries[1], "n": "n"}})
    place.world.wait("sealedsecret/canary", "condition=Ready", SHOP)
    assert place.world.data("canary", SHOP) == {"A": canaries[1].encode(), "B": b"x-n"}
    said = (place.world.folder / "controller.log").read_text()
    assert '"Secret created"' in said
    for what in ("events", "sealedsecrets", "vaultstores"):
        said += place.world.kubectl("get", what, "-A", "-o", "yaml")
    for secret in canaries:
        assert secret not in said
        assert b64encode(secret.encode()).decode() not in said
    assert "eyJ" not in said  # how every token of a service account begins


def test_what_a_schema_can_refuse_is_refused(place: Place) -> None:
    done = place.world.kubectl(
        *("apply", "-f", "-"),
        stdin=json.dumps(
            {
                "apiVersion": "sealkit.dev/v1alpha1",
                "kind": "VaultStore",
                "metadata": {"name": "bad", "namespace": SHOP},
                "spec": {"address": "https://vault.example/?a=b", "auth": {}},
            }
        ),
        check=False,
    )
    assert "spec.address" in done
