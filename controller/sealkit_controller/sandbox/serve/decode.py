"""From the bytes of a request to an object that has the shape of its kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from sealkit.errors import ManifestError
from sealkit.manifests.documents import read_documents
from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects import metadata
from sealkit_controller.sandbox.objects.schema import drop_nulls, prune
from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    StatusError,
    Target,
    bad_request,
    invalid,
    invalid_value,
    unsupported_media_type,
)
from sealkit_controller.sandbox.objects.typed import untyped
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
        raise unsupported_media_type(_READ)
    return shape(call, read_body(call.request, call.resource.names.kind))


def read_body(request: Request, kind: str = "Object") -> Any:
    """Return the value in a body of one of the formats that are read here.

    Raises:
        StatusError: 400, it is not what it says it is.
    """
    if request.media_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(request.body)
    return parse(request.body, kind, is_yaml=request.media_type == "application/yaml")


def parse(body: bytes, kind: str = "Object", *, is_yaml: bool = False) -> Any:
    """Return the value that JSON or YAML text describes.

    Raises:
        StatusError: 400, it is neither.
    """
    try:
        return _read_yaml(body) if is_yaml else json.loads(body)
    except (ValueError, ManifestError, RecursionError) as error:
        text = f"the object provided is unrecognized (must be of type {kind})"
        raise bad_request(f"{text}: couldn't get version/kind; json parse error") from error


def _read_yaml(body: bytes) -> Any:
    try:
        return json.loads(body)  # JSON is YAML, and read ten times faster as what it is
    except ValueError:
        (document,) = read_documents(body)
        return document.to_plain()


def shape(call: Call, document: Any) -> Decoded:
    """Check kind, field types and unknown fields; unknown ones are removed and told.

    Raises:
        StatusError: 400, also for unknown fields if the client asked to be strict.
    """
    resource = call.resource
    _check_kind(resource, document)
    document["metadata"] = document.get("metadata") or {}
    _drop_nothings(resource, document)
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


def read_configuration(call: Call) -> JsonObject:
    """Return the object in the body of an apply, which may name only fields that exist.

    Raises:
        StatusError: 400 for text that is no such object, 500 (as the real server) for others.
    """
    try:
        document = _read_yaml(call.request.body)
    except (ValueError, ManifestError, RecursionError) as error:
        raise bad_request("error decoding YAML: error converting YAML to JSON") from error
    resource = call.resource
    if not isinstance(document, dict) or not document.get("kind"):
        raise bad_request("invalid object type: /, Kind=")
    _check_kind(resource, document)
    document["metadata"] = document.get("metadata") or {}
    if document["metadata"].get("managedFields") is None:
        document["metadata"].pop("managedFields", None)
    problem = next(untyped(document, with_metadata(resource.schema)), None)
    if problem:
        given = document["metadata"]
        name = f"{given.get('namespace', '')}/{given.get('name', '')}"
        text = f"failed to create typed patch object ({name}; {resource.group}/{resource.version}"
        raise StatusError(500, "", f"{text}, Kind={resource.names.kind}): {problem}")
    if not resource.custom:
        drop_nulls(document, resource.schema)
        _check_types(resource, document)
    return document


def with_metadata(schema: JsonObject) -> JsonObject:
    """Return the schema with that of metadata, which a CRD does not have."""
    fields = {name: {"type": "string"} for name in ("apiVersion", "kind")}
    fields = schema.get("properties", {}) | fields | {"metadata": metadata.SCHEMA}
    return schema | {"properties": fields}


def _check_kind(resource: Resource, document: Any) -> None:
    if not isinstance(document, dict):
        raise bad_request(_unhandled(resource, "json: cannot unmarshal into Go value"))
    if document.get("kind", "") in {"", None}:
        if resource.custom:
            text = f"the object provided is unrecognized (must be of type {resource.names.kind})"
            raise bad_request(f"{text}: Object 'Kind' is missing")
        document["kind"] = resource.names.kind
    document["apiVersion"] = document.get("apiVersion") or resource.api_version
    if document["apiVersion"] != resource.api_version:
        raise bad_request(_other_version(resource, document))
    if document["kind"] != resource.names.kind:
        given, wanted = document["kind"], resource.names.kind
        if resource.custom:
            name = (document.get("metadata") or {}).get("name", "")
            cause = invalid_value("kind", given, f"must be {wanted}")
            raise invalid(Target(name, resource.group, given), [cause])
        text = f'{given} in version "{resource.version}" cannot be handled as a {wanted}: '
        raise bad_request(f"{text}converting ({given}) to ({wanted}): unknown conversion")


def _other_version(resource: Resource, document: JsonObject) -> str:
    given, kind = document["apiVersion"], resource.names.kind
    if resource.custom:
        text = f"the API version in the data ({given}) does not match the expected API version"
        return f"{text} ({resource.api_version})"
    text = f'{kind} in version "{given}" cannot be handled as a {kind}: no kind "{kind}" is'
    return f'{text} registered for version "{given}"'


def _drop_nothings(resource: Resource, document: JsonObject) -> None:
    """Remove what is the same as absent: null, and empty maps and lists in metadata."""
    drop_nulls(document, resource.schema)
    fields = document["metadata"]
    for name in [name for name, value in fields.items() if not value and name != "managedFields"]:
        del fields[name]


def _prune_metadata(fields: JsonObject) -> list[str]:
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
        micro = "micro-time" in cause.message
        layout = _MICRO if micro else "2006-01-02T15:04:05Z07:00"
        rest = f'"{value[19:]}" as ".000000"' if micro else f'"{value}"'
        return f'parsing time "{value}" as "{layout}": cannot parse {rest}'
    found = _GO_TYPES.get(value, value)
    wanted = cause.message.partition("must be of type ")[2].partition(":")[0]
    field = f"{resource.names.kind}.{cause.field}"
    return f"json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
