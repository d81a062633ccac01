"""The checker itself: it must notice a controller that breaks its promises."""

import base64
import threading
from collections.abc import Callable, Iterator

import pytest

from sealkit_controller.objects import (
    CONFIG_MAPS,
    SEALED_SECRETS,
    SECRETS,
    JsonObject,
    Metadata,
    child,
)
from tests.controller.world import KEY, key_secret, pair
from tests.faults.checker import _NETWORK_THREAD
from tests.faults.crashes import NAME, Scenario
from tests.faults.deeds import Shape
from tests.faults.ledger import Ledger
from tests.faults.schedule import sandboxes


@pytest.fixture
def scenario() -> Iterator[Scenario]:
    with sandboxes(1) as (box,):
        made = Scenario(box, "x")
        box._database.listeners.append(made.checker)
        key = key_secret(pair())
        key["metadata"] = {**child(key, "metadata"), "namespace": made.place.system}
        made.hand.create(SECRETS, key, made.place.system)
        made.people.seal(NAME, {"a": b"canary-1"}, KEY, Shape())
        made.people.seal(NAME, {"a": b"canary-2", "b": b"canary-3"}, KEY, Shape())
        yield made


def secret(scenario: Scenario, data: dict[str, bytes], *, owned: bool = True) -> JsonObject:
    manifest = scenario.hand.get(SEALED_SECRETS, (scenario.place.namespace, NAME)) or {}
    owner = {
        "apiVersion": SEALED_SECRETS.api_version,
        "kind": SEALED_SECRETS.kind,
        "name": NAME,
        "uid": Metadata.of(manifest).uid,
        "controller": True,
    }
    values = {name: base64.b64encode(value).decode() for name, value in data.items()}
    metadata = {"name": NAME, "namespace": scenario.place.namespace}
    references = {"ownerReferences": [owner]} if owned else {}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata | references, "data": values}


def as_controller(act: Callable[[], object]) -> None:
    """Do something in a thread of the name by which the checker knows the controller."""
    thread = threading.Thread(target=act, name=_NETWORK_THREAD)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ({"a": b"canary-1"}, ""),
        ({"a": b"canary-2", "b": b"canary-3"}, ""),
        ({"a": b"canary-2"}, "I1"),
        ({"a": b"canary-1", "b": b"canary-3"}, "I1"),
        ({"a": b"canary-2", "b": b"canary-3", "c": b""}, "I1"),
        ({}, "I1"),
    ],
    ids=["the first", "the second", "part", "mixed", "more", "empty"],
)
def test_content_is_that_of_one_version(
    scenario: Scenario, data: dict[str, bytes], rule: str
) -> None:
    body = secret(scenario, data)
    as_controller(lambda: scenario.hand.create(SECRETS, body, scenario.place.namespace))
    assert [found[:2] for found in scenario.checker.broken] == ([rule] if rule else [])


def test_nobody_elses_secret_is_touched(scenario: Scenario) -> None:
    at = (scenario.place.namespace, NAME)
    body = secret(scenario, {"a": b"canary-1"}, owned=False)
    scenario.hand.create(SECRETS, body, scenario.place.namespace)
    edit = {"data": {"b": "eA=="}}
    as_controller(lambda: scenario.hand.edit(SECRETS, edit, at))
    as_controller(lambda: scenario.hand.delete(SECRETS, at))
    assert [found[:2] for found in scenario.checker.broken] == ["I3", "I3"]


def test_a_manifest_is_not_touched(scenario: Scenario) -> None:
    at = (scenario.place.namespace, NAME)
    edit: JsonObject = {"spec": {"suspend": True}}
    as_controller(lambda: scenario.hand.edit(SEALED_SECRETS, edit, at))
    as_controller(lambda: scenario.hand.delete(SEALED_SECRETS, at))
    assert [found[:2] for found in scenario.checker.broken] == ["I3", "I3"]


def test_a_key_is_stored_before_it_is_published_and_never_deleted(scenario: Scenario) -> None:
    system = scenario.place.system
    metadata = {"name": "sealkit-public-keys", "namespace": system}
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    early = {**head, "data": {"unknown.pub": "x"}}
    as_controller(lambda: scenario.hand.create(CONFIG_MAPS, early, system))
    as_controller(lambda: scenario.hand.delete(SECRETS, (system, "sealkit-key-1")))
    assert [found[:2] for found in scenario.checker.broken] == ["I5", "I5"]


@pytest.mark.parametrize("form", ["plain", "base64", "shifted", "hex"])
def test_a_leak_is_seen_in_any_spelling(form: str) -> None:
    value = b"canary-5ac3"
    said = {
        "plain": value,
        "base64": base64.b64encode(value),
        "shifted": base64.b64encode(b"x" + value),
        "hex": value.hex().encode(),
    }
    ledger = Ledger()
    ledger.note_key(pair())
    assert ledger.leaks(b'{"note":"' + said[form] + b'"}')
    assert ledger.leaks(base64.b64encode(KEY.seed.reveal()))
    assert not ledger.leaks(b"nothing")


def test_what_is_left_undone_is_an_open_case(scenario: Scenario) -> None:
    cases = scenario.court.open_cases()
    assert len(cases) == 2  # nothing is published, and the manifest has no status
