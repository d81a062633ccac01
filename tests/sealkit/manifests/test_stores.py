"""VaultStore and ClusterVaultStore: strict, and nothing is allowed that no rule allows."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import ManifestError
from sealkit.manifests.allow import parse_rules
from sealkit.manifests.stores import (
    Account,
    AppRoleAuth,
    CertAuth,
    JwtAuth,
    KeyRef,
    KubernetesAuth,
    PasswordAuth,
    Tls,
    TokenAuth,
    VaultStore,
)
from sealkit.references.store import Method
from tests.sealkit.samples import REMOVED, Path, edited

RAW: dict[str, Any] = yaml.safe_load("""
apiVersion: sealkit.dev/v1alpha1
kind: VaultStore
metadata: {name: default, namespace: shop, uid: x}
spec:
  address: https://vault.vault:8200
  namespace: team-a
  refreshInterval: 15m
  tls:
    caSecretRef: {name: ca}
    clientCertSecretRef: {name: client}
    serverName: vault.example
  auth:
    namespace: parent
    kubernetes: {role: shop, serviceAccountName: shop}
""")
CLUSTER = {
    **RAW,
    "kind": "ClusterVaultStore",
    "metadata": {"name": "shared"},
    "spec": {
        "address": "https://vault.vault:8200",
        "auth": {"token": {"secretRef": {"name": "t"}}},
        "credentialsNamespace": "vault",
        "allow": [{"namespaces": ["shop"], "paths": ["kv/{{namespace}}/*"]}],
    },
}


def test_a_store() -> None:
    store = VaultStore.from_dict(RAW)
    assert store.auth == KubernetesAuth("shop", Account("shop", "vault"), "kubernetes")
    assert store.tls == Tls("", KeyRef("ca", "ca.crt"), None, "client", "vault.example")
    assert (store.vault_namespace, store.auth_namespace) == ("team-a", "parent")
    assert store.interval_seconds == 900
    assert store.credentials_in("other") == "shop"
    assert store.allows("shop", "anything/at/all")
    assert not store.allows("other", "anything/at/all")


def test_defaults() -> None:
    spec = {"address": "https://v:1", "auth": {"token": {"secretRef": {"name": "t"}}}}
    store = VaultStore.from_dict({**RAW, "spec": spec})
    assert store.interval_seconds == 3600
    assert (store.vault_namespace, store.auth_namespace, store.tls) == ("", "", Tls())
    login = VaultStore.from_dict({**RAW, "spec": {**spec, "namespace": "team/a"}})
    assert login.auth_namespace == "team/a"


def test_a_cluster_store() -> None:
    store = VaultStore.from_dict(CLUSTER)
    assert (store.namespace, store.credentials_in("shop")) == ("", "vault")
    assert store.allows("shop", "kv/shop/db")
    assert not store.allows("shop", "kv/other/db")
    own = VaultStore.from_dict(edited(CLUSTER, ("spec", "credentialsNamespace"), REMOVED))
    assert own.credentials_in("shop") == "shop"


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (
            {"kubernetes": {"role": "r", "serviceAccountName": "a", "audience": "v", "mount": "m"}},
            KubernetesAuth("r", Account("a", "v"), "m"),
        ),
        (
            {"jwt": {"role": "r", "serviceAccountName": "a"}},
            JwtAuth("r", Account("a", "vault"), "jwt"),
        ),
        (
            {"jwt": {"role": "r", "secretRef": {"name": "s"}}},
            JwtAuth("r", KeyRef("s", "token"), "jwt"),
        ),
        ({"appRole": {"roleId": "id"}}, AppRoleAuth("id", None, "approle")),
        (
            {"appRole": {"roleIdSecretRef": {"name": "s"}, "secretIdSecretRef": {"name": "s"}}},
            AppRoleAuth(KeyRef("s", "role-id"), KeyRef("s", "secret-id"), "approle"),
        ),
        ({"token": {"secretRef": {"name": "s", "key": "k"}}}, TokenAuth(KeyRef("s", "k"))),
        ({"cert": {}}, CertAuth("", "cert")),
        ({"cert": {"role": "r", "mount": "a/b"}}, CertAuth("r", "a/b")),
        (
            {"userpass": {"username": "u", "passwordSecretRef": {"name": "s"}}},
            PasswordAuth("u", KeyRef("s", "password"), "userpass"),
        ),
        (
            {"ldap": {"username": "u", "passwordSecretRef": {"name": "s"}}},
            PasswordAuth("u", KeyRef("s", "password"), "ldap"),
        ),
    ],
)
def test_each_way_to_log_in(auth: dict[str, object], expected: object) -> None:
    assert VaultStore.from_dict(edited(RAW, ("spec", "auth"), auth)).auth == expected


REFUSED: list[tuple[Path, object, str]] = [
    (("kind",), "Store", "kind"),
    (("metadata", "name"), "", "metadata.name"),
    (("spec", "address"), "", "spec.address"),
    (("spec", "address"), "https://a\nb", "spec.address"),
    (("spec", "addres"), "x", "spec.addres"),
    (("spec", "allow"), [], "spec.allow"),
    (("spec", "credentialsNamespace"), "x", "spec.credentialsNamespace"),
    (("spec", "namespace"), "a/../b", "spec.namespace"),
    (("spec", "refreshInterval"), "1s", "spec.refreshInterval"),
    (("spec", "tls", "skipVerify"), True, "spec.tls.skipVerify"),
    (("spec", "tls", "caBundle"), "x", "spec.tls"),
    (
        ("spec", "tls", "caSecretRef"),
        {"name": "ca", "namespace": "x"},
        "spec.tls.caSecretRef.namespace",
    ),
    (("spec", "tls", "clientCertSecretRef"), {"key": "x"}, "spec.tls.clientCertSecretRef.key"),
    (("spec", "tls"), {"caBundle": "x" * 65_537}, "spec.tls.caBundle"),
    (("spec", "auth"), {}, "spec.auth"),
    (("spec", "auth", "token"), {}, "spec.auth"),
    (("spec", "auth"), {"aws": {}}, "spec.auth.aws"),
    (("spec", "auth"), {"kubernetes": {"serviceAccountName": "a"}}, "spec.auth.kubernetes.role"),
    (("spec", "auth"), {"kubernetes": {"role": "r"}}, "spec.auth.kubernetes.serviceAccountName"),
    (
        ("spec", "auth", "kubernetes", "audience"),
        "",
        "spec.auth.kubernetes.audience",
    ),
    (("spec", "auth", "kubernetes", "mount"), "../x", "spec.auth.kubernetes.mount"),
    (("spec", "auth", "kubernetes", "namespace"), "x", "spec.auth.kubernetes.namespace"),
    (("spec", "auth"), {"jwt": {"role": "r"}}, "spec.auth.jwt"),
    (("spec", "auth"), {"appRole": {}}, "spec.auth.appRole"),
    (("spec", "auth"), {"token": {}}, "spec.auth.token.secretRef.name"),
    (
        ("spec", "auth"),
        {"userpass": {"username": "u"}},
        "spec.auth.userpass.passwordSecretRef.name",
    ),
]


@pytest.mark.parametrize(("path", "value", "field"), REFUSED)
def test_anything_else_is_refused_with_its_field(path: Path, value: object, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        VaultStore.from_dict(edited(RAW, path, value))
    assert caught.value.field == field


def test_cert_auth_needs_a_certificate() -> None:
    raw = edited(RAW, ("spec", "auth"), {"cert": {}})
    with pytest.raises(ManifestError) as caught:
        VaultStore.from_dict(edited(raw, ("spec", "tls"), {}))
    assert caught.value.field == "spec.auth.cert"


def test_a_shared_store_takes_no_ca_from_those_who_use_it() -> None:
    raw = edited(CLUSTER, ("spec", "tls"), {"caSecretRef": {"name": "ca"}})
    assert VaultStore.from_dict(raw).tls.ca_secret
    with pytest.raises(ManifestError) as caught:
        VaultStore.from_dict(edited(raw, ("spec", "credentialsNamespace"), REMOVED))
    assert caught.value.field == "spec.tls"


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("kv/shop/db", "kv/shop/db", True),
        ("kv/shop/db", "kv/shop/db/x", False),
        ("kv/shop/db", "kv/shop", False),
        ("kv/shop/*", "kv/shop/db", True),
        ("kv/shop/*", "kv/shop/a/b/c", True),
        ("kv/shop/*", "kv/shop", False),
        ("kv/shop/*", "kv/shopping/db", False),
        ("kv/shop/d*", "kv/shop/db", True),
        ("kv/shop/d*", "kv/shop/db/deep", True),
        ("kv/shop/d*", "kv/shop/x", False),
        ("kv/shop*", "kv/shopping/db", True),
        ("*", "anything/at/all", True),
        ("kv/+/db", "kv/any/db", True),
        ("kv/+/db", "kv/a/b/db", False),
        ("kv/+/db", "kv/any/other", False),
        ("kv/+", "kv/any", True),
        ("kv/+", "kv/any/more", False),
        ("+/shop/*", "kv/shop/db", True),
        ("kv/{{namespace}}/*", "kv/shop/db", True),
        ("kv/{{namespace}}/*", "kv/other/db", False),
        ("kv/{{namespace}}", "kv/shop", True),
        ("kv/{{namespace}}", "kv/shop/x", False),
        ("{{namespace}}/+/*", "shop/a/b", True),
        ("kv/+/*", "kv/a/b", True),
    ],
)
def test_a_path_pattern(pattern: str, path: str, *, expected: bool) -> None:
    (rule,) = parse_rules([{"namespaces": ["shop"], "paths": [pattern]}], "x")
    assert rule.allows("shop", path) is expected
    assert not rule.allows("other", path)


def test_only_methods_that_read_unless_others_are_named() -> None:
    raw = {"namespaces": ["shop"], "paths": ["pki/issue/shop"]}
    (reading,) = parse_rules([raw], "x")
    (issuing,) = parse_rules([raw | {"methods": ["PUT", "POST"]}], "x")
    for method in Method:
        reads = method in {Method.GET, Method.LIST}
        assert reading.allows("shop", "pki/issue/shop", method) is reads
        assert issuing.allows("shop", "pki/issue/shop", method) is not reads


def test_namespace_patterns() -> None:
    (rule,) = parse_rules([{"namespaces": ["team-*", "shop"], "paths": ["*"]}], "x")
    found = {name: rule.allows(name, "a") for name in ("team-a", "team-", "team", "shop", "shop-a")}
    assert found == {"team-a": True, "team-": True, "team": False, "shop": True, "shop-a": False}


@given(st.text("kvs/+*{}abc.-", max_size=12), st.text("kvs/abc.-", min_size=1, max_size=12))
def test_no_pattern_matches_by_accident(pattern: str, path: str) -> None:
    """What is accepted as a pattern, and has nothing special in it, fits itself alone."""
    try:
        (rule,) = parse_rules([{"namespaces": ["*"], "paths": [pattern]}], "x")
    except ManifestError:
        return
    if not set("+*{") & set(pattern):
        assert rule.allows("shop", path) is (path == pattern)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ("x", "a[0]"),
        ({}, "a[0].namespaces"),
        ({"namespaces": ["shop"]}, "a[0].paths"),
        ({"namespaces": "shop", "paths": ["*"]}, "a[0].namespaces"),
        ({"namespaces": ["Shop"], "paths": ["*"]}, "a[0].namespaces[0]"),
        ({"namespaces": ["a*b"], "paths": ["*"]}, "a[0].namespaces[0]"),
        ({"namespaces": ["a"], "paths": ["kv/*/x"]}, "a[0].paths[0]"),
        ({"namespaces": ["a"], "paths": ["kv//x"]}, "a[0].paths[0]"),
        ({"namespaces": ["a"], "paths": ["kv/{{namespace}}*"]}, "a[0].paths[0]"),
        ({"namespaces": ["a"], "paths": ["kv/x-{{namespace}}/*"]}, "a[0].paths[0]"),
        ({"namespaces": ["a"], "paths": ["kv/{{ namespace }}/*"]}, "a[0].paths[0]"),
        ({"namespaces": ["a"], "paths": ["kv/a+/x"]}, "a[0].paths[0]"),
        ({"namespaces": ["a"], "paths": [5]}, "a[0].paths"),
        ({"namespaces": ["a"], "paths": ["*"], "deny": []}, "a[0].deny"),
        ({"namespaces": ["a"], "paths": ["*"], "methods": []}, "a[0].methods"),
        ({"namespaces": ["a"], "paths": ["*"], "methods": ["DELETE"]}, "a[0].methods"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule: object, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_rules([rule], "a")
    assert caught.value.field == field


def test_rules_are_a_list_of_no_more_than_64() -> None:
    rule = {"namespaces": ["a"], "paths": ["*"]}
    cases: list[object] = [{}, [rule] * 65]
    for raw in cases:
        with pytest.raises(ManifestError):
            parse_rules(raw, "a")
