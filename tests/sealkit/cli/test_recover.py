"""`sealkit recover`: a repository made of what a cluster has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import yaml

from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.sealed import SealedSecret
from tests.sealkit.cli.desk import Desk, key_of
from tests.sealkit.loopback import kubeconfig, serving
from tests.sealkit.samples import a_manifest

LIST: Final = "/apis/sealkit.dev/v1alpha1/sealedsecrets?limit=500"
IN: Final = "/apis/sealkit.dev/v1alpha1/namespaces/{}/sealedsecrets?limit=500"
RECOVER: Final = ("recover", "--kubeconfig", "kubeconfig")


def live(sealed: SealedSecret) -> dict[str, Any]:
    """A manifest as an API server returns it, after a GitOps tool applied it."""
    raw: dict[str, Any] = sealed.to_dict()
    raw["metadata"] |= {
        "uid": "u",
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": "2026-11-26T00:00:00Z",
        "managedFields": [{"manager": "argocd"}],
        "labels": {"team": "a", "kustomize.toolkit.fluxcd.io/name": "shop"},
        "annotations": {
            "argocd.argoproj.io/tracking-id": "x",
            "argocd.argoproj.io/sync-wave": "-1",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
    }
    raw["status"] = {"observedGeneration": 2}
    return raw


@contextmanager
def cluster(desk: Desk, pages: Mapping[str, tuple[object, ...]]) -> Iterator[None]:
    bodies = {path: json.dumps({"items": found, "metadata": {}}) for path, found in pages.items()}
    with serving(bodies) as url:
        desk.write("kubeconfig", kubeconfig(url))
        yield


DB, MAIL = (a_manifest(name=name, keys=[key_of("prod")]) for name in ("db", "mail"))


def test_manifests_come_back_as_they_were_committed(desk: Desk) -> None:
    with cluster(desk, {LIST: (live(MAIL), live(DB))}):
        result = desk.ok(*RECOVER, "out/")
        assert result.err.splitlines() == [
            "recovered shop/db in out/shop/db.yaml: 2 values",
            "recovered shop/mail in out/shop/mail.yaml: 2 values",
        ]
        kept = DB._replace(labels={"team": "a"}, annotations={"argocd.argoproj.io/sync-wave": "-1"})
        assert desk.read("out/shop/db.yaml") == emit_yaml(kept.to_dict())
        again = desk.ok(*RECOVER, "out")
        assert again.err.splitlines()[0] == "found shop/db in out/shop/db.yaml: 2 values"
        assert desk.run(*RECOVER, "out", "--check").code == 0
    assert desk.ok("inspect", "out/shop/mail.yaml").code == 0
    opened = desk.ok("unseal", "out/shop/db.yaml", "--key", desk.key_file("prod")).out
    assert len(yaml.safe_load(opened)["data"]) == 2


def test_check_writes_nothing(desk: Desk) -> None:
    before = desk.files()
    with cluster(desk, {LIST: (live(DB),)}):
        result = desk.run(*RECOVER, "out", "--check")
        assert result.code == 10
        assert result.out == "would have recovered shop/db in out/shop/db.yaml: 2 values\n"
    assert desk.files().keys() - before.keys() == {"kubeconfig"}


def test_some_namespaces(desk: Desk) -> None:
    with cluster(desk, {IN.format("shop"): (live(DB),), IN.format("other"): ()}):
        out = desk.ok(*RECOVER, "out", "-n", "shop", "--namespace", "other", "--json").json
    assert out == [
        {
            "namespace": "shop",
            "name": "db",
            "file": "out/shop/db.yaml",
            "values": 2,
            "written": True,
        }
    ]


def test_a_file_that_holds_another_thing_is_kept(desk: Desk) -> None:
    desk.write("out/shop/db.yaml", "mine\n")
    with cluster(desk, {LIST: (live(DB), live(MAIL))}):
        result = desk.run(*RECOVER, "out")
    assert result.code == 2
    assert result.err.splitlines() == [
        "recovered shop/mail in out/shop/mail.yaml: 2 values",
        "sealkit: error: out/shop/db.yaml: is there already, with other content",
        "sealkit: hint: name an empty folder",
    ]
    assert desk.read("out/shop/db.yaml") == "mine\n"


def test_a_manifest_that_is_wrong_stops_no_other(desk: Desk) -> None:
    broken, escaping = live(a_manifest(name="a")), live(a_manifest(name="b"))
    broken["spec"]["scope"] = "planet"
    escaping["metadata"]["name"] = "../../b"
    with cluster(desk, {LIST: (broken, live(DB), escaping)}):
        result = desk.run(*RECOVER, "out")
    assert result.code == 1
    assert "sealkit: error: shop/a: spec.scope: " in result.err
    assert "sealkit: error: shop/../../b: metadata.name: " in result.err
    assert [name for name in desk.files() if name.startswith("out")] == ["out/shop/db.yaml"]


def test_a_cluster_without_any(desk: Desk) -> None:
    with cluster(desk, {LIST: ()}):
        assert desk.ok(*RECOVER, "out").err == (
            "sealkit: note: the cluster has no SealedSecret there\n"
        )


def test_a_cluster_that_says_no(desk: Desk) -> None:
    with cluster(desk, {}):
        result = desk.run(*RECOVER, "out")
    assert result.code == 1
    assert result.err.startswith("sealkit: error: the cluster does not list SealedSecrets")
