"""Secrets of the Argo CD Vault Plugin and of bank-vaults."""

from __future__ import annotations

import base64
from typing import Any

from sealkit.foreign import Context, Conversion, convert, convert_secret
from sealkit.references.reference import StoreKind
from sealkit.referring import divide
from tests.sealkit.foreign.documents import Raw, note
from tests.sealkit.samples import in_lines

AVP = "avp.kubernetes.io/"
BANK_VAULTS = "vault.security.banzaicloud.io/"
CANARY = "canary-4f1d-never-shown"


def secret(values: Raw, annotations: Raw | None = None, **more: object) -> Raw:
    metadata: Raw = {"name": "db", "namespace": "shop"}
    if annotations:
        metadata["annotations"] = annotations
    raw: Raw = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    return raw | {"stringData": values, **more}


def converted(raw: Raw, **context: Any) -> Conversion:
    divided = divide(raw)
    assert divided.references
    return convert_secret(raw, divided.secret, divided.references, Context(**context))


def test_a_path_in_an_annotation() -> None:
    raw = secret(
        {"pass": "<password>", "url": "db://<user>@db"},
        {
            f"{AVP}path": "kv/data/shop/db",
            f"{AVP}kv-version": "2",
            f"{AVP}secret-version": "3",
            "argocd.argoproj.io/sync-wave": "1",
            "owner": "team-a",
        },
        type="Opaque",
        immutable=True,
    )
    result = converted(raw)
    assert result.notes == ()
    assert result.manifest is not None
    assert result.manifest["metadata"] == {
        "name": "db",
        "namespace": "shop",
        "annotations": {"argocd.argoproj.io/sync-wave": "1"},
    }
    spec: Any = result.manifest["spec"]
    place = {"path": "kv/data/shop/db", "kv": "v2", "version": 3}
    assert spec["references"]["pass"] == place | {"key": "password"}
    assert spec["references"]["url"]["parts"][0] == "db://"
    assert spec["template"] == {
        "type": "Opaque",
        "immutable": True,
        "metadata": {"annotations": {"owner": "team-a"}},
    }
    assert "vault" not in spec


def test_inline_paths_in_both_maps() -> None:
    data = {"a": base64.b64encode(b"<path:kv/data/a#b>").decode()}
    result = converted(secret({"b": "<path:kv/data/a#c | base64decode>"}, data=data))
    assert result.manifest is not None
    references: Any = result.manifest["spec"]["references"]  # type: ignore[index]  # a dict
    assert in_lines(references) == {
        "a": "vault:kv/data/a#b",
        "b": "vault:kv/data/a#c | base64decode",
    }


def test_what_bank_vaults_is_told_belongs_to_the_store() -> None:
    raw = secret(
        {"pass": "vault:kv/data/shop/db#password#3"},
        {
            f"{BANK_VAULTS}vault-addr": "https://vault:8200",
            f"{BANK_VAULTS}vault-skip-verify": "true",
            f"{BANK_VAULTS}transit-path": "transit",
        },
    )
    result = converted(raw, store_kind=StoreKind.CLUSTER)
    assert result.manifest is not None
    spec: Any = result.manifest["spec"]
    assert in_lines(spec["references"]) == {"pass": "vault:kv/data/shop/db#password#3"}
    assert spec["vault"] == {"store": {"name": "default", "kind": "ClusterVaultStore"}}
    assert len(result.notes) == 2
    assert "`default`" in note(result, f"metadata.annotations.{BANK_VAULTS}vault-addr").todo
    assert "verification" in str(result.notes[1])


def test_a_secret_with_values_stays() -> None:
    result = converted(secret({"a": "vault:kv/a#b", "b": CANARY}))
    assert result.manifest is None
    assert "sealkit seal" in result.notes[0].todo
    assert CANARY not in str(result)


def test_what_the_api_server_adds_is_noted() -> None:
    raw = secret({"a": "vault:kv/a#b"})
    raw["metadata"]["uid"] = "1"
    assert note(converted(raw), "metadata.uid").found == "text"


def test_a_plain_secret_is_no_foreign_kind() -> None:
    assert convert(secret({"a": CANARY}), Context()) is None


def test_kinds_of_the_same_groups_that_are_not_converted_are_named() -> None:
    for group, kind in (
        ("generators.external-secrets.io/v1alpha1", "Password"),
        ("external-secrets.io/v1", "ClusterExternalSecret"),
        ("secrets.hashicorp.com/v1beta1", "SecretTransformation"),
        ("secrets.hashicorp.com/v1", "VaultConnection"),
    ):
        result = convert({"apiVersion": group, "kind": kind}, Context())
        assert result is not None
        assert note(result, "kind").found == f"{group} {kind}"
