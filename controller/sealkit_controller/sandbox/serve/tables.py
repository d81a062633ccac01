"""What `kubectl get` prints: objects as rows of a `Table`, or as metadata only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sealkit_controller.sandbox.kinds.resource import Column, Resource
from sealkit_controller.sandbox.objects.jsonpath import find
from sealkit_controller.sandbox.objects.status import JsonObject
from sealkit_controller.sandbox.objects.times import duration, from_time

META: Final = "meta.k8s.io/v1"
UNKNOWN: Final = "<unknown>"
_NAME_TEXT: Final = (
    "Name must be unique within a namespace. Is required when creating resources, although some "
    "resources may allow a client to request the generation of an appropriate name automatically."
)


@dataclass(frozen=True)
class View:
    """The form in which a client wants objects: as they are, `Table` or `PartialObjectMetadata`."""

    kind: str = ""
    include: str = "Metadata"  # of each object, in the rows of a table


def read_view(accept: str, include: str) -> View:
    """Return the first form in an Accept header that is served here."""
    for option in accept.split(","):
        parameters = dict(
            part.strip().partition("=")[::2] for part in option.split(";")[1:] if "=" in part
        )
        kind = parameters.get("as", "").removesuffix("List")
        if kind in {"Table", "PartialObjectMetadata"} and parameters.get("v") == "v1":
            return View(kind, include or "Metadata")
        if not kind:
            return View()
    return View()


def partial(document: JsonObject) -> JsonObject:
    """Return the metadata of an object as an object of its own."""
    metadata = document["metadata"]
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": metadata}


def table(
    resource: Resource, documents: Iterable[JsonObject], view: View, now: datetime
) -> JsonObject:
    """Return objects as a table, without list metadata."""
    return {
        "kind": "Table",
        "apiVersion": META,
        "metadata": {},
        "columnDefinitions": [_definition(column) for column in resource.columns],
        "rows": [_row(resource, document, view, now) for document in documents],
    }


def _definition(column: Column) -> JsonObject:
    text = _NAME_TEXT if column.format == "name" else column.description
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": text
        or f"Custom resource definition column (in JSONPath format): {column.path}",
        "priority": column.priority,
    }


def _row(resource: Resource, document: JsonObject, view: View, now: datetime) -> JsonObject:
    cells = [_cell(column, document, now) for column in resource.columns]
    row: JsonObject = {"cells": cells, "object": None}
    if view.include == "Metadata":
        row["object"] = partial(document)
    elif view.include == "Object":
        row["object"] = document
    return row


def _cell(column: Column, document: JsonObject, now: datetime) -> Any:
    name, *paths = column.path.split(" ")
    special = _SPECIAL.get(name)
    if special:
        return special(document, paths, now)
    found = find(document, column.path)
    if not found:
        return "" if document["apiVersion"] == "v1" else None
    if column.type == "string":
        return _as_text(found)
    return _as_type(found[0], column.type, now)


def _as_text(found: list[Any]) -> str:
    if isinstance(found[0], (list, dict, bool)):
        return json.dumps(found[0], separators=(",", ":"))
    return " ".join(map(str, found))


def _as_type(value: Any, kind: str, now: datetime) -> Any:
    """Return the value as a cell of its column, None (shown empty) if it is of another type."""
    match kind, value:
        case "date", str():
            return _age(value, now)
        case "integer", int() | float():
            return int(value)
        case ("number", int() | float()) | ("boolean", bool()):
            return value
    return None


def _age(text: str, now: datetime) -> str:
    try:
        return duration((now - from_time(text)).total_seconds())
    except ValueError:
        return "<invalid>"


def _name_cell(document: JsonObject, _paths: list[str], _now: datetime) -> str:
    return str(document["metadata"]["name"])


def _age_cell(document: JsonObject, paths: list[str], now: datetime) -> str:
    for path in paths or [".metadata.creationTimestamp"]:
        found = find(document, path)
        if found and found[0]:
            return _age(found[0], now)
    return UNKNOWN


def _size_cell(document: JsonObject, paths: list[str], _now: datetime) -> int:
    return sum(len(value) for path in paths for value in find(document, path) if value)


def _involved_cell(document: JsonObject, _paths: list[str], _now: datetime) -> str:
    about = document.get("involvedObject") or document.get("regarding") or {}
    return "/".join(filter(None, (about.get("kind", "").lower(), about.get("name"))))


def _source_cell(document: JsonObject, _paths: list[str], _now: datetime) -> str:
    source = document.get("source") or {}
    component = source.get("component") or document.get("reportingComponent") or ""
    instance = source.get("host") or document.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else component


def _count_cell(document: JsonObject, _paths: list[str], _now: datetime) -> int:
    series = document.get("series") or {}
    return int(series.get("count") or document.get("count") or 1)


def _role_cell(document: JsonObject, _paths: list[str], _now: datetime) -> str:
    role = document.get("roleRef") or {}
    return f"{role.get('kind', '')}/{role.get('name', '')}"


def _subjects_cell(document: JsonObject, kinds: list[str], _now: datetime) -> str:
    subjects = [one for one in document.get("subjects") or () if one.get("kind") in kinds]
    names = (f"{one.get('namespace', '')}/{one['name']}".lstrip("/") for one in subjects)
    return ", ".join(names)


_SPECIAL: Final = {
    "subjects": _subjects_cell,
    "name": _name_cell,
    "age": _age_cell,
    "size": _size_cell,
    "involved": _involved_cell,
    "source": _source_cell,
    "count": _count_cell,
    "role": _role_cell,
}
