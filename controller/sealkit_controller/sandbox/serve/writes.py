"""Create, update and patch: one object is completed, checked, owned, stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from sealkit_controller.sandbox.kinds import crds, namespaces
from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects import managers, metadata, patches
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
    invalid_options,
    invalid_value,
    not_found,
    required_value,
    unsupported_media_type,
)
from sealkit_controller.sandbox.objects.validation import validate
from sealkit_controller.sandbox.serve.decode import decode, read_configuration, shape, with_metadata
from sealkit_controller.sandbox.serve.present import arrange, to_body, to_document
from sealkit_controller.sandbox.serve.world import Call, World
from sealkit_controller.sandbox.store.records import Key, Record, to_record

APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_JSON_PATCH: Final = "application/json-patch+json"
_STRATEGIC: Final = "application/strategic-merge-patch+json"


@dataclass(frozen=True)
class Written:
    """The outcome of a write."""

    record: Record
    created: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Next:
    """An object on its way into the store; `managers` is None if they follow from the change."""

    document: JsonObject
    managers: list[Manager] | None = None
    warnings: tuple[str, ...] = ()


def create(world: World, call: Call) -> Written:
    """Store a new object.

    Raises:
        StatusError: it exists, is malformed or invalid, or its namespace does not take it.
    """
    decoded = decode(call)
    with world.database.lock:
        written = _insert(world, call, _Next(decoded.document))
    return replace(written, warnings=decoded.warnings)


def update(world: World, call: Call) -> Written:
    """Replace an object, or create it where the kind allows that.

    Raises:
        StatusError: it does not exist, changed meanwhile, is malformed or invalid.
    """
    decoded = decode(call)
    _check_identity(call, decoded.document["metadata"])
    with world.database.lock:
        record = world.database.get(call.key)
        if record is None:
            if not call.resource.rules.create_on_update:
                raise not_found(call.resource.target(call.name))
            written = _insert(world, call, _Next(decoded.document))
        else:
            written = _replace(world, call, record, _Next(decoded.document))
    return replace(written, warnings=decoded.warnings)


def patch(world: World, call: Call) -> Written:
    """Change an object by a patch; an applied configuration creates it where it is missing.

    Raises:
        StatusError: it does not exist, the patch does not fit it, or the result is invalid.
    """
    change = _patcher(world, call)
    with world.database.lock:
        record = world.database.get(call.key)
        if record is None:
            if call.request.media_type != APPLY or call.subresource:
                raise not_found(call.resource.target(call.name))
            coming = change({})
            _check_no_uid(call, coming.document["metadata"])
            written = _insert(world, call, coming)
        else:
            coming = change(to_document(call.resource, record))
            _check_identity(call, coming.document["metadata"])
            written = _replace(world, call, record, coming)
    return replace(written, warnings=coming.warnings)


def rewrite(world: World, resource: Resource, key: Key, edit: Callable[[JsonObject], None]) -> None:
    """Change an object on the server's own behalf, without checks; nothing if it is gone."""
    with world.database.lock:
        record = world.database.get(key)
        if record is not None:
            document = record.document()
            edit(document)
            _store(world, resource, key, document)


def _patcher(world: World, call: Call) -> Callable[[JsonObject], _Next]:
    media_type = call.request.media_type
    if media_type == APPLY:
        return _applier(world, call)
    function: Callable[[JsonObject, Any], Any]
    if media_type == _MERGE:
        function = patches.merge_patch
    elif media_type == _JSON_PATCH:
        function = patches.json_patch
    elif media_type == _STRATEGIC and not call.resource.custom:
        schema = call.resource.schema
        function = lambda live, body: patches.strategic_merge_patch(live, body, schema)  # noqa: E731
    else:
        known = media_type == _STRATEGIC
        raise unsupported_media_type((_JSON_PATCH, _MERGE, APPLY) if known else ())
    body = _patch_body(call)

    def change(live: JsonObject) -> _Next:
        decoded = shape(call, function(live, body))
        return _Next(decoded.document, warnings=decoded.warnings)

    return change


def _patch_body(call: Call) -> Any:
    wanted = list if call.request.media_type == _JSON_PATCH else dict
    try:
        body = json.loads(call.request.body)
    except ValueError as error:
        raise bad_request("error decoding patch: invalid JSON") from error
    if not isinstance(body, wanted):
        raise bad_request(f"error decoding patch: json: cannot unmarshal into {wanted.__name__}")
    return body


def _applier(world: World, call: Call) -> Callable[[JsonObject], _Next]:
    if not call.request.query.get("fieldManager"):
        cause = required_value("fieldManager", "is required for apply patch")
        raise invalid_options("PatchOptions", cause)
    config = read_configuration(call)
    if config["metadata"].get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    config["metadata"].setdefault("name", call.name)
    if call.resource.namespaced:
        config["metadata"].setdefault("namespace", call.namespace)
    writer = _writer(world, call)

    def change(live: JsonObject) -> _Next:
        schema = _owned_schema(call.resource)
        done = managers.applied(live, config, schema, writer, force=call.options.force)
        return _Next(done.document, done.managers)

    return change


def _owned_schema(resource: Resource) -> JsonObject:
    return with_metadata(resource.schema) if resource.custom else resource.schema


