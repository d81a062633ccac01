"""Watch: the changes of one kind as a stream of JSON lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects.selectors import Selector
from sealkit_controller.sandbox.objects.status import (
    JsonObject,
    StatusError,
    bad_request,
    expired,
    forbidden_value,
    invalid_options,
)
from sealkit_controller.sandbox.serve.present import to_body
from sealkit_controller.sandbox.serve.reads import render_one, selector_of, view_of
from sealkit_controller.sandbox.serve.tables import META, View
from sealkit_controller.sandbox.serve.world import Call, World
from sealkit_controller.sandbox.store.database import Change
from sealkit_controller.sandbox.store.records import Record, to_json

_LOOK_SECONDS: Final = 1.0  # how long a client may be gone unnoticed
_INITIAL_END: Final = {"k8s.io/initial-events-end": "true"}


@dataclass
class Watch:
    """One running watch; `version` is how far it has come."""

    world: World
    resource: Resource
    namespace: str
    selector: Selector
    view: View
    version: int
    bookmarks: bool
    deadline: float
    tell_initial_end: bool = False
    closing: Callable[[], bool] = lambda: False
    next_bookmark: float = field(default=0.0, init=False)
    columns_sent: bool = field(default=False, init=False)


def start(world: World, call: Call, closing: Callable[[], bool], seconds: float) -> Iterator[bytes]:
    """Return the lines of a watch; "" now and then while nothing happens.

    `seconds` is how long it lasts unless the client says so.

    Raises:
        StatusError: 400, 422 or 500 (as the real server) for parameters that make no sense.
    """
    query = call.request.query
    version = query.get("resourceVersion") or "0"
    if not version.isdecimal():
        text = f'Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
        raise StatusError(500, "", f"resourceVersion: {text}")
    lasting = query.get("timeoutSeconds") or str(seconds)
    if not lasting.replace(".", "", 1).isdecimal():
        raise bad_request(f'strconv.ParseInt: parsing "{lasting}": invalid syntax')
    initial = query.get("sendInitialEvents") in {"true", "1"}
    if initial and query.get("resourceVersionMatch") != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise invalid_options("ListOptions", forbidden_value("resourceVersionMatch", text))
    watch = Watch(
        world=world,
        resource=call.resource,
        namespace=call.namespace or "",
        selector=replace_name(selector_of(call), call.name),
        view=view_of(call),
        version=int(version),
        bookmarks=query.get("allowWatchBookmarks") in {"true", "1"},
        deadline=time.monotonic() + float(lasting),
        tell_initial_end=initial,
        closing=closing,
    )
    return _lines(watch, initial=initial or watch.version == 0)


def replace_name(selector: Selector, name: str) -> Selector:
    """Return the selector narrowed to one object where the path names one."""
    if not name:
        return selector
    return replace(selector, fields=(*selector.fields, ("metadata.name", name, True)))


def _lines(watch: Watch, *, initial: bool) -> Iterator[bytes]:
    now = time.monotonic()
    watch.next_bookmark = now + watch.world.bookmark_seconds
    if initial:
        yield from _initial(watch)
    while time.monotonic() < watch.deadline and not watch.closing():
        try:
            changes = _wait(watch)
        except StatusError as error:
            yield _line("ERROR", to_json(error.body()))
            return
        lines = [line for change in changes for line in _event(watch, change)]
        if changes:
            watch.version = changes[-1].version
        yield b"".join(lines)
        yield from _bookmark(watch)


def _initial(watch: Watch) -> Iterator[bytes]:
    database = watch.world.database
    with database.lock:
        records = database.records(watch.resource.storage, watch.namespace)
        watch.version = database.version
    yield b"".join(
        _line("ADDED", _shown(watch, record)) for record in records if _selected(watch, record)
    )
    if watch.tell_initial_end and watch.bookmarks:
        yield _bookmark_line(watch, _INITIAL_END)


def _wait(watch: Watch) -> list[Change]:
    """Return the changes since the watch's version, [] after a while without any."""
    database = watch.world.database
    with database.changed:
        changes = database.changes(watch.resource.storage, watch.version)
        if not changes and watch.version >= database.compacted:
            left = min(watch.deadline, watch.next_bookmark) - time.monotonic()
            database.changed.wait(max(0.0, min(_LOOK_SECONDS, left)))
            changes = database.changes(watch.resource.storage, watch.version)
        if watch.version < database.compacted and not watch.closing():
            text = f"too old resource version: {watch.version} ({database.compacted + 1})"
            raise expired(text)
        if not changes:
            watch.version = max(watch.version, database.version)
        return list(changes)


def _event(watch: Watch, change: Change) -> Iterator[bytes]:
    """Yield the event that a change is for this watch, if it is one."""
    if watch.namespace not in {"", change.key.namespace}:
        return
    before = change.before if change.before and _selected(watch, change.before) else None
    after = change.after if change.after and _selected(watch, change.after) else None
    if after:
        yield _line("MODIFIED" if before else "ADDED", _shown(watch, after))
    elif before:
        yield _line("DELETED", _shown(watch, _last_seen(change, before)))


def _last_seen(change: Change, before: Record) -> Record:
    """Return the object as it was last, at the version at which it went."""
    document = before.document()
    document["metadata"]["resourceVersion"] = str(change.version)
    return replace(before, version=change.version, body=to_json(document))


def _selected(watch: Watch, record: Record) -> bool:
    if watch.namespace not in {"", record.key.namespace}:
        return False
    return not watch.selector or watch.selector.matches(record.labels, record.fields)


def _shown(watch: Watch, record: Record) -> bytes:
    if not watch.view.kind:
        return to_body(watch.resource, record)
    shown = render_one(watch.world, watch.resource, record, watch.view)
    if watch.view.kind == "Table" and watch.columns_sent:
        shown["columnDefinitions"] = None
    watch.columns_sent = True
    return to_json(shown)


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), body)


def _bookmark(watch: Watch) -> Iterator[bytes]:
    now = time.monotonic()
    if watch.bookmarks and now >= watch.next_bookmark:
        watch.next_bookmark = now + watch.world.bookmark_seconds
        yield _bookmark_line(watch)


def _bookmark_line(watch: Watch, annotations: dict[str, str] | None = None) -> bytes:
    metadata: JsonObject = {"resourceVersion": str(watch.version), "creationTimestamp": None}
    if annotations:
        metadata["annotations"] = annotations
    kind, version = watch.resource.names.kind, watch.resource.api_version
    if watch.view.kind:
        kind, version = watch.view.kind, META
    return _line("BOOKMARK", to_json({"kind": kind, "apiVersion": version, "metadata": metadata}))
