import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from sealkit_controller.cluster import ApiError, PatchKind, Selection, Target
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import SEALED_SECRETS, SECRETS
from sealkit_controller.settings import Settings
from tests.controller.stub import Answer, Asked, Cut, Stub, answer, stream

DB = Target(SECRETS, "shop", "db")
ALL = Selection(SEALED_SECRETS)


@contextmanager
def serving(
    script: Callable[[Asked], Answer], **settings: int
) -> Iterator[tuple[HttpCluster, Stub]]:
    with (
        Stub(script) as stub,
        closing(HttpCluster(stub.access, Settings(**settings))) as cluster,  # type: ignore[arg-type]  # whole numbers
    ):
        yield cluster, stub


def scripted(*answers: Answer) -> Callable[[Asked], Answer]:
    remaining = list(answers)
    return lambda _: remaining.pop(0)


def query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}


# Connections.


def test_a_connection_is_used_again() -> None:
    with serving(lambda _: answer(200)) as (cluster, stub):
        for _ in range(3):
            cluster.get(DB)
    assert [asked.connection for asked in stub.asked] == [1, 1, 1]


def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    with serving(lambda _: answer(200)) as (cluster, stub):
        cluster.get(DB)
        stub.drop_connections()
        cluster.get(DB)
    assert [asked.connection for asked in stub.asked] == [1, 2]


def test_an_old_idle_connection_is_looked_at_before_anything_is_sent() -> None:
    now = 0.0
    with serving(lambda _: answer(200)) as (cluster, stub):
        cluster._pool._now = lambda: now
        cluster.get(DB)
        stub.drop_connections()
        for thread in stub._threads[1:]:
            thread.join(10)
        now = 60.0
        cluster.create(SECRETS, "shop", {})
    assert [asked.method for asked in stub.asked] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("call", "repeated"),
    [
        (lambda c: c.get(DB), True),
        (lambda c: c.patch(DB, {}, PatchKind.APPLY), True),
        (lambda c: c.patch(DB, {}, PatchKind.MERGE), False),
        (lambda c: c.create(SECRETS, "shop", {}), False),
        (lambda c: c.delete(DB, "u", "1"), False),
    ],
    ids=["get", "apply", "merge", "create", "delete"],
)
def test_only_what_may_be_done_twice_is_sent_twice(
    call: Callable[[HttpCluster], object], *, repeated: bool
) -> None:
    with serving(scripted(answer(200), Cut(), answer(200))) as (cluster, stub):
        cluster.get(DB)
        if repeated:
            call(cluster)
        else:
            with pytest.raises(ApiError) as caught:
                call(cluster)
            assert caught.value.status == 0
    assert len(stub.asked) == (3 if repeated else 2)


def test_a_response_that_breaks_off_is_an_error() -> None:
    half = Cut(answer(200, {"a": "b"})[:-4])
    with serving(lambda _: half) as (cluster, _), pytest.raises(ApiError) as caught:
        cluster.get(DB)
    assert caught.value.reason == "IncompleteRead"


def test_a_silent_server_is_given_up_and_not_asked_twice() -> None:
    with (
        serving(lambda _: None, request_timeout_seconds=1) as (cluster, stub),
        pytest.raises(ApiError) as caught,
    ):
        cluster.get(DB)
    assert (caught.value.status, caught.value.reason) == (0, "TimeoutError")
    assert len(stub.asked) == 1


def test_a_server_that_is_not_there_is_an_error() -> None:
    with Stub(lambda _: Cut()) as stub:
        access = stub.access
    with closing(HttpCluster(access)) as cluster, pytest.raises(ApiError) as caught:
        cluster.get(DB)
    assert caught.value.reason == "ConnectionRefusedError"


def test_a_connection_that_the_server_will_close_is_not_kept() -> None:
    with serving(lambda _: answer(200, Connection="close")) as (cluster, stub):
        cluster.get(DB)
        cluster.get(DB)
    assert [asked.connection for asked in stub.asked] == [1, 2]


# Credentials.


def test_a_refused_token_is_read_again_once() -> None:
    def script(asked: Asked) -> Answer:
        return answer(200 if asked.headers["authorization"] == "Bearer new" else 401)

    with Stub(script) as stub:
        access = replace(stub.access, authorization=lambda new: f"Bearer {'new' if new else 'old'}")
        with closing(HttpCluster(access)) as cluster:
            cluster.get(DB)
            cluster.watch(ALL, "1").close()
    assert [asked.headers["authorization"][7:] for asked in stub.asked] == [*("old", "new") * 2]


