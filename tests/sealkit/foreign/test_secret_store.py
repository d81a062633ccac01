"""SecretStore and ClusterSecretStore: connection, logins, and who may use them."""

from __future__ import annotations

from typing import Any

import pytest

from sealkit.errors import ManifestError
from sealkit.foreign import Conversion
from sealkit.manifests.stores import VaultStore
from tests.sealkit.foreign.documents import PEM, Raw, converted, document, manifest, note

VAULT = "spec.provider.vault"
SECRET = {"name": "login", "key": "value"}
ACCOUNT = {"serviceAccountRef": {"name": "shop", "audiences": ["vault"]}}
KUBERNETES = {"kubernetes": {"role": "shop", **ACCOUNT}}


def store(auth: Raw | None = None, kind: str = "SecretStore", **changes: object) -> Raw:
    """A store with no more than is needed."""
    raw = document(kind)
    raw["metadata"] = {"name": "vault"} | ({} if "Cluster" in kind else {"namespace": "shop"})
    vault = {"server": "https://vault:8200", "auth": auth or KUBERNETES, **changes}
    raw["spec"] = {"provider": {"vault": vault}}
    return raw


def cluster(auth: Raw | None = None, **changes: object) -> Raw:
    return store(auth, "ClusterSecretStore", **changes)


def left(raw: Raw) -> Conversion:
    result = converted(raw)
    assert result.manifest is None
    return result


def test_all_of_it() -> None:
    assert manifest(document("SecretStore")) == {
        "apiVersion": "sealkit.dev/v1alpha1",
        "kind": "VaultStore",
        "metadata": {"name": "vault", "namespace": "shop", "labels": {"team": "a"}},
        "spec": {
            "address": "https://vault.vault:8200",
            "namespace": "team-a",
            "tls": {"caBundle": PEM, "clientCertSecretRef": {"name": "client"}},
            "auth": {
                "namespace": "root",
                "kubernetes": {
                    "role": "shop",
                    "mount": "k8s",
                    "serviceAccountName": "shop",
                    "audience": "vault",
                },
            },
        },
    }


def test_all_of_one_for_the_cluster() -> None:
    made = manifest(document("ClusterSecretStore"))
    assert made["kind"] == "ClusterVaultStore"
    assert made["spec"] == {
        "address": "https://vault.vault:8200",
        "tls": {"caConfigMapRef": {"name": "vault-ca", "key": "bundle.pem"}},
        "auth": {
            "appRole": {
                "roleId": "0815",
                "secretIdSecretRef": {"name": "approle", "key": "secret"},
                "mount": "approle-1",
            }
        },
        "credentialsNamespace": "vault",
        "allow": [{"namespaces": ["shop", "stage"], "paths": ["fill-in-the-paths"]}],
    }


def test_the_least_there_can_be_has_no_notes() -> None:
    assert converted(store()).notes == ()


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (
            KUBERNETES,
            {
                "kubernetes": {
                    "role": "shop",
                    "mount": "kubernetes",
                    "serviceAccountName": "shop",
                    "audience": "vault",
                }
            },
        ),
        (
            {"jwt": {"role": "shop", "secretRef": SECRET}},
            {"jwt": {"role": "shop", "mount": "jwt", "secretRef": SECRET}},
        ),
        (
            {
                "jwt": {
                    "path": "jwt-1",
                    "role": "shop",
                    "kubernetesServiceAccountToken": {"serviceAccountRef": {"name": "shop"}},
                }
            },
            {
                "jwt": {
                    "role": "shop",
                    "mount": "jwt-1",
                    "serviceAccountName": "shop",
                    "audience": "vault",
                }
            },
        ),
        (
            {"appRole": {"roleRef": SECRET, "secretRef": SECRET}},
            {
                "appRole": {
                    "roleIdSecretRef": SECRET,
                    "secretIdSecretRef": SECRET,
                    "mount": "approle",
                }
            },
        ),
        ({"tokenSecretRef": SECRET}, {"token": {"secretRef": SECRET}}),
        (
            {"userPass": {"path": "up", "username": "app", "secretRef": SECRET}},
            {"userpass": {"username": "app", "passwordSecretRef": SECRET, "mount": "up"}},
        ),
        (
            {"ldap": {"username": "app", "secretRef": SECRET}},
            {"ldap": {"username": "app", "passwordSecretRef": SECRET}},
        ),
        (
            {
                "cert": {
                    "vaultRole": "web",
                    "clientCert": {"name": "client"},
                    "secretRef": {"name": "client"},
                }
            },
            {"cert": {"mount": "cert", "role": "web"}},
        ),
    ],
    ids="-".join,
)
def test_every_way_to_log_in(auth: Raw, expected: Raw) -> None:
    result = converted(store(auth))
    assert result.notes == ()
    assert result.manifest is not None
    assert result.manifest["spec"]["auth"] == expected  # type: ignore[index]  # a dict
    VaultStore.from_dict(result.manifest)


