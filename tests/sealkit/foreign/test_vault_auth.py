"""VaultAuth and VaultConnection: two of theirs are one store of ours."""

from __future__ import annotations

from typing import Any

import pytest

from sealkit.errors import ManifestError
from sealkit.foreign import Conversion
from sealkit.manifests.stores import VaultStore
from sealkit.references.reference import StoreKind
from tests.sealkit.foreign.documents import Raw, converted, document, manifest, note

CONNECTION = document("VaultConnection")
KUBERNETES = {"role": "shop", "serviceAccount": "shop", "audiences": ["vault"]}


def auth(**changes: object) -> Raw:
    """A VaultAuth with no more than is needed."""
    raw = document("VaultAuth")
    raw["spec"] = {
        "vaultConnectionRef": "vault/main",
        "method": "kubernetes",
        "mount": "kubernetes",
        "kubernetes": KUBERNETES,
    }
    for name, value in changes.items():
        raw["spec"][name] = value
    return raw


def connection(name: str = "main", namespace: str = "vault", **spec: object) -> Raw:
    raw = document("VaultConnection")
    raw["metadata"] = {"name": name, "namespace": namespace}
    raw["spec"] = {"address": "https://vault:8200", **spec}
    return raw


def left(raw: Raw, *others: Raw) -> Conversion:
    result = converted(raw, *others)
    assert result.manifest is None
    assert not result.goes
    return result


def test_all_of_it() -> None:
    assert manifest(document("VaultAuth"), CONNECTION) == {
        "apiVersion": "sealkit.dev/v1alpha1",
        "kind": "VaultStore",
        "metadata": {"name": "vault", "namespace": "shop"},
        "spec": {
            "address": "https://vault.vault:8200",
            "namespace": "team-a",
            "tls": {
                "serverName": "vault.example.com",
                "caSecretRef": {"name": "vault-ca", "key": "ca.crt"},
            },
            "auth": {
                "kubernetes": {
                    "role": "shop",
                    "serviceAccountName": "shop",
                    "audience": "vault",
                    "mount": "k8s",
                }
            },
        },
    }


def test_the_least_there_can_be_has_no_notes() -> None:
    assert converted(auth(), connection()).notes == ()
    joined = converted(connection(), auth())
    assert (joined.notes, joined.goes, joined.manifest) == ((), True, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"method": "jwt", "jwt": {"role": "a", "secretRef": "token"}},
            {"jwt": {"role": "a", "secretRef": {"name": "token", "key": "jwt"}}},
        ),
        (
            {"method": "jwt", "jwt": KUBERNETES},
            {"jwt": {"role": "shop", "serviceAccountName": "shop", "audience": "vault"}},
        ),
        (
            {"method": "appRole", "appRole": {"roleId": "a", "secretRef": "b"}, "mount": None},
            {"appRole": {"roleId": "a", "secretIdSecretRef": {"name": "b", "key": "id"}}},
        ),
    ],
    ids=["jwt-secret", "jwt-account", "approle"],
)
def test_every_way_to_log_in(changes: Raw, expected: Raw) -> None:
    raw = auth(**{"kubernetes": None, "mount": "m", **changes})
    result = converted(raw, connection())
    assert result.notes == ()
    ((method, fields),) = expected.items()
    mount = {} if "mount" in changes else {"mount": "m"}
    assert result.manifest is not None
    spec: Any = result.manifest["spec"]
    assert spec["auth"] == {method: {**fields, **mount}}


def test_for_the_cluster_if_that_is_asked_for() -> None:
    result = converted(auth(), connection(), store_kind=StoreKind.CLUSTER)
    assert result.manifest is not None
    assert result.manifest["metadata"] == {"name": "vault"}
    store = VaultStore.from_dict(result.manifest)
    assert store.credentials_in("stage") == "stage"
    assert [rule.namespaces for rule in store.allow] == [("shop",)]
    assert {one.field for one in result.notes} == {"metadata.namespace", "spec.allowedNamespaces"}


def test_namespaces_that_may_use_it() -> None:
    raw = auth(allowedNamespaces=["a", "b"])
    assert "--store-kind" in note(converted(raw, connection()), "spec.allowedNamespaces").todo
    made = manifest(raw, connection(), store_kind=StoreKind.CLUSTER)
    assert made["spec"]["allow"] == [{"namespaces": ["a", "b"], "paths": ["fill-in-the-paths"]}]


def test_a_ca_is_looked_for_where_the_store_is() -> None:
    there, here = (connection(namespace=name, caCertSecretRef="ca") for name in ("vault", "shop"))
    assert note(converted(auth(), there), "spec.vaultConnectionRef").found == "vault"
    assert converted(auth(vaultConnectionRef="main"), here).notes == ()
    result = converted(auth(), there, store_kind=StoreKind.CLUSTER)
    assert result.manifest is not None
    assert "tls" not in result.manifest["spec"]  # type: ignore[operator]  # a dict
    assert "caBundle" in note(result, "spec.vaultConnectionRef").todo


def test_the_connection_of_the_operator() -> None:
    raw = auth(vaultConnectionRef=None)
    assert converted(raw, connection("default", "vso")).manifest
    left(raw, connection("other", "vso"))
    both = (connection("default", "a"), connection("default", "b"))
    assert note(left(raw, *both), "spec.vaultConnectionRef").found == "default"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vaultConnectionRef": "main"}, "spec.vaultConnectionRef"),
        ({"vaultAuthGlobalRef": {"name": "all"}}, "spec.vaultAuthGlobalRef"),
        ({"method": "aws", "aws": {}}, "spec.method"),
        (
            {"method": "appRole", "appRole": {"roleId": "a", "secretIDPath": "/f"}},
            "spec.appRole.secretIDPath",
        ),
    ],
    ids=["no-connection", "global", "aws", "file"],
)
def test_what_cannot_be_a_store_stays(changes: Raw, field: str) -> None:
    assert "stays as it is" in note(left(auth(**changes), connection()), field).todo
    assert "stays as it is" in note(left(connection(), auth(**changes)), "").todo


def test_a_token_in_a_secret_comes_first() -> None:
    given = {"role": "a", "secretRef": "token", "serviceAccount": "shop"}
    raw = auth(method="jwt", jwt=given, kubernetes=None)
    assert note(converted(raw, connection()), "spec.jwt.serviceAccount")


def test_a_method_that_is_not_the_one_is_noted() -> None:
    result = converted(auth(jwt={"role": "a"}), connection())
    assert note(result, "spec.jwt").found == "mapping of 1"


def test_what_a_connection_had_more() -> None:
    result = converted(CONNECTION, document("VaultAuth"))
    assert result.goes
    assert [one.field for one in result.notes] == [
        "spec.skipTLSVerify",
        "metadata.labels",
        "metadata.annotations",
        "spec.caCertPath",
        "spec.timeout",
        "spec.headers",
    ]


@pytest.mark.parametrize(
    ("raw", "other", "field"),
    [
        (connection(address=""), auth(), "spec.address"),
        (connection(skipTLSVerify="no"), auth(), "spec.skipTLSVerify"),
        (auth(method=None), connection(), "spec.method"),
        (auth(kubernetes={"role": "a"}), connection(), "spec.kubernetes.serviceAccount"),
        (auth(kubernetes={}), connection(), "spec.kubernetes.serviceAccount"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_wrong_in_itself_is_refused_where_it_is(raw: Raw, other: Raw, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        converted(raw, other)
    assert caught.value.field == field
    left(other, raw)
