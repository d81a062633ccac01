"""Namespaces: born Active, deleted only when nothing is left in them."""

from __future__ import annotations

from typing import Final

from sealkit_controller.sandbox.objects.status import JsonObject

CONTENT: Final = "kubernetes"  # the finalizer in `spec` that stands for the content
NAME_LABEL: Final = "kubernetes.io/metadata.name"


def prepare(new: JsonObject, old: JsonObject | None) -> None:
    """Give a new Namespace its phase, finalizer and name label; keep them on update."""
    name = new["metadata"].get("name", "")
    new["metadata"]["labels"] = (new["metadata"].get("labels") or {}) | {NAME_LABEL: name}
    if old is None:
        new["spec"] = {"finalizers": [CONTENT]}
        new["status"] = {"phase": "Active"}
    else:
        new["spec"] = old.get("spec", {})
        new["status"] = new.get("status") or old.get("status") or {}


def is_ending(namespace: JsonObject) -> bool:
    """Return whether a Namespace is being deleted and takes no new content."""
    return bool(namespace["metadata"].get("deletionTimestamp"))