@pytest.mark.parametrize(
    ("auth", "field"),
    [
        ({"kubernetes": {"role": "shop"}}, f"{VAULT}.auth.kubernetes"),
        (
            {"kubernetes": {"role": "shop", "secretRef": {"name": "token"}}},
            f"{VAULT}.auth.kubernetes",
        ),
        ({"jwt": {"secretRef": SECRET}}, f"{VAULT}.auth.jwt.role"),
        ({"jwt": {"role": "shop"}}, f"{VAULT}.auth.jwt"),
        ({"iam": {"vaultRole": "shop"}}, f"{VAULT}.auth"),
        ({"tokenSecretRef": SECRET, **KUBERNETES}, f"{VAULT}.auth"),
        ({"namespace": "a"}, f"{VAULT}.auth"),
    ],
    ids=["no-account", "legacy-token", "no-role", "no-token", "aws", "two", "none"],
)
def test_a_login_that_sealkit_has_not(auth: Raw, field: str) -> None:
    assert "stays as it is" in note(left(store(auth)), field).todo


def test_another_provider_stays() -> None:
    result = left(document("SecretStore", provider={"aws": {}}))
    assert note(result, "spec.provider").found == "aws"


@pytest.mark.parametrize(
    ("auth", "field"),
    [
        (
            {"kubernetes": {"role": "a", "secretRef": SECRET, **ACCOUNT}},
            "auth.kubernetes.secretRef",
        ),
        (
            {"jwt": {"role": "a", "secretRef": SECRET, "kubernetesServiceAccountToken": ACCOUNT}},
            "auth.jwt.kubernetesServiceAccountToken",
        ),
        (
            {"appRole": {"roleId": "a", "roleRef": SECRET, "secretRef": SECRET}},
            "auth.appRole.roleRef",
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_of_two_sources_one_is_kept(auth: Raw, field: str) -> None:
    assert "comes first" in note(converted(store(auth)), f"{VAULT}.{field}").todo


@pytest.mark.parametrize(
    ("audiences", "expected", "noted"),
    [([], None, "none"), (["a"], "a", ""), (["a", "b"], "a", "a, b")],
    ids=["none", "one", "two"],
)
def test_there_is_one_audience(audiences: list[str], expected: str | None, noted: str) -> None:
    ref = {"name": "shop", "audiences": audiences}
    result = converted(store({"kubernetes": {"role": "a", "serviceAccountRef": ref}}))
    assert result.manifest is not None
    spec: Any = result.manifest["spec"]
    assert spec["auth"]["kubernetes"].get("audience") == expected
    assert [one.found for one in result.notes] == ([noted] if noted else [])


def test_old_and_new_audiences_count_together() -> None:
    token = {"audiences": ["b"], **ACCOUNT, "expirationSeconds": 900}
    raw = store({"jwt": {"role": "a", "kubernetesServiceAccountToken": token}})
    result = converted(raw)
    where = f"{VAULT}.auth.jwt.kubernetesServiceAccountToken"
    assert note(result, f"{where}.serviceAccountRef.audiences").found == "vault, b"
    assert note(result, f"{where}.expirationSeconds")


@pytest.mark.parametrize(
    "tls",
    [
        {"certSecretRef": {"name": "a"}, "keySecretRef": {"name": "b"}},
        {"certSecretRef": {"name": "a", "key": "cert"}, "keySecretRef": {"name": "a"}},
    ],
    ids=["two-secrets", "other-keys"],
)
def test_the_halves_of_a_certificate_belong_together(tls: Raw) -> None:
    assert "kubernetes.io/tls" in note(converted(store(tls=tls)), f"{VAULT}.tls").todo


def test_connection_and_login_have_one_certificate() -> None:
    both = {"certSecretRef": {"name": "a"}, "keySecretRef": {"name": "a"}}
    auth = {"cert": {"clientCert": {"name": "b"}, "secretRef": {"name": "b"}}}
    result = converted(store(auth, tls=both))
    assert note(result, f"{VAULT}.auth.cert.clientCert").found == "b"


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_a_ca_by_name(kind: str) -> None:
    made = manifest(store(caProvider={"type": kind, "name": "ca"}))
    assert made["spec"]["tls"] == {f"ca{kind}Ref": {"name": "ca", "key": "ca.crt"}}


def test_a_ca_in_full_comes_first() -> None:
    bundle = document("SecretStore")["spec"]["provider"]["vault"]["caBundle"]
    raw = store(caBundle=bundle, caProvider={"type": "Secret", "name": "ca"})
    assert note(converted(raw), f"{VAULT}.caProvider")


def test_credentials_in_another_namespace_are_looked_for_here() -> None:
    raw = store({"tokenSecretRef": {**SECRET, "namespace": "vault"}})
    assert note(converted(raw), f"{VAULT}.auth.tokenSecretRef.namespace").found == "vault"


def test_a_shared_store_leaves_credentials_to_each_namespace() -> None:
    result = converted(cluster())
    assert result.manifest is not None
    assert "credentialsNamespace" not in result.manifest["spec"]  # type: ignore[operator]  # a dict
    assert note(result, "spec.conditions").found == "*"


def test_then_there_is_no_place_for_a_ca_by_name() -> None:
    result = converted(cluster(caProvider={"type": "Secret", "name": "ca"}))
    assert result.manifest is not None
    assert "tls" not in result.manifest["spec"]  # type: ignore[operator]  # a dict
    assert "caBundle" in note(result, f"{VAULT}.caProvider").todo


def test_the_place_of_a_ca_does_not_say_whose_credentials_are_used() -> None:
    result = converted(cluster(caProvider={"type": "Secret", "name": "ca", "namespace": "vault"}))
    assert result.manifest is not None
    assert result.manifest["spec"].keys() == {"address", "auth", "allow"}  # type: ignore[attr-defined]  # a dict
    assert "caBundle" in note(result, f"{VAULT}.caProvider").todo


def test_a_ca_and_credentials_are_in_one_namespace() -> None:
    auth = {"tokenSecretRef": {**SECRET, "namespace": "a"}}
    ca = {"type": "Secret", "name": "ca", "namespace": "b"}
    result = converted(cluster(auth, caProvider=ca))
    assert note(result, f"{VAULT}.caProvider").todo == "is looked for in the namespace a"


def test_credentials_of_a_shared_store_are_in_one_namespace() -> None:
    role, secret = ({**SECRET, "namespace": name} for name in ("a", "b"))
    result = converted(cluster({"appRole": {"roleRef": role, "secretRef": secret}}))
    assert result.manifest is not None
    assert result.manifest["spec"]["credentialsNamespace"] == "a"  # type: ignore[index]  # a dict
    assert note(result, f"{VAULT}.auth.appRole.secretRef.namespace").found == "b"


def test_conditions_that_name_no_namespace_allow_nothing() -> None:
    raw = document("ClusterSecretStore", conditions=[{"namespaceRegexes": [".*"]}])
    result = converted(raw)
    assert result.manifest is not None
    assert "allow" not in result.manifest["spec"]  # type: ignore[operator]  # a dict
    assert note(result, "spec.conditions[0].namespaceRegexes")


def test_until_paths_are_filled_in_nothing_may_be_read() -> None:
    made = VaultStore.from_dict(manifest(cluster()))
    assert not made.allows("shop", "kv/shop/db")


def test_mount_and_version_are_a_matter_of_references() -> None:
    raw = store(path="kv", version="v1")
    assert {one.field for one in converted(raw).notes} == {f"{VAULT}.path", f"{VAULT}.version"}
    user = document("ExternalSecret")
    assert converted(raw, user).notes == ()
    user["metadata"]["namespace"] = "stage"
    assert len(converted(raw, user).notes) == 2
    user["spec"]["data"] = "wrong"
    assert len(converted(raw, user).notes) == 2


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (store(server=""), f"{VAULT}.server"),
        (store(version="v3"), f"{VAULT}.version"),
        (store(caBundle="not base64"), f"{VAULT}.caBundle"),
        (store(caBundle="YWJj"), f"{VAULT}.caBundle"),
        (store(caProvider={"type": "File", "name": "a"}), f"{VAULT}.caProvider.type"),
        (store({"tokenSecretRef": {"name": "a"}}), f"{VAULT}.auth.tokenSecretRef.key"),
        (store({"appRole": {"roleId": ""}}), f"{VAULT}.auth.appRole.roleId"),
        (store(tls={"certSecretRef": {"name": "a"}}), f"{VAULT}.tls.keySecretRef.name"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_wrong_in_itself_is_refused(raw: Raw, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        converted(raw)
    assert caught.value.field == field


def test_a_store_that_ours_refuses_stays() -> None:
    result = left(store(namespace="a/../b"))
    assert "spec.namespace of the VaultStore" in note(result, "").todo
