"""What a namespace must not gain through references: each attack is a test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from sealkit.errors import VaultError
from sealkit.manifests.stores import Account
from sealkit_controller.addresses import refusal
from sealkit_controller.credentials import request_token
from sealkit_controller.objects import (
    SEALED_SECRETS,
    SERVICE_ACCOUNTS,
    JsonObject,
    ObjectKey,
)
from sealkit_controller.reconcile import Terminal
from tests.controller.vault.conftest import Mount
from tests.controller.vault.world import VaultWorld, referring
from tests.controller.world import DB, condition
from tests.fakes.cluster import API_AUDIENCE, ISSUER, FakeCluster
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import OpenBao

TOKEN = {"token": {"secretRef": {"name": "vault-token"}}}
EVIL = ObjectKey("evil", "db")


@pytest.fixture
def shared(bao: OpenBao, kv: Mount) -> Iterator[VaultWorld]:
    """A cluster store that reads a whole mount, and lets each namespace see a part of it."""
    for namespace in ("shop", "evil", "shop-evil", "data"):
        kv.write(f"{namespace}/db", {"password": f"of {namespace}"})
    made = VaultWorld(bao.admin)
    made.credentials({"token": kv.token()}, namespace="vault-admin")
    allow: list[JsonObject] = [
        {"namespaces": ["shop", "evil", "data"], "paths": [f"{kv.name}/{{{{namespace}}}}/*"]}
    ]
    made.cluster_store(TOKEN, allow, credentialsNamespace="vault-admin")
    yield made
    made.vaults.close()


CLUSTER: dict[str, object] = {"store": {"name": "shared", "kind": "ClusterVaultStore"}}


def attempt(world: VaultWorld, reference: object, key: ObjectKey = DB, **vault: object) -> str:
    """Refer to something from a namespace; return the reason of the status, and check the rest."""
    raw = referring({"x": reference}, key=key, vault={**CLUSTER, **vault})
    world.cluster.put(SEALED_SECRETS, raw)
    world.look()
    world.reconciler.reconcile(key)
    found = world.cluster.find(SEALED_SECRETS, key)
    world.cluster.drop(SEALED_SECRETS, key)
    assert "of shop" not in json.dumps(found)
    return condition(found)[1]


def test_each_namespace_sees_its_own_part(shared: VaultWorld, kv: Mount) -> None:
    assert attempt(shared, kv.ref("shop/db", "password")) == "Synced"
    assert attempt(shared, kv.ref("shop/db", "password"), EVIL) == "PathNotAllowed"
    assert attempt(shared, kv.ref("evil/db", "password")) == "PathNotAllowed"


@pytest.mark.parametrize(
    "path",
    [
        *("evil/../shop/db", "evil/./../shop/db", "evil/%2e%2e/shop/db", "evil/..%2fshop/db"),
        *("evil//../shop/db", "evil/..\\shop/db", "evil/db?version=1", "evil/ /../shop/db"),
        *("evil/\u200b/db", "/shop/db", "evil/db/"),
    ],
)
def test_a_path_cannot_mean_another_one(shared: VaultWorld, kv: Mount, path: str) -> None:
    structured = {"path": f"{kv.name}/{path}", "key": "password"}
    assert attempt(shared, structured, EVIL) == "InvalidManifest"


def test_a_path_has_one_canonical_form(shared: VaultWorld, kv: Mount) -> None:
    """`kv/data/shop/db` is the same secret as `kv/shop/db`, and no namespace is called `data`."""
    data = ObjectKey("data", "db")
    for path in (f"{kv.name}/data/shop/db", f"{kv.name}/metadata/shop/db"):
        for more in ({}, {"kv": "raw"}, {"kv": "v1"}, {"method": "LIST"}):
            assert attempt(shared, {"path": path, "key": "x", **more}, data) == "PathNotAllowed"
    assert attempt(shared, {"mount": kv.name, "path": "data/data/db", "key": "k"}, data) in {
        "PathNotAllowed",
        "PathNotFound",
    }


def test_a_prefix_of_a_name_is_another_name(shared: VaultWorld, kv: Mount) -> None:
    assert attempt(shared, kv.ref("shop-evil/db", "password")) == "PathNotAllowed"


def test_who_is_not_named_may_read_nothing(shared: VaultWorld, kv: Mount) -> None:
    other = ObjectKey("shop-evil", "db")
    assert attempt(shared, kv.ref("shop-evil/db", "password"), other) == "PathNotAllowed"
    shared.cluster_store(TOKEN, [], credentialsNamespace="vault-admin")
    assert attempt(shared, kv.ref("shop/db", "password")) == "PathNotAllowed"


@pytest.mark.parametrize(
    "path",
    ["sys/policies/acl/default", "auth/token/lookup-self", "cubbyhole/x", "identity/entity/id"],
)
def test_the_server_itself_is_no_secret(shared: VaultWorld, path: str) -> None:
    shared.cluster_store(
        TOKEN, [{"namespaces": ["*"], "paths": ["*"]}], credentialsNamespace="vault-admin"
    )
    reason = attempt(shared, {"path": path, "key": "x"})
    assert reason in {"PathNotAllowed", "InvalidManifest"}


def test_a_reference_does_not_write(shared: VaultWorld, kv: Mount) -> None:
    kv.allow("read create update list")
    shared.later(400)
    body = {"data": {"password": "mine"}}
    put = {"path": f"{kv.name}/data/shop/db", "key": "version", "method": "PUT", "body": body}
    assert attempt(shared, put) == "InvalidReference"
    found = kv.admin.do("GET", f"{kv.name}/data/shop/db")
    assert found["data"]["data"] == {"password": "of shop"}


def test_rules_are_about_one_namespace_of_the_server(shared: VaultWorld, kv: Mount) -> None:
    elsewhere = {"path": f"{kv.name}/shop/db", "key": "password", "namespace": "team-a"}
    assert attempt(shared, elsewhere) == "PathNotAllowed"


def test_a_store_of_another_namespace_is_not_there(world: VaultWorld, kv: Mount) -> None:
    raw = referring({"x": kv.ref("db", "password")}, key=EVIL)
    world.cluster.put(SEALED_SECRETS, raw)
    world.look()
    world.reconciler.reconcile(EVIL)
    found = world.cluster.find(SEALED_SECRETS, EVIL)
    assert condition(found) == ("False", "VaultUnavailable")
    assert not world.asked


@pytest.mark.parametrize(
    "spec",
    [
        {"vault": {"store": {"name": "default", "namespace": "shop"}}},
        {"vault": {"store": "shop/default"}},
        {"vault": {"address": "https://evil.example"}},
        {"vault": {"store": "default", "role": "admin"}},
        {"references": {"x": {"path": "kv/a", "key": "b", "address": "https://evil.example"}}},
        {"references": {"x": {"path": "kv/a", "store": {"name": "a", "namespace": "b"}}}},
    ],
)
def test_a_manifest_names_neither_address_nor_identity(
    world: VaultWorld, kv: Mount, spec: Mapping[str, object]
) -> None:
    world.apply(referring(**{"references": {"x": kv.ref("db", "password")}, **spec}))  # type: ignore[arg-type]  # on purpose
    assert isinstance(world.run(), Terminal)
    assert condition(world.manifest)[1] == "InvalidManifest"
    assert not world.asked


@pytest.mark.parametrize("kind", ["caSecretRef", "caConfigMapRef"])
def test_a_ca_comes_from_the_stores_own_namespace(world: VaultWorld, kv: Mount, kind: str) -> None:
    world.credentials({"ca.crt": "of another namespace"}, "ca", "elsewhere")
    for ref in ({"name": "ca"}, {"name": "ca", "namespace": "elsewhere"}):
        world.store(TOKEN, tls={kind: ref}, address="https://127.0.0.1:1")
        world.address = "https://127.0.0.1:1"
        world.vaults._listed = {world.address}
        world.apply(referring({"x": kv.ref("db", "password")}))
        world.later(600)
        world.run()
        assert condition(world.manifest)[1] in {"AuthFailed", "InvalidReference"}
    assert not world.asked


def test_a_store_that_does_not_work_is_nobody_elses_trouble(
    bao: OpenBao, kv: Mount, authority: Authority
) -> None:
    """Same address, wrong CA: what pauses is the namespace that has it so."""
    world = VaultWorld(bao.admin, bao.tls_address)
    for namespace, ca in (("shop", authority), ("evil", Authority("another"))):
        world.store(TOKEN, namespace=namespace, tls={"caBundle": ca.pem.decode()})
        world.credentials({"token": kv.token()}, namespace=namespace)
    world.cluster.put(SEALED_SECRETS, referring({"x": kv.ref("db", "password")}, key=EVIL))
    world.look()
    for _ in range(8):
        world.reconciler.reconcile(EVIL)
    found = world.cluster.find(SEALED_SECRETS, EVIL)
    assert condition(found) == ("False", "VaultUnavailable")
    assert "is not asked for a while" in json.dumps(found)
    world.apply(referring({"x": kv.ref("db", "password")}))
    world.done()
    world.vaults.close()


def test_a_store_without_credentials_has_none(world: VaultWorld, kv: Mount) -> None:
    """Never the controller's own token: a store that names no account is no store."""
    broken: list[JsonObject] = [
        {},
        {"kubernetes": {"role": "r"}},
        {"kubernetes": {"role": "r", "serviceAccountName": ""}},
        {"jwt": {"role": "r"}},
        {"token": {}},
    ]
    world.apply(referring({"x": kv.ref("db", "password")}))
    for auth in broken:
        world.store(auth)
        assert world.stalls() == "InvalidReference"
    assert not world.asked
    assert world.cluster.sent("token") == []


