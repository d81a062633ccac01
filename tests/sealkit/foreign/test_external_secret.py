"""ExternalSecret: each field, and what cannot be said in ours."""

from __future__ import annotations

from typing import Any

import pytest

from sealkit.assembly import assemble
from sealkit.errors import ManifestError
from sealkit.manifests.sealed import SealedSecret
from sealkit.sensitive import Sensitive
from tests.sealkit.foreign.documents import Raw, converted, document, manifest, note
from tests.sealkit.samples import in_lines

STORES = (document("SecretStore"), document("ClusterSecretStore"))
REF = {"key": "apps/db", "property": "user"}


def external(data: object = None, **changes: object) -> Raw:
    """An ExternalSecret with one value, and no more than is needed."""
    raw = document("ExternalSecret")
    raw["metadata"] = {"name": "db", "namespace": "shop"}
    raw["spec"] = {"secretStoreRef": {"name": "vault"}, "data": data or [entry()], **changes}
    return raw


def entry(name: str = "user", /, **remote: object) -> Raw:
    return {"secretKey": name, "remoteRef": {**REF, **remote}}


def reference(raw: Raw, key: str = "user") -> Any:
    return manifest(raw, *STORES)["spec"]["references"][key]


def refused(raw: Raw, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        converted(raw, *STORES)
    assert caught.value.field == field


def test_all_of_it() -> None:
    assert manifest(document("ExternalSecret"), *STORES, keys=("extra",)) == {
        "apiVersion": "sealkit.dev/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {
            "name": "db-credentials",
            "namespace": "shop",
            "labels": {"app.kubernetes.io/name": "shop", "argocd.argoproj.io/instance": "shop"},
            "annotations": {"argocd.argoproj.io/sync-wave": "1"},
        },
        "spec": manifest(document("ExternalSecret"), *STORES, keys=("extra",))["spec"]
        | {
            "scope": "strict",
            "references": {
                "extra": {"mount": "kv", "path": "apps/more", "key": "extra", "kv": "v2"},
                "password": {
                    "mount": "kv",
                    "path": "apps/db",
                    "key": "creds.password",
                    "kv": "v2",
                    "version": 3,
                    "decode": "base64",
                },
                "token": {
                    "store": {"name": "other", "kind": "ClusterVaultStore"},
                    "mount": "teams/kv",
                    "path": "tokens/shop",
                    "key": "token",
                    "kv": "v1",
                    "decode": "base64url",
                },
                "user": {"mount": "kv", "path": "apps/db", "key": "username", "kv": "v2"},
            },
            "vault": {"store": "vault", "refreshInterval": "15m0s"},
            "template": {
                "type": "Opaque",
                "immutable": True,
                "metadata": {"labels": {"tier": "backend"}, "annotations": {"owner": "team-a"}},
                "data": {"url": "postgres://{{ .user }}:{{ .password | urlquery }}@db/shop"},
            },
            "deletionPolicy": "Retain",
        },
    }


def test_the_least_there_can_be_has_no_notes() -> None:
    result = converted(external(), *STORES)
    assert result.notes == ()
    assert result.manifest is not None
    assert result.manifest["spec"]["vault"] == {"store": "vault"}  # type: ignore[index]  # a dict


def test_beta_is_read_as_well() -> None:
    raw = external() | {"apiVersion": "external-secrets.io/v1beta1"}
    assert manifest(raw, *STORES)["kind"] == "SealedSecret"


@pytest.mark.parametrize("version", ["v1alpha1", "v2"])
def test_another_version_stays(version: str) -> None:
    result = converted(external() | {"apiVersion": f"external-secrets.io/{version}"}, *STORES)
    assert result.manifest is None
    assert note(result, "kind").found == f"external-secrets.io/{version} ExternalSecret"


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("kv", "apps/db", {"mount": "kv", "path": "apps/db"}),
        ("kv", "/apps/db/", {"mount": "kv", "path": "apps/db"}),
        ("kv", "kv/apps/db", {"mount": "kv", "path": "apps/db"}),
        ("kv", "kv/data/apps/db", {"mount": "kv", "path": "apps/db"}),
        ("kv", "data/apps/db", {"mount": "kv", "path": "data/apps/db"}),
        ("team/kv/", "team/kv/data/db", {"mount": "team/kv", "path": "db"}),
        (None, "kv/apps/db", {"mount": "kv", "path": "apps/db"}),
        (None, "team/kv/data/db", {"path": "team/kv/data/db"}),
        (None, "db", {"path": "db"}),
    ],
    ids=str,
)
def test_a_key_is_split_as_the_operator_joins_it(path: str | None, key: str, expected: Raw) -> None:
    store = document("SecretStore", provider__vault__path=path)
    made = manifest(external([entry(key=key)]), store)["spec"]["references"]["user"]
    assert made == {**expected, "key": "user", "kv": "v2"}


