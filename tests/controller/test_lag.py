"""What a reconciliation makes of views that lag behind and of writes that were lost."""

import pytest

from sealkit.keypair import KeyState
from sealkit_controller.cluster import ApiError
from sealkit_controller.objects import SEALED_SECRETS, SECRETS, child
from sealkit_controller.reconcile import Done, RetryAfter
from tests.controller.reconciling import World
from tests.controller.world import DB, KEY, pair, ring, sealed

STATUS = ("replace", "sealedsecrets/status")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def synced(world: World) -> World:
    world.apply(sealed({"password": b"hunter2", "user": b"me"}))
    world.run()
    return world


def test_a_change_is_one_write_onto_exactly_what_was_looked_at(synced: World) -> None:
    version = child(synced.secret, "metadata")["resourceVersion"]
    synced.apply(sealed({"another": b"1"}))
    synced.run()
    (sent,) = [sent for sent in synced.cluster.writes() if sent.resource == "secrets"]
    assert child(sent.body, "metadata")["resourceVersion"] == version
    assert synced.secret["data"] == {"another": "MQ=="}


@pytest.mark.parametrize("again", [False, True], ids=["created", "changed"])
def test_a_status_that_fails_is_made_up_for_so_that_a_restart_opens_nothing(
    world: World, *, again: bool
) -> None:
    world.apply(sealed())
    if again:
        world.run()
        world.apply(sealed({"another": b"1"}))
    world.cluster.fail(*STATUS, ApiError(500, "InternalError"))
    assert isinstance(world.run(), RetryAfter)
    world.run()
    version = child(world.secret, "metadata")["resourceVersion"]
    assert child(world.manifest, "status")["secretResourceVersion"] == version
    world.restart()
    world.run()
    assert world.cluster.requests == []


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_a_secret_does_not_come_back_for_a_manifest_that_went_first(
    world: World, policy: str
) -> None:
    world.apply(sealed(spec={"deletionPolicy": policy}))
    world.run()
    world.look()
    world.cluster.drop(SEALED_SECRETS, DB)
    if policy == "Retain":
        world.cluster.drop(SECRETS, DB)
    world.secrets.replace([])  # the deletion of the Secret is heard first
    assert world.run(look=False) == Done()
    assert world.wrote() == []
    assert world.cluster.find(SECRETS, DB) is None


def test_a_secret_that_was_only_read_is_missed_when_it_is_gone(world: World) -> None:
    world.apply(sealed())
    world.run()
    world.restart()
    world.manifests.upsert(world.manifest)  # the view of Secrets is still empty
    world.run(look=False)
    world.cluster.drop(SECRETS, DB)
    (change,) = world.secrets.replace([])
    assert change.old is not None
    assert change.new is None


def test_a_synced_manifest_is_read_again_when_it_has_to_be_opened(synced: World) -> None:
    synced.cluster.edit(SECRETS, DB, {"data": {"password": "eA=="}})
    synced.run()
    assert [(sent.verb, sent.resource) for sent in synced.cluster.requests][:2] == [
        ("get", "sealedsecrets"),
        ("get", "secrets"),
    ]
    assert synced.secret["data"] == {"password": "aHVudGVyMg==", "user": "bWU="}


def test_what_was_read_newer_than_the_view_is_not_forgotten(synced: World) -> None:
    """Else the view would go back, and with it the Secret."""
    synced.look()
    synced.apply(sealed({"another": b"1"}))  # the watch of manifests lags behind this
    synced.cluster.edit(SECRETS, DB, {"data": {"password": "eA=="}})
    synced.secrets.upsert(synced.secret)
    synced.run(look=False)
    assert synced.secret["data"] == {"another": "MQ=="}
    synced.cluster.edit(SECRETS, DB, {"data": {"another": "eA=="}})
    synced.secrets.upsert(synced.secret)
    synced.run(look=False)
    assert synced.secret["data"] == {"another": "MQ=="}


def test_a_status_is_not_written_about_a_manifest_that_has_changed(synced: World) -> None:
    synced.look()
    synced.apply(sealed({"another": b"1"}))
    synced.ring = ring(pair(KEY, KeyState.COMPROMISED))  # which the status has to speak of
    synced.run(look=False)
    assert STATUS not in synced.wrote()
