"""Stored objects as a client of one version sees them."""

from __future__ import annotations

from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects.schema import prune, set_defaults
from sealkit_controller.sandbox.objects.status import JsonObject
from sealkit_controller.sandbox.store.records import Record, to_json


def head(resource: Resource) -> bytes:
    """Return how the JSON of every stored object of this kind and version begins."""
    version, kind = to_json(resource.api_version), to_json(resource.names.kind)
    if resource.custom:
        return b'{"apiVersion":%b,"kind":%b,' % (version, kind)
    return b'{"kind":%b,"apiVersion":%b,' % (kind, version)


def arrange(resource: Resource, document: JsonObject) -> JsonObject:
    """Return the object with its fields in the order in which they are stored and shown."""
    first = ("apiVersion", "kind") if resource.custom else ("kind", "apiVersion")
    names = [*first, "metadata", *(name for name in document if name not in _FIRST)]
    return {name: document[name] for name in names}


_FIRST = frozenset({"apiVersion", "kind", "metadata"})


def is_current(resource: Resource, record: Record) -> bool:
    """Return whether the stored bytes are what a client of this version gets."""
    if resource.from_storage_needed or record.version < resource.since:
        return False
    return record.body.startswith(head(resource))


def to_document(resource: Resource, record: Record) -> JsonObject:
    """Return the object, freshly made, in the version and with the defaults of `resource`."""
    document = record.document()
    if is_current(resource, record):
        return document
    convert = resource.rules.from_storage
    if convert:
        return convert(document)
    document["apiVersion"] = resource.api_version
    list(prune(document, resource.schema))
    set_defaults(document, resource.schema)
    return document


def to_body(resource: Resource, record: Record) -> bytes:
    """Return the JSON of the object as a client of this version gets it."""
    if is_current(resource, record):
        return record.body
    return to_json(arrange(resource, to_document(resource, record)))
