"""References in a manifest, their terms, and who is restarted: strict in, canonical out."""

from __future__ import annotations

from typing import Any

import pytest

from sealkit.errors import ManifestError
from sealkit.manifests.duration import seconds
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.vault import RefreshPolicy, VaultTerms, WorkloadKind
from sealkit.references.reference import Store, StoreKind

RAW: dict[str, Any] = {
    "apiVersion": "sealkit.dev/v1alpha1",
    "kind": "SealedSecret",
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {"scope": "strict", "references": {"a": "vault:kv/a#b"}},
}


def parsed(**spec: object) -> SealedSecret:
    return SealedSecret.from_dict({**RAW, "spec": {**RAW["spec"], **spec}})


def test_everything_that_can_be_said() -> None:
    spec = {
        "references": {
            "a": {"path": "kv/a", "key": "b"},
            "b": {"path": "kv/a", "key": "c", "kv": "v2", "optional": True},
            "c": {"parts": ["x ", {"path": "kv/a", "key": "b"}, " y"]},
        },
        "vault": {
            "store": {"name": "shared", "kind": "ClusterVaultStore"},
            "refreshPolicy": "OnChange",
            "refreshInterval": "1h30m",
            "revokeOnDelete": True,
        },
        "rolloutRestart": [
            {"kind": "Deployment", "name": "web"},
            {"kind": "StatefulSet", "matchLabels": {"app": "db", "tier": "x"}},
        ],
    }
    sealed = parsed(**spec)
    assert sealed.vault == VaultTerms(
        store=Store("shared", StoreKind.CLUSTER),
        policy=RefreshPolicy.ON_CHANGE,
        interval="1h30m",
        revoke_on_delete=True,
    )
    assert sealed.vault.interval_seconds == 5400
    assert [one.kind for one in sealed.restarts] == [
        WorkloadKind.DEPLOYMENT,
        WorkloadKind.STATEFUL_SET,
    ]
    assert sealed.restarts[1].selector == "app=db,tier=x"
    written: Any = sealed.to_dict()["spec"]
    assert {name: written[name] for name in spec} == spec
    assert SealedSecret.from_dict(sealed.to_dict()) == sealed


def test_defaults() -> None:
    sealed = parsed()
    (reference,) = sealed.references["a"].references
    assert sealed.vault.store_of(reference) == Store("default")
    assert sealed.vault.interval_seconds is None
    assert "vault" not in sealed.to_dict()["spec"]  # type: ignore[operator]  # a mapping
    assert sealed.value_names == {"a"}


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"references": []}, "spec.references"),
        ({"references": {"a": "plain"}}, "spec.references.a"),
        ({"references": {"a": "vault:kv/../a#b"}}, "spec.references.a.path"),
        ({"references": {"a": {"key": "b"}}}, "spec.references.a.path"),
        ({"references": {"a": {"path": "kv/a", "pth": "x"}}}, "spec.references.a.pth"),
        ({"references": {"a b": "vault:kv/a#b"}}, "spec.references.a b"),
        ({"references": {f"k{n}": "vault:kv/a#b" for n in range(1025)}}, "spec.references"),
        ({"references": {}, "vault": {"refreshPolicy": "OnChange"}}, "spec.vault"),
        ({"vault": []}, "spec.vault"),
        ({"vault": {"role": "x"}}, "spec.vault.role"),
        ({"vault": {"store": "Upper"}}, "spec.vault.store"),
        ({"vault": {"store": {"name": "a", "kind": "Other"}}}, "spec.vault.store.kind"),
        ({"vault": {"refreshPolicy": "Never"}}, "spec.vault.refreshPolicy"),
        ({"vault": {"refreshInterval": 60}}, "spec.vault.refreshInterval"),
        ({"vault": {"refreshInterval": "5s"}}, "spec.vault.refreshInterval"),
        ({"vault": {"refreshInterval": "1d"}}, "spec.vault.refreshInterval"),
        ({"vault": {"refreshInterval": ""}}, "spec.vault.refreshInterval"),
        ({"vault": {"refreshInterval": "8761h"}}, "spec.vault.refreshInterval"),
        ({"vault": {"revokeOnDelete": "yes"}}, "spec.vault.revokeOnDelete"),
        ({"rolloutRestart": {}}, "spec.rolloutRestart"),
        ({"rolloutRestart": [{}] * 17}, "spec.rolloutRestart"),
        ({"rolloutRestart": ["web"]}, "spec.rolloutRestart[0]"),
        ({"rolloutRestart": [{"kind": "Pod", "name": "x"}]}, "spec.rolloutRestart[0].kind"),
        ({"rolloutRestart": [{"kind": "Deployment"}]}, "spec.rolloutRestart[0]"),
        (
            {"rolloutRestart": [{"kind": "Deployment", "name": "a", "matchLabels": {"a": "b"}}]},
            "spec.rolloutRestart[0]",
        ),
        (
            {"rolloutRestart": [{"kind": "Deployment", "name": "a", "namespace": "b"}]},
            "spec.rolloutRestart[0].namespace",
        ),
        (
            {"rolloutRestart": [{"kind": "Deployment", "matchLabels": {}}]},
            "spec.rolloutRestart[0].matchLabels",
        ),
    ],
)
def test_anything_else_is_refused_with_its_field(spec: dict[str, object], field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parsed(**spec)
    assert caught.value.field == field


def test_a_name_is_sealed_or_referred_to_but_not_both() -> None:
    from tests.sealkit.manifests.test_sealed import RAW as SEALED  # noqa: PLC0415

    spec = {**SEALED["spec"], "references": {"password": "vault:kv/a#b"}}
    with pytest.raises(ManifestError) as caught:
        SealedSecret.from_dict({**SEALED, "spec": spec})
    assert caught.value.field == "spec.references.password"


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1h1m1s", 3661), ("60m", 3600)]
)
def test_a_duration(text: str, expected: int) -> None:
    assert seconds(text, "x", 10, 7200) == expected


@pytest.mark.parametrize("text", ["", "5", "1.5h", "-1h", "1h ", "1s1h", "h", "1H", "99999999h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ManifestError):
        seconds(text, "x", 10, 7200)
