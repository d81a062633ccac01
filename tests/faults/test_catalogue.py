"""Faults one at a time that random schedules meet too seldom or not at all; see README.md."""

import base64
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from sealkit_controller.objects import (
    CONFIG_MAPS,
    SEALED_SECRETS,
    SECRETS,
    ObjectKey,
    child,
    strings,
)
from sealkit_controller.sandbox import Answer, Cut, Fault, Reset, Sandbox, Silence
from sealkit_controller.sandbox.wire.faults import Action
from tests.controller.world import condition, sealed
from tests.faults.crashes import NAME, Scenario
from tests.faults.deeds import Shape
from tests.faults.lives import GIVE_UP_SECONDS, Life
from tests.faults.schedule import sandboxes


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with sandboxes(1) as (made,):
        yield made


@pytest.fixture
def scenario(box: Sandbox) -> Iterator[Scenario]:
    with Scenario(box, "x").watched() as made:
        yield made


@contextmanager
def living(scenario: Scenario) -> Iterator[Life]:
    """Run a controller until the end of the block, ready at its start."""
    life = Life(scenario.place)
    try:
        assert life.controller.wait_until_ready(GIVE_UP_SECONDS)
        scenario.wait()
        yield life
    finally:
        life.end()


def wait_until_told(scenario: Scenario, at: tuple[str, str], told: tuple[str, str]) -> None:
    """Wait for a condition of a manifest."""
    changed = scenario.box._database.changed
    with changed:
        assert changed.wait_for(
            lambda: condition(scenario.hand.get(SEALED_SECRETS, at)) == told, GIVE_UP_SECONDS
        )


@pytest.mark.parametrize("resource", ["secrets", "sealedsecrets"])
@pytest.mark.parametrize(
    "action",
    [Reset(), Reset(after_effect=True), Answer(410, reason="Expired"), Answer(403), Silence()],
    ids=["reset", "reset in the answer", "410", "403", "silent"],
)
def test_a_list_that_fails_is_made_again(scenario: Scenario, action: Action, resource: str) -> None:
    scenario.box.faults.add(Fault(action, "list", resource, times=2))
    with living(scenario):
        scenario.create()
        scenario.wait()


@pytest.mark.parametrize("resource", ["secrets", "sealedsecrets"])
@pytest.mark.parametrize(
    "action", [Answer(403), Silence(), Silence(1)], ids=["403", "silent", "silent after one"]
)
def test_a_watch_that_is_refused_or_falls_silent_is_opened_again(
    scenario: Scenario, action: Action, resource: str
) -> None:
    scenario.box.faults.add(Fault(action, "watch", resource, times=2))
    with living(scenario):
        scenario.create()
        scenario.wait()
        at = (scenario.place.namespace, NAME)
        scenario.hand.edit(SECRETS, {"data": {"a": "eA=="}}, at)
        scenario.wait()


def test_a_label_that_is_flipped_without_end_keeps_no_change_out(scenario: Scenario) -> None:
    at = (scenario.place.namespace, NAME)
    with living(scenario):
        scenario.create()
        scenario.wait()
        scenario.change()
        for number in range(100):
            flipped = {"metadata": {"labels": {"flipped": str(number)}}}
            scenario.hand.edit(SECRETS, flipped, at)
        scenario.wait()
    changes = [write for write in scenario.checker.writes if f"secrets {NAME} changed" in write]
    assert len(changes) <= 3  # the Secret once, the status of either version: not one a flip


@pytest.mark.parametrize("code", [429, 503])
def test_an_overload_costs_no_more_requests_than_it_refuses(box: Sandbox, code: int) -> None:
    with Scenario(box, "x").watched() as scenario:
        patient = replace(scenario.place, timeout_seconds=GIVE_UP_SECONDS)
        scenario.place = patient  # a time-out would be one more request
        with living(scenario):
            answer = Answer(code, retry_after_seconds=1)
            box.faults.add(Fault(answer, "create", "secrets", scenario.place.namespace, times=6))
            box.requests.clear()
            for number in range(40):
                scenario.people.seal(f"many-{number}", {"a": b"canary"}, scenario.key, Shape())
            scenario.wait()
            assert box.requests.count("create", "secrets") == 46
            assert box.requests.count("update", "sealedsecrets/status") <= 46


def test_one_namespace_that_refuses_does_not_stop_the_others(box: Sandbox) -> None:
    with Scenario(box, "x").watched() as scenario:
        scenario.box.faults.add(Fault(Answer(403), "create", "secrets", "other", times=None))
        scenario.hand.namespace("other")
        scenario.place = replace(scenario.place, namespace="")  # the controller sees them all
        with living(scenario):
            refused = sealed({"a": b"canary"}, ObjectKey("other", NAME), to=scenario.key)
            scenario.hand.apply(SEALED_SECRETS, refused, ("other", NAME))
            wait_until_told(scenario, ("other", NAME), ("Unknown", "ApiRefused"))
            scenario.create()
            scenario.wait()


