"""Create, update and patch: from the request to the object that is to be stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from sealkit_controller.sandbox.objects import managers, patches
from sealkit_controller.sandbox.objects.status import (
    JsonObject,
    bad_request,
    conflict,
    invalid_options,
    not_found,
    required_value,
    unsupported_media_type,
)
from sealkit_controller.sandbox.serve.completing import (
    Coming,
    Written,
    insert,
    owned_schema,
    replace_existing,
    writer_of,
)
from sealkit_controller.sandbox.serve.decode import decode, read_configuration, shape
from sealkit_controller.sandbox.serve.present import to_body, to_document
from sealkit_controller.sandbox.serve.world import Call, World

APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_JSON_PATCH: Final = "application/json-patch+json"
_STRATEGIC: Final = "application/strategic-merge-patch+json"


def create(world: World, call: Call) -> Written:
    """Store a new object.

    Raises:
        StatusError: it exists, is malformed or invalid, or its namespace does not take it.
    """
    decoded = decode(call)
    with world.database.lock:
        written = insert(world, call, Coming(decoded.document))
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
            written = insert(world, call, Coming(decoded.document))
        else:
            written = replace_existing(world, call, record, Coming(decoded.document))
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
            written = insert(world, call, coming)
        else:
            coming = change(to_document(call.resource, record))
            _check_identity(call, coming.document["metadata"])
            written = replace_existing(world, call, record, coming)
    return replace(written, warnings=coming.warnings)


def _patcher(world: World, call: Call) -> Callable[[JsonObject], Coming]:
    media_type = call.request.media_type
    if media_type == APPLY:
        return _applier(world, call)
    function: Callable[[JsonObject, Any], Any]
    if media_type == _MERGE:
        function = patches.merge_patch
    elif media_type == _JSON_PATCH:
        function = patches.json_patch
    elif media_type == _STRATEGIC and not call.resource.custom:
        function = partial(patches.strategic_merge_patch, schema=call.resource.schema)
    else:
        known = media_type == _STRATEGIC
        raise unsupported_media_type((_JSON_PATCH, _MERGE, APPLY) if known else ())
    body = _patch_body(call)

    def change(live: JsonObject) -> Coming:
        decoded = shape(call, function(live, body))
        return Coming(decoded.document, warnings=decoded.warnings)

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


def _applier(world: World, call: Call) -> Callable[[JsonObject], Coming]:
    if not call.request.query.get("fieldManager"):
        cause = required_value("fieldManager", "is required for apply patch")
        raise invalid_options("PatchOptions", cause)
    config = read_configuration(call)
    if config["metadata"].get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    config["metadata"].setdefault("name", call.name)
    if call.resource.namespaced:
        config["metadata"].setdefault("namespace", call.namespace)
    writer = writer_of(world, call)

    def change(live: JsonObject) -> Coming:
        schema = owned_schema(call.resource)
        done = managers.applied(live, config, schema, writer, force=call.options.force)
        return Coming(done.document, done.managers)

    return change


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


def response_body(call: Call, written: Written) -> bytes:
    """Return the object as the client of a write gets it."""
    return to_body(call.resource, written.record)