def test_kv_version_1_has_no_data_in_paths_and_no_versions() -> None:
    store = document("SecretStore", provider__vault__version="v1")
    result = converted(external([entry(key="kv/data/db", version="3")]), store)
    assert result.manifest is not None
    spec: Any = result.manifest["spec"]
    assert spec["references"]["user"] == {
        "mount": "kv",
        "path": "data/db",
        "key": "user",
        "kv": "v1",
    }
    assert note(result, "spec.data[0].remoteRef.version")


def test_without_its_store_keys_stay_as_they_are() -> None:
    result = converted(external())
    assert result.manifest is not None
    spec: Any = result.manifest["spec"]
    assert in_lines(spec["references"]) == {"user": "vault:apps/db#user"}
    assert note(result, "spec.secretStoreRef").found == "SecretStore vault"


def test_a_store_in_another_namespace_is_another() -> None:
    store = document("SecretStore")
    store["metadata"]["namespace"] = "stage"
    assert note(converted(external(), store), "spec.secretStoreRef")


def test_a_whole_secret_is_json() -> None:
    raw = external([{"secretKey": "all", "remoteRef": {"key": "apps/db"}}])
    assert reference(raw, "all") == {"mount": "kv", "path": "apps/db", "kv": "v2"}


def test_of_equal_keys_the_last_counts() -> None:
    raw = external([entry(property="a"), entry(property="b")])
    assert reference(raw)["key"] == "b"
    assert note(converted(raw, *STORES), "spec.data[1].secretKey").found == "user"


def test_a_store_that_is_not_vault() -> None:
    store = document("SecretStore", provider={"aws": {"service": "SecretsManager"}})
    result = converted(external(), store)
    assert result.manifest is None
    assert "no store of Vault" in note(result, "spec.secretStoreRef").todo


def test_entries_of_other_stores_are_left_out_one_by_one() -> None:
    aws = document("ClusterSecretStore", provider={"aws": {}})
    data = [entry("a"), entry("b") | {"sourceRef": {"storeRef": {"name": "other"}}}]
    data[1]["sourceRef"]["storeRef"]["kind"] = "ClusterSecretStore"
    result = converted(external(data), document("SecretStore"), aws)
    assert result.manifest is not None
    assert set(result.manifest["spec"]["references"]) == {"a"}  # type: ignore[index]  # a dict
    assert note(result, "spec.data[1]")


def test_an_entry_may_name_the_store_that_is_meant_anyway() -> None:
    data = [entry() | {"sourceRef": {"storeRef": {"name": "vault"}}}]
    assert "store" not in reference(external(data))


def test_without_a_store_of_its_own_each_entry_has_one() -> None:
    data = [entry("a") | {"sourceRef": {"storeRef": {"name": "vault"}}}, entry("b")]
    raw = external(data)
    del raw["spec"]["secretStoreRef"]
    result = converted(raw, *STORES)
    assert result.manifest is not None
    spec: Any = result.manifest["spec"]
    assert spec["references"].keys() == {"a"}
    assert spec["references"]["a"]["store"] == "vault"
    assert "names no store" in str(result.notes)


@pytest.mark.parametrize(
    ("remote", "field"),
    [
        ({"property": "users.#(name==a).key"}, "property"),
        ({"nullBytePolicy": "Fail"}, "nullBytePolicy"),
        ({"conversionStrategy": "Unicode"}, "conversionStrategy"),
    ],
    ids=str,
)
def test_what_a_reference_cannot_say_is_noted(remote: Raw, field: str) -> None:
    assert note(converted(external([entry(**remote)]), *STORES), f"spec.data[0].remoteRef.{field}")


@pytest.mark.parametrize(
    "odd",
    [
        entry("b", metadataPolicy="Fetch"),
        {"secretKey": "b", "sourceRef": {"generatorRef": {"kind": "Password", "name": "pw"}}},
    ],
    ids=["metadata", "generator"],
)
def test_what_is_no_value_of_vault_is_left_out(odd: Raw) -> None:
    result = converted(external([entry("a"), odd]), *STORES)
    assert result.manifest is not None
    assert set(result.manifest["spec"]["references"]) == {"a"}  # type: ignore[index]  # a dict
    assert any(one.field.startswith("spec.data[1]") for one in result.notes)


