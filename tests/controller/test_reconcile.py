import pytest

from sealkit_controller.cluster import ApiError
from sealkit_controller.keyring import KeyRing
from sealkit_controller.objects import (
    HASH_ANNOTATION,
    SEALED_SECRETS,
    SECRETS,
    JsonObject,
    child,
    strings,
    text,
)
from sealkit_controller.reconcile import Done, RetryAfter, Terminal
from tests.controller.reconciling import World
from tests.controller.world import (
    DB,
    KEY,
    OTHER_KEY,
    condition,
    pair,
    ring,
    sealed,
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def synced(world: World) -> World:
    world.apply(sealed({"a": b"1", "b": b"2"}))
    assert isinstance(world.run(), Done)
    return world


STATUS = ("replace", "sealedsecrets/status")


def test_a_new_manifest_takes_two_writes(world: World) -> None:
    world.apply(sealed())
    outcome = world.run()
    assert isinstance(outcome, Done)
    assert outcome.action == "created"
    assert world.wrote() == [("create", "secrets"), STATUS]
    assert strings(world.secret, "data") == {"password": "aHVudGVyMg=="}
    assert condition(world.manifest) == ("True", "Synced")


@pytest.mark.parametrize("look", [True, False], ids=["views up to date", "views lag"])
def test_the_second_time_nothing_is_written_or_even_read(synced: World, *, look: bool) -> None:
    outcome = synced.run(look=look)
    assert isinstance(outcome, Done)
    assert outcome.action is None
    assert synced.cluster.requests == []


def test_a_restart_decrypts_nothing_that_is_unchanged(synced: World) -> None:
    synced.restart()
    synced.run()
    assert synced.cluster.requests == []


def test_a_change_is_applied_and_what_is_no_longer_there_goes(synced: World) -> None:
    synced.apply(sealed({"a": b"changed"}))
    outcome = synced.run()
    assert isinstance(outcome, Done)
    assert outcome.action == "updated"
    assert strings(synced.secret, "data") == {"a": "Y2hhbmdlZA=="}
    assert child(synced.manifest, "status")["observedGeneration"] == 2
    synced.run()
    assert synced.wrote() == []


def test_labels_that_left_the_template_leave_the_secret(world: World) -> None:
    world.apply(sealed(secret={"labels": {"old": "x", "kept": "y"}}))
    world.run()
    world.cluster.edit(SECRETS, DB, {"metadata": {"labels": {"foreign": "z"}}})
    world.apply(sealed(secret={"labels": {"kept": "y"}}))
    world.run()
    labels = strings(child(world.secret, "metadata"), "labels")
    assert labels == {"kept": "y", "foreign": "z", "sealkit.dev/managed": "true"}


@pytest.mark.parametrize(
    "edit",
    [
        {"data": {"a": "d3Jvbmc="}},
        {"data": {"a": None}},
        {"data": {"extra": "eA=="}},
        {"metadata": {"labels": {"sealkit.dev/managed": None}}},
        {"metadata": {"annotations": {HASH_ANNOTATION: "x"}}},
    ],
    ids=["changed", "removed", "added", "label", "hash"],
)
def test_an_edited_secret_is_repaired(synced: World, edit: JsonObject) -> None:
    right = synced.secret
    synced.cluster.edit(SECRETS, DB, edit)
    synced.run()
    assert synced.secret["data"] == right["data"]
    for field in ("labels", "annotations", "ownerReferences"):
        assert child(synced.secret, "metadata").get(field) == child(right, "metadata").get(field)
    synced.run()
    assert synced.wrote() == []


def test_a_deleted_secret_comes_back(synced: World) -> None:
    synced.cluster.drop(SECRETS, DB)
    outcome = synced.run()
    assert isinstance(outcome, Done)
    assert outcome.action == "created"
    assert strings(synced.secret, "data") == {"a": "MQ==", "b": "Mg=="}


def test_a_foreign_label_costs_one_look_and_no_write(synced: World) -> None:
    synced.cluster.edit(SECRETS, DB, {"metadata": {"labels": {"foreign": "x"}}})
    synced.run()
    assert [sent.verb for sent in synced.cluster.requests] == ["get", "get"]
    synced.run()
    assert synced.cluster.requests == []
    version = text(child(synced.secret, "metadata"), "resourceVersion")
    assert synced.reconciler.wrote(DB, version)


def test_a_crash_between_the_two_writes_is_made_up_for(world: World) -> None:
    world.apply(sealed())
    world.cluster.fail("replace", "sealedsecrets/status", ApiError(0, "ConnectionResetError"))
    assert isinstance(world.run(), RetryAfter)
    world.restart()
    assert isinstance(world.run(), Done)
    assert world.wrote() == [STATUS]
    world.restart()
    world.run()
    assert world.cluster.requests == []


def test_somebody_elses_secret_is_refused_and_left_alone(world: World) -> None:
    foreign = {"metadata": {"namespace": "shop", "name": "db"}, "data": {"a": "eA=="}}
    world.cluster.put(SECRETS, foreign)
    world.apply(sealed())
    outcome = world.run()
    assert isinstance(outcome, Terminal)
    assert condition(world.manifest) == ("False", "SecretNotOwned")
    assert strings(world.secret, "data") == {"a": "eA=="}
    assert world.wrote() == [("create", "secrets"), STATUS]


def test_a_secret_is_adopted_when_it_says_so(world: World) -> None:
    annotations = {"sealkit.dev/adopt": "true"}
    metadata = {"namespace": "shop", "name": "db", "annotations": annotations}
    world.cluster.put(SECRETS, {"metadata": metadata, "data": {"old": "eA=="}})
    world.apply(sealed())
    outcome = world.run()
    assert isinstance(outcome, Done)
    assert outcome.action == "updated"
    assert strings(world.secret, "data") == {"password": "aHVudGVyMg=="}
    world.run()
    assert world.wrote() == []


def test_another_type_needs_permission_and_then_replaces_the_secret(synced: World) -> None:
    template = {"template": {"type": "example.com/other"}}
    synced.apply(sealed(spec=template))
    assert isinstance(synced.run(), Terminal)
    assert condition(synced.manifest) == ("False", "SecretImmutable")
    before = child(synced.secret, "metadata")["uid"]
    synced.apply(sealed(spec=template | {"recreate": True}))
    outcome = synced.run()
    assert isinstance(outcome, Done)
    assert outcome.action == "recreated"
    assert synced.secret["type"] == "example.com/other"
    assert child(synced.secret, "metadata")["uid"] != before
    synced.run()
    assert synced.wrote() == []


def test_the_last_good_secret_survives_a_bad_manifest_and_its_revert_is_free(synced: World) -> None:
    good = synced.manifest
    synced.apply(sealed({"a": b"new"}, to=OTHER_KEY))
    assert isinstance(synced.run(), Terminal)
    assert strings(synced.secret, "data") == {"a": "MQ==", "b": "Mg=="}
    synced.apply(good)
    assert isinstance(synced.run(), Done)
    assert synced.wrote() == [STATUS]
    assert condition(synced.manifest) == ("True", "Synced")


def test_a_key_that_comes_late_is_enough(world: World) -> None:
    world.ring = KeyRing()
    world.apply(sealed())
    assert isinstance(world.run(), Terminal)
    assert condition(world.manifest, "Stalled") == ("True", "NoKey")
    world.ring = ring(pair(KEY))
    assert isinstance(world.run(), Done)
    assert condition(world.manifest, "Stalled") == ("", "")


def test_a_lost_key_is_told_while_the_secret_stays(synced: World) -> None:
    synced.ring = KeyRing()
    assert isinstance(synced.run(), Terminal)
    assert condition(synced.manifest) == ("False", "NoKey")
    assert strings(synced.secret, "data") == {"a": "MQ==", "b": "Mg=="}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ApiError(0, "TimeoutError"), "ApiUnavailable"),
        (ApiError(500, "InternalError"), "ApiUnavailable"),
        (ApiError(429, "TooManyRequests", retry_after_seconds=7), "ApiUnavailable"),
        (ApiError(403, "Forbidden", cause="NamespaceTerminating"), "ApiRefused"),
    ],
    ids=["no response", "500", "429", "403"],
)
def test_what_may_pass_is_retried_and_never_called_failed(
    world: World, error: ApiError, reason: str
) -> None:
    world.apply(sealed())
    world.cluster.fail("create", "secrets", error)
    outcome = world.run()
    assert isinstance(outcome, RetryAfter)
    assert outcome.seconds == (error.retry_after_seconds or 0)
    assert outcome.overload == (error.status == 429)
    assert condition(world.manifest) == ("Unknown", reason)
    assert condition(world.manifest, "Reconciling") == ("True", reason)
    assert isinstance(world.run(), Done)
    assert condition(world.manifest) == ("True", "Synced")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_the_api_server_calls_invalid_is_permanent(world: World, status: int) -> None:
    world.apply(sealed())
    world.cluster.fail("create", "secrets", ApiError(status, "Invalid"))
    assert isinstance(world.run(), Terminal)
    assert condition(world.manifest) == ("False", "SecretInvalid")


