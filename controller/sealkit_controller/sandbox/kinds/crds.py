"""CustomResourceDefinitions: checked, completed, and turned into the resources they describe.

Rules of `x-kubernetes-validations` (CEL) are stored and shown, but not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sealkit_controller.sandbox.kinds.resource import Column, Names, Resource, Rules
from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    invalid_value,
    required_value,
    unsupported_value,
)

CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"
STORAGE: Final = "customresourcedefinitions.apiextensions.k8s.io"
_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_AGE: Final = Column("Age", "age", "date")
_NAME: Final = Column("Name", "name", format="name")


def prepare(new: JsonObject, old: JsonObject | None) -> None:
    """Fill in the names that follow from others."""
    spec = new.get("spec") or {}
    names = spec.get("names") or {}
    if names.get("kind"):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})
    if old is not None and "status" not in new:
        new["status"] = old.get("status", {})


def accept(definition: JsonObject, time: str) -> None:
    """Write the status of a definition that is being served from now on, in place."""
    spec = definition["spec"]
    status = definition.setdefault("status", {})
    status["acceptedNames"] = dict(spec["names"])
    stored = list(status.get("storedVersions") or ())
    current = next(version["name"] for version in spec["versions"] if version.get("storage"))
    status["storedVersions"] = stored if current in stored else [*stored, current]
    status["conditions"] = [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found", time),
        _condition("Established", "InitialNamesAccepted", _ESTABLISHED, time),
    ]


_ESTABLISHED: Final = "the initial names have been accepted"


def _condition(kind: str, reason: str, message: str, time: str) -> JsonObject:
    return {
        "type": kind,
        "status": "True",
        "lastTransitionTime": time,
        "reason": reason,
        "message": message,
    }


def check(new: JsonObject, _old: JsonObject | None) -> Iterator[Cause]:
    """Yield what is wrong with a definition."""
    spec = new.get("spec") or {}
    names = spec.get("names") or {}
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    if new["metadata"]["name"] != wanted:
        detail = 'must be spec.names.plural+"."+spec.group'
        yield invalid_value("metadata.name", new["metadata"]["name"], detail)
    if spec.get("scope") not in {"Cluster", "Namespaced"}:
        yield unsupported_value("spec.scope", spec.get("scope", ""), ("Cluster", "Namespaced"))
    versions = spec.get("versions") or []
    if sum(bool(version.get("storage")) for version in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        yield invalid_value("spec.versions", versions, detail)
    for index, version in enumerate(versions):
        yield from _check_version(version, f"spec.versions[{index}]")


def _check_version(version: JsonObject, path: str) -> Iterator[Cause]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if not schema:
        yield required_value(f"{path}.schema.openAPIV3Schema", "schemas are required")
        return
    place = f"{path}.schema.openAPIV3Schema"
    if schema.get("type") != "object":
        detail = "must be object at the root"
        yield invalid_value(f"{place}.type", schema.get("type", ""), detail)
    yield from _check_schema(schema, place)


def _check_schema(schema: JsonObject, path: str) -> Iterator[Cause]:
    """Check that a schema is structural: every field has a type, none is closed by force."""
    kind = schema.get("type")
    open_type = schema.get("x-kubernetes-int-or-string") or schema.get(
        "x-kubernetes-preserve-unknown-fields"
    )
    if kind is None and not open_type:
        yield required_value(f"{path}.type", "must not be empty for specified object fields")
    elif kind is not None and kind not in _TYPES:
        yield unsupported_value(f"{path}.type", kind, _TYPES)
    extra = schema.get("additionalProperties")
    if extra is False:
        yield invalid_value(f"{path}.additionalProperties", extra, "must not be false")
    for name, child in _children(schema):
        yield from _check_schema(child, f"{path}.{name}")


def _children(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for name, child in (schema.get("properties") or {}).items():
        yield f"properties[{name}]", child
    if isinstance(schema.get("additionalProperties"), dict):
        yield "additionalProperties", schema["additionalProperties"]
    if schema.get("items"):
        yield "items", schema["items"]


def resources(definition: JsonObject, since: int = 0) -> list[Resource]:
    """Return the resources that a definition makes the server serve from version `since` on."""
    spec = definition["spec"]
    versions = spec.get("versions") or ()
    return [_resource(spec, version, since) for version in versions if version.get("served")]


def _resource(spec: JsonObject, version: JsonObject, since: int) -> Resource:
    names = spec["names"]
    schema = version["schema"]["openAPIV3Schema"]
    fields = version.get("selectableFields") or ()
    return Resource(
        group=spec["group"],
        version=version["name"],
        names=Names(
            plural=names["plural"],
            singular=names["singular"],
            kind=names["kind"],
            list_kind=names["listKind"],
            short=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
        ),
        namespaced=spec["scope"] == "Namespaced",
        storage=f"{names['plural']}.{spec['group']}",
        schema=schema,
        rules=Rules(counts_generations=True, unconditional_update=False),
        columns=_columns(version),
        has_status=(version.get("subresources") or {}).get("status") is not None,
        custom=True,
        selectable=frozenset(field["jsonPath"].lstrip(".") for field in fields),
        since=since,
    )


def _columns(version: JsonObject) -> tuple[Column, ...]:
    given: list[dict[str, Any]] = version.get("additionalPrinterColumns") or []
    if not given:
        return (_NAME, _AGE)
    return (
        _NAME,
        *(
            Column(
                column["name"],
                column["jsonPath"],
                column["type"],
                column.get("description", ""),
                column.get("priority", 0),
                column.get("format", ""),
            )
            for column in given
        ),
    )
