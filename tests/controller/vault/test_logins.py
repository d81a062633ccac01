"""Each way to log in that a store can name, at a real OpenBao."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization

from sealkit_controller.objects import (
    CONFIG_MAPS,
    SEALED_SECRETS,
    SERVICE_ACCOUNTS,
    JsonObject,
    ObjectKey,
)
from tests.controller.vault.conftest import Mount
from tests.controller.vault.world import VaultWorld, referring
from tests.controller.world import DB
from tests.fakes.cluster import ISSUER, KEY
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import OpenBao

_serial = itertools.count()


@pytest.fixture
def mount(bao: OpenBao) -> str:
    """A name for an auth method of a test's own."""
    return f"auth-{next(_serial)}"


def reads(world: VaultWorld, kv: Mount, auth: JsonObject) -> None:
    """A store with this auth gives the value, with one login for several manifests."""
    world.store(auth)
    world.apply(referring({"password": kv.ref("db", "password")}))
    world.done()
    assert world.data == {"password": b"hunter2"}
    assert world.asked["login"] == 1
    world.later(3600)
    world.done()
    assert world.asked["login"] == 0


def test_token(world: VaultWorld, kv: Mount) -> None:
    reads(world, kv, {"token": {"secretRef": {"name": "vault-token"}}})


@pytest.mark.parametrize("method", ["userpass", "ldap"])
def test_userpass(world: VaultWorld, kv: Mount, mount: str, method: str) -> None:
    """The requests of ldap are those of userpass, at another mount."""
    kv.admin.enable(mount, "userpass")
    user = {"password": "pass-word", "token_policies": [kv.name]}
    kv.admin.do("POST", f"auth/{mount}/users/app", user)
    world.credentials({"password": "pass-word"}, "login")
    reads(
        world,
        kv,
        {method: {"username": "app", "passwordSecretRef": {"name": "login"}, "mount": mount}},
    )


@pytest.mark.parametrize("in_secret", [False, True])
def test_app_role(world: VaultWorld, kv: Mount, mount: str, *, in_secret: bool) -> None:
    kv.admin.enable(mount, "approle")
    kv.admin.do("POST", f"auth/{mount}/role/app", {"token_policies": [kv.name]})
    role_id = kv.admin.do("GET", f"auth/{mount}/role/app/role-id")["data"]["role_id"]
    secret_id = kv.admin.do("POST", f"auth/{mount}/role/app/secret-id")["data"]["secret_id"]
    world.credentials({"role-id": f"{role_id}\n", "secret-id": secret_id}, "role")
    who = {"roleIdSecretRef": {"name": "role"}} if in_secret else {"roleId": role_id}
    reads(
        world,
        kv,
        {"appRole": {**who, "secretIdSecretRef": {"name": "role"}, "mount": mount}},
    )


def jwt_method(kv: Mount, mount: str) -> None:
    """Let accounts of the fake cluster in, by their issuer's key."""
    kv.admin.enable(mount, "jwt")
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    config = {"jwt_validation_pubkeys": [public.decode()], "bound_issuer": ISSUER}
    kv.admin.do("POST", f"auth/{mount}/config", config)
    role = {
        "role_type": "jwt",
        "bound_audiences": ["vault"],
        "bound_subject": "system:serviceaccount:shop:app",
        "user_claim": "sub",
        "token_policies": [kv.name],
    }
    kv.admin.do("POST", f"auth/{mount}/role/app", role)


def account(world: VaultWorld) -> None:
    raw = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "app", "namespace": DB.namespace},
    }
    world.cluster.put(SERVICE_ACCOUNTS, raw)


def test_jwt_of_a_service_account(world: VaultWorld, kv: Mount, mount: str) -> None:
    jwt_method(kv, mount)
    account(world)
    reads(world, kv, {"jwt": {"role": "app", "serviceAccountName": "app", "mount": mount}})


def test_jwt_that_is_kept(world: VaultWorld, kv: Mount, mount: str) -> None:
    jwt_method(kv, mount)
    account(world)
    raw = world.cluster.request_token(DB.namespace, "app", "vault", 600)
    token = json.loads(json.dumps(raw))["status"]["token"]
    world.credentials({"token": token}, "jwt")
    reads(world, kv, {"jwt": {"role": "app", "secretRef": {"name": "jwt"}, "mount": mount}})


def test_an_account_that_is_gone(world: VaultWorld, kv: Mount, mount: str) -> None:
    jwt_method(kv, mount)
    world.store({"jwt": {"role": "app", "serviceAccountName": "app", "mount": mount}})
    world.apply(referring({"password": kv.ref("db", "password")}))
    reason, outcome = world.fails()
    assert reason == "AuthFailed"
    assert "ServiceAccount shop/app is not there" in outcome.report.message
    account(world)
    world.later(10)
    world.done()


