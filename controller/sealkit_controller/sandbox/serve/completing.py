"""What the server makes of an object before it is stored: completed, checked, owned."""

from __future__ import annotations

from dataclasses import dataclass

from sealkit_controller.sandbox.kinds import crds, namespaces
from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects import managers, metadata
from sealkit_controller.sandbox.objects.managers import Manager, Writer
from sealkit_controller.sandbox.objects.schema import set_defaults
from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    StatusError,
    Target,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    invalid_value,
    not_found,
    required_value,
)
from sealkit_controller.sandbox.objects.validation import validate
from sealkit_controller.sandbox.serve.decode import with_metadata
from sealkit_controller.sandbox.serve.present import to_document
from sealkit_controller.sandbox.serve.storing import store, unsaved
from sealkit_controller.sandbox.serve.world import Call, World
from sealkit_controller.sandbox.store.records import Key, Record


@dataclass(frozen=True)
class Written:
    """The outcome of a write."""

    record: Record
    created: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coming:
    """An object on its way into the store; `managers` is None if they follow from the change."""

    document: JsonObject
    managers: list[Manager] | None = None
    warnings: tuple[str, ...] = ()


def owned_schema(resource: Resource) -> JsonObject:
    """Return the schema by which the fields of a kind are owned."""
    return with_metadata(resource.schema) if resource.custom else resource.schema


def writer_of(world: World, call: Call) -> Writer:
    """Return who is writing, and what it cannot write through this endpoint."""
    ignored = call.resource.rules.unowned
    if call.subresource == "status":
        ignored = frozenset({("f:spec",)})
    elif call.resource.has_status:
        ignored |= frozenset({("f:status",)})
    return Writer(
        call.options.manager, call.resource.api_version, world.now(), call.subresource, ignored
    )


def insert(world: World, call: Call, coming: Coming) -> Written:
    """Store a new object. The caller holds the lock of the database.

    Raises:
        StatusError: it exists, is invalid, or its namespace does not take it.
    """
    resource, document = call.resource, coming.document
    given = document["metadata"]
    if given.get("resourceVersion"):
        text = "resourceVersion should not be set on objects to be created"
        raise StatusError(500, "", text)
    _name(world, call, given)
    key = call.key_of(given["name"])
    check_namespace(world, call, given["name"])
    document["metadata"] = _born(world, resource, given)
    if resource.has_status and resource.custom:
        document.pop("status", None)
    _complete(resource, document, None)
    _set_managers(document, _first_owners(world, call, coming))
    _check(call, document, None)
    if world.database.get(key) is not None:
        raise already_exists(resource.target(key.name))
    _accept_definition(world, resource, document)
    if call.options.dry_run:
        return Written(unsaved(resource, key, document), created=True)
    return Written(store(world, resource, key, document), created=True)


def _first_owners(world: World, call: Call, coming: Coming) -> list[Manager]:
    if coming.managers is not None:
        return coming.managers
    blank = _blank(call.resource, coming.document)
    schema, writer = owned_schema(call.resource), writer_of(world, call)
    return managers.updated([], blank, coming.document, schema, writer)


def _accept_definition(world: World, resource: Resource, document: JsonObject) -> None:
    if resource.storage == crds.STORAGE:
        crds.accept(document, world.now())


def _blank(resource: Resource, document: JsonObject) -> JsonObject:
    """Return the object before anything was written, with the parts that can never be absent."""
    fields = resource.schema.get("properties", {})
    parts: JsonObject = {
        name: {} for name, field in fields.items() if field.get("x-always-present")
    }
    named = {"apiVersion": document["apiVersion"], "kind": document["kind"], "metadata": {}}
    return named | parts


def _name(world: World, call: Call, given: JsonObject) -> None:
    prefix = given.get("generateName", "")
    if not given.get("name"):
        given["name"] = call.name or (prefix[:58] + world.new_suffix() if prefix else "")
    if not given["name"]:
        cause = required_value("metadata.name", "name or generateName is required")
        raise invalid(call.resource.kind_target(""), [cause])
    if call.namespace and given.setdefault("namespace", call.namespace) != call.namespace:
        text = "the namespace of the provided object does not match the namespace sent on the"
        raise bad_request(f"{text} request")


def check_namespace(world: World, call: Call, name: str) -> None:
    """Check that the namespace takes new content.

    Raises:
        StatusError: it does not exist or is being deleted.
    """
    if not call.resource.namespaced:
        return
    record = world.database.get(Key("namespaces", "", call.namespace))
    if record is None:
        raise not_found(Target(call.namespace, "", "namespaces"))
    if b'"deletionTimestamp"' in record.body and namespaces.is_ending(record.document()):
        text = f"namespace {call.namespace} is being terminated"
        cause = Cause("NamespaceTerminating", text, "metadata.namespace")
        why = f"unable to create new content in namespace {call.namespace} because it is being"
        raise forbidden(call.resource.target(name), f"{why} terminated", (cause,))


