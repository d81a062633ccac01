"""What happens after writes: dependents go with their owners, namespaces and CRDs with content.

One thread follows the log of changes, as the controllers of a real control plane do.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

from sealkit_controller.sandbox.kinds import crds, namespaces
from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects.status import JsonObject, StatusError
from sealkit_controller.sandbox.serve.deletes import (
    FOREGROUND,
    ORPHAN,
    DeleteOptions,
    delete_record,
)
from sealkit_controller.sandbox.serve.storing import rewrite
from sealkit_controller.sandbox.serve.world import Call, Options, World
from sealkit_controller.sandbox.serve.writes import create
from sealkit_controller.sandbox.store.database import Change
from sealkit_controller.sandbox.store.records import Key, Record, to_json
from sealkit_controller.sandbox.wire.messages import Request

_OWN_NAME: Final = "sealkit-sandbox"
_AT_ONCE: Final = DeleteOptions(propagation="Background")


class Collector:
    """Collects in the background from `start` until `close`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._queue: SimpleQueue[Change | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sandbox-collector", daemon=True)

    def start(self) -> None:
        """Begin, with everything that is stored already."""
        database = self._world.database
        with database.lock:
            database.listeners.append(self._notice)
            for storage in database.storages():
                for record in database.records(storage):
                    self._notice(Change(record.version, record.key, None, record))
        self._thread.start()

    def close(self) -> None:
        """Stop; the thread has ended on return."""
        self._queue.put(None)
        self._thread.join()

    def _notice(self, change: Change) -> None:
        """Keep what calls for something; most writes do not."""
        record = change.after
        if (
            record is None
            or record.owners
            or record.key.storage == "namespaces"
            or b'"deletionTimestamp"' in record.body
        ):
            self._queue.put(change)

    def _run(self) -> None:
        while change := self._queue.get():
            self._look(change)

    def _look(self, change: Change) -> None:
        """Do what one change calls for. Must cope with a world that has moved on since."""
        record = change.after
        if record is None:
            if change.before:
                self._after_removal(change.before)
            return
        if record.owners:
            self._check_owners(record)
        if b'"deletionTimestamp"' in record.body:
            self._finish(record)
        elif record.key.storage == "namespaces" and change.before is None:
            self._furnish(record.key.name)

    def _after_removal(self, record: Record) -> None:
        for key in self._world.database.dependents(record.uid):
            dependent = self._world.database.get(key)
            if dependent:
                self._check_owners(dependent)
        for owner in record.owners:
            self._finish_key(self._world.database.key_of(owner))
        self._finish_key(Key("namespaces", "", record.key.namespace))
        self._finish_key(Key(crds.STORAGE, "", record.key.storage))

    def _finish_key(self, key: Key | None) -> None:
        record = self._world.database.get(key) if key else None
        if record and b'"deletionTimestamp"' in record.body:
            self._finish(record)

    def _check_owners(self, record: Record) -> None:
        """Delete an object whose owners are all gone; forget the gone ones of several.

        The owners are those it has now: since `record` it may have been given to another.
        """
        with self._world.database.lock:
            current = self._world.database.get(record.key)
            if current is None or current.uid != record.uid or not current.owners:
                return
            references = current.document()["metadata"]["ownerReferences"]
            living = [owner for owner in references if self._lives(owner, record.key.namespace)]
            if not living:
                self._delete(current, _AT_ONCE)
            elif len(living) < len(references):
                self._edit(record.key, lambda document: _set_owners(document, living))

    def _lives(self, owner: JsonObject, namespace: str) -> bool:
        """Return whether an owner exists where its dependent can see it."""
        key = self._world.database.key_of(owner["uid"])
        resource = self._world.registry.by_kind(owner["apiVersion"], owner["kind"])
        if key is None or resource is None:
            return key is not None
        return (key.storage, key.name) == (resource.storage, owner["name"]) and key.namespace in {
            "",
            namespace,
        }

    def _finish(self, record: Record) -> None:
        """Go on with the deletion of an object that something still holds."""
        metadata = record.document()["metadata"]
        if not metadata.get("deletionTimestamp"):
            return
        finalizers = metadata.get("finalizers") or ()
        if ORPHAN in finalizers:
            self._orphan(record)
        elif FOREGROUND in finalizers:
            self._delete_dependents(record)
        elif record.key.storage == "namespaces":
            self._empty_namespace(record.key)
        elif crds.CLEANUP in finalizers and record.key.storage == crds.STORAGE:
            self._remove_instances(record)

    def _orphan(self, record: Record) -> None:
        for key in self._world.database.dependents(record.uid):
            self._edit(key, lambda document: _drop_owner(document, record.uid))
        self._edit(record.key, lambda document: _drop_finalizer(document, ORPHAN))

    def _delete_dependents(self, record: Record) -> None:
        blocking = False
        for key in self._world.database.dependents(record.uid):
            dependent = self._world.database.get(key)
            if dependent is None:
                continue
            blocking |= b'"blockOwnerDeletion":true' in dependent.body
            if b'"deletionTimestamp"' not in dependent.body:
                blocking |= not self._delete(dependent, DeleteOptions(propagation="Foreground"))
        if not [key for key in self._world.database.dependents(record.uid) if blocking]:
            self._edit(record.key, lambda document: _drop_finalizer(document, FOREGROUND))

    def _empty_namespace(self, key: Key) -> None:
        left = False
        for storage in self._world.database.storages():
            for record in self._world.database.records(storage, key.name):
                left |= not self._delete(record, _AT_ONCE)
        if not left:
            self._edit(key, _release_namespace)

    def _remove_instances(self, record: Record) -> None:
        left = False
        for instance in self._world.database.records(record.key.name):
            left |= not self._delete(instance, _AT_ONCE)
        if not left:
            self._edit(record.key, lambda document: _drop_finalizer(document, crds.CLEANUP))

    def _furnish(self, namespace: str) -> None:
        """Give a new namespace the account that every real one has."""
        resource = self._world.registry.find("", "v1", "serviceaccounts")
        document = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        request = Request("POST", "", body=to_json(document))
        call = Call(request, "create", resource, namespace, options=Options(_OWN_NAME))
        with suppress(StatusError):  # it is there already, or the namespace is gone again
            create(self._world, call)

    def _resource(self, storage: str) -> Resource | None:
        return self._world.registry.by_storage(storage)

    def _delete(self, record: Record, options: DeleteOptions) -> bool:
        """Delete an object unless it has changed hands since, and return whether it is gone."""
        resource = self._resource(record.key.storage)
        with self._world.database.lock:
            current = self._world.database.get(record.key)
            if current is None or current.uid != record.uid or resource is None:
                return True
            if b'"deletionTimestamp"' in current.body:
                return False
            return delete_record(self._world, resource, current, options).gone

    def _edit(self, key: Key, edit: object) -> None:
        resource = self._resource(key.storage)
        if resource and callable(edit):
            rewrite(self._world, resource, key, edit)


def _set_owners(document: JsonObject, owners: list[JsonObject]) -> None:
    document["metadata"].pop("ownerReferences", None)
    if owners:
        document["metadata"]["ownerReferences"] = owners


def _drop_owner(document: JsonObject, uid: str) -> None:
    owners = document["metadata"].get("ownerReferences") or []
    _set_owners(document, [owner for owner in owners if owner["uid"] != uid])


def _drop_finalizer(document: JsonObject, name: str) -> None:
    metadata = document["metadata"]
    left = [one for one in metadata.get("finalizers") or () if one != name]
    metadata.pop("finalizers", None)
    if left:
        metadata["finalizers"] = left


def _release_namespace(document: JsonObject) -> None:
    finalizers = document.get("spec", {}).get("finalizers") or ()
    document["spec"] = {"finalizers": [n for n in finalizers if n != namespaces.CONTENT]}