@pytest.fixture
def certified(own_bao: OpenBao, authority: Authority) -> Iterator[VaultWorld]:
    """A world that reaches its server by TLS, with a certificate of its own."""
    admin = own_bao.admin
    admin.mount("kv", "kv", version="2")
    admin.do("POST", "kv/data/db", {"data": {"password": "hunter2"}})
    admin.policy("app", {"kv/data/*": "read"})
    admin.enable("cert", "cert")
    role = {"certificate": authority.pem.decode(), "token_policies": ["app"]}
    admin.do("POST", "auth/cert/certs/app", role)
    world = VaultWorld(admin, own_bao.tls_address)
    pair = authority.issue("app.shop")
    files = {"tls.crt": pair.certificate.decode(), "tls.key": pair.key.decode()}
    world.credentials(files, "client")
    world.credentials({"ca.crt": authority.pem.decode()}, "ca")
    yield world
    world.vaults.close()


def test_cert(certified: VaultWorld) -> None:
    certified.store(
        {"cert": {"role": "app"}},
        tls={"clientCertSecretRef": {"name": "client"}, "caSecretRef": {"name": "ca"}},
    )
    certified.apply(referring({"password": "vault:kv/db#password"}))
    certified.done()
    assert certified.data == {"password": b"hunter2"}


def test_a_key_that_does_not_fit(certified: VaultWorld, authority: Authority) -> None:
    other = authority.issue("other")
    pair = authority.issue("app.shop")
    certified.credentials(
        {"tls.crt": pair.certificate.decode(), "tls.key": other.key.decode()}, "client"
    )
    certified.store(
        {"cert": {"role": "app"}},
        tls={"clientCertSecretRef": {"name": "client"}, "caSecretRef": {"name": "ca"}},
    )
    certified.apply(referring({"password": "vault:kv/db#password"}))
    assert certified.stalls() == "InvalidReference"
    assert "PRIVATE" not in json.dumps(certified.manifest)


def test_a_ca_from_a_config_map_or_the_store_itself(
    certified: VaultWorld, authority: Authority
) -> None:
    pem = authority.pem.decode()
    certified.cluster.put(
        CONFIG_MAPS,
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "authorities", "namespace": DB.namespace},
            "data": {"bundle": pem},
        },
    )
    client = {"clientCertSecretRef": {"name": "client"}}
    certified.apply(referring({"password": "vault:kv/db#password"}))
    for source in (
        {"caConfigMapRef": {"name": "authorities", "key": "bundle"}},
        {"caBundle": pem},
        {"caBundle": pem, "serverName": "vault.example"},
    ):
        certified.store({"cert": {}}, tls={**client, **source})
        certified.later(7200)
        certified.done()
    certified.store({"cert": {}}, tls={**client, "caBundle": pem, "serverName": "other"})
    certified.later(7200)
    assert certified.fails()[0] == "VaultUnavailable"


def test_another_namespace_of_the_server(world: VaultWorld, kv: Mount) -> None:
    name = f"team-{next(_serial)}"
    kv.admin.do("POST", f"sys/namespaces/{name}")
    kv.admin.mount("inner", "kv", within=name, version="2")
    kv.admin.do("POST", "inner/data/db", {"data": {"password": "inside"}}, within=name)
    kv.admin.policy("inner", {"inner/*": "read"}, within=name)
    kv.admin.enable("userpass", "userpass", within=name)
    user = {"password": "pass-word", "token_policies": ["inner"]}
    kv.admin.do("POST", "auth/userpass/users/app", user, within=name)
    world.credentials({"password": "pass-word"}, "login")
    login = {"username": "app", "passwordSecretRef": {"name": "login"}}
    world.store({"namespace": name, "userpass": login})
    raw = {"path": "inner/db", "key": "password", "namespace": name}
    world.apply(referring({"password": raw}))
    world.done()
    assert world.data == {"password": b"inside"}


def test_a_token_is_shared_by_the_manifests_of_a_namespace(world: VaultWorld, kv: Mount) -> None:
    keys = [ObjectKey(DB.namespace, f"db-{number}") for number in range(5)]
    for key in keys:
        world.cluster.put(
            SEALED_SECRETS, referring({"password": kv.ref("db", "password")}, key=key)
        )
    world.look()
    for key in keys:
        world.reconciler.reconcile(key)
    assert world.asked["login"] == 1
