import base64
from collections.abc import Callable

import pytest

from sealkit.keypair import KeyPair, KeyState
from sealkit_controller.manifest import Manifest
from sealkit_controller.objects import (
    HASH_ANNOTATION,
    JsonObject,
    ObjectKey,
    child,
    strings,
)
from sealkit_controller.plan import (
    leftovers,
    overwrite,
)
from sealkit_controller.status import Verdict
from tests.controller.planning import UID, changed, desired, made, manifest, planned
from tests.controller.world import KEY, OTHER_KEY, pair, ring, sealed

# Opening.


def test_without_a_secret_one_is_created_whole() -> None:
    secret = {"type": "kubernetes.io/basic-auth", "immutable": True, "labels": {"app": "db"}}
    given = manifest(sealed({"username": b"\x00\xff", "password": b""}, secret=secret))
    plan = planned(given)
    body = desired(plan).body()
    assert plan.action == "created"
    assert plan.report.verdict is Verdict.TRUE
    assert body["type"] == "kubernetes.io/basic-auth"
    assert body["immutable"] is True
    assert body["data"] == {"username": "AP8=", "password": ""}
    assert strings(child(body, "metadata"), "labels") == {
        "app": "db",
        "sealkit.dev/managed": "true",
    }


def test_the_manifest_owns_the_secret_and_does_not_block_on_it() -> None:
    body = desired(planned(manifest())).body()
    assert child(body, "metadata")["ownerReferences"] == [
        {
            "apiVersion": "sealkit.dev/v1alpha1",
            "kind": "SealedSecret",
            "name": "db",
            "uid": UID,
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


def test_metadata_of_gitops_tools_stays_off_the_secret() -> None:
    metadata = {
        "labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "team": "a"},
        "annotations": {"argocd.argoproj.io/tracking-id": "x", "note": "kept"},
    }
    given = manifest(sealed(spec={"template": {"type": "Opaque", "metadata": metadata}}))
    body = child(desired(planned(given)).body(), "metadata")
    assert strings(body, "labels") == {"team": "a", "sealkit.dev/managed": "true"}
    assert set(strings(body, "annotations")) == {"note", HASH_ANNOTATION}


def flip(text: str) -> str:
    return text[:-8] + ("AAAA" if text[-8:-4] != "AAAA" else "BBBB") + text[-4:]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (sealed(to=OTHER_KEY), "NoKey"),
        (changed(sealed(), "metadata>name", "other"), "DecryptionFailed"),
        (changed(sealed(), "metadata>namespace", "other"), "DecryptionFailed"),
        (changed(sealed(), "spec>scope", "namespace-wide"), "DecryptionFailed"),
        (changed(sealed(), "spec>scope", "galaxy-wide"), "InvalidManifest"),
        (changed(sealed(), "spec>encryptedData>password", "sealed:x.y"), "InvalidManifest"),
        (changed(sealed(), "spec>surprise", 1), "InvalidManifest"),
        (
            changed(sealed(), "spec>template>type", "kubernetes.io/service-account-token"),
            "TypeRefused",
        ),
        (changed(sealed(), "spec>template>type", "bootstrap.kubernetes.io/token"), "TypeRefused"),
        (
            changed(
                sealed({".dockerconfigjson": b"hunter2"}),
                "spec>template>type",
                "kubernetes.io/dockerconfigjson",
            ),
            "SecretInvalid",
        ),
    ],
    ids=[
        *("no key", "renamed", "moved", "other scope", "unknown scope", "damaged value"),
        *("unknown field", "token type", "bootstrap type", "rule of the type"),
    ],
)
def test_what_cannot_work_is_said_and_nothing_is_written(raw: JsonObject, reason: str) -> None:
    for existing in (None, made(manifest())):
        plan = planned(manifest(raw), existing)
        assert (plan.report.verdict, plan.report.reason.value) == (Verdict.FALSE, reason)
        assert plan.action is None
        assert plan.desired is None
        assert "hunter2" not in plan.report.message


def test_one_bad_value_spoils_all() -> None:
    raw = sealed({"a": b"1", "b": b"2"})
    values = strings(child(raw, "spec"), "encryptedData")
    swapped = changed(raw, "spec>encryptedData", {"a": values["b"], "b": values["a"]})
    assert planned(manifest(swapped)).report.reason.value == "DecryptionFailed"


