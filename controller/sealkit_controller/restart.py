"""Restart workloads because the data of a Secret changed: once for each change, and only then."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from typing import Final

from sealkit.manifests.vault import Workload, WorkloadKind
from sealkit_controller.cluster import ApiError, Cluster, PatchKind, Selection, Target
from sealkit_controller.objects import JsonObject, Metadata, ObjectKey, Resource

RESOURCES: Final = {
    WorkloadKind.DEPLOYMENT: Resource("apps", "v1", "deployments", "Deployment"),
    WorkloadKind.STATEFUL_SET: Resource("apps", "v1", "statefulsets", "StatefulSet"),
    WorkloadKind.DAEMON_SET: Resource("apps", "v1", "daemonsets", "DaemonSet"),
}
_PREFIX: Final = "restart.sealkit.dev/"
_LONGEST_NAME: Final = 63
_NOT_FOUND: Final = 404


def restart(
    cluster: Cluster, key: ObjectKey, workloads: Collection[Workload], data_mac: str
) -> tuple[str, ...]:
    """Restart the workloads that use a Secret; return them as `<kind>/<name>`.

    The annotation of the pod template stands for the data, so that doing it twice is doing it
    once. What is not there starts with the new data anyway.

    Raises:
        ApiError: one could not be restarted; those before it were.
    """
    body: JsonObject = {
        "spec": {"template": {"metadata": {"annotations": {annotation(key.name): data_mac}}}}
    }
    done = []
    for workload in workloads:
        for target in _targets(cluster, key.namespace, workload):
            try:
                cluster.patch(target, body, PatchKind.MERGE)
            except ApiError as error:
                if error.status != _NOT_FOUND:
                    raise
            else:
                done.append(f"{target.resource.kind}/{target.name}")
    return tuple(done)


def annotation(name: str) -> str:
    """Return the annotation for a Secret; a name that is too long for one is cut and numbered."""
    if len(name) > _LONGEST_NAME:
        name = f"{name[:50].rstrip('.-')}-{sha256(name.encode()).hexdigest()[:8]}"
    return _PREFIX + name


def _targets(cluster: Cluster, namespace: str, workload: Workload) -> list[Target]:
    resource = RESOURCES[workload.kind]
    if workload.name:
        return [Target(resource, namespace, workload.name)]
    selection = Selection(resource, namespace, workload.selector, metadata_only=True)
    found = [Metadata.of(raw) for page in cluster.pages(selection) for raw in page.items]
    return [Target(resource, namespace, one.key.name) for one in found]