def test_the_token_of_an_account_is_for_its_audience_only() -> None:
    cluster = FakeCluster()
    cluster.put(
        SERVICE_ACCOUNTS,
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "app", "namespace": "shop"},
        },
    )
    assert request_token(cluster, "shop", Account("app", "vault")).reveal()
    for audience in (ISSUER, API_AUDIENCE):
        with pytest.raises(VaultError, match="good for others"):
            request_token(cluster, "shop", Account("app", audience))
    with pytest.raises(VaultError, match="is not there"):
        request_token(cluster, "evil", Account("app", "vault"))


def test_credentials_are_the_namespaces_own_where_the_store_says_none(
    shared: VaultWorld, kv: Mount
) -> None:
    """A cluster store without `credentialsNamespace` shares configuration, never an identity."""
    shared.cluster_store(TOKEN, [{"namespaces": ["*"], "paths": [f"{kv.name}/*"]}])
    shared.credentials({"token": kv.token()})
    assert attempt(shared, kv.ref("shop/db", "password")) == "Synced"
    assert attempt(shared, kv.ref("shop/db", "password"), EVIL) == "AuthFailed"


def test_a_template_reaches_nothing_but_the_values(world: VaultWorld, kv: Mount) -> None:
    for text in (
        '{{ env "PATH" }}',
        '{{ lookup "v1" "Secret" "shop" "other" }}',
        '{{ getHostByName "evil.example" }}',
        '{{ readFile "/etc/passwd" }}',
        '{{ include "x" . }}',
        "{{ .Values.x }}",
        "{{ .other }}",
    ):
        template = {"type": "Opaque", "data": {"x": text}}
        world.apply(referring({"p": kv.ref("db", "password")}, template=template))
        assert world.stalls() == "InvalidManifest", text
    assert not world.asked


