"""VaultStaticSecret, VaultDynamicSecret and VaultPKISecret: paths, keys, templates, destination."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sealkit.assembly import assemble
from sealkit.errors import ManifestError
from sealkit.manifests.sealed import SealedSecret
from sealkit.references.reference import StoreKind
from sealkit.sensitive import Sensitive
from tests.sealkit.foreign.documents import Raw, converted, document, manifest, note

TRANSFORMATION = "spec.destination.transformation"


def static(transformation: Raw | None = None, **changes: object) -> Raw:
    """A VaultStaticSecret with no more than is needed."""
    raw = document("VaultStaticSecret")
    raw["metadata"] = {"name": "db", "namespace": "shop"}
    raw["spec"] = {
        "vaultAuthRef": "vault",
        "mount": "kvv2",
        "type": "kv-v2",
        "path": "apps/db",
        "destination": {
            "name": "db",
            "create": True,
            "transformation": {"excludeRaw": True, **(transformation or {})},
        },
        **changes,
    }
    return raw


def made_of(raw: Raw, values: dict[str, bytes], **context: Any) -> dict[str, bytes]:
    """The data of the Secret that comes of a document, given what is in Vault."""
    sealed = SealedSecret.from_dict(manifest(raw, **context))
    read = {key: Sensitive(values[key]) for key in sealed.references}
    return {key: one.reveal() for key, one in assemble(sealed, read).data.items()}


def test_all_of_a_static_one() -> None:
    made = manifest(document("VaultStaticSecret"))
    place = {"namespace": "team-a", "mount": "kvv2", "path": "apps/db"}
    version = {"kv": "v2", "version": 3}
    assert made["metadata"] == {
        "name": "db-credentials",
        "namespace": "shop",
        "labels": {"app": "shop"},
    }
    assert made["spec"] == made["spec"] | {
        "references": {
            key: {**place, "key": key, **version} for key in ("db-pass", "pass", "user")
        },
        "vault": {"store": "vault", "refreshInterval": "30s"},
        "template": {
            "type": "Opaque",
            "metadata": {"labels": {"tier": "backend"}, "annotations": {"owner": "team-a"}},
            "mergePolicy": "Replace",
            "data": {
                "db-pass": '{{ index . "db-pass" }}',
                "url": 'postgres://{{ get . "user" }}:{{ .pass }}@db',
                "user": "{{ .user }}",
            },
        },
        "rolloutRestart": [{"kind": "Deployment", "name": "app"}],
    }


def test_filters_and_templates_make_the_same_secret() -> None:
    values = {"user": b"app", "pass": b"word", "db-pass": b"\xff"}
    assert made_of(document("VaultStaticSecret"), values) == {
        "user": b"app",
        "db-pass": b"\xff",
        "url": b"postgres://app:word@db",
    }


def test_the_least_there_can_be_has_no_notes() -> None:
    result = converted(static(), keys=("user", "pass"))
    assert result.notes == ()
    assert result.manifest is not None
    assert set(result.manifest["spec"]["references"]) == {"user", "pass"}  # type: ignore[index]  # a dict


def test_all_keys_must_be_named() -> None:
    result = converted(static())
    assert result.manifest is None
    assert "--keys" in note(result, TRANSFORMATION).todo


def test_templates_alone_name_what_they_need() -> None:
    templates = {
        "dsn": {"text": '{{- with .Secrets.user }}{{ . }}{{ end }}:{{ index $.Secrets "p" }}'}
    }
    raw = static({"excludes": [".*"], "templates": templates})
    assert converted(raw).notes == ()
    assert made_of(raw, {"user": b"app", "p": b"word"}) == {"dsn": b"app:word"}


def test_without_filters_what_templates_use_is_kept_as_it_was() -> None:
    templates = {"dsn": {"text": "{{ .Secrets.user }}@db"}}
    raw = static({"templates": templates})
    assert made_of(raw, {"user": b"app"}) == {"dsn": b"app@db", "user": b"app"}
    assert note(converted(raw), TRANSFORMATION)
    more = made_of(raw, {"user": b"app", "x": b"y"}, keys=("x", "user"))
    assert more == {"dsn": b"app@db", "user": b"app", "x": b"y"}


def test_a_template_over_all_keys_needs_their_names() -> None:
    raw = static({"excludes": [".*"], "templates": {"all": {"text": "{{ toJson .Secrets }}"}}})
    assert note(converted(raw), TRANSFORMATION)
    data = made_of(raw, {"user": b"app"}, keys=("user",))
    assert json.loads(data["all"]) == {"user": "app"}


@pytest.mark.parametrize(
    "text",
    [
        "{{ .Metadata.version }}",
        "{{ .Labels }}",
        "{{ $.Annotations.a }}",
        "{{ bcrypt .Secrets.a }}",
    ],
)
def test_a_template_that_cannot_be_is_left_out(text: str) -> None:
    raw = static({"includes": ["^user$"], "templates": {"a": {"text": text}}})
    result = converted(raw)
    assert result.manifest is not None
    assert "data" not in result.manifest["spec"]["template"]  # type: ignore[index]  # a dict
    assert note(result, f"{TRANSFORMATION}.templates.a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ .Secrets.a }}.Secrets.b", "{{ .a }}.Secrets.b"),
        ('{{ printf ".Secrets.%s" .Secrets.a }}', '{{ printf ".Secrets.%s" .a }}'),
        ("{{ `.Labels` }}{{ $.Secrets.a }}", "{{ `.Labels` }}{{ $.a }}"),
        ('{{ get $.Secrets "a" }}', '{{ get $ "a" }}'),
        ('{{ if hasKey .Secrets "a" }}b{{ end }}', '{{ if hasKey . "a" }}b{{ end }}'),
    ],
)
def test_how_templates_are_written_anew(text: str, expected: str) -> None:
    raw = static({"excludes": [".*"], "templates": {"made": {"text": text}}})
    assert manifest(raw)["spec"]["template"]["data"] == {"made": expected}


@pytest.mark.parametrize(
    "filters",
    [
        {"includes": ["^db_.*$"]},
        {"excludes": ["^tmp"]},
        {"includes": ["^a$"], "excludes": ["b"]},
        {"includes": ["^a$"], "excludes": [".*"]},
    ],
    ids=str,
)
def test_filters_that_name_no_keys(filters: Raw) -> None:
    result = converted(static(filters), keys=("a",))
    assert {one.field for one in result.notes} == {f"{TRANSFORMATION}.{name}" for name in filters}


def test_filters_that_name_keys() -> None:
    raw = static({"includes": ["^tls\\.crt$", "^tls-key$"]})
    assert converted(raw).notes == ()
    assert set(manifest(raw)["spec"]["references"]) == {"tls.crt", "tls-key"}


def test_ownership_of_the_secret() -> None:
    raw = static()
    raw["spec"]["destination"] = {"name": "db", "overwrite": True}
    fields = {one.field for one in converted(raw, keys=("a",)).notes}
    names = ("create", "overwrite", "transformation.excludeRaw")
    assert fields == {f"spec.destination.{name}" for name in names}


@pytest.mark.parametrize(
    ("ref", "kind", "store", "noted"),
    [
        ("vault", StoreKind.NAMESPACED, "vault", False),
        ("shop/vault", StoreKind.NAMESPACED, "vault", False),
        ("infra/vault", StoreKind.NAMESPACED, "vault", True),
        (
            "infra/vault",
            StoreKind.CLUSTER,
            {"name": "vault", "kind": "ClusterVaultStore"},
            False,
        ),
        (
            None,
            StoreKind.CLUSTER,
            {"name": "default", "kind": "ClusterVaultStore"},
            True,
        ),
    ],
    ids=str,
)
def test_the_store(ref: str | None, kind: StoreKind, store: object, noted: bool) -> None:  # noqa: FBT001
    result = converted(static(vaultAuthRef=ref), keys=("a",), store_kind=kind)
    assert result.manifest is not None
    assert result.manifest["spec"]["vault"] == {"store": store}  # type: ignore[index]  # a dict
    assert bool(result.notes) == noted


@pytest.mark.parametrize(("version", "expected"), [(0, None), ("3", 3), (None, None)], ids=str)
def test_versions(version: object, expected: int | None) -> None:
    (reference,) = manifest(static(version=version), keys=("a",))["spec"]["references"].values()
    assert reference.get("version") == expected


def test_kv_version_1_has_no_versions() -> None:
    result = converted(static(type="kv-v1", version=3), keys=("a",))
    assert note(result, "spec.version")


def test_an_interval_of_nothing_says_nothing() -> None:
    made = manifest(static(refreshAfter="0s"), keys=("a",))
    assert made["spec"]["vault"] == {"store": "vault"}


def test_no_more_restarts_than_fit() -> None:
    targets = [{"kind": "Deployment", "name": f"app-{number}"} for number in range(17)]
    result = converted(static(rolloutRestartTargets=targets), keys=("a",))
    assert note(result, "spec.rolloutRestartTargets[16]").found == "Deployment app-16"


def test_all_of_a_dynamic_one() -> None:
    made = manifest(document("VaultDynamicSecret"))
    assert made["spec"]["references"]["user"] == {
        "namespace": "team-a",
        "mount": "db",
        "path": "creds/app",
        "key": "user",
        "method": "POST",
        "body": '{"ttl":"1h"}',
    }
    assert made["spec"]["vault"] == {
        "store": "vault",
        "refreshInterval": "1h",
        "revokeOnDelete": True,
    }


@pytest.mark.parametrize(
    ("changes", "expected", "noted"),
    [
        ({}, {"kv": "raw"}, False),
        ({"requestHTTPMethod": "GET"}, {"kv": "raw"}, False),
        ({"params": {"a": "b"}}, {"method": "PUT", "body": '{"a":"b"}'}, False),
        ({"params": {"a": "b"}, "requestHTTPMethod": "GET"}, {"kv": "raw"}, True),
        ({"requestHTTPMethod": "PUT"}, {"method": "PUT"}, False),
        ({"renewalPercent": 67}, {"kv": "raw"}, False),
    ],
    ids=str,
)
def test_how_vault_is_asked(changes: Raw, expected: Raw, noted: bool) -> None:  # noqa: FBT001
    raw = document("VaultDynamicSecret")
    spec = static()["spec"]
    raw["spec"] = {name: spec[name] for name in ("vaultAuthRef", "destination")}
    raw["spec"] |= {"mount": "db", "path": "creds/app", **changes}
    result = converted(raw, keys=("username",))
    assert result.manifest is not None
    references: Any = result.manifest["spec"]["references"]  # type: ignore[index]  # a dict
    assert references["username"] == {
        "mount": "db",
        "path": "creds/app",
        "key": "username",
        **expected,
    }
    assert bool(result.notes) == noted


def test_all_of_a_certificate() -> None:
    made = manifest(document("VaultPKISecret"))
    references = made["spec"]["references"]
    assert set(references) == {
        *("ca_chain", "certificate", "issuing_ca", "private_key", "serial_number"),
    }
    assert len({reference["body"] for reference in references.values()}) == 1
    assert json.loads(references["private_key"]["body"]) == {
        "common_name": "a.example.com",
        "alt_names": "b.example.com,c.example.com",
        "ip_sans": "10.0.0.1",
        "uri_sans": "spiffe://a",
        "other_sans": "1.2.3;UTF8:a",
        "user_ids": "a",
        "ttl": "24h",
        "format": "pem",
        "private_key_format": "pkcs8",
        "not_after": "2027-01-01T00:00:00Z",
        "exclude_cn_from_sans": True,
        "remove_roots_from_chain": True,
    }
    assert references["ca_chain"] == references["private_key"] | {"key": "ca_chain", "default": ""}
    assert references["private_key"]["path"] == "issuer/int/issue/web"
    assert references["private_key"]["method"] == "POST"
    assert made["spec"]["template"] == {
        "type": "kubernetes.io/tls",
        "mergePolicy": "Replace",
        "build": {
            "tls": {
                "certificate": "certificate",
                "key": "private_key",
                "chain": "ca_chain",
                "ca": "issuing_ca",
            }
        },
    }


def test_a_certificate_in_a_plain_secret() -> None:
    raw = document("VaultPKISecret", issuerRef=None, destination__type="Opaque", revoke=None)
    result = converted(raw, keys=("not", "these"))
    assert result.manifest is not None
    spec: Any = result.manifest["spec"]
    assert spec["references"]["ca_chain"]["optional"] is True
    assert spec["references"]["certificate"]["path"] == "issue/web"
    assert "remove_roots_from_chain" not in spec["references"]["certificate"]["body"]
    assert spec["template"] == {"type": "Opaque"}
    assert note(result, "spec.destination").found == "ca_chain"


def test_some_parts_of_a_certificate() -> None:
    transformation = {"excludeRaw": True, "includes": ["^certificate$"]}
    raw = document(
        "VaultPKISecret",
        destination__type="Opaque",
        destination__transformation=transformation,
    )
    assert set(manifest(raw)["spec"]["references"]) == {"certificate"}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (static(type="kv-v3"), "spec.type"),
        (static(type=None), "spec.type"),
        (static(mount=""), "spec.mount"),
        (static(path="../sys"), "spec.path"),
        (static(version="new"), "spec.version"),
        (static(version=[]), "spec.version"),
        (document("VaultDynamicSecret", renewalPercent="67"), "spec.renewalPercent"),
        (static(vaultAuthRef="a_b"), "spec.vaultAuthRef"),
        (static(refreshAfter=30), "spec.refreshAfter"),
        (
            static(rolloutRestartTargets=[{"kind": "Deployment"}]),
            "spec.rolloutRestartTargets[0].name",
        ),
        (static(destination={"create": True}), "spec.destination.name"),
        (static(destination={"name": "A"}), "spec.destination.name"),
        (static({"includes": "^a$"}), f"{TRANSFORMATION}.includes"),
        (static({"templates": {"a": {}}}), f"{TRANSFORMATION}.templates.a.text"),
        (static({"templates": {"a b": {"text": ""}}}), f"{TRANSFORMATION}.templates.a b.text"),
        (document("VaultDynamicSecret", requestHTTPMethod="HEAD"), "spec.requestHTTPMethod"),
        (document("VaultPKISecret", role=None), "spec.role"),
        (document("VaultPKISecret", role="a/../b"), "spec.role"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_wrong_in_itself_is_refused(raw: Raw, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        converted(raw, keys=("a",))
    assert caught.value.field == field