def test_a_plan_can_be_printed_without_showing_a_secret() -> None:
    shown = repr(planned(manifest()))
    assert "hunter2" not in shown
    assert base64.b64encode(b"hunter2").decode() not in shown


# A Secret that is there.


def test_what_is_right_is_left_alone() -> None:
    given = manifest()
    plan = planned(given, made(given))
    assert (plan.action, plan.report.verdict) == (None, Verdict.TRUE)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data>password", "d3Jvbmc="),
        ("data>password", None),
        ("data>extra", "eA=="),
        ("data", None),
        ("metadata>labels", None),
        ("metadata>annotations", {HASH_ANNOTATION: "old"}),
    ],
)
def test_an_edited_secret_is_put_right(path: str, value: object) -> None:
    given = manifest(sealed(spec={}))
    existing = changed(made(given), path, value)
    assert planned(given, existing).action == "updated"


def test_foreign_labels_and_annotations_are_none_of_our_business() -> None:
    given = manifest()
    existing = made(given)
    for field in ("labels", "annotations"):
        entries = {**strings(child(existing, "metadata"), field), "reloader.io/at": "now"}
        existing = changed(existing, f"metadata>{field}", entries)
    assert planned(given, existing).action is None


def owner(**fields: object) -> list[JsonObject]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "other"}
    return [{**reference, "controller": True, **fields}]


OURS_BEFORE = {"apiVersion": "sealkit.dev/v1alpha1", "kind": "SealedSecret"}


@pytest.mark.parametrize(
    ("owners", "annotations", "expected"),
    [
        (None, {}, "SecretNotOwned"),
        (None, {"sealkit.dev/adopt": "yes"}, "SecretNotOwned"),
        (None, {"sealkit.dev/adopt": "true"}, "updated"),
        (None, {"sealkit.dev/deletion-policy": "Retain"}, "updated"),
        (owner(), {}, "SecretNotOwned"),
        (owner(), {"sealkit.dev/adopt": "true"}, "SecretNotOwned"),
        (owner(**OURS_BEFORE), {"sealkit.dev/adopt": "true"}, "SecretTerminating"),
        (owner(controller=False), {"sealkit.dev/adopt": "true"}, "updated"),
    ],
    ids=[
        *("nobody's", "adopt misspelt", "adopt", "retained", "another's", "another's, adopt"),
        *("of a deleted manifest", "owned but not controlled"),
    ],
)
def test_only_our_own_secret_is_touched(
    owners: list[JsonObject] | None, annotations: dict[str, str], expected: str
) -> None:
    given = manifest()
    existing = changed(made(given), "metadata>ownerReferences", owners)
    existing = changed(existing, "metadata>annotations", annotations)
    plan = planned(given, existing)
    assert (plan.action or plan.report.reason.value) == expected


def test_a_retained_mark_alone_does_not_hand_a_secret_over() -> None:
    given = manifest()
    existing = changed(made(given), "metadata>ownerReferences", None)
    existing = changed(existing, "metadata>annotations", {"sealkit.dev/deletion-policy": "Retain"})
    existing = changed(existing, "metadata>labels", {})
    assert planned(given, existing).report.reason.value == "SecretNotOwned"


def test_a_secret_that_is_going_is_waited_for() -> None:
    given = manifest()
    existing = changed(made(given), "metadata>deletionTimestamp", "2026-01-01T00:00:00Z")
    report = planned(given, existing).report
    assert (report.verdict, report.reason.value) == (Verdict.UNKNOWN, "SecretTerminating")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (lambda raw: raw | {"type": "example.com/other"}, True),
        (lambda raw: changed(raw, "data>password", "eA==") | {"immutable": True}, True),
        (lambda raw: raw | {"immutable": True}, True),
        (lambda raw: raw, False),
    ],
    ids=["type", "immutable with other data", "immutable no more", "right"],
)
def test_what_cannot_be_updated_needs_permission_to_recreate(
    change: Callable[[JsonObject], JsonObject], *, refused: bool
) -> None:
    given = manifest()
    plan = planned(given, change(made(given)))
    assert (plan.report.reason.value == "SecretImmutable") == refused
    allowed = Manifest.of(changed(dict(given.content), "spec>recreate", value=True))
    assert planned(allowed, change(made(given))).action == ("recreated" if refused else None)


