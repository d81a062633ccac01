"""How GitOps tools read a status, ported from their sources, rule by rule.

kstatus: sigs.k8s.io/cli-utils pkg/kstatus/status, which Flux, Helm 4 and kpt use. Argo CD: the
health script for SealedSecret of bitnami.com, which users may bind to our kind too.
"""

from collections.abc import Mapping

from sealkit_controller.objects import child, children


def kstatus(raw: Mapping[str, object]) -> str:
    metadata, status = child(raw, "metadata"), child(raw, "status")
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata.get("generation"):
        return "InProgress"
    conditions = children(status, "conditions")
    for entry in conditions:
        if entry.get("status") == "True" and entry.get("type") in {"Reconciling", "Stalled"}:
            return "InProgress" if entry["type"] == "Reconciling" else "Failed"
    for entry in conditions:
        if entry.get("type") == "Ready":
            return "Current" if entry.get("status") == "True" else "InProgress"
    return "Current"


def argo(raw: Mapping[str, object]) -> str:
    for entry in children(child(raw, "status"), "conditions"):
        if entry.get("type") == "Synced":
            verdicts = {"True": "Healthy", "False": "Degraded"}
            return verdicts.get(str(entry.get("status")), "Progressing")
    return "Progressing"
