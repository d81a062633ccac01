"""What is kept of a manifest: all of it while there is work, a digest once it is synced."""

import json

import pytest

from sealkit_controller.manifest import Manifest, keep
from sealkit_controller.objects import JsonObject, Metadata, child
from tests.controller.world import sealed


def with_status(verdict: str, observed: int, **spec: object) -> JsonObject:
    raw = sealed(spec=spec)
    metadata = {**child(raw, "metadata"), "uid": "u", "generation": 2, "managedFields": [{"a": 1}]}
    status = {"observedGeneration": observed, "conditions": [{"type": "Synced", "status": verdict}]}
    return raw | {"metadata": metadata, "status": status}


def loaded(raw: JsonObject) -> Manifest:
    return Manifest.load(Metadata.of(raw), keep(raw))


def test_a_synced_one_is_kept_as_what_tells_of_changes() -> None:
    raw = with_status("True", 2, suspend=True)
    whole, kept = Manifest.of(raw), loaded(raw)
    assert kept.raw is None
    assert (kept.metadata, kept.status) == (whole.metadata, whole.status)
    assert (kept.digest, kept.wraps, kept.suspended) == (whole.digest, whole.wraps, True)
    assert len(keep(raw)) < len(json.dumps(raw)) / 3


@pytest.mark.parametrize(
    "raw",
    [with_status("False", 2), with_status("Unknown", 2), with_status("True", 1), sealed()],
    ids=["stalled", "waiting", "changed", "new"],
)
def test_one_with_work_left_is_kept_whole(raw: JsonObject) -> None:
    metadata = {k: v for k, v in child(raw, "metadata").items() if k != "managedFields"}
    assert loaded(raw).content == raw | {"metadata": metadata}
    assert loaded(raw).digest == Manifest.of(raw).digest


def test_the_digest_is_of_the_content_alone() -> None:
    raw = with_status("True", 2)
    spec = child(raw, "spec")
    digest = Manifest.of(raw).digest
    assert Manifest.of(raw | {"spec": {**spec, "suspend": True}}).digest == digest
    assert Manifest.of(raw | {"spec": dict(reversed(list(spec.items())))}).digest == digest
    assert Manifest.of(raw | {"spec": {**spec, "deletionPolicy": "Retain"}}).digest != digest
