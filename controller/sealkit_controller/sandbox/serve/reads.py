"""Get and list: one object or a page of many, in the form the client wants."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects.selectors import Selector, parse_selector
from sealkit_controller.sandbox.objects.status import (
    JsonObject,
    bad_request,
    expired,
    forbidden_value,
    invalid_options,
    not_found,
    too_large_version,
)
from sealkit_controller.sandbox.serve.present import head, is_current, to_body, to_document
from sealkit_controller.sandbox.serve.tables import META, View, partial, read_view, table
from sealkit_controller.sandbox.serve.world import Call, World
from sealkit_controller.sandbox.store.records import Key, Record, to_json

_TOO_OLD: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True)
class Page:
    """A part of a list, at one version."""

    version: int
    records: Sequence[Record]
    token: str = ""
    remaining: int | None = None

    def metadata(self, *, custom: bool = False) -> JsonObject:
        """Return the list's metadata; that of custom resources always says how to continue."""
        metadata: JsonObject = {"resourceVersion": str(self.version)}
        if self.token or custom:
            metadata["continue"] = self.token
        if self.remaining is not None:
            metadata["remainingItemCount"] = self.remaining
        return metadata


def selector_of(call: Call) -> Selector:
    """Return what a list, watch or collection delete is about.

    Raises:
        StatusError: 400, the selectors cannot be understood.
    """
    known = call.resource.selectable | {"metadata.name", "metadata.namespace"}
    query = call.request.query
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    selector = parse_selector(labels, fields, known)
    stored = call.resource.rules.stored_field
    renamed = tuple((stored(name), value, wanted) for name, value, wanted in selector.fields)
    return replace(selector, fields=renamed)


def get(world: World, call: Call) -> bytes:
    """Return one object.

    Raises:
        StatusError: 404, there is none.
    """
    record = world.database.get(call.key)
    if record is None:
        raise not_found(call.resource.target(call.name))
    view = view_of(call)
    if not view.kind:
        return to_body(call.resource, record)
    return to_json(render_one(world, call.resource, record, view))


def view_of(call: Call) -> View:
    """Return the form that the client asked for."""
    headers, query = call.request.headers, call.request.query
    return read_view(headers.get("accept", ""), query.get("includeObject", ""))


def render_one(world: World, resource: Resource, record: Record, view: View) -> JsonObject:
    """Return one object as a table of one row or as its metadata."""
    document = to_document(resource, record)
    if view.kind != "Table":
        return partial(document)
    shown = table(resource, [document], view, world.clock())
    return shown | {"metadata": {"resourceVersion": str(record.version)}}


def list_objects(world: World, call: Call) -> bytes:
    """Return a list, or a page of one.

    Raises:
        StatusError: 400 for parameters that make no sense, 410 for a state that is gone.
    """
    return render_list(world, call, select(world, call))


def render_list(world: World, call: Call, page: Page) -> bytes:
    """Return the JSON of a page in the form that the client asked for."""
    resource, view = call.resource, view_of(call)
    if not view.kind:
        return _join(resource, page)
    documents = [to_document(resource, record) for record in page.records]
    if view.kind == "Table":
        shown = table(resource, documents, view, world.clock())
        return to_json(shown | {"metadata": page.metadata()})
    kind = "PartialObjectMetadataList"
    items = [partial(document) for document in documents]
    return to_json({"kind": kind, "apiVersion": META, "metadata": page.metadata(), "items": items})


def _join(resource: Resource, page: Page) -> bytes:
    """Put a list together from stored bytes; items of built-in kinds do not repeat the kind."""
    start = head(resource)
    bodies = []
    for record in page.records:
        body = record.body if is_current(resource, record) else to_body(resource, record)
        bodies.append(body if resource.custom else b"{" + body[len(start) :])
    opening = b'{"kind":%b,"apiVersion":%b,"metadata":%b,"items":[' % (
        to_json(resource.names.list_kind),
        to_json(resource.api_version),
        to_json(page.metadata(custom=resource.custom)),
    )
    return opening + b",".join(bodies) + b"]}"


def select(world: World, call: Call) -> Page:
    """Return the records of a list request: the right version, selected, at most `limit`."""
    selector = selector_of(call)
    query = call.request.query
    token = query.get("continue", "")
    version, after = _decode_token(token) if token else (_asked_version(call), None)
    with world.database.lock:
        current = world.database.version
        if version > current:
            raise too_large_version(version, current)
        exact = token or query.get("resourceVersionMatch") == "Exact"
        shown = version if exact and version else current
        records = world.database.records_at(call.resource.storage, call.namespace, shown)
    if records is None:
        raise _expired(shown, world.database.compacted, after, current)
    if after:
        records = records[bisect_right(records, after, key=_key) :]
    limit = _limit(call)
    if selector:  # no further than needed: a page must not cost as much as the whole list
        found = (one for one in records if selector.matches(one.labels, one.fields))
        records = list(islice(found, limit + 1 if limit else None))
    return _cut(records, shown, limit, counted=not selector)


def _key(record: Record) -> Key:
    return record.key


def _asked_version(call: Call) -> int:
    query = call.request.query
    version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    if match and not version:
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid_options("ListOptions", forbidden_value("resourceVersionMatch", text))
    if version and not version.isdecimal():
        text = f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing '
        raise bad_request(f'invalid resource version: {text}"{version}": invalid syntax')
    return int(version or 0)


def _limit(call: Call) -> int:
    text = call.request.query.get("limit") or "0"
    if not text.isdecimal():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _cut(records: list[Record], version: int, limit: int, *, counted: bool) -> Page:
    if not limit or len(records) <= limit:
        return Page(version, records)
    shown = records[:limit]
    token = _encode_token(version, shown[-1].key)
    return Page(version, shown, token, len(records) - limit if counted else None)


def _encode_token(version: int, last: Key) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": list(last)})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_token(token: str) -> tuple[int, Key | None]:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        document = json.loads(text)
        return int(document["rv"]), Key(*document["start"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise bad_request("invalid continue token: continue key is not valid") from error


def _expired(asked: int, compacted: int, after: Key | None, current: int) -> Exception:
    if after:
        return expired(_TOO_OLD, _encode_token(current, after))
    return expired(f"The resourceVersion for the provided list is too old: {asked} ({compacted})")
