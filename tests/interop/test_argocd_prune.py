"""Argo CD prunes what it takes for its own and does not find in Git: never a Secret of ours.

A live object is the root of an application, and so can be pruned, if it is tracked and has no
owner. Tracking is by label, or by an annotation that must name the object itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

import pytest

from sealkit_controller.objects import (
    ADOPT_ANNOTATION,
    SECRETS,
    JsonObject,
    child,
    children,
    strings,
    text,
)
from tests.controller.reconciling import World
from tests.controller.world import sealed

APP = "shop-app"
ITSELF = f"{APP}:/Secret:shop/db"
OF_THE_MANIFEST = f"{APP}:sealkit.dev/SealedSecret:shop/db"
TRACKING_ID = "argocd.argoproj.io/tracking-id"
INSTANCE = "app.kubernetes.io/instance"


class Tracking(StrEnum):
    ANNOTATION = "annotation"
    ANNOTATION_AND_LABEL = "annotation+label"
    LABEL = "label"


def is_managed(raw: Mapping[str, object], tracking: Tracking) -> bool:
    metadata = child(raw, "metadata")
    if tracking is Tracking.LABEL:
        return strings(metadata, "labels").get(INSTANCE) == APP
    group, _, _ = text(raw, "apiVersion").rpartition("/")
    place = f"{text(metadata, 'namespace')}/{text(metadata, 'name')}"
    itself = f"{APP}:{group}/{text(raw, 'kind')}:{place}"
    return strings(metadata, "annotations").get(TRACKING_ID) == itself


def is_pruned(raw: Mapping[str, object], tracking: Tracking) -> bool:
    """Tell whether Argo CD deletes an object that is not in Git."""
    metadata = child(raw, "metadata")
    is_root = is_managed(raw, tracking) and not children(metadata, "ownerReferences")
    options = strings(metadata, "annotations").get("argocd.argoproj.io/sync-options", "")
    return is_root and "Prune=false" not in options.split(",")


@dataclass(frozen=True)
class Case:
    """A manifest as people have them: what stands on it, in its template, and on an old Secret."""

    name: str
    on_manifest: Mapping[str, object] = field(default_factory=dict)
    in_template: Mapping[str, object] = field(default_factory=dict)
    on_old_secret: Mapping[str, object] | None = None


TOOLS = {
    "labels": {
        INSTANCE: APP,
        "kustomize.toolkit.fluxcd.io/name": "shop",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        "helm.toolkit.fluxcd.io/name": "shop",
    },
    "annotations": {
        TRACKING_ID: OF_THE_MANIFEST,
        "argocd.argoproj.io/sync-wave": "-1",
        "argocd.argoproj.io/hook": "PreSync",
        "argocd.argoproj.io/sync-options": "ServerSideApply=true",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "meta.helm.sh/release-name": "shop",
        "helm.sh/hook": "pre-install",
        "config.kubernetes.io/origin": "path: db.yaml",
        "reconcile.fluxcd.io/requestedAt": "2026-01-01T00:00:00Z",
    },
}
ITS_OWN_ID = {"annotations": {TRACKING_ID: ITSELF}, "labels": {INSTANCE: APP}}
CASES = (
    Case("tracked manifest", on_manifest=TOOLS),
    Case("copied to the template", on_manifest=TOOLS, in_template=TOOLS),
    Case("the Secret's own id in the template", on_manifest=TOOLS, in_template=ITS_OWN_ID),
    Case(
        "a Secret that was in Git before",
        on_manifest=TOOLS,
        on_old_secret={
            "annotations": {TRACKING_ID: ITSELF, ADOPT_ANNOTATION: "true"},
            "labels": {INSTANCE: APP},
        },
    ),
    Case(
        "pruning asked for in the template",
        in_template={
            "annotations": {"argocd.argoproj.io/sync-options": "Prune=true"},
            "labels": {INSTANCE: APP},
        },
    ),
)


def made(case: Case, policy: str) -> JsonObject:
    """Return the Secret that the controller makes."""
    world = World()
    if case.on_old_secret is not None:
        metadata = {"name": "db", "namespace": "shop", **case.on_old_secret}
        world.cluster.put(SECRETS, {"metadata": metadata, "data": {}})
    # The template by hand: sealing would have put the tools' metadata on the manifest.
    template = {"metadata": dict(case.in_template)} if case.in_template else {}
    raw = sealed(spec={"deletionPolicy": policy, "template": template})
    world.apply(raw | {"metadata": {**child(raw, "metadata"), **case.on_manifest}})
    world.run()
    return world.secret


EVERY_CASE = [
    pytest.param(case, policy, id=f"{case.name}, {policy}")
    for case, policy in product(CASES, ("Delete", "Retain"))
]


@pytest.mark.parametrize("tracking", Tracking)
@pytest.mark.parametrize(("case", "policy"), EVERY_CASE)
def test_argo_cd_never_prunes_a_secret_of_ours(case: Case, policy: str, tracking: Tracking) -> None:
    assert not is_pruned(made(case, policy), tracking)


@pytest.mark.parametrize(("case", "policy"), EVERY_CASE)
def test_a_secret_carries_nothing_of_the_tools_that_applied_the_manifest(
    case: Case, policy: str
) -> None:
    metadata = child(made(case, policy), "metadata")
    found = strings(metadata, "labels").keys() | strings(metadata, "annotations").keys()
    old = {key for part in (case.on_old_secret or {}).values() for key in _keys(part)}
    asked_for = {INSTANCE} & _keys(case.in_template.get("labels"))
    options = {"argocd.argoproj.io/sync-options", "argocd.argoproj.io/compare-options"}
    assert {key for key in found - old if not key.startswith("sealkit.dev/")} <= (
        asked_for | options
    )


def _keys(entries: object) -> set[str]:
    return set(entries) if isinstance(entries, Mapping) else set()


@pytest.mark.parametrize("tracking", Tracking)
def test_the_simulation_prunes_what_argo_cd_would(tracking: Tracking) -> None:
    bare = {"apiVersion": "v1", "kind": "Secret", "metadata": ITS_OWN_ID}
    named = bare | {"metadata": {**ITS_OWN_ID, "name": "db", "namespace": "shop"}}
    assert is_pruned(named, tracking)


@pytest.mark.parametrize(
    ("tracking", "pruned"),
    [(Tracking.ANNOTATION, False), (Tracking.ANNOTATION_AND_LABEL, False), (Tracking.LABEL, True)],
)
def test_an_id_copied_from_the_manifest_counts_only_by_label(
    tracking: Tracking, *, pruned: bool
) -> None:
    metadata = {**TOOLS, "name": "db", "namespace": "shop"}
    copied = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    assert is_pruned(copied, tracking) == pruned