@pytest.mark.parametrize(
    "address",
    [
        *("http://vault.example:8200", "https://127.0.0.1:8200", "https://localhost:8200"),
        *("https://[::1]:8200", "https://169.254.169.254", "https://metadata.google.internal"),
        *("https://0.0.0.0", "https://2130706433", "https://0x7f000001", "https://127.1"),
        *("https://[::ffff:127.0.0.1]", "https://a.localhost", "https://LOCALHOST."),
        *("https://[fe80::1]", "https://0177.0.0.1", "https://kubernetes.default.svc"),
        *("https://kubernetes", "https://kubernetes.default.svc.cluster.local.:443"),
    ],
)
def test_an_address_is_no_way_into_the_node(address: str) -> None:
    assert refusal(address, ()) != ""
    assert refusal(address, {"https://vault.example"}) != ""


def test_addresses_that_may_be() -> None:
    assert refusal("https://vault.example:8200", ()) == ""
    assert refusal("https://10.0.0.7:8200", ()) == ""
    listed = {"https://*.vault.example:8200", "http://vault.vault:8200"}
    assert refusal("https://a.vault.example:8200", listed) == ""
    assert refusal("http://vault.vault:8200", listed) == ""
    for address in (
        *("https://vault.example:8200", "https://a.vault.example", "http://a.vault.example:8200"),
        *("https://evilvault.example:8200", "https://a.vault.example.evil:8200"),
    ):
        assert refusal(address, listed) != "", address


def test_a_refused_address_is_told(world: VaultWorld, kv: Mount) -> None:
    world.store(TOKEN, address="https://169.254.169.254")
    world.apply(referring({"x": kv.ref("db", "password")}))
    assert world.stalls() == "PathNotAllowed"
    assert world.cluster.sent("get", "secrets") == []