def test_a_conflict_is_retried_without_a_word(synced: World) -> None:
    synced.apply(sealed())
    synced.cluster.fail("merge", "secrets", ApiError(409, "Conflict"))
    assert isinstance(synced.run(), RetryAfter)
    assert synced.wrote() == [("merge", "secrets")]


def test_a_stale_view_of_the_manifest_cannot_write_a_status(world: World) -> None:
    world.apply(sealed())
    world.look()
    world.cluster.edit(SEALED_SECRETS, DB, {"metadata": {"labels": {"x": "y"}}})
    assert isinstance(world.run(look=False), RetryAfter)
    assert condition(world.manifest) == ("", "")
    assert isinstance(world.run(), Done)


def test_a_manifest_deleted_meanwhile_is_no_error(world: World) -> None:
    world.apply(sealed())
    world.look()
    world.cluster.fail("create", "secrets", ApiError(404, "NotFound"))
    world.cluster.drop(SEALED_SECRETS, DB)
    assert world.run(look=False) == Done()
    assert world.run() == Done()


def test_a_manifest_that_is_going_gets_no_secret(world: World) -> None:
    raw = sealed()
    raw["metadata"] = {**child(raw, "metadata"), "deletionTimestamp": "2026-01-01T00:00:00Z"}
    world.cluster.put(SEALED_SECRETS, raw)
    assert world.run() == Done()
    assert world.cluster.requests == []


