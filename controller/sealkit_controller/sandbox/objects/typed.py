"""Whether a configuration can be applied: every field declared, of its type, items distinct."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sealkit_controller.sandbox.objects.fieldsets import children, is_atomic, item_element, show
from sealkit_controller.sandbox.objects.schema import child_schema
from sealkit_controller.sandbox.objects.status import JsonObject

_EXPECTED: Final[dict[str, tuple[type | tuple[type, ...], str]]] = {
    "string": (str, "string"),
    "integer": ((int, float), "numeric (int or float)"),
    "number": ((int, float), "numeric (int or float)"),
    "boolean": (bool, "boolean"),
    "array": (list, "list"),
    "object": (dict, "map"),
}
_NAMES: Final = {str: "string", bool: "boolean", int: "int", float: "float", list: "list"}


def untyped(value: Any, schema: JsonObject, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield why a configuration does not fit its schema, with the path of each problem."""
    expected = _EXPECTED.get(schema.get("type", ""))
    if value is None or expected is None:
        return
    types, name = expected
    if not isinstance(value, types) or (isinstance(value, bool) and name != "boolean"):
        yield f"{show(path)}: expected {name}, got {_NAMES.get(type(value), 'map')}"
        return
    yield from _undeclared(value, schema, path)
    yield from _duplicates(value, schema, path)
    if isinstance(value, list) and is_atomic(value, schema):
        return
    for element, item, child in children(value, schema):
        yield from untyped(item, child, (*path, element))


def _undeclared(value: Any, schema: JsonObject, path: tuple[str, ...]) -> Iterator[str]:
    for name in value if isinstance(value, dict) else ():
        if child_schema(schema, name) is None:
            yield f"{show((*path, f'f:{name}'))}: field not declared in schema"


def _duplicates(value: Any, schema: JsonObject, path: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(value, list) or is_atomic(value, schema):
        return
    seen = set()
    for item in value:
        element = item_element(item, schema)
        if element in seen:
            yield f"{show(path)}: duplicate entries for key {show((element,))}"
        seen.add(element)
