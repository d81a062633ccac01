"""Server-side apply: merge a configuration into an object and take out what it no longer holds."""

from __future__ import annotations

from typing import Any

from sealkit_controller.sandbox.objects.fieldsets import (
    FieldSet,
    Path,
    children,
    is_atomic,
    item_element,
    with_prefixes,
)
from sealkit_controller.sandbox.objects.schema import child_schema, item_schema
from sealkit_controller.sandbox.objects.status import JsonObject


def merge(live: Any, config: Any, schema: JsonObject) -> Any:
    """Return `live` with everything that `config` names set to what it says; nothing is removed."""
    if type(live) is not type(config) or is_atomic(config, schema):
        return config
    if isinstance(config, dict):
        return _merge_map(live, config, schema)
    return _merge_list(live, config, schema)


def _merge_map(live: JsonObject, config: JsonObject, schema: JsonObject) -> JsonObject:
    result = dict(live)
    for name, value in config.items():
        child = child_schema(schema, name) or {}
        result[name] = merge(live[name], value, child) if name in live else value
    return result


def _merge_list(live: list[Any], config: list[Any], schema: JsonObject) -> list[Any]:
    """Merge by identity, in the order of `config`; what only `live` has stays where it was."""
    items = item_schema(schema)
    old = {item_element(item, schema): item for item in live}
    new = {item_element(item, schema): item for item in config}
    result: list[Any] = []
    waiting = list(new)
    for element, item in old.items():
        if element not in new:
            result.append(item)
        elif element in waiting:
            until = waiting.index(element) + 1
            due, waiting = waiting[:until], waiting[until:]
            result += [merge(old[one], new[one], items) if one in old else new[one] for one in due]
    return result + [
        merge(old[one], new[one], items) if one in old else new[one] for one in waiting
    ]


def drop_abandoned(merged: Any, schema: JsonObject, last: FieldSet, owned: FieldSet) -> Any:
    """Return `merged` without the fields that were in `last` and that nobody owns any more."""
    abandoned = with_prefixes(last) - with_prefixes(owned)
    if not abandoned:
        return merged
    return _without(merged, schema, (), abandoned)


def _without(value: Any, schema: JsonObject, path: Path, abandoned: set[Path]) -> Any:
    if is_atomic(value, schema):
        return value
    kept = [
        (element, _without(item, child, (*path, element), abandoned))
        for element, item, child in children(value, schema)
        if (*path, element) not in abandoned
    ]
    if isinstance(value, list):
        return [item for _, item in kept]
    return {element[2:]: item for element, item in kept}
