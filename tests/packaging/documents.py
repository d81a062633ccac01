"""Kubernetes objects as parsed YAML, and what the tests here look up in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

CONTROLLER = Path(__file__).parents[2] / "controller"
MANIFESTS = CONTROLLER / "manifests"
CRDS = sorted((CONTROLLER / "crds").glob("*.yaml"))

Document = dict[str, Any]


def parse(text: str) -> list[Document]:
    """Return the objects in a YAML stream, without the empty ones."""
    return [document for document in yaml.safe_load_all(text) if document]


def find(documents: Sequence[Document], kind: str, name: str | None = None) -> Document:
    """Return the one object of a kind, and of a name if one is given.

    Raises:
        LookupError: there is none, or more than one.
    """
    found = [
        document
        for document in documents
        if document["kind"] == kind and name in {None, document["metadata"]["name"]}
    ]
    if len(found) != 1:
        raise LookupError(f"{len(found)} objects of kind {kind}, name {name}")
    return found[0]


def deployments(documents: Sequence[Document]) -> list[Document]:
    """Return the Deployments: one for each shard.

    Raises:
        LookupError: there is none.
    """
    found = [document for document in documents if document["kind"] == "Deployment"]
    if not found:
        raise LookupError("no Deployment")
    return found


def pod_spec(documents: Sequence[Document]) -> Document:
    """Return the PodSpec of the one Deployment, or where there is none of the one CronJob."""
    if any(document["kind"] == "Deployment" for document in documents):
        spec: Document = find(documents, "Deployment")["spec"]["template"]["spec"]
        return spec
    job: Document = find(documents, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return job


def environ(documents: Sequence[Document], pod_name: str = "pod-1") -> dict[str, str]:
    """Return the environment that the kubelet would give the controller's container."""
    deployment = find(documents, "Deployment")
    fields = {
        "metadata.name": pod_name,
        "metadata.namespace": deployment["metadata"]["namespace"],
    }
    return {
        entry["name"]: fields[entry["valueFrom"]["fieldRef"]["fieldPath"]]
        if "valueFrom" in entry
        else entry.get("value", "")  # which an API server leaves out when it is empty
        for entry in pod_spec(documents)["containers"][0]["env"]
    }
