"""OpenAPI: enough for kubectl to leave validation to the server and to explain fields."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from sealkit_controller.sandbox.kinds.resource import Resource
from sealkit_controller.sandbox.objects import metadata
from sealkit_controller.sandbox.objects.status import JsonObject, NoSuchPathError
from sealkit_controller.sandbox.store.records import to_json

# As it is asked for, and as it is answered: "@" is no letter of a media type (RFC 9110, 8.3.1).
PROTOBUF_V2_ASKED: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
PROTOBUF_V2: Final = PROTOBUF_V2_ASKED.replace("@", ".")
_GVK: Final = "x-kubernetes-group-version-kind"
_INFO: Final = {"title": "sealkit sandbox", "version": "v1.36.0"}
_PARAMETERS: Final = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]


def index(resources: Iterable[Resource]) -> JsonObject:
    """Return the answer to `/openapi/v3`: where the document of each version is."""
    listed = list(resources)
    paths = {}
    for resource in listed:
        path = _root(resource)
        if path not in paths:
            text = to_json(document(listed, path))
            digest = hashlib.sha256(text).hexdigest()[:32]
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def _root(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def document(resources: Iterable[Resource], path: str) -> JsonObject:
    """Return the OpenAPI v3 document of one group and version.

    Raises:
        NoSuchPathError: nothing is served there.
    """
    served = [resource for resource in resources if _root(resource) == path]
    if not served:
        raise NoSuchPathError
    paths: JsonObject = {}
    for resource in served:
        paths |= _paths(resource)
    schemas = {_name(resource): _schema(resource) for resource in served}
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _name(resource: Resource) -> str:
    group = ".".join(reversed((resource.group or "core").split(".")))
    return f"{group}.{resource.version}.{resource.names.kind}"


def _gvk(resource: Resource) -> JsonObject:
    group, version, kind = resource.group, resource.version, resource.names.kind
    return {"group": group, "version": version, "kind": kind}


def _schema(resource: Resource) -> JsonObject:
    fields = resource.schema.get("properties", {}) | {
        "apiVersion": {"type": "string", "description": "The version of this kind."},
        "kind": {"type": "string", "description": "The name of this kind."},
        "metadata": metadata.SCHEMA | {"description": "Standard object metadata."},
    }
    schema = {k: v for k, v in resource.schema.items() if k != "x-kubernetes-validations"}
    return schema | {"properties": fields, _GVK: [_gvk(resource)]}


def _paths(resource: Resource) -> JsonObject:
    middle = "/namespaces/{namespace}" if resource.namespaced else ""
    collection = f"/{_root(resource)}{middle}/{resource.names.plural}"
    return {
        collection: {
            "get": _operation(resource, "list"),
            "post": _operation(resource, "post", _PARAMETERS),
        },
        collection + "/{name}": {
            "get": _operation(resource, "get"),
            "put": _operation(resource, "put", _PARAMETERS),
            "patch": _operation(resource, "patch", _PARAMETERS) | {"requestBody": _PATCH_BODY},
            "delete": _operation(resource, "delete"),
        },
    }


_PATCH_BODY: Final[JsonObject] = {
    "content": {
        kind: {"schema": {"type": "object"}}
        for kind in (
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
        )
    }
}


def _operation(resource: Resource, action: str, parameters: Iterable[Any] = ()) -> JsonObject:
    content = {"schema": {"$ref": f"#/components/schemas/{_name(resource)}"}}
    return {
        "operationId": f"{action}{_name(resource)}",
        "parameters": list(parameters),
        "responses": {"200": {"description": "OK", "content": {"application/json": content}}},
        "x-kubernetes-action": action,
        _GVK: _gvk(resource),
    }


def protobuf_v2() -> bytes:
    """Return `/openapi/v2` as kubectl asks for it: a document without any schema.

    kubectl wants it for a `List`, of which it checks the items itself, and passes over kinds that
    have no schema. Fields of gnostic's `openapi.v2.Document`: 1 swagger, 2 info, 8 paths.
    """
    info = _field(1, _INFO["title"].encode()) + _field(2, _INFO["version"].encode())
    return _field(1, b"2.0") + _field(2, info) + _field(8, b"")


def _field(number: int, content: bytes) -> bytes:
    """Return a protobuf field with a length (wire type 2) of at most 127 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


def document_v2(resources: Iterable[Resource]) -> JsonObject:
    """Return the answer to `/openapi/v2`: the schemas only."""
    definitions = {_name(resource): _schema(resource) for resource in resources}
    return {"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": definitions}
