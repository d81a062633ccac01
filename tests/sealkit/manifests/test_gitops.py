"""What GitOps tools keep for themselves stays off the Secret; what is meant for it goes there."""

from __future__ import annotations

import pytest

from sealkit.manifests.gitops import belongs_to_a_tool


@pytest.mark.parametrize(
    "key",
    [
        "argocd.argoproj.io/tracking-id",
        "argocd.argoproj.io/instance",
        "argocd.argoproj.io/sync-wave",
        "kustomize.toolkit.fluxcd.io/name",
        "helm.toolkit.fluxcd.io/name",
        "meta.helm.sh/release-name",
        "helm.sh/hook",
        "config.kubernetes.io/origin",
        "internal.config.kubernetes.io/index",
        "kustomize.config.k8s.io/behavior",
        "kubectl.kubernetes.io/last-applied-configuration",
        "reconcile.fluxcd.io/requestedAt",
        "sealkit.dev/managed",
    ],
)
def test_a_tools_own_key_stays_off(key: str) -> None:
    assert belongs_to_a_tool(key)


@pytest.mark.parametrize(
    "key",
    [
        "app.kubernetes.io/name",
        "argocd.argoproj.io/sync-options",
        "argocd.argoproj.io/compare-options",
        "reconcile.fluxcd.io/watch",
        "helm.shop/size",
        "not-sealkit.dev/managed",
        "owner",
    ],
)
def test_any_other_key_is_meant_for_the_secret(key: str) -> None:
    assert not belongs_to_a_tool(key)