def _writer(world: World, call: Call) -> Writer:
    ignored = call.resource.rules.unowned
    if call.subresource == "status":
        ignored = frozenset({("f:spec",)})
    elif call.resource.has_status:
        ignored |= frozenset({("f:status",)})
    return Writer(
        call.options.manager, call.resource.api_version, world.now(), call.subresource, ignored
    )


def _check_identity(call: Call, given: JsonObject) -> None:
    name = given.setdefault("name", call.name)
    if name != call.name:
        text = f"the name of the object ({name}) does not match the name on the URL ({call.name})"
        raise bad_request(text)
    namespace = given.get("namespace") or call.namespace
    if namespace != call.namespace:
        text = f"the namespace of the object ({namespace}) does not match the namespace on the"
        raise bad_request(f"{text} request ({call.namespace})")
    if call.namespace:
        given["namespace"] = namespace


def _check_no_uid(call: Call, given: JsonObject) -> None:
    if given.get("uid"):
        text = f"uid mismatch: the provided object specified uid {given['uid']}, "
        raise conflict(call.resource.target(call.name), text + "and no existing object was found")


def _insert(world: World, call: Call, coming: _Next) -> Written:
    resource, document = call.resource, coming.document
    given = document["metadata"]
    if given.get("resourceVersion"):
        text = "resourceVersion should not be set on objects to be created"
        raise StatusError(500, "", text)
    _name(world, call, given)
    key = call.key_of(given["name"])
    _check_namespace(world, call, given["name"])
    document["metadata"] = _born(world, resource, given)
    if resource.has_status and resource.custom:
        document.pop("status", None)
    _complete(resource, document, None)
    owners = coming.managers
    if owners is None:
        writer = _writer(world, call)
        schema = _owned_schema(resource)
        blank = _blank(resource, document)
        owners = managers.updated([], blank, document, schema, writer)
    _set_managers(document, owners)
    _check(call, document, None)
    if world.database.get(key) is not None:
        raise already_exists(resource.target(key.name))
    _accept_definition(world, resource, document)
    if call.options.dry_run:
        return Written(_unsaved(call, key, document), created=True)
    return Written(_store(world, resource, key, document), created=True)


def _accept_definition(world: World, resource: Resource, document: JsonObject) -> None:
    if resource.storage == crds.STORAGE:
        crds.accept(document, world.now())


def _blank(resource: Resource, document: JsonObject) -> JsonObject:
    """Return the object before anything was written, with the parts that can never be absent."""
    fields = resource.schema.get("properties", {})
    parts = {name: {} for name, field in fields.items() if field.get("x-always-present")}
    named = {"apiVersion": document["apiVersion"], "kind": document["kind"], "metadata": {}}
    return named | parts


def _name(world: World, call: Call, given: JsonObject) -> None:
    prefix = given.get("generateName", "")
    if not given.get("name"):
        given["name"] = call.name or (prefix[:58] + world.new_suffix() if prefix else "")
    if not given["name"]:
        cause = metadata.required_value("metadata.name", "name or generateName is required")
        raise invalid(call.resource.kind_target(""), [cause])
    if call.namespace:
        if given.setdefault("namespace", call.namespace) != call.namespace:
            text = "the namespace of the provided object does not match the namespace sent on the"
            raise bad_request(f"{text} request")


def _check_namespace(world: World, call: Call, name: str) -> None:
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


def _replace(world: World, call: Call, record: Record, coming: _Next) -> Written:
    old = to_document(call.resource, record)
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
        return Written(_unsaved(call, record.key, new))
    return Written(_store(world, call.resource, record.key, new))


def _owners_after(
    world: World,
    call: Call,
    coming: _Next,
    states: tuple[list[JsonObject] | None, JsonObject, JsonObject],
) -> list[Manager]:
    given, new, old = states
    if coming.managers is not None:
        return coming.managers
    before = managers.load(old["metadata"] if given is None else {"managedFields": given})
    if not before:
        return []  # a client has asked to forget who owns what
    schema = _owned_schema(call.resource)
    plain = managers.without_managers(old)
    return managers.updated(before, plain, new, schema, _writer(world, call))


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


def _unsaved(call: Call, key: Key, document: JsonObject) -> Record:
    version = document["metadata"].get("resourceVersion")
    record = to_record(key, arrange(call.resource, document), int(version or 0))
    if version:
        return record
    document["metadata"].pop("resourceVersion", None)
    body = record.body.replace(b',"resourceVersion":"0"', b"")
    return replace(record, body=body)


def _store(world: World, resource: Resource, key: Key, document: JsonObject) -> Record:
    """Write the object; one that is being deleted goes with its last finalizer."""
    convert = resource.rules.to_storage
    stored = convert(document) if convert else document
    shown = world.registry.by_storage(resource.storage) or resource
    version = world.database.next_version()
    record = to_record(key, arrange(shown, stored), version, shown.selectable)
    world.database.write(key, None if _is_gone(stored, resource) else record)
    if resource.storage == crds.STORAGE:
        world.serve_definitions()
    return record


def _is_gone(document: JsonObject, resource: Resource) -> bool:
    if not document["metadata"].get("deletionTimestamp"):
        return False
    if resource.storage == "namespaces" and (document.get("spec") or {}).get("finalizers"):
        return False
    return not document["metadata"].get("finalizers")


def response_body(call: Call, written: Written) -> bytes:
    """Return the object as the client of a write gets it."""
    return to_body(call.resource, written.record)
