"""From the bytes of a request to an object that has the shape of its kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import yaml

from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects import metadata
from sealkit_controller.sandbox.objects.schema import prune
from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    bad_request,
    unsupported_media_type,
)
from sealkit_controller.sandbox.objects.validation import validate
from sealkit_controller.sandbox.serve import protobuf
from sealkit_controller.sandbox.serve.world import Call
from sealkit_controller.sandbox.wire.messages import Request

_READ: Final = ("application/json", "application/yaml", protobuf.MEDIA_TYPE)
_MICRO: Final = "2006-01-02T15:04:05.000000Z07:00"
_GO_TYPES: Final = {"integer": "number", "number": "number", "boolean": "bool"}


@dataclass(frozen=True)
class Decoded:
    """An object and what the client should be told about it."""

    document: JsonObject
    warnings: tuple[str, ...] = ()


def decode(call: Call) -> Decoded:
    """Return the object in the body of a create or update.

    Raises:
        StatusError: 400 for text that is no such object, 415 for other formats.
    """
    media_type = call.request.media_type
    if media_type not in {"", *_READ}:
        raise unsupported_media_type(media_type, _READ)
    return shape(call, read_body(call.request))


def read_body(request: Request) -> Any:
    """Return the value in a body of one of the formats that are read here.

    Raises:
        StatusError: 400, it is not what it says it is.
    """
    if request.media_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(request.body)
    return parse(request.body, is_yaml=request.media_type == "application/yaml")


def parse(body: bytes, *, is_yaml: bool = False) -> Any:
    """Return the value that JSON or YAML text describes.

    Raises:
        StatusError: 400, it is neither.
    """
    try:
        if is_yaml and not body.lstrip().startswith(b"{"):
            return yaml.load(body, Loader=yaml.CSafeLoader)
        return json.loads(body)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        text = "the object provided is unrecognized (must be of type Object)"
        raise bad_request(f"{text}: couldn't get version/kind; json parse error") from error


def shape(call: Call, document: Any) -> Decoded:
    """Check kind, field types and unknown fields; unknown ones are removed and told.

    Raises:
        StatusError: 400, also for unknown fields if the client asked to be strict.
    """
    resource = call.resource
    _check_kind(resource, document)
    document["metadata"] = document.get("metadata") or {}
    if not resource.custom:
        _drop_nulls(document)
    _check_types(resource, document)
    unknown = [f"metadata.{name}" for name in _prune_metadata(document["metadata"])]
    unknown += prune(document, resource.schema)
    told = tuple(f'unknown field "{path}"' for path in unknown)
    if told and call.options.validation == "Strict":
        raise bad_request(_unhandled(resource, f"strict decoding error: {', '.join(told)}"))
    return Decoded(document, told if call.options.validation == "Warn" else ())


def _unhandled(resource: Resource, why: str) -> str:
    kind = resource.names.kind
    return f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}'


def _check_kind(resource: Resource, document: Any) -> None:
    if not isinstance(document, dict):
        raise bad_request(_unhandled(resource, "json: cannot unmarshal into Go value"))
    if document.get("kind", "") in {"", None}:
        if resource.custom:
            raise bad_request("Object 'Kind' is missing")
        document["kind"] = resource.names.kind
    document["apiVersion"] = document.get("apiVersion") or resource.api_version
    if document["apiVersion"] != resource.api_version:
        text = f"the API version in the data ({document['apiVersion']}) does not match"
        raise bad_request(f"{text} the expected API version ({resource.api_version})")
    if document["kind"] != resource.names.kind:
        given, wanted = document["kind"], resource.names.kind
        raise bad_request(_unhandled(resource, f"kind {given} does not match {wanted}"))


def _drop_nulls(document: JsonObject) -> None:
    """Null is the same as absent in a built-in kind."""
    for part in (document, document["metadata"]):
        for name in [name for name, value in part.items() if value is None]:
            del part[name]


def _prune_metadata(fields: JsonObject) -> list[str]:
    for name in [name for name, value in fields.items() if value is None]:
        del fields[name]
    return list(prune(fields, metadata.SCHEMA, root=False))


def _check_types(resource: Resource, document: JsonObject) -> None:
    causes = list(validate(document["metadata"], metadata.SCHEMA, "metadata"))
    if not resource.custom:
        causes += (
            cause
            for cause in validate(document, resource.schema)
            if cause.reason == "FieldValueTypeInvalid"
        )
    if causes:
        raise bad_request(_unhandled(resource, _go_error(resource, causes[0])))


def _go_error(resource: Resource, cause: Cause) -> str:
    value = json.loads(cause.message.removeprefix("Invalid value: ").partition(": ")[0])
    if "micro-time" in cause.message or "date-time" in cause.message:
        layout = _MICRO if "micro-time" in cause.message else "2006-01-02T15:04:05Z07:00"
        return f'parsing time "{value}" as "{layout}": cannot parse "{value}"'
    found = _GO_TYPES.get(value, value)
    wanted = cause.message.partition("must be of type ")[2].partition(":")[0]
    field = f"{resource.names.kind}.{cause.field}"
    return f"json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