def test_a_token_that_stays_refused_is_an_error() -> None:
    with serving(lambda _: answer(401)) as (cluster, stub):
        with pytest.raises(ApiError) as caught:
            cluster.get(DB)
        with pytest.raises(ApiError) as watched:
            cluster.watch(ALL, "1")
    assert (caught.value.status, watched.value.status, len(stub.asked)) == (401, 401, 4)


# Errors.


def test_an_error_says_what_and_why_and_nothing_of_the_body() -> None:
    causes = [{"reason": "NamespaceTerminating", "message": "canary"}]
    body = {"reason": "Forbidden", "message": "canary", "details": {"causes": causes}}
    with serving(lambda _: answer(403, body)) as (cluster, _), pytest.raises(ApiError) as caught:
        cluster.create(SECRETS, "shop", {"data": {"x": "canary"}})
    assert (caught.value.reason, caught.value.cause) == ("Forbidden", "NamespaceTerminating")
    assert "canary" not in str(caught.value)
    assert str(caught.value) == "create secrets in shop: 403 Forbidden"


def test_a_reason_that_is_no_word_is_not_repeated() -> None:
    body = {"reason": "canary: your password is 1"}
    with serving(lambda _: answer(500, body)) as (cluster, _), pytest.raises(ApiError) as caught:
        cluster.get(DB)
    assert caught.value.reason == ""


@pytest.mark.parametrize("body", [b"<html>canary</html>", b"[1]", b"\xff", b"[" * 100_000])
def test_what_is_not_a_json_object_is_an_error_without_its_text(body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with (
        serving(lambda _: head + body) as (cluster, _),
        pytest.raises(ApiError) as caught,
    ):
        cluster.get(DB)
    assert caught.value.reason == "NotJson"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None), ("", None)])
def test_the_server_may_say_when_to_come_back(header: str, seconds: float | None) -> None:
    said = answer(429, {"reason": "TooManyRequests"}, Retry_After=header)
    with serving(lambda _: said) as (cluster, _), pytest.raises(ApiError) as caught:
        cluster.get(DB)
    assert caught.value.retry_after_seconds == seconds
    assert caught.value.is_overload


def test_every_response_is_counted() -> None:
    counted: list[tuple[str, str]] = []
    with Stub(scripted(answer(200), answer(404), Cut())) as stub:
        cluster = HttpCluster(stub.access, count=lambda *seen: counted.append(seen))
        with closing(cluster):
            cluster.get(DB)
            for _ in range(2):
                with pytest.raises(ApiError):
                    cluster.create(SECRETS, "shop", {})
    assert counted == [("GET", "200"), ("POST", "404"), ("POST", "<error>")]


# Requests.


def test_lists_are_paged_and_secrets_come_without_their_content() -> None:
    first = {"metadata": {"resourceVersion": "9", "continue": "more"}, "items": [{"a": 1}]}
    last = {"metadata": {"resourceVersion": "9"}, "items": [{"a": 2}]}
    selection = Selection(SECRETS, "shop", "sealkit.dev/managed=true", metadata_only=True)
    with serving(scripted(answer(200, first), answer(200, last))) as (cluster, stub):
        pages = list(cluster.pages(selection))
    assert [(page.items, page.resource_version) for page in pages] == [
        ([{"a": 1}], "9"),
        ([{"a": 2}], "9"),
    ]
    assert urlsplit(stub.asked[0].path).path == "/api/v1/namespaces/shop/secrets"
    labels = {"labelSelector": "sealkit.dev/managed=true"}
    assert query(stub.asked[0]) == {"limit": "500", **labels}
    assert query(stub.asked[1]) == {"limit": "500", "continue": "more", **labels}
    partial = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    assert stub.asked[0].headers["accept"] == partial


def test_an_apply_forces_and_a_merge_does_not() -> None:
    with serving(lambda _: answer(200)) as (cluster, stub):
        cluster.patch(DB, {"a": 1}, PatchKind.APPLY)
        cluster.patch(Target(SEALED_SECRETS, "shop", "db", "status"), {}, PatchKind.MERGE)
    apply, merge = stub.asked
    assert query(apply) == {"fieldManager": "sealkit-controller", "force": "true"}
    assert apply.headers["content-type"] == "application/apply-patch+yaml"
    assert query(merge) == {"fieldManager": "sealkit-controller"}
    path = "/apis/sealkit.dev/v1alpha1/namespaces/shop/sealedsecrets/db/status"
    assert urlsplit(merge.path).path == path


