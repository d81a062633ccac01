"""Validation of a value against a structural schema, with the causes the real server reports."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from sealkit_controller.sandbox.objects.schema import EMBEDDED, child_schema, item_schema
from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    duplicate_value,
    invalid_value,
    required_value,
    shown,
    too_long,
    too_many,
    unsupported_value,
    wrong_type,
)
from sealkit_controller.sandbox.objects.times import is_micro_time, is_rfc3339

_ANY_TEXT = {"type": "string"}  # most values are, so this is asked first
INT_OR_STRING = "x-kubernetes-int-or-string"
_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": is_rfc3339,
    "micro-time": is_micro_time,
}


def validate(value: Any, schema: JsonObject, path: str = "") -> Iterator[Cause]:
    """Yield every way in which `value` breaks `schema`, outermost first."""
    if isinstance(value, str) and schema == _ANY_TEXT:
        return
    if value is None:
        if not schema.get("nullable"):
            yield from _check_type(value, schema, path)
        return
    wrong = list(_check_type(value, schema, path))
    yield from wrong
    if not wrong:
        yield from _check_enum(value, schema, path)
        for types, check in _CHECKS:
            if isinstance(value, types) and not isinstance(value, bool):
                yield from check(value, schema, path)
        yield from _check_choices(value, schema, path)


_TYPE_NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def _type_of(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return "integer"
    return _TYPE_NAMES[type(value)]


def _check_type(value: Any, schema: JsonObject, path: str) -> Iterator[Cause]:
    found = _type_of(value)
    if schema.get(INT_OR_STRING):
        if found not in {"integer", "string"}:
            yield wrong_type(
                path, found, f'{path} in body must be of type integer,string: "{found}"'
            )
        return
    wanted = schema.get("type")
    if wanted and found != wanted and (found, wanted) != ("integer", "number"):
        yield wrong_type(path, found, f'{path} in body must be of type {wanted}: "{found}"')


def _check_enum(value: Any, schema: JsonObject, path: str) -> Iterator[Cause]:
    options = schema.get("enum")
    if options and value not in options:
        texts = [option if isinstance(option, str) else shown(option) for option in options]
        yield unsupported_value(path, value, texts)


def _check_string(value: str, schema: JsonObject, path: str) -> Iterator[Cause]:
    check = _FORMATS.get(schema.get("format", ""))
    pattern = schema.get("pattern")
    if len(value) > schema.get("maxLength", math.inf):
        yield too_long(path, schema["maxLength"])
    elif len(value) < schema.get("minLength", 0):
        detail = f"{path} in body should be at least {schema['minLength']} chars long"
        yield invalid_value(path, value, detail)
    elif pattern and not _compiled(pattern).search(value):
        yield invalid_value(path, value, f"{path} in body should match '{pattern}'")
    if check and not check(value):
        detail = f'{path} in body must be of type {schema["format"]}: "{value}"'
        yield wrong_type(path, value, detail)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Go's `$` matches only at the very end of the text, Python's also before a final newline.
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))


def _check_number(value: float, schema: JsonObject, path: str) -> Iterator[Cause]:
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    if value > high or (value == high and schema.get("exclusiveMaximum")):
        bound = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield invalid_value(path, value, f"{path} in body should be {bound} {high}")
    if value < low or (value == low and schema.get("exclusiveMinimum")):
        bound = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield invalid_value(path, value, f"{path} in body should be {bound} {low}")
    factor = schema.get("multipleOf")
    if factor and value % factor:
        yield invalid_value(path, value, f"{path} in body should be a multiple of {factor}")


def _check_list(value: list[Any], schema: JsonObject, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxItems", math.inf):
        yield too_many(path, len(value), schema["maxItems"])
    if len(value) < schema.get("minItems", 0):
        detail = f"{path} in body should have at least {schema['minItems']} items"
        yield invalid_value(path, len(value), detail)
    items = item_schema(schema)
    for index, item in enumerate(value):
        yield from validate(item, items, f"{path}[{index}]")
    yield from _check_unique(value, schema, path)


def _check_unique(value: list[Any], schema: JsonObject, path: str) -> Iterator[Cause]:
    """Items of a list of type `set` or `map` are identified by value or by their keys."""
    kind = schema.get("x-kubernetes-list-type")
    if kind not in {"set", "map"}:
        return
    seen: set[str] = set()
    names = schema.get("x-kubernetes-list-map-keys") or []
    for index, item in enumerate(value):
        identity = {name: item.get(name) for name in names} if kind == "map" else item
        if shown(identity) in seen:
            yield duplicate_value(f"{path}[{index}]", identity)
        seen.add(shown(identity))


def _check_map(value: JsonObject, schema: JsonObject, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxProperties", math.inf):
        yield too_many(path, len(value), schema["maxProperties"])
    if len(value) < schema.get("minProperties", 0):
        detail = f"{path} in body should have at least {schema['minProperties']} properties"
        yield invalid_value(path, len(value), detail)
    for name in schema.get("required") or ():
        if name not in value:
            yield required_value(f"{path}.{name}" if path else name)
    yield from _check_fields(value, schema, path)
    if path and schema.get(EMBEDDED):
        yield from _check_embedded(value, path)


def _check_fields(value: JsonObject, schema: JsonObject, path: str) -> Iterator[Cause]:
    for name in sorted(value):
        child = child_schema(schema, name)
        if child and (path or name != "metadata"):  # the metadata of the root has its own rules
            yield from validate(value[name], child, f"{path}.{name}" if path else name)


def _check_embedded(value: JsonObject, path: str) -> Iterator[Cause]:
    for name in ("apiVersion", "kind"):
        if not value.get(name):
            yield required_value(f"{path}.{name}", "must not be empty")


def _check_choices(value: Any, schema: JsonObject, path: str) -> Iterator[Cause]:
    """Check `allOf`, `anyOf`, `oneOf` and `not`, which add rules but no fields."""
    for part in schema.get("allOf") or ():
        yield from validate(value, part, path)
    any_of = schema.get("anyOf")
    if any_of and not any(_fits(value, part, path) for part in any_of):
        detail = f"{path} in body must validate at least one schema (anyOf)"
        yield invalid_value(path, value, detail)
    one_of = schema.get("oneOf")
    if one_of and sum(_fits(value, part, path) for part in one_of) != 1:
        detail = f"{path} in body must validate one and only one schema (oneOf)"
        yield invalid_value(path, value, detail)
    if schema.get("not") and _fits(value, schema["not"], path):
        yield invalid_value(path, value, f"{path} in body must not validate the schema (not)")


def _fits(value: Any, schema: JsonObject, path: str) -> bool:
    return not any(True for _ in validate(value, schema, path))


_CHECKS: tuple[tuple[type | tuple[type, ...], Callable[..., Iterator[Cause]]], ...] = (
    (str, _check_string),
    ((int, float), _check_number),
    (list, _check_list),
    (dict, _check_map),
)
