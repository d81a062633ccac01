"""Scopes: how far a sealed value may move in the cluster and still open. Pure."""

from __future__ import annotations

from enum import StrEnum

from sealkit.errors import ManifestError


class Scope(StrEnum):
    """Where a sealed value opens; `spec.scope` is the only source of it."""

    STRICT = "strict"
    NAMESPACE = "namespace-wide"
    CLUSTER = "cluster-wide"

    def place(self, namespace: str, name: str) -> tuple[str, str]:
        """Return the namespace and name a value is bound to, empty where this scope is free.

        Raises:
            ManifestError: a part that this scope needs is empty.
        """
        place = (
            namespace if self is not Scope.CLUSTER else "",
            name if self is Scope.STRICT else "",
        )
        if self is not Scope.CLUSTER and not namespace:
            raise ManifestError(
                f"is missing, and scope {self} binds values to it",
                field="metadata.namespace",
                hint="add it, pass --namespace, or widen the scope",
            )
        if self is Scope.STRICT and not name:
            raise ManifestError("is missing", field="metadata.name")
        return place
