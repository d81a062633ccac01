"""Structural schemas: what an object loses (pruning) and gains (defaults) before it is checked.

A schema is the `openAPIV3Schema` of a CustomResourceDefinition, or the same for a built-in kind.
`x-kubernetes-validations` (CEL) is not evaluated: no CEL engine is among the dependencies.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from sealkit_controller.sandbox.objects.status import JsonObject

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
_ALWAYS_KNOWN = frozenset({"apiVersion", "kind", "metadata"})


def child_schema(schema: JsonObject, name: str) -> JsonObject | None:
    """Return the schema of a field or map item: empty if anything goes, None if unknown."""
    fields = schema.get("properties")
    if fields and name in fields:
        found: JsonObject = fields[name]
        return found
    items = schema.get("additionalProperties")
    if isinstance(items, dict):
        return items
    if items or schema.get(PRESERVE) or not schema:
        return {}
    return None


def item_schema(schema: JsonObject) -> JsonObject:
    """Return the schema of a list's items, an empty one if it has none."""
    found: JsonObject = schema.get("items") or {}
    return found


def prune(value: Any, schema: JsonObject, path: str = "", *, root: bool = True) -> Iterator[str]:
    """Remove fields that the schema does not know, in place, and yield the path of each.

    Metadata of the root object is left alone: its own rules are in `metadata`.
    """
    if isinstance(value, list):
        items = item_schema(schema)
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from prune(item, items, f"{path}[{index}]", root=False)
    elif isinstance(value, dict):
        keep = _ALWAYS_KNOWN if root or schema.get(EMBEDDED) else frozenset()
        for name in sorted(value):
            if name in keep:
                continue
            yield from _prune_field(value, name, schema, path)


def _prune_field(value: JsonObject, name: str, schema: JsonObject, path: str) -> Iterator[str]:
    place = f"{path}.{name}" if path else name
    child = child_schema(schema, name)
    if child is None:
        del value[name]
        yield place
    elif isinstance(value[name], (dict, list)):
        yield from prune(value[name], child, place, root=False)


def set_defaults(value: Any, schema: JsonObject) -> None:
    """Fill in the defaults of absent fields, in place, and where null is not allowed."""
    if isinstance(value, list):
        items = item_schema(schema)
        for item in value:
            set_defaults(item, items)
    elif isinstance(value, dict):
        for name, field in (schema.get("properties") or {}).items():
            _default_field(value, name, field)
        for name, item in value.items():
            if isinstance(item, (dict, list)):
                set_defaults(item, child_schema(schema, name) or {})


def drop_nulls(value: Any, schema: JsonObject) -> None:
    """Remove nulls where the schema allows none, in place: they are the same as absent."""
    if isinstance(value, list):
        for item in value:
            drop_nulls(item, item_schema(schema))
    elif isinstance(value, dict):
        for name, item in list(value.items()):
            if isinstance(item, str):
                continue
            child = child_schema(schema, name) or {}
            if item is None and "type" in child and not child.get("nullable"):
                del value[name]
            elif isinstance(item, (dict, list)):
                drop_nulls(item, child)


def _default_field(value: JsonObject, name: str, schema: JsonObject) -> None:
    if "default" not in schema:
        return
    absent = name not in value or (value[name] is None and not schema.get("nullable"))
    if absent:
        value[name] = copy.deepcopy(schema["default"])
