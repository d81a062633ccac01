"""Faults happen to the requests they name, as often as they say, and to no others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

import pytest

from sealkit_controller.sandbox import Answer, Cut, Fault, Hold, Reset, Sandbox, Silence
from tests.contracts.client import Client, secret

SECRETS = "secrets"
# http.client takes a cut between two lines for an end.
CUT = (HTTPException, OSError, StopIteration)


@contextmanager
def in_background(work: Any) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    thread.join()


def test_a_request_is_answered_with_a_failure(sandbox: Sandbox, api: Client) -> None:
    sandbox.faults.add(Fault(Answer(429, retry_after_seconds=7), verb="create"))
    refused = api.create(SECRETS, secret("a"))
    assert (refused.code, refused.headers["Retry-After"]) == (429, "7")
    assert refused.json["details"] == {"retryAfterSeconds": 7}
    assert api.get(SECRETS, "a").code == 404
    api.create(SECRETS, secret("a")).ok()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Answer(500), verb="delete"),
        Fault(Answer(500), resource="configmaps"),
        Fault(Answer(500), name="b"),
        Fault(Answer(500), namespace="kube-system"),
        Fault(Answer(500), resource="secrets/status"),
    ],
)
def test_other_requests_pass(sandbox: Sandbox, api: Client, fault: Fault) -> None:
    sandbox.faults.add(fault)
    api.create(SECRETS, secret("a")).ok()
    api.get(SECRETS, "a").ok()


def test_a_fault_can_pass_over_requests_and_repeat(sandbox: Sandbox, api: Client) -> None:
    sandbox.faults.add(Fault(Answer(503), verb="list", skip=1, times=2))
    assert [api.get(SECRETS).code for _ in range(4)] == [200, 503, 503, 200]


def test_faults_can_be_forgotten(sandbox: Sandbox, api: Client) -> None:
    sandbox.faults.add(Fault(Answer(503), times=None))
    assert [api.get(SECRETS).code for _ in range(2)] == [503, 503]
    sandbox.faults.clear()
    assert api.get(SECRETS).code == 200


@pytest.mark.parametrize(("reset", "code"), [(Reset(), 404), (Reset(after_effect=True), 200)])
def test_a_connection_is_reset_before_or_after_the_write(
    sandbox: Sandbox, api: Client, reset: Reset, code: int
) -> None:
    sandbox.faults.add(Fault(reset, verb="create"))
    with pytest.raises((HTTPException, OSError)):
        api.create(SECRETS, secret("a"))
    assert api.get(SECRETS, "a").code == code


def test_a_request_is_held_until_released(sandbox: Sandbox, api: Client) -> None:
    hold = Hold()
    sandbox.faults.add(Fault(hold, verb="create"))
    with in_background(lambda: api.create(SECRETS, secret("a")).ok()):
        assert api.get(SECRETS, "a").code == 404
        hold.release.set()
    assert api.get(SECRETS, "a").code == 200


def test_a_watch_is_cut_after_so_many_events(sandbox: Sandbox, api: Client) -> None:
    for name in "abc":
        api.create(SECRETS, secret(name)).ok()
    sandbox.faults.add(Fault(Cut(events=2), verb="watch"))
    with api.watch(SECRETS, "") as events:
        assert [next(events)["object"]["metadata"]["name"] for _ in range(2)] == ["a", "b"]
        with pytest.raises(CUT):
            next(events)


def test_a_watch_is_cut_in_the_middle_of_a_line(sandbox: Sandbox, api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    sandbox.faults.add(Fault(Cut(in_line=True), verb="watch"))
    with api.watch(SECRETS, "") as events, pytest.raises((*CUT, ValueError)):
        next(events)


def test_a_silent_watch_stays_open(sandbox: Sandbox, api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    sandbox.faults.add(Fault(Silence(events=1), verb="watch"))
    with api.watch(SECRETS, "") as events:
        assert next(events)["type"] == "ADDED"
        api.create(SECRETS, secret("b")).ok()
        with in_background(sandbox.close), pytest.raises(CUT):
            next(events)


def test_a_silent_request_gets_no_answer(sandbox: Sandbox, api: Client) -> None:
    sandbox.faults.add(Fault(Silence(), verb="get"))
    errors: list[Exception] = []

    def ask() -> None:
        try:
            api.get(SECRETS, "a")
        except (HTTPException, OSError) as error:
            errors.append(error)

    with in_background(ask) as thread:
        api.create(SECRETS, secret("b")).ok()
        assert thread.is_alive()
        sandbox.close()
    assert len(errors) == 1


def test_requests_are_logged(sandbox: Sandbox, api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    api.get(SECRETS, "nope")
    api.get(SECRETS, limit="1")
    api.request("GET", "/version")
    sandbox.faults.add(Fault(Reset(), verb="delete"))
    with pytest.raises((HTTPException, OSError)):
        api.delete(SECRETS, "a")
    entries = [(one.verb, one.facts.resource, one.facts.name, one.code) for one in sandbox.requests]
    assert entries == [
        ("create", "secrets", "", 201),
        ("get", "secrets", "nope", 404),
        ("list", "secrets", "", 200),
        ("get", "", "", 200),
        ("delete", "secrets", "a", 0),
    ]
    paths = [entry.path for entry in sandbox.requests]
    assert paths[2] == "/api/v1/namespaces/default/secrets?limit=1"
    assert sandbox.requests.count(resource="secrets") == 4
    assert {entry.user_agent for entry in sandbox.requests} == {"contract-tests/1"}
    sandbox.requests.clear()
    assert len(sandbox.requests) == 0