def test_two_controllers_that_start_at_once_agree_on_one_key(scenario: Scenario) -> None:
    lives = [Life(scenario.place) for _ in range(2)]
    try:
        for life in lives:
            assert life.controller.wait_until_ready(GIVE_UP_SECONDS)
        scenario.wait()
        served = {str(life.controller._keys.recipient) for life in lives}
    finally:
        for life in lives:
            life.end()
    assert len(scenario.court.key_pairs()) == 1
    published = scenario.hand.get(CONFIG_MAPS, (scenario.place.system, "sealkit-public-keys"))
    assert served == {strings(published or {}, "data")["recipient"]}


def test_a_cluster_restored_from_a_backup_loses_nothing(scenario: Scenario) -> None:
    with living(scenario):
        scenario.create()
        scenario.wait()
    database = scenario.box._database
    backup = copy.deepcopy(database._shelves), database.version
    with living(scenario):
        scenario.change()
        scenario.wait()
        scenario.hand.delete(SECRETS, (scenario.place.namespace, NAME))
        scenario.wait()
    with database.lock:  # as long as nobody watches: versions go back, uids stay
        database._shelves, database.version = backup
    scenario.checker.writes.clear()
    with living(scenario) as life:
        assert life.controller.wait_until_idle(GIVE_UP_SECONDS)
        scenario.wait()
    assert scenario.checker.writes == []


@pytest.mark.parametrize(
    ("answer", "verdict", "reason"),
    [
        (Answer(403, reason="Forbidden"), "Unknown", "ApiRefused"),
        (Answer(400, reason="BadRequest"), "False", "SecretInvalid"),
        (Answer(413, reason="RequestEntityTooLarge"), "False", "SecretInvalid"),
        (Answer(504, reason="Timeout"), "Unknown", "ApiUnavailable"),
    ],
    ids=["quota or ending namespace", "denied by a webhook", "too large", "webhook timed out"],
)
def test_a_refusal_is_told_backed_off_from_and_got_over(
    scenario: Scenario, answer: Answer, verdict: str, reason: str
) -> None:
    with living(scenario):
        namespace = scenario.place.namespace
        scenario.box.faults.add(Fault(answer, "create", "secrets", namespace, times=None))
        scenario.create()
        wait_until_told(scenario, (namespace, NAME), (verdict, reason))
        scenario.box.faults.clear()
        scenario.wait()  # by itself, though not before its time
    assert scenario.box.requests.count("create", "secrets") < 30


@pytest.mark.parametrize(
    ("count", "size"), [(1, 700_000), (1_024, 100)], ids=["700 kB", "1,024 keys"]
)
def test_the_largest_secrets_are_made(scenario: Scenario, count: int, size: int) -> None:
    values = {f"key-{number}": b"canary" * (size // 6) for number in range(count)}
    with living(scenario):
        scenario.people.seal(NAME, values, scenario.key, Shape())
        scenario.wait()
    found = scenario.hand.get(SECRETS, (scenario.place.namespace, NAME))
    assert len(strings(found or {}, "data")) == count


def test_many_come_and_go_at_once(scenario: Scenario) -> None:
    names = [f"many-{number}" for number in range(300)]
    with living(scenario) as life:
        for name in names:
            scenario.people.seal(name, {"a": b"canary"}, scenario.key, Shape())
        scenario.wait()
        assert len(scenario.hand.all(SECRETS, scenario.place.namespace)) == len(names)
        for name in names:
            scenario.people.delete(name)
        scenario.wait()
        assert scenario.hand.all(SECRETS, scenario.place.namespace) == []
        scenario.create()  # once this is done, all deletions have been heard of
        scenario.wait()
        assert life.controller.wait_until_idle(GIVE_UP_SECONDS)
        assert [key.name for key in life.controller._reconciler._seen] == [NAME]


def test_a_truncated_manifest_leaves_the_last_good_secret(scenario: Scenario) -> None:
    at = (scenario.place.namespace, NAME)
    long = b"canary" * 50  # what is left of a short one is not even stored
    with living(scenario):
        scenario.people.seal(NAME, {"a": long}, scenario.key, Shape())
        scenario.wait()
        values = strings(
            child(scenario.hand.get(SEALED_SECRETS, at) or {}, "spec"), "encryptedData"
        )
        shorter = {name: value[:-4] for name, value in values.items()}  # still base64
        scenario.hand.edit(SEALED_SECRETS, {"spec": {"encryptedData": shorter}}, at)
        wait_until_told(scenario, at, ("False", "InvalidManifest"))
    found = scenario.hand.get(SECRETS, at) or {}
    assert base64.b64decode(strings(found, "data")["a"]) == long


def test_a_watch_cut_again_and_again_makes_no_second_event(scenario: Scenario) -> None:
    scenario.box.faults.add(Fault(Cut(1, in_line=True), "watch", times=6))
    with living(scenario):
        scenario.create()
        scenario.wait()
        assert scenario.box.requests.count("create", "events") <= 1
