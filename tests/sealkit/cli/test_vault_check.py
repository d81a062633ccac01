"""`sealkit vault check`: what resolves, what does not and why, on a real server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sealkit.manifests.emit import emit_yaml
from tests.fakes.vault_admin import ROOT_TOKEN, Admin
from tests.fakes.vault_server import TLS_NAME, OpenBao
from tests.sealkit.cli.conftest import AUTHORITY
from tests.sealkit.cli.desk import CANARY, Desk, Result, secret_text

PLACE = "check/db"
DATA = {"password": CANARY, "user": "app", "config": '{"auths": {}}', "none": None}
FILE = "db.yaml"
FOUND = f"ok, {len(CANARY)} bytes"
PKI = 'vault:pki/issue/web#%s#{"common_name":"shop.example"}'


@pytest.fixture
def shop(vault: Admin, desk: Desk) -> Desk:
    """The desk, with values at `kv/check/db` and `old/check/db`."""
    vault.do("POST", f"kv/data/{PLACE}", {"data": DATA})
    vault.do("POST", f"old/{PLACE}", DATA)
    return desk


def spelled(key: str = "password", mount: str = "kv") -> str:
    return f"vault:{mount}/{PLACE}#{key}"


def manifest(desk: Desk, spec: dict[str, Any] | None = None, **values: str) -> None:
    """Write a manifest with references, and more in its spec."""
    text = desk.ok("seal", stdin=secret_text(**(values or {"PASSWORD": spelled()}))).out
    if spec:
        raw = yaml.safe_load(text)
        raw["spec"] |= spec
        text = emit_yaml(raw)
    desk.write(FILE, text)


def store(address: str, **spec: Any) -> str:
    """A store called `main`, of the cluster unless it has a namespace."""
    namespace = spec.pop("of", "")
    metadata = {"name": "main"} | ({"namespace": namespace} if namespace else {})
    auth = {"kubernetes": {"role": "shop", "serviceAccountName": "shop"}}
    raw = {
        "apiVersion": "sealkit.dev/v1alpha1",
        "kind": "VaultStore" if namespace else "ClusterVaultStore",
        "metadata": metadata,
        "spec": {"address": address, "auth": auth, **spec},
    }
    return emit_yaml(raw)


ALLOW = [{"namespaces": ["shop"], "paths": ["kv/check/*"]}]
OF_CLUSTER = {"vault": {"store": {"name": "main", "kind": "ClusterVaultStore"}}}
OF_NAMESPACE = {"vault": {"store": "main"}}


def failed(result: Result, *reasons: str) -> None:
    """A check that found something: exit code 1, and these reasons in the lines of references."""
    assert result.code == 1, result.err
    found = [line.split(" → ")[1].split(":")[0] for line in result.out.splitlines()]
    assert [reason for reason in found if reason not in {"made", "not made"}] == list(reasons)
    assert "sealkit: error: " in result.err


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert f"sealkit: error: {start}" in result.err, result.err


class TestResolving:
    """Values that are there."""

    def test_each_reference_has_a_line_and_no_value_shows(self, shop: Desk) -> None:
        manifest(shop, PASSWORD=spelled(), URL=f"pg://${{{spelled('user')}}}@host")
        result = shop.ok("vault", "check", FILE)
        assert result.out.splitlines() == [
            f"db.yaml:1 shop/db PASSWORD vault:kv/{PLACE}#password → ok, {len(CANARY)} bytes",
            f"db.yaml:1 shop/db URL vault:kv/{PLACE}#user → ok, 3 bytes",
            "db.yaml:1 shop/db → made: type Opaque, 2 keys",
        ]
        assert result.err == "checked 2 references in 1 Secret\n"

    def test_a_plain_secret_with_references(self, shop: Desk) -> None:
        text = secret_text(PASSWORD=spelled(mount="old"), OTHER="plain", ONE="<path:kv/x#y>")
        result = shop.run("vault", "check", stdin=text.replace("kv/x#y", f"kv/{PLACE}#user"))
        assert result.code == 0, result.err
        assert result.out.splitlines()[-1] == "stdin:1 shop/db → made: type Opaque, 3 keys"

    def test_as_json(self, shop: Desk) -> None:
        manifest(shop)
        found = shop.ok("vault", "check", FILE, "--json").json
        (secret,) = found["secrets"]
        assert (secret["file"], secret["document"], secret["made"]) == (FILE, 1, True)
        (tried,) = secret["references"]
        assert tried["outcome"] == "ok"
        assert tried["bytes"] == len(CANARY)
        assert tried["store"] == "VaultStore default"

    def test_several_files_and_a_namespace_for_those_that_have_none(self, shop: Desk) -> None:
        shop.write("a.yaml", secret_text("a", "", PASSWORD=spelled()))
        shop.write("b.yaml", secret_text("b", "stage", PASSWORD=spelled()))
        out = shop.ok("vault", "check", "a.yaml", "b.yaml", "-n", "shop").out
        assert [line.split()[1] for line in out.splitlines()] == ["shop/a"] * 2 + ["stage/b"] * 2
        assert "a.yaml:1 a PASSWORD" in shop.ok("vault", "check", "a.yaml").out

    def test_nothing_refers_to_vault(self, shop: Desk) -> None:
        shop.environment.clear()
        sealed = shop.ok("seal", stdin=f"kind: Other\n---\n{secret_text()}").out
        shop.write(FILE, f"{sealed}---\n{secret_text()}")
        for arguments in ((FILE,), (FILE, "--json")):
            result = shop.ok("vault", "check", *arguments)
            assert "note: there is no reference to Vault in db.yaml" in result.err

    def test_what_is_optional_may_be_absent(self, shop: Desk) -> None:
        manifest(shop)
        raw = {"path": f"kv/{PLACE}", "key": "missing", "optional": True}
        manifest(shop, {"references": {"A": raw, "B": spelled()}})
        out = shop.ok("vault", "check", FILE).out.splitlines()
        assert out[0].endswith(" → absent, left out")
        assert out[-1].endswith("made: type Opaque, 1 key")


class TestFailures:
    """Values that are not there, each with its reason."""

    @pytest.mark.parametrize(
        ("reference", "reason"),
        [
            ("vault:kv/check/none#a", "PathNotFound"),
            (f"vault:kv/{PLACE}#missing", "KeyNotFound"),
            (f"vault:kv/{PLACE}#none", "NullValue"),
            (f"vault:kv/{PLACE}#password#99", "PathNotFound"),
            (f"vault:kv/{PLACE}#user | base64decode | jsonParse", "TemplateError"),
            ("vault:sys/mounts#a", "PathNotAllowed"),
            (f"vault:old/{PLACE}#a#1", "InvalidReference"),
        ],
        ids=lambda text: text.replace("/", "-"),
    )
    def test_reasons(self, shop: Desk, reference: str, reason: str) -> None:
        manifest(shop, A=reference, B=spelled())
        failed(shop.run("vault", "check", FILE), reason, FOUND)

    def test_what_the_token_may_not_read(self, shop: Desk, vault: Admin) -> None:
        vault.policy("check", {f"kv/data/{PLACE}": "read"})
        shop.environment["VAULT_TOKEN"] = vault.token("check")
        manifest(shop, A=spelled(), B="vault:kv/other#a")
        result = shop.run("vault", "check", FILE)
        failed(result, FOUND, "PermissionDenied")
        assert "(HTTP 403)" in result.out

    def test_a_bad_token(self, shop: Desk) -> None:
        shop.environment["VAULT_TOKEN"] = CANARY
        manifest(shop, A=spelled(), B=spelled("user"))
        result = shop.run("vault", "check", FILE)
        failed(result, "AuthFailed", "AuthFailed")
        assert "vault login" in result.out
        assert CANARY not in result.out + result.err

    def test_nobody_answers(self, shop: Desk) -> None:
        shop.environment["VAULT_ADDR"] = "http://127.0.0.1:1"
        manifest(shop)
        failed(shop.run("vault", "check", FILE), "VaultUnavailable")

    def test_an_address_that_is_none(self, shop: Desk) -> None:
        shop.environment["VAULT_ADDR"] = "vault.example:8200"
        manifest(shop)
        failed(shop.run("vault", "check", FILE), "InvalidReference")

    def test_a_failure_shows_in_json_too(self, shop: Desk) -> None:
        manifest(shop, A="vault:kv/check/none#a")
        result = shop.run("vault", "check", FILE, "--json")
        assert result.code == 1
        (secret,) = result.json["secrets"]
        assert (secret["made"], secret["references"][0]["outcome"]) == (False, "PathNotFound")
        assert result.err == (
            "sealkit: error: references without a value: 1 of 1, Secrets not made: 1 of 1\n"
        )


class TestMaking:
    """The whole Secret: builders, texts, rules of its type."""

    def test_a_builder_and_a_text(self, shop: Desk) -> None:
        users = [{"username": "user", "password": "password"}]
        template = {
            "type": "Opaque",
            "build": {"htpasswd": {"users": users}},
            "data": {"app.ini": "name={{ .user }}"},
        }
        manifest(shop, {"template": template}, user=spelled("user"), password=spelled())
        out = shop.ok("vault", "check", FILE).out
        assert out.endswith("made: type Opaque, 4 keys\n")

    def test_a_builder_that_cannot(self, shop: Desk) -> None:
        users = [{"username": "user", "password": "password"}]
        template = {"type": "Opaque", "build": {"htpasswd": {"users": users}}}
        manifest(shop, {"template": template}, user=spelled("config"), password=spelled())
        result = shop.run("vault", "check", FILE)
        assert result.code == 1
        assert "not made: builder htpasswd: value 'user' holds a colon" in result.out
        assert result.err.endswith("error: Secrets not made: 1 of 1\n")

    def test_a_rule_of_the_type(self, shop: Desk) -> None:
        docker = "type: kubernetes.io/dockerconfigjson\n"
        good = secret_text(**{".dockerconfigjson": spelled("config")}) + docker
        assert shop.run("vault", "check", stdin=good).code == 0
        bad = good.replace("#config", "#password")
        result = shop.run("vault", "check", stdin=bad)
        assert result.code == 1
        assert "not made: data..dockerconfigjson: is not a JSON object" in result.out

    def test_without_a_key_sealed_values_stay_closed(self, shop: Desk) -> None:
        manifest(shop, A=spelled(), B="plain")
        out = shop.ok("vault", "check", FILE).out
        assert out.endswith("made in part: 1 sealed value not opened, --key FILE does\n")
        out = shop.ok("vault", "check", FILE, "--key", shop.key_file("prod")).out
        assert out.endswith("made: type Opaque, 2 keys\n")

    def test_a_rule_of_the_type_without_a_key(self, shop: Desk) -> None:
        docker = "type: kubernetes.io/dockerconfigjson\n"
        text = secret_text(**{".dockerconfigjson": spelled(), "B": "plain"}) + docker
        shop.ok("seal", "-o", FILE, stdin=text)
        result = shop.run("vault", "check", FILE)
        assert result.code == 1
        assert "is not a JSON object" in result.out

    def test_the_wrong_key(self, shop: Desk) -> None:
        manifest(shop, A=spelled(), B="plain")
        result = shop.run("vault", "check", FILE, "--key", shop.key_file("lab"))
        refused(result, 4, "db.yaml:1: no key here")


class TestStores:
    """Where to ask, and what is allowed there."""

    def test_the_rules_of_a_cluster_store_beside_it(self, shop: Desk, bao: OpenBao) -> None:
        manifest(shop, OF_CLUSTER, A=spelled(), B=spelled(mount="old"))
        shop.write("store.yaml", store(bao.address, allow=ALLOW))
        result = shop.run("vault", "check", FILE, "store.yaml")
        failed(result, FOUND, "PathNotAllowed")
        assert "ClusterVaultStore main does not allow GET old/check/db to shop" in result.out

    def test_rules_need_a_namespace(self, shop: Desk, bao: OpenBao) -> None:
        text = store(bao.address, allow=ALLOW)
        arguments = ("seal", "--scope", "cluster-wide", "--cluster-store", "main")
        sealed = shop.ok(*arguments, stdin=secret_text(namespace="", A=spelled())).out
        shop.write(FILE, f"{sealed}---\n{text}")
        result = shop.run("vault", "check", FILE)
        failed(result, "PathNotAllowed")
        assert "pass --namespace" in result.out
        shop.ok("vault", "check", FILE, "--namespace", "shop")

    def test_another_vault_namespace_than_the_cluster_store_s(
        self, shop: Desk, bao: OpenBao
    ) -> None:
        raw = {"path": f"kv/{PLACE}", "key": "user", "namespace": "below"}
        manifest(shop, {**OF_CLUSTER, "references": {"A": raw}})
        shop.write("store.yaml", store(bao.address, allow=ALLOW))
        failed(shop.run("vault", "check", FILE, "store.yaml"), "PathNotAllowed")

    def test_the_namespace_of_a_store(self, shop: Desk, vault: Admin, bao: OpenBao) -> None:
        vault.do("POST", "sys/namespaces/team", {})
        vault.mount("kv", "kv", within="team", version="2")
        vault.do("POST", "kv/data/a", {"data": {"key": "of the team"}}, within="team")
        manifest(shop, OF_NAMESPACE, A="vault:kv/a#key")
        shop.write("store.yaml", store(bao.address, of="shop", namespace="team"))
        assert "ok, 11 bytes" in shop.ok("vault", "check", FILE, "store.yaml").out
        shop.environment["VAULT_NAMESPACE"] = "team"
        shop.environment["VAULT_TOKEN"] = vault.token("root-of-team", within="team")
        failed(shop.run("vault", "check", FILE), "PermissionDenied")

    def test_a_store_without_a_namespace_is_one_of_each(self, shop: Desk, bao: OpenBao) -> None:
        manifest(shop, OF_NAMESPACE)
        text = store(bao.address, of="shop").replace("  namespace: shop\n", "")
        shop.write("store.yaml", text)
        del shop.environment["VAULT_ADDR"]
        shop.ok("vault", "check", FILE, "--store-file", "store.yaml")

    def test_the_address_of_a_store_where_there_is_no_other(self, shop: Desk, bao: OpenBao) -> None:
        manifest(shop, OF_NAMESPACE)
        shop.write("store.yaml", store(bao.address, of="shop"))
        del shop.environment["VAULT_ADDR"]
        result = shop.ok("vault", "check", FILE, "--store-file", "store.yaml")
        assert f"note: asking {bao.address}, as the store says" in result.err
        beside = shop.run("vault", "check", FILE, "store.yaml")
        assert beside.code == 2
        assert "it is not known where this store is" in beside.err

    def test_the_token_does_not_go_where_a_stranger_s_store_says(self, shop: Desk) -> None:
        manifest(shop, OF_NAMESPACE)
        shop.write("store.yaml", store("http://127.0.0.1:1", of="shop"))
        shop.ok("vault", "check", FILE, "store.yaml")
        named = shop.run("vault", "check", FILE, "--store-file", "store.yaml")
        failed(named, "VaultUnavailable")

    def test_over_tls_with_the_ca_of_the_store(self, shop: Desk, bao: OpenBao) -> None:
        manifest(shop, OF_NAMESPACE)
        ca = {"caBundle": AUTHORITY.pem.decode(), "serverName": TLS_NAME}
        shop.write("store.yaml", store(bao.tls_address, of="shop", tls=ca))
        shop.ok("vault", "check", FILE, "--store-file", "store.yaml")
        shop.write("store.yaml", store(bao.tls_address, of="shop"))
        failed(shop.run("vault", "check", FILE, "--store-file", "store.yaml"), "VaultUnavailable")

    def test_over_tls_with_the_ca_of_the_environment(self, shop: Desk, bao: OpenBao) -> None:
        manifest(shop)
        path = shop.keys_folder / "ca.pem"
        path.write_bytes(AUTHORITY.pem)
        shop.environment |= {"VAULT_ADDR": bao.tls_address, "VAULT_CACERT": str(path)}
        shop.ok("vault", "check", FILE)
        shop.environment["VAULT_CACERT"] = "none.pem"
        refused(shop.run("vault", "check", FILE), 1, "none.pem: cannot be read")

    def test_a_store_that_is_wrong(self, shop: Desk) -> None:
        manifest(shop)
        shop.write("store.yaml", store("https://vault.example", of="shop", none=1))
        refused(shop.run("vault", "check", FILE, "store.yaml"), 1, "store.yaml:1: spec.none: ")

    def test_openbao_s_own_names_come_first(self, shop: Desk, bao: OpenBao) -> None:
        manifest(shop)
        shop.environment = {
            "VAULT_ADDR": "http://127.0.0.1:1",
            "BAO_ADDR": bao.address,
            "BAO_TOKEN": ROOT_TOKEN,
        }
        shop.ok("vault", "check", FILE)

    def test_a_token_that_vault_login_left(self, shop: Desk) -> None:
        manifest(shop)
        (shop.keys_folder / ".vault-token").write_text(f"{ROOT_TOKEN}\n")
        del shop.environment["VAULT_TOKEN"]
        refused(shop.run("vault", "check", FILE), 2, "there is no token for Vault")
        shop.environment["HOME"] = str(shop.keys_folder)
        shop.ok("vault", "check", FILE)

    def test_no_address_is_known(self, shop: Desk) -> None:
        manifest(shop)
        del shop.environment["VAULT_ADDR"]
        result = shop.run("vault", "check", FILE)
        refused(result, 2, "VaultStore default: it is not known where this store is")
        assert "hint: set VAULT_ADDR, or pass --store-file" in result.err


class TestInput:
    """What goes in."""

    def test_a_manifest_that_is_wrong(self, shop: Desk) -> None:
        manifest(shop)
        shop.write(FILE, shop.read(FILE).replace("path: ", "patch: "))
        refused(shop.run("vault", "check", FILE), 1, "db.yaml:1: spec.references.PASSWORD")

    def test_a_secret_that_is_wrong(self, shop: Desk) -> None:
        result = shop.run("vault", "check", stdin=secret_text(A=f"vault:{CANARY}"))
        refused(result, 1, "stdin:1: stringData.A")
        assert CANARY not in result.err

    def test_standard_input_is_one_thing(self, shop: Desk) -> None:
        for arguments in (("-", "--key", "-"), ("--store-file", "-")):
            refused(shop.run("vault", "check", *arguments), 2, "standard input can be only one")


@pytest.fixture
def leased(shop: Desk, vault: Admin) -> Iterator[Desk]:
    """A manifest of a certificate, whose lease ends when it is revoked."""
    values = {key: f">>{PKI % name}" for key, name in PAIR.items()}
    shop.write(FILE, shop.ok("seal", stdin=secret_text(**values) + "type: kubernetes.io/tls\n").out)
    vault.ask("PUT", "sys/leases/revoke-prefix/pki")
    yield shop
    vault.ask("PUT", "sys/leases/revoke-prefix/pki")


PAIR = {"tls.crt": "certificate", "tls.key": "private_key"}


def leases(vault: Admin) -> list[str]:
    found = vault.ask("LIST", "sys/leases/lookup/pki/issue/web").body
    return list(found.get("data", {}).get("keys", []))


class TestLeases:
    """Credentials that are made for the check alone."""

    def test_they_are_revoked_and_it_is_said(self, leased: Desk, vault: Admin) -> None:
        result = leased.ok("vault", "check", FILE)
        assert result.err == "checked 2 references in 1 Secret, 1 lease revoked\n"
        assert leases(vault) == []

    def test_nothing_is_left_after_a_failure(self, leased: Desk, vault: Admin) -> None:
        leased.write("b.yaml", secret_text(A="vault:kv/check/none#a"))
        found = leased.run("vault", "check", FILE, "b.yaml", "--json")
        assert (found.code, found.json["leases_revoked"]) == (1, 1)
        assert leases(vault) == []

    def test_those_that_must_not_be_revoked_are_told(self, leased: Desk, vault: Admin) -> None:
        vault.policy("issue", {"pki/issue/web": "update", "auth/token/lookup-self": "read"})
        leased.environment["VAULT_TOKEN"] = vault.token("issue", no_default_policy=True)
        result = leased.ok("vault", "check", FILE)
        assert "note: a lease was not revoked, it will end: pki/issue/web/" in result.err
        assert result.err.endswith("checked 2 references in 1 Secret\n")
        assert len(leases(vault)) == 1

    def test_they_are_revoked_when_it_is_interrupted(
        self, leased: Desk, vault: Admin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("sealkit.cli.vault_check.assemble", interrupted)
        assert leased.run("vault", "check", FILE).code == 130
        assert leases(vault) == []


def test_a_certificate_without_a_lease_is_nothing_to_revoke(shop: Desk, vault: Admin) -> None:
    role = {"allow_any_name": True, "key_type": "ec", "max_ttl": "1h"}
    vault.do("POST", "pki/roles/unleased", role)
    manifest(shop, A=f">>{PKI % 'certificate'}".replace("/web", "/unleased"))
    assert "lease" not in shop.ok("vault", "check", FILE).err


def test_binary_values_have_a_size_and_no_text(shop: Desk, vault: Admin) -> None:
    encoded = base64.b64encode(bytes(range(256))).decode()
    vault.do("POST", "kv/data/check/binary", {"data": {"a": encoded}})
    manifest(shop, A="vault:kv/check/binary#a | base64decode")
    out = shop.ok("vault", "check", FILE).out
    assert "→ ok, 256 bytes" in out
    assert encoded not in out