def test_the_secret_goes_with_its_manifest_unless_it_is_retained(synced: World) -> None:
    synced.cluster.drop(SEALED_SECRETS, DB)
    assert synced.cluster.find(SECRETS, DB) is None


def test_a_retained_secret_stays_and_the_next_manifest_takes_it_over(synced: World) -> None:
    synced.apply(sealed(spec={"deletionPolicy": "Retain"}))
    synced.run()
    assert not child(synced.secret, "metadata").get("ownerReferences")
    synced.cluster.drop(SEALED_SECRETS, DB)
    assert synced.run() == Done()
    assert strings(synced.secret, "data") == {"password": "aHVudGVyMg=="}
    synced.apply(sealed({"a": b"next"}))
    outcome = synced.run()
    assert isinstance(outcome, Done)
    assert outcome.action == "updated"
    assert strings(synced.secret, "data") == {"a": "bmV4dA=="}
    assert child(synced.secret, "metadata")["ownerReferences"]
    annotations = strings(child(synced.secret, "metadata"), "annotations")
    assert set(annotations) == {HASH_ANNOTATION}


def test_suspended_leaves_everything_until_resumed(synced: World) -> None:
    spec = child(synced.manifest, "spec")
    synced.cluster.edit(SEALED_SECRETS, DB, {"spec": {**spec, "suspend": True}})
    synced.cluster.edit(SECRETS, DB, {"data": {"a": "d3Jvbmc="}})
    assert isinstance(synced.run(), Done)
    assert condition(synced.manifest) == ("True", "Suspended")
    assert strings(synced.secret, "data")["a"] == "d3Jvbmc="
    synced.cluster.edit(SEALED_SECRETS, DB, {"spec": {"suspend": False}})
    synced.run()
    assert strings(synced.secret, "data")["a"] == "MQ=="


def test_a_request_is_answered_with_a_full_look(synced: World) -> None:
    token = {"reconcile.fluxcd.io/requestedAt": "2026-05-04T00:00:00Z"}
    synced.cluster.edit(SEALED_SECRETS, DB, {"metadata": {"annotations": token}})
    synced.run()
    assert [sent.verb for sent in synced.cluster.requests] == ["get", "get", "replace"]
    assert child(synced.manifest, "status")["lastHandledReconcileAt"] == "2026-05-04T00:00:00Z"
    synced.run()
    assert synced.cluster.requests == []


def test_no_request_but_that_of_the_secret_holds_plaintext(synced: World) -> None:
    synced.apply(sealed({"a": b"canary-7f3a"}))
    synced.run()
    told = [sent for sent in synced.cluster.requests if sent.resource != "secrets"]
    assert told
    assert "Y2FuYXJ5LTdmM2E=" not in repr(told)
    assert "canary" not in repr(told)


# Crashes: the process dies after each single request of a sync and starts again.


@pytest.mark.parametrize("dies_after", range(1, 6))
def test_a_crash_at_any_request_converges(world: World, dies_after: int) -> None:
    world.apply(sealed({"a": b"1", "b": b"2"}))
    world.run()
    world.cluster.edit(SECRETS, DB, {"data": {"extra": "eA=="}})
    world.apply(sealed({"a": b"3"}))
    world.look()
    survived = 0

    def die(_: object) -> None:
        nonlocal survived
        survived += 1
        if survived >= dies_after:
            raise ApiError(0, "Killed")

    world.cluster.on_request = die
    world.run(look=False)
    world.cluster.on_request = lambda _: None
    world.restart()
    world.run()
    assert strings(world.secret, "data") == {"a": "Mw=="}
    assert condition(world.manifest) == ("True", "Synced")
    world.restart()
    world.run()
    assert world.wrote() == []
