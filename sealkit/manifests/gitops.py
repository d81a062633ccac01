"""Labels and annotations that GitOps tools keep for themselves.

Copied from a manifest to the Secret it makes, they make Argo CD or Flux prune, fight over or
mis-track that Secret; on the manifest itself they are what the user meant. Pure.
"""

from __future__ import annotations

from typing import Final

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

_PREFIXES: Final = (
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "helm.sh/",
    "config.kubernetes.io/",
    "internal.config.kubernetes.io/",
    "kustomize.config.k8s.io/",
    "sealkit.dev/",
)
_KEYS: Final = frozenset({LAST_APPLIED, "reconcile.fluxcd.io/requestedAt"})
_MEANT_FOR_SECRETS: Final = frozenset(
    {
        "argocd.argoproj.io/sync-options",
        "argocd.argoproj.io/compare-options",
    }
)


# What our controller writes on the Secrets it makes: of no use on a manifest.
_OF_THE_CONTROLLER: Final = frozenset(
    {"sealkit.dev/managed", "sealkit.dev/spec-hash", "sealkit.dev/deletion-policy"}
)


def is_of_the_controller(key: str) -> bool:
    """Tell whether a label or annotation of a Secret is one that our controller put there."""
    return key in _OF_THE_CONTROLLER


def belongs_to_a_tool(key: str) -> bool:
    """Tell whether a label or annotation must stay off the Secret that a manifest makes."""
    if key in _MEANT_FOR_SECRETS:
        return False
    return key in _KEYS or key.startswith(_PREFIXES)
