"""Watches: every change once and in order, from where the client left off."""

from typing import Any

import pytest

from tests.contracts.client import WIDGETS, Client, config_map, secret, widget

SECRETS = "secrets"


def shown(event: Any) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"]["name"]


def test_a_watch_tells_what_happens_to_an_object(api: Client) -> None:
    start = api.get(SECRETS).version
    with api.watch(SECRETS, start) as events:
        created = api.create(SECRETS, secret("a", data={"k": ""})).ok()
        changed = api.patch(SECRETS, "a", {"data": {"k": "dg=="}}).ok()
        api.delete(SECRETS, "a").ok()
        added, modified, deleted = (next(events) for _ in range(3))
    assert added == {"type": "ADDED", "object": created.json}
    assert modified == {"type": "MODIFIED", "object": changed.json}
    assert shown(deleted) == ("DELETED", "a")
    assert deleted["object"]["data"] == {"k": "dg=="}
    assert int(deleted["object"]["metadata"]["resourceVersion"]) > int(changed.version)


def test_a_watch_goes_on_after_a_version(api: Client) -> None:
    first = api.create(SECRETS, secret("a")).ok().version
    api.create(SECRETS, secret("b")).ok()
    api.create(SECRETS, secret("c")).ok()
    with api.watch(SECRETS, first) as events:
        assert [shown(next(events)) for _ in range(2)] == [("ADDED", "b"), ("ADDED", "c")]


def test_a_watch_without_version_starts_with_what_is_there(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    api.create(SECRETS, secret("b")).ok()
    with api.watch(SECRETS, "") as events:
        assert {shown(next(events)) for _ in range(2)} == {("ADDED", "a"), ("ADDED", "b")}


def test_a_watch_sees_its_namespace_only(api: Client) -> None:
    other = Client(api.server, "default")
    name = f"of-{api.namespace}"
    start = api.get(SECRETS).version
    with api.watch(SECRETS, start) as events:
        other.create(SECRETS, secret(name)).ok()
        other.delete(SECRETS, name).ok()
        api.create(SECRETS, secret("a")).ok()
        assert shown(next(events)) == ("ADDED", "a")


def test_a_watch_can_be_of_one_object(api: Client) -> None:
    start = api.get(SECRETS).version
    with api.watch(SECRETS, start, fieldSelector="metadata.name=b") as events:
        api.create(SECRETS, secret("a")).ok()
        api.create(SECRETS, secret("b")).ok()
        assert shown(next(events)) == ("ADDED", "b")


def test_an_object_that_leaves_the_selector_is_deleted_to_the_watch(api: Client) -> None:
    start = api.get("configmaps").version
    with api.watch("configmaps", start, labelSelector="l=in") as events:
        api.create("configmaps", config_map("a")).ok()
        api.patch("configmaps", "a", {"metadata": {"labels": {"l": "in"}}}).ok()
        api.patch("configmaps", "a", {"data": {"k": "v"}}).ok()
        left = api.patch("configmaps", "a", {"metadata": {"labels": {"l": "out"}}}).ok()
        api.patch("configmaps", "a", {"data": {"k": "w"}}).ok()
        api.patch("configmaps", "a", {"metadata": {"labels": {"l": "in"}}}).ok()
        seen = [next(events) for _ in range(4)]
    assert [shown(event)[0] for event in seen] == ["ADDED", "MODIFIED", "DELETED", "ADDED"]
    assert seen[2]["object"]["metadata"]["labels"] == {"l": "in"}
    assert seen[2]["object"]["metadata"]["resourceVersion"] == left.version


def test_a_watch_ends_when_its_time_is_over(api: Client) -> None:
    start = api.get(SECRETS).version
    with api.watch(SECRETS, start, timeoutSeconds="1") as events:
        assert list(events) == []


def test_nobody_gets_bookmarks_who_did_not_ask(api: Client) -> None:
    start = api.get(SECRETS).version
    with api.watch(SECRETS, start, timeoutSeconds="1") as events:
        assert list(events) == []


def test_the_initial_events_can_be_asked_for(api: Client) -> None:
    api.create(SECRETS, secret("a")).ok()
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    with api.watch(SECRETS, "", **query) as events:
        added, bookmark = next(events), next(events)
    assert shown(added) == ("ADDED", "a")
    assert bookmark["type"] == "BOOKMARK"
    annotations = bookmark["object"]["metadata"]["annotations"]
    assert annotations == {"k8s.io/initial-events-end": "true"}


def test_initial_events_need_a_match(api: Client) -> None:
    reply = api.request("GET", api.path(SECRETS), watch="1", sendInitialEvents="true")
    assert (reply.code, reply.causes[0]["field"]) == (422, "resourceVersionMatch")


@pytest.mark.parametrize("query", [{"resourceVersion": "x"}, {"timeoutSeconds": "x"}])
def test_parameters_of_a_watch_must_be_numbers(api: Client, query: dict[str, str]) -> None:
    reply = api.request("GET", api.path(SECRETS), watch="1", **query)
    assert reply.code in {400, 500}
    assert "invalid syntax" in reply.message


def test_a_watch_may_wait_for_a_version_to_come(api: Client) -> None:
    version = str(int(api.get(SECRETS).version) + 1_000_000)
    with api.watch(SECRETS, version, timeoutSeconds="1") as events:
        assert list(events) == []


def test_secrets_can_be_watched_without_their_data(api: Client) -> None:
    start = api.get(SECRETS).version
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    with api.accepting(accept).watch(SECRETS, start) as events:
        api.create(SECRETS, secret("a", data={"k": "dg=="})).ok()
        event = next(events)
    assert event["object"].keys() == {"kind", "apiVersion", "metadata"}
    assert event["object"]["kind"] == "PartialObjectMetadata"


def test_a_table_can_be_watched(api: Client) -> None:
    start = api.get(WIDGETS).version
    accept = "application/json;as=Table;g=meta.k8s.io;v=v1"
    with api.accepting(accept).watch(WIDGETS, start) as events:
        api.create(WIDGETS, widget("a", spec={"size": 3})).ok()
        api.patch(WIDGETS, "a", {"spec": {"size": 4}}).ok()
        first, second = next(events), next(events)
    assert first["object"]["kind"] == "Table"
    assert first["object"]["rows"][0]["cells"][:2] == ["a", 3]
    assert first["object"]["columnDefinitions"]
    assert not second["object"]["columnDefinitions"]
    assert second["object"]["rows"][0]["object"]["metadata"]["name"] == "a"
