"""Kubernetes objects as parsed JSON: typed access to the few fields the controller looks at.

Pure. A field that is missing or of another type reads as empty: what an API server sends has
already passed its schema, and a proxy that sends something else must not crash a worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Final, NamedTuple

GROUP: Final = "sealkit.dev"
FIELD_MANAGER: Final = "sealkit-controller"

MANAGED_LABEL: Final = "sealkit.dev/managed"
KEY_LABEL: Final = "sealkit.dev/key"
ADOPT_ANNOTATION: Final = "sealkit.dev/adopt"
HASH_ANNOTATION: Final = "sealkit.dev/spec-hash"
RETAIN_ANNOTATION: Final = "sealkit.dev/deletion-policy"
REQUEST_ANNOTATIONS: Final = ("reconcile.fluxcd.io/requestedAt", "sealkit.dev/refresh")

JsonObject = dict[str, object]


class ObjectKey(NamedTuple):
    """The place of a namespaced object; a SealedSecret and its Secret share it."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """`<namespace>/<name>`, as kubectl and logs show it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object and where the API server serves it. `group` "" is core."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """`<group>/<version>`, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the URL path of a collection or, with `name`, of one object."""
        parts = ["", "apis", self.group, self.version] if self.group else ["", "api", self.version]
        if namespace:
            parts += ["namespaces", namespace]
        parts += [self.plural, name, subresource]
        return "/".join(parts).rstrip("/")


SEALED_SECRETS: Final = Resource(GROUP, "v1alpha1", "sealedsecrets", "SealedSecret")
SECRETS: Final = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS: Final = Resource("", "v1", "configmaps", "ConfigMap")
SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
VAULT_STORES: Final = Resource(GROUP, "v1alpha1", "vaultstores", "VaultStore")
CLUSTER_VAULT_STORES: Final = Resource(GROUP, "v1alpha1", "clustervaultstores", "ClusterVaultStore")
EVENTS: Final = Resource("events.k8s.io", "v1", "events", "Event")


def child(raw: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return the mapping under `name`, empty if there is none."""
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def children(raw: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """Return the mappings in the list under `name`, empty if there is none."""
    value = raw.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text(raw: Mapping[str, object], name: str) -> str:
    """Return the string under `name`, empty if there is none."""
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def number(raw: Mapping[str, object], name: str, default: int = 0) -> int:
    """Return the integer under `name`, `default` if there is none."""
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def strings(raw: Mapping[str, object], name: str) -> dict[str, str]:
    """Return the string entries of the mapping under `name`."""
    return {key: value for key, value in child(raw, name).items() if isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner reference with `controller: true`, of which an object has at most one."""

    api_version: str
    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """The part of an object's metadata that decisions are made on.

    `annotations` holds only ours and the reconcile requests: a cache of it stays small.
    `observed_generation` is from the status, -1 if there is none.
    `resource_version` is opaque; the only operation on it is equality.
    """

    key: ObjectKey
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    observed_generation: int = -1
    deleting: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
    controller: Owner | None = None

    @classmethod
    def of(cls, raw: Mapping[str, object]) -> Metadata:
        """Read the metadata of an object."""
        metadata = child(raw, "metadata")
        annotations = strings(metadata, "annotations")
        return cls(
            key=ObjectKey(_shared(metadata, "namespace"), _shared(metadata, "name")),
            uid=_shared(metadata, "uid"),
            resource_version=text(metadata, "resourceVersion"),
            generation=number(metadata, "generation"),
            observed_generation=number(child(raw, "status"), "observedGeneration", -1),
            deleting=bool(metadata.get("deletionTimestamp")),
            annotations={key: annotations[key] for key in annotations if _is_watched(key)},
            controller=_controller(metadata),
        )

    @property
    def requested(self) -> str:
        """The token of the latest reconcile request, "" if there is none.

        Tokens are times by convention, so of two the greater is the later.
        """
        return max(self.annotations.get(name, "") for name in REQUEST_ANNOTATIONS)


def _shared(raw: Mapping[str, object], name: str) -> str:
    """Return a string that many objects have, or a manifest and its Secret, kept only once."""
    return intern(text(raw, name))


def _is_watched(annotation: str) -> bool:
    return annotation.startswith(f"{GROUP}/") or annotation in REQUEST_ANNOTATIONS


def _controller(metadata: Mapping[str, object]) -> Owner | None:
    for reference in children(metadata, "ownerReferences"):
        if reference.get("controller") is True:
            parts = (_shared(reference, name) for name in ("apiVersion", "kind", "name", "uid"))
            return Owner(*parts)
    return None
