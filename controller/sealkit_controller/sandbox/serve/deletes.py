"""Delete: preconditions, finalizers, and what becomes of dependents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sealkit_controller.sandbox.kinds import crds
from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects.status import (
    JsonObject,
    conflict,
    forbidden,
    invalid_options,
    not_found,
    unsupported_value,
)
from sealkit_controller.sandbox.serve.decode import read_body
from sealkit_controller.sandbox.serve.present import arrange, to_document
from sealkit_controller.sandbox.serve.storing import store
from sealkit_controller.sandbox.serve.world import Call, World
from sealkit_controller.sandbox.store.records import Record

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"
_FINALIZERS: Final = {"Foreground": FOREGROUND, "Orphan": ORPHAN, "Background": ""}
_POLICIES: Final = ("Foreground", "Background", "Orphan", "nil")
_KEPT_NAMESPACES: Final = frozenset({"default", "kube-system", "kube-public"})


@dataclass(frozen=True)
class DeleteOptions:
    """What the caller of a delete asks for; "" means no precondition."""

    uid: str = ""
    version: str = ""
    propagation: str = ""
    dry_run: bool = False


@dataclass(frozen=True)
class Deleted:
    """The outcome: the object as it is now, and whether it is gone."""

    document: JsonObject
    gone: bool


def read_delete_options(call: Call) -> DeleteOptions:
    """Return the options in body or query, of which the body wins.

    Raises:
        StatusError: 422 for a policy that does not exist.
    """
    body = read_body(call.request) if call.request.body.strip() else {}
    query = call.request.query
    preconditions = body.get("preconditions") or {}
    policy = body.get("propagationPolicy") or query.get("propagationPolicy") or ""
    orphan = body.get("orphanDependents")
    if orphan is not None and not policy:
        policy = "Orphan" if orphan else "Background"
    if policy and policy not in _FINALIZERS:
        cause = unsupported_value("propagationPolicy", policy, _POLICIES)
        raise invalid_options("DeleteOptions", cause)
    return DeleteOptions(
        uid=preconditions.get("uid") or "",
        version=preconditions.get("resourceVersion") or "",
        propagation=policy,
        dry_run=bool(body.get("dryRun")) or call.options.dry_run,
    )


def delete(world: World, call: Call, options: DeleteOptions) -> Deleted:
    """Delete an object, or mark it as being deleted while finalizers remain.

    Raises:
        StatusError: it does not exist, or is not the one that the caller means.
    """
    with world.database.lock:
        record = world.database.get(call.key)
        if record is None:
            raise not_found(call.resource.target(call.name))
        _check_preconditions(call, record, options)
        return delete_record(world, call.resource, record, options)


def _check_preconditions(call: Call, record: Record, options: DeleteOptions) -> None:
    target = call.resource.kind_target(call.name)
    if options.uid and options.uid != record.uid:
        text = f"the UID in the precondition ({options.uid}) does not match the UID in record"
        text += f" ({record.uid}). The object might have been deleted and then recreated"
        raise conflict(target, text)
    if options.version and options.version != str(record.version):
        text = f"the ResourceVersion in the precondition ({options.version}) does not match the"
        text += (
            f" ResourceVersion in record ({record.version}). The object might have been modified"
        )
        raise conflict(target, text)
    if call.resource.storage == "namespaces" and call.name in _KEPT_NAMESPACES:
        raise forbidden(call.resource.target(call.name), "this namespace may not be deleted")


def delete_record(
    world: World, resource: Resource, record: Record, options: DeleteOptions
) -> Deleted:
    """Delete a stored object. The caller holds the lock of the database."""
    document = to_document(resource, record)
    if _hold(resource, document, options):
        _mark(world, resource, document)
        if options.dry_run or document == to_document(resource, record):
            return Deleted(document, gone=False)
        store(world, resource, record.key, document)
        return Deleted(document, gone=False)
    if not options.dry_run:
        change = world.database.write(record.key, None)
        document["metadata"]["resourceVersion"] = str(change.version)
        if resource.storage == crds.STORAGE:
            world.serve_definitions()
    return Deleted(document, gone=True)


def _hold(resource: Resource, document: JsonObject, options: DeleteOptions) -> bool:
    """Set the finalizers that the deletion calls for and return whether any keeps the object."""
    metadata = document["metadata"]
    finalizers = list(metadata.get("finalizers") or ())
    if options.propagation:
        wanted = _FINALIZERS[options.propagation]
        finalizers = [one for one in finalizers if one not in {FOREGROUND, ORPHAN}]
        finalizers += [wanted] if wanted else []
    if resource.storage == crds.STORAGE and crds.CLEANUP not in finalizers:
        finalizers.append(crds.CLEANUP)
    metadata.pop("finalizers", None)
    if finalizers:
        metadata["finalizers"] = finalizers
    content = resource.storage == "namespaces" and bool(document.get("spec", {}).get("finalizers"))
    return bool(finalizers) or content


def _mark(world: World, resource: Resource, document: JsonObject) -> None:
    metadata = document["metadata"]
    if "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = world.now()
        metadata["deletionGracePeriodSeconds"] = 0
        if metadata.get("generation"):
            metadata["generation"] += 1
    if resource.storage == "namespaces":
        document["status"] = document.get("status", {}) | {"phase": "Terminating"}
        metadata.pop("deletionGracePeriodSeconds", None)


def delete_result(call: Call, deleted: Deleted) -> JsonObject:
    """Return what the client of a delete gets: a success, or the object that is still there."""
    if not deleted.gone or call.resource.rules.returns_deleted:
        return arrange(call.resource, deleted.document)
    details = {"name": call.name, "group": call.resource.group, "kind": call.resource.names.plural}
    details["uid"] = deleted.document["metadata"]["uid"]
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {name: value for name, value in details.items() if value},
    }