REPLACING: Raw = {"template": {"data": {"dsn": "{{ .user }}:{{ .pass }}", "pass": "{{ .pass }}"}}}


def test_templates_tell_which_keys_of_an_extracted_secret_are_needed() -> None:
    raw = external(target=REPLACING, dataFrom=[{"extract": {"key": "apps/more"}}])
    result = converted(raw, *STORES)
    assert result.notes == ()
    assert result.manifest is not None
    sealed = SealedSecret.from_dict(result.manifest)
    values = {"user": Sensitive(b"app"), "pass": Sensitive(b"word")}
    assert set(values) == set(sealed.references)
    data = {key: one.reveal() for key, one in assemble(sealed, values).data.items()}
    assert data == {"dsn": b"app:word", "pass": b"word"}


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"template": {**REPLACING["template"], "mergePolicy": "Merge"}},
        {"template": {"data": {"all": "{{ toJson . }}"}}},
    ],
    ids=["no-template", "merge", "all-values"],
)
def test_else_keys_must_be_named(target: Raw) -> None:
    raw = external(target=target, dataFrom=[{"extract": {"key": "apps/more", "property": "a.b"}}])
    assert "--keys" in note(converted(raw, *STORES), "spec.dataFrom[0].extract").todo
    result = converted(raw, *STORES, keys=("user", "x.y"))
    assert result.notes == ()
    assert result.manifest is not None
    references: Any = result.manifest["spec"]["references"]  # type: ignore[index]  # a dict
    assert references["x.y"]["key"] == "a.b.x\\.y"
    assert references["user"]["path"] == "apps/db"  # what is said under data counts


@pytest.mark.parametrize(
    "entries",
    [
        [{"find": {"name": {"regexp": ".*"}}}],
        [{"extract": {"key": "a"}, "rewrite": [{"regexp": {"source": "a", "target": "b"}}]}],
        [{"extract": {"key": "a"}}, {"extract": {"key": "b"}}],
        [{"sourceRef": {"generatorRef": {"kind": "Password", "name": "pw"}}}],
        [{}],
    ],
    ids=["find", "rewrite", "several", "generator", "empty"],
)
def test_data_from_that_cannot_be_said(entries: list[object]) -> None:
    result = converted(external(dataFrom=entries), *STORES, keys=("user",))
    for number in range(len(entries)):
        assert note(result, f"spec.dataFrom[{number}]")


def test_a_template_that_our_engine_cannot_read_is_left_out() -> None:
    data = {"a": "{{ .user }}", "b": "{{ pkcs12key .user }}", "c": "{{ .other }}"}
    result = converted(external(target={"template": {"data": data}}), *STORES)
    assert result.manifest is not None
    spec: Any = result.manifest["spec"]
    assert spec["template"]["data"] == {"a": "{{ .user }}"}
    assert spec["template"]["mergePolicy"] == "Replace"
    assert note(result, "spec.target.template.data.b")
    assert "needs other" in note(result, "spec.target.template.data.c").todo


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target": {"template": {"data": {"b": "{{ pkcs12key .user }}"}}}}, "spec"),
        (
            {"target": {"template": {"engineVersion": "v1", "data": {"b": "{{ .user }}"}}}},
            "spec.target.template.engineVersion",
        ),
        ({"target": {"creationPolicy": "None"}}, "spec.target.creationPolicy"),
        ({"target": {"manifest": {"kind": "ConfigMap"}}}, "spec.target.manifest"),
        ({"data": []}, "spec"),
        ({"target": {"template": {"type": "kubernetes.io/tls"}}}, ""),
    ],
    ids=["no-template-left", "old-engine", "no-secret", "other-kind", "no-data", "refused-by-ours"],
)
def test_what_would_be_no_secret_stays_as_it_is(changes: Raw, field: str) -> None:
    raw = external()
    raw["spec"] |= changes
    result = converted(raw, *STORES)
    assert result.manifest is None
    assert note(result, field)


