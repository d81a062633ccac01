"""What is decided without a decryption."""

from dataclasses import replace

import pytest

from sealkit_controller.manifest import Manifest
from sealkit_controller.objects import HASH_ANNOTATION, Metadata
from sealkit_controller.plan import Seen, settle, spec_hash
from sealkit_controller.status import Verdict
from tests.controller.planning import changed, manifest
from tests.controller.world import DB, OTHER_KEY, pair, ring, sealed


def settled(
    given: Manifest, *, version: str = "20", seen: Seen | None = None, digest: str = ""
) -> str | None:
    annotations = {HASH_ANNOTATION: digest or spec_hash(given, ring())}
    secret = Metadata(DB, uid="s", resource_version=version, annotations=annotations)
    report = settle(given, secret, ring(), seen)
    return report.reason.value if report else None


RECORDED = {"secretResourceVersion": "20"}


def test_an_untouched_secret_of_the_same_content_needs_nothing() -> None:
    assert settled(manifest(status=RECORDED)) == "Synced"


def test_anything_else_is_opened() -> None:
    given = manifest(status=RECORDED)
    assert settled(given, version="21") is None
    assert settled(given, digest="other") is None
    assert settled(manifest()) is None
    assert settle(given, None, ring(), None) is None


def test_a_version_compared_by_this_process_counts_like_a_recorded_one() -> None:
    given = manifest(status=RECORDED)
    assert settled(given, version="21", seen=Seen("21", spec_hash(given, ring()))) == "Synced"
    assert settled(given, version="21", seen=Seen("21", "other")) is None


def test_a_request_opens_until_it_is_answered() -> None:
    asked = {"sealkit.dev/refresh": "2026-01-01T00:00:00Z"}
    assert settled(manifest(status=RECORDED, annotations=asked)) is None
    answered = RECORDED | {"lastHandledReconcileAt": "2026-01-01T00:00:00Z"}
    assert settled(manifest(status=answered, annotations=asked)) == "Synced"


@pytest.mark.parametrize(("in_step", "verdict"), [(True, Verdict.TRUE), (False, Verdict.UNKNOWN)])
def test_a_suspended_manifest_is_left_alone(*, in_step: bool, verdict: Verdict) -> None:
    given = manifest(sealed(spec={"suspend": True}))
    digest = spec_hash(given, ring()) if in_step else "other"
    secret = Metadata(DB, resource_version="99", annotations={HASH_ANNOTATION: digest})
    report = settle(given, secret, ring(), None)
    assert report is not None
    assert (report.verdict, report.reason.value) == (verdict, "Suspended")


def test_the_hash_changes_with_content_owner_and_usable_keys_only() -> None:
    given = manifest()
    digest = spec_hash(given, ring())
    how = Manifest.of(changed(dict(given.content), "spec>recreate", value=True))
    recreated = replace(given, metadata=replace(given.metadata, uid="another"))
    assert spec_hash(how, ring()) == digest
    assert spec_hash(given, ring(pair(), pair(OTHER_KEY))) == digest
    assert spec_hash(recreated, ring()) != digest
    assert spec_hash(given, ring(pair(OTHER_KEY))) != digest
    assert spec_hash(manifest(), ring()) != digest
