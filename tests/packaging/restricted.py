"""The "restricted" Pod Security Standard, and more: what it should ask and does not."""

from collections.abc import Iterator

from tests.packaging.documents import Document

_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral",
    "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")


def violations(pod: Document) -> list[str]:
    """Return what a PodSpec does that the standard forbids; empty if nothing."""
    return [*_of_pod(pod), *(problem for box in _containers(pod) for problem in _of(box, pod))]


def _containers(pod: Document) -> list[Document]:
    kinds = ("initContainers", "containers", "ephemeralContainers")
    return [container for kind in kinds for container in pod.get(kind, [])]


def _of_pod(pod: Document) -> Iterator[str]:
    yield from (name for name in _HOST_FIELDS if name in pod)
    for volume in pod.get("volumes", []):
        kinds = set(volume) - {"name"}
        if not kinds <= _VOLUMES:
            yield f"volume {volume['name']}: {kinds}"
    if pod.get("securityContext", {}).get("sysctls"):
        yield "sysctls"


def _of(container: Document, pod: Document) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = {**pod.get("securityContext", {}), **own}
    if both.get("runAsNonRoot") is not True:
        yield "runAsNonRoot"
    if not both.get("runAsUser"):
        yield "runAsUser"
    if both.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "seccompProfile"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if own.get("capabilities") != {"drop": ["ALL"]}:
        yield "capabilities"
    if own.get("readOnlyRootFilesystem") is not True:  # the standard does not ask for it
        yield "readOnlyRootFilesystem"
    if own.get("privileged") or own.get("procMount"):
        yield "privileged"
    yield from (f"hostPort {p['hostPort']}" for p in container.get("ports", []) if "hostPort" in p)