@pytest.mark.parametrize(
    ("creation", "deletion"),
    [("Owner", None), ("Orphan", "Retain"), ("Merge", "Retain"), ("CreateOrMerge", "Retain")],
)
def test_creation_policies(creation: str, deletion: str | None) -> None:
    result = converted(external(target={"creationPolicy": creation}), *STORES)
    assert result.manifest is not None
    assert result.manifest["spec"].get("deletionPolicy") == deletion  # type: ignore[attr-defined]  # a dict
    assert bool(result.notes) == ("Merge" in creation)


@pytest.mark.parametrize(
    ("changes", "vault", "noted"),
    [
        ({"refreshInterval": "1h0m0s"}, {"refreshInterval": "1h0m0s"}, False),
        ({"refreshInterval": "0"}, {"refreshPolicy": "OnChange"}, False),
        ({"refreshInterval": "0s"}, {"refreshPolicy": "OnChange"}, False),
        ({"refreshInterval": "0h0m0s"}, {"refreshPolicy": "OnChange"}, False),
        ({"refreshInterval": "1.5h"}, {}, True),
        ({"refreshInterval": "5s"}, {}, True),
        (
            {"refreshPolicy": "CreatedOnce", "refreshInterval": "0s"},
            {"refreshPolicy": "CreatedOnce"},
            False,
        ),
        ({"refreshPolicy": "OnChange"}, {"refreshPolicy": "OnChange"}, False),
    ],
    ids=str,
)
def test_when_vault_is_asked(changes: Raw, vault: Raw, noted: bool) -> None:  # noqa: FBT001
    result = converted(external(**changes), *STORES)
    assert result.manifest is not None
    assert result.manifest["spec"]["vault"] == {"store": "vault", **vault}  # type: ignore[index]  # a dict
    assert bool(result.notes) == noted


def test_without_a_template_the_secret_has_the_labels_of_the_object() -> None:
    raw = external()
    raw["metadata"] |= {"labels": {"app": "shop"}, "annotations": {"a": "b"}}
    made = manifest(raw, *STORES)
    assert made["spec"]["template"]["metadata"] == {
        "labels": {"app": "shop"},
        "annotations": {"a": "b"},
    }
    raw["spec"]["target"] = {"template": {"type": "Opaque"}}
    assert "metadata" not in manifest(raw, *STORES)["spec"]["template"]


def test_what_the_api_server_adds_is_noted() -> None:
    raw = external() | {"status": {"refreshTime": "now"}}
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    raw["metadata"] |= {"uid": "1", "annotations": {applied: "canary"}, "creationTimestamp": None}
    result = converted(raw, *STORES)
    fields = [one.field for one in result.notes]
    assert fields == [f"metadata.annotations.{applied}", "status", "metadata.uid"]
    assert "canary" not in str(result)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (external(secretStoreRef={"name": "a_b"}), "spec.secretStoreRef.name"),
        (external(secretStoreRef={"name": "a", "kind": "Store"}), "spec.secretStoreRef.kind"),
        (external(secretStoreRef={}), "spec.secretStoreRef.name"),
        (external([{"remoteRef": REF}]), "spec.data[0].secretKey"),
        (external([entry("a b")]), "spec.data[0].secretKey.a b"),
        (external([{"secretKey": "a"}]), "spec.data[0].remoteRef.key"),
        (external([entry(key="a/../b")]), "spec.data[0].remoteRef.key"),
        (external([entry(property="a\nb")]), "spec.data[0].remoteRef.property"),
        (external([entry(version=[])]), "spec.data[0].remoteRef.version"),
        (external([entry(version="latest")]), "spec.data[0].remoteRef.version"),
        (external([entry(decodingStrategy="Hex")]), "spec.data[0].remoteRef.decodingStrategy"),
        (external(target={"name": "A_B"}), "spec.target.name"),
        (external(target={"creationPolicy": "Always"}), "spec.target.creationPolicy"),
        (external(target={"immutable": "yes"}), "spec.target.immutable"),
        (external(refreshInterval=60), "spec.refreshInterval"),
        (external(refreshPolicy="Never"), "spec.refreshPolicy"),
        (
            external(target={"template": {"mergePolicy": "None"}}),
            "spec.target.template.mergePolicy",
        ),
        (external(target={"template": {"data": {"a b": "x"}}}), "spec.target.template.data.a b"),
        (external(target=[]), "spec.target"),
        (external({"a": "b"}), "spec.data"),
        (external(["a"]), "spec.data[0]"),
        (external() | {"metadata": {"namespace": "shop"}}, "metadata.name"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_wrong_in_itself_is_refused(raw: Raw, field: str) -> None:
    refused(raw, field)
