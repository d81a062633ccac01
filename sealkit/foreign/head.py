"""What every object begins with: its place, labels and annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sealkit import fields
from sealkit.foreign.source import Source
from sealkit.manifests.gitops import LAST_APPLIED
from sealkit.manifests.template import metadata_maps


@dataclass(frozen=True)
class Head:
    """Name, namespace (may be empty), labels and annotations."""

    name: str
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Return `metadata`."""
        place = {"name": self.name} | ({"namespace": self.namespace} if self.namespace else {})
        return {**place, **metadata_maps(self.labels, self.annotations)}


def take_head(source: Source) -> Head:
    """Take what stands before `spec`.

    Raises:
        ManifestError: something is of the wrong type, or no name that Kubernetes accepts.
    """
    for name in ("apiVersion", "kind"):
        source.take(name)
    metadata = source.inner("metadata")
    head = Head(
        name=fields.object_name(metadata.required("name")),
        namespace=fields.namespace_or_none(metadata.text("namespace")),
        labels=fields.label_map(metadata.strings("labels"), "metadata.labels"),
        annotations=fields.annotation_map(metadata.strings("annotations"), "metadata.annotations"),
    )
    if LAST_APPLIED not in head.annotations:
        return head
    todo = "kubectl's copy of the old object: nothing to do"
    metadata.note(f"annotations.{LAST_APPLIED}", "", todo)
    kept = {key: value for key, value in head.annotations.items() if key != LAST_APPLIED}
    return replace(head, annotations=kept)


def renamed(source: Source, head: Head, target: Source, name: str) -> Head:
    """Return the head with the name of the Secret, which is that of its SealedSecret here."""
    if name == head.name:
        return head
    fields.object_name(name, target.at("name"))
    todo = f"the SealedSecret is called {name} as its Secret: change what mentions the old name"
    source.note("metadata.name", head.name, todo)
    return replace(head, name=name)
