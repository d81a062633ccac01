"""The last step of every write: an object becomes the next version of a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sealkit_controller.sandbox.kinds import crds
from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects.status import JsonObject
from sealkit_controller.sandbox.serve.present import arrange
from sealkit_controller.sandbox.serve.world import World
from sealkit_controller.sandbox.store.records import Key, Record, to_record


def store(world: World, resource: Resource, key: Key, document: JsonObject) -> Record:
    """Write the object; one that is being deleted goes with its last finalizer.

    The caller holds the lock of the database since it read what the write is based on.
    """
    convert = resource.rules.to_storage
    stored = convert(document) if convert else document
    shown = world.registry.by_storage(resource.storage) or resource
    version = world.database.next_version()
    record = to_record(key, arrange(shown, stored), version, shown.selectable)
    world.database.write(key, None if _is_gone(stored, resource) else record)
    if resource.storage == crds.STORAGE:
        world.serve_definitions()
    return record


def unsaved(resource: Resource, key: Key, document: JsonObject) -> Record:
    """Return the record of an object that is only shown, for a dry run."""
    version = document["metadata"].get("resourceVersion")
    record = to_record(key, arrange(resource, document), int(version or 0))
    if version:
        return record
    document["metadata"].pop("resourceVersion", None)
    body = record.body.replace(b',"resourceVersion":"0"', b"")
    return replace(record, body=body)


def rewrite(world: World, resource: Resource, key: Key, edit: Callable[[JsonObject], None]) -> None:
    """Change an object on the server's own behalf, without checks; nothing if it is gone."""
    with world.database.lock:
        record = world.database.get(key)
        if record is not None:
            document = record.document()
            edit(document)
            store(world, resource, key, document)


def _is_gone(document: JsonObject, resource: Resource) -> bool:
    if not document["metadata"].get("deletionTimestamp"):
        return False
    if resource.storage == "namespaces" and (document.get("spec") or {}).get("finalizers"):
        return False
    return not document["metadata"].get("finalizers")