def test_an_immutable_secret_may_change_its_labels() -> None:
    given = manifest(sealed(secret={"immutable": True}))
    existing = changed(made(given), "metadata>labels", {})
    assert planned(given, existing).action == "updated"


# Retain.


def test_a_retained_secret_has_no_owner_and_is_safe_from_pruning() -> None:
    body = child(
        desired(planned(manifest(sealed(spec={"deletionPolicy": "Retain"})))).body(), "metadata"
    )
    assert "ownerReferences" not in body
    assert strings(body, "annotations").items() >= {
        ("argocd.argoproj.io/sync-options", "Prune=false"),
        ("argocd.argoproj.io/compare-options", "IgnoreExtraneous"),
        ("sealkit.dev/deletion-policy", "Retain"),
    }


def test_retaining_takes_the_owner_off_and_leaves_foreign_ones() -> None:
    given = manifest()
    raw = sealed(spec={"deletionPolicy": "Retain"})
    existing = made(given)
    foreign = owner(controller=False)
    ours = child(existing, "metadata")["ownerReferences"]
    assert isinstance(ours, list)
    existing = changed(existing, "metadata>ownerReferences", ours + foreign)
    plan = planned(manifest(raw), existing)
    patch = leftovers(existing, desired(plan))
    assert plan.action == "updated"
    assert patch is not None
    assert child(patch, "metadata")["ownerReferences"] == foreign


# What an apply leaves behind.


def managed(raw: JsonObject, manager: str, label: str) -> JsonObject:
    entry = {"manager": manager, "fieldsV1": {"f:metadata": {"f:labels": {f"f:{label}": {}}}}}
    raw = changed(raw, "metadata>labels", {**strings(child(raw, "metadata"), "labels"), label: "x"})
    return changed(raw, "metadata>managedFields", [entry])


def test_extra_data_keys_go_whoever_set_them() -> None:
    given = manifest()
    existing = changed(made(given), "data>extra", "eA==")
    patch = leftovers(existing, desired(planned(given)))
    assert patch == {"data": {"extra": None}, "metadata": {}}


def test_where_something_would_be_left_behind_one_patch_makes_the_secret_whole() -> None:
    given = manifest()
    foreign = owner(controller=False)
    existing = changed(made(given), "data>extra", "eA==")
    ours = child(existing, "metadata")["ownerReferences"]
    assert isinstance(ours, list)
    existing = changed(existing, "metadata>ownerReferences", ours + foreign)
    patch = overwrite(existing, desired(planned(given)))
    assert patch is not None
    whole = desired(planned(given)).body()
    assert patch["data"] == {**child(whole, "data"), "extra": None}
    assert child(patch, "metadata")["ownerReferences"] == foreign + ours
    assert overwrite(made(given), desired(planned(given))) is None


def test_labels_that_we_set_once_go_and_foreign_ones_stay() -> None:
    given = manifest()
    ours = managed(made(given), "sealkit-controller", "old")
    theirs = managed(made(given), "kubectl", "old")
    patch = leftovers(ours, desired(planned(given)))
    assert patch is not None
    assert child(patch, "metadata")["labels"] == {"old": None}
    assert leftovers(theirs, desired(planned(given))) is None
    assert planned(given, ours).action == "updated"


def test_a_compromised_key_opens_and_is_told() -> None:
    keys = ring(pair(KEY, KeyState.COMPROMISED))
    plan = planned(manifest(), None, keys)
    assert plan.report.verdict is Verdict.TRUE
    assert KEY.kid in plan.report.message


@pytest.mark.parametrize(
    ("others", "told"),
    [((), True), ((pair(OTHER_KEY),), False), ((pair(OTHER_KEY, KeyState.RETIRED),), True)],
    ids=["alone", "with an active one", "with a retired one"],
)
def test_a_retired_key_that_is_still_needed_is_told(
    others: tuple[KeyPair, ...],
    told: bool,  # noqa: FBT001  (a column)
) -> None:
    keys = ring(pair(KEY, KeyState.RETIRED), *others)
    report = planned(manifest(sealed(to=[KEY, OTHER_KEY])), None, keys).report
    assert report.verdict is Verdict.TRUE
    assert ("retired" in report.message) is told


def test_a_manifest_elsewhere_is_another_manifest() -> None:
    there = ObjectKey("shop", "cache")
    assert planned(manifest(sealed(key=there))).action == "created"