def test_a_deletion_names_exactly_one_version_of_one_object() -> None:
    with serving(lambda _: answer(200)) as (cluster, stub):
        cluster.delete(DB, "uid", "7")
    options = json.loads(stub.asked[0].body)
    assert options["preconditions"] == {"uid": "uid", "resourceVersion": "7"}


def test_a_server_behind_a_path_is_reached_there() -> None:
    with (
        Stub(lambda _: answer(200)) as stub,
        closing(HttpCluster(replace(stub.access, base_path="/k8s/c-1"))) as cluster,
    ):
        cluster.get(DB)
    assert stub.asked[0].path == "/k8s/c-1/api/v1/namespaces/shop/secrets/db"


# Watches.


def event(kind: str, /, **fields: object) -> bytes:
    return json.dumps({"type": kind, "object": fields}).encode() + b"\n"


def test_a_watch_asks_for_bookmarks_and_an_end() -> None:
    with serving(lambda _: stream()) as (cluster, stub):
        assert list(cluster.watch(ALL, "42")) == []
    asked = query(stub.asked[0])
    assert 300 <= int(asked.pop("timeoutSeconds")) <= 600
    assert asked == {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": "42"}


def test_events_may_arrive_in_any_pieces() -> None:
    text = event("ADDED", a="é") + event("BOOKMARK", b=2)
    for size in (1, 2, 7, len(text)):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        with serving(lambda _, pieces=pieces: stream(*pieces)) as (cluster, _):  # type: ignore[misc]  # bound here
            seen = [(e.type, e.object) for e in cluster.watch(ALL, "1")]
        assert seen == [("ADDED", {"a": "é"}), ("BOOKMARK", {"b": 2})]


def test_half_an_event_at_the_end_is_not_an_event() -> None:
    with serving(lambda _: stream(event("ADDED"), b'{"type":"ADDED","obj')) as (cluster, _):
        assert len(list(cluster.watch(ALL, "1"))) == 1


@pytest.mark.parametrize("where", ["response", "stream"])
def test_a_version_that_is_too_old_is_410_however_it_is_said(where: str) -> None:
    status = {"kind": "Status", "code": 410, "reason": "Expired"}
    said = answer(410, status) if where == "response" else stream(event("ERROR", **status))
    with serving(lambda _: said) as (cluster, _), pytest.raises(ApiError) as caught:
        list(cluster.watch(ALL, "1"))
    assert (caught.value.status, caught.value.reason) == (410, "Expired")


def test_a_watch_that_breaks_is_an_error() -> None:
    with serving(lambda _: stream(event("ADDED"), end=False)) as (cluster, stub):
        watch = iter(cluster.watch(ALL, "1"))
        next(watch)
        stub.drop_connections()
        with pytest.raises(ApiError) as caught:
            next(watch)
    assert caught.value.status == 0


def test_a_watch_whose_server_fell_silent_is_given_up() -> None:
    settings = Settings(watch_timeout_seconds=0)
    with Stub(lambda _: stream(event("ADDED"), end=False)) as stub:
        cluster = HttpCluster(stub.access, settings, watch_grace_seconds=1)
        watch = iter(cluster.watch(ALL, "1"))
        next(watch)
        with pytest.raises(ApiError) as caught:
            next(watch)
    assert caught.value.reason == "TimeoutError"


def test_closing_a_watch_wakes_its_reader() -> None:
    with serving(lambda _: stream(event("ADDED"), end=False)) as (cluster, _):
        watch = cluster.watch(ALL, "1")
        events = iter(watch)
        next(events)
        rest: list[object] = []
        reader = threading.Thread(target=lambda: rest.extend(events))
        reader.start()
        watch.close()
        watch.close()
        reader.join(10)
    assert not reader.is_alive()
    assert rest == []


def test_a_watch_that_was_never_read_leaves_nothing_open() -> None:
    with serving(lambda _: stream(end=False)) as (cluster, _):
        cluster.watch(ALL, "1").close()