def _born(world: World, resource: Resource, given: JsonObject) -> JsonObject:
    dropped = {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"}
    kept = {name: value for name, value in given.items() if name not in dropped}
    kept |= {"uid": world.new_uid(), "creationTimestamp": world.now()}
    if resource.rules.counts_generations:
        kept["generation"] = 1
    return kept


def _complete(resource: Resource, document: JsonObject, old: JsonObject | None) -> None:
    resource.rules.prepare(document, old)
    set_defaults(document, resource.schema)


def complete_passing(world: World, call: Call, document: JsonObject) -> None:
    """Complete an object that is answered and not stored, and note who sent which field."""
    _complete(call.resource, document, None)
    blank = _blank(call.resource, document)
    owners = managers.updated([], blank, document, call.resource.schema, writer_of(world, call))
    _set_managers(document, owners)


def _set_managers(document: JsonObject, owners: list[Manager]) -> None:
    entries = managers.dump(owners)
    document["metadata"].pop("managedFields", None)
    if entries:
        document["metadata"]["managedFields"] = entries


def _check(call: Call, document: JsonObject, old: JsonObject | None) -> None:
    resource = call.resource
    namespaced = resource.namespaced
    causes = list(metadata.check(document["metadata"], resource.rules.name, namespaced=namespaced))
    if old is not None:
        causes += metadata.check_update(document["metadata"], old["metadata"])
    if resource.custom:  # built-in kinds were checked when they were decoded
        causes += validate(document, resource.schema)
    convert = resource.rules.to_storage or _same
    causes += resource.rules.check(convert(document), None if old is None else convert(old))
    if causes:
        raise invalid(resource.kind_target(document["metadata"]["name"]), causes)


def _same(document: JsonObject) -> JsonObject:
    return document


def replace_existing(world: World, call: Call, record: Record, coming: Coming) -> Written:
    """Store the next version of an object. The caller holds the lock of the database.

    Raises:
        StatusError: the object changed meanwhile, or the change is invalid.
    """
    resource = call.resource
    old = to_document(resource, record)
    new = coming.document
    _check_version(call, new["metadata"], old["metadata"])
    given = new["metadata"].pop("managedFields", None)
    new = _keep_what_is_fixed(call, new, old)
    _complete(call.resource, new, old)
    _set_managers(new, _owners_after(world, call, coming, (given, new, old)))
    _check(call, new, old)
    if _content(new) != _content(old) and call.resource.rules.counts_generations:
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        _accept_definition(world, call.resource, new)
    if new == old:
        return Written(record)
    if call.options.dry_run:
        return Written(unsaved(resource, record.key, new))
    return Written(store(world, call.resource, record.key, new))


def _owners_after(
    world: World,
    call: Call,
    coming: Coming,
    states: tuple[list[JsonObject] | None, JsonObject, JsonObject],
) -> list[Manager]:
    given, new, old = states
    if coming.managers is not None:
        return coming.managers
    before = managers.load(old["metadata"] if given is None else {"managedFields": given})
    if not before:
        return []  # a client has asked to forget who owns what
    schema = owned_schema(call.resource)
    plain = managers.without_managers(old)
    return managers.updated(before, plain, new, schema, writer_of(world, call))


def _check_version(call: Call, new: JsonObject, old: JsonObject) -> None:
    target = call.resource.target(call.name)
    if new.get("uid", old["uid"]) != old["uid"]:
        text = f"UID in precondition: {new['uid']}, UID in object meta: {old['uid']}"
        where = f"Key: /registry/{'/'.join(call.key)}, ResourceVersion: 0"
        told = f"StorageError: invalid object, Code: 4, {where}, AdditionalErrorMsg: "
        raise conflict(target, f"{told}Precondition failed: {text}")
    version = new.get("resourceVersion", "")
    if not version and not call.resource.rules.unconditional_update:
        cause = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
        raise invalid(target, [cause])
    if version and version != old["resourceVersion"]:
        raise conflict(target)


def _keep_what_is_fixed(call: Call, new: JsonObject, old: JsonObject) -> JsonObject:
    """Return the new object with everything that this endpoint cannot write as it was."""
    if call.subresource == "status":
        kept = {name: value for name, value in old.items() if name != "status"}
        kept["metadata"] = managers.without_managers(old)["metadata"]
        return kept | ({"status": new["status"]} if "status" in new else {})
    if call.resource.has_status:
        new.pop("status", None)
        new |= {"status": old["status"]} if "status" in old else {}
    fixed = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
    for name in (*fixed, "generation", "resourceVersion", "selfLink"):
        new["metadata"].pop(name, None)
        if name in old["metadata"]:
            new["metadata"][name] = old["metadata"][name]
    return new


def _content(document: JsonObject) -> JsonObject:
    return {k: v for k, v in document.items() if k not in {"metadata", "status"}}
