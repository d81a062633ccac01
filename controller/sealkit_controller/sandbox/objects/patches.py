"""JSON merge patch (RFC 7386), JSON patch (RFC 6902) and strategic merge patch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from sealkit_controller.sandbox.objects.schema import child_schema
from sealkit_controller.sandbox.objects.status import JsonObject, StatusError


def merge_patch(target: Any, patch: Any) -> Any:
    """Return `target` with `patch` merged in: null removes, maps merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def strategic_merge_patch(target: Any, patch: Any, schema: JsonObject) -> Any:
    """Return `target` with `patch` merged in, lists by their merge key where the schema has one.

    Understands `$patch: delete|replace`, `$setElementOrder/…` (ignored: order is kept) and
    `$deleteFromPrimitiveList/…`; lists without a merge key are replaced.
    """
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if name.startswith("$"):
            _directive(result, name, value)
        elif value is None:
            result.pop(name, None)
        else:
            child = child_schema(schema, name) or {}
            result[name] = _merge_field(result.get(name), value, child)
    return result


def _directive(result: JsonObject, name: str, value: Any) -> None:
    directive, _, field = name.partition("/")
    if directive == "$deleteFromPrimitiveList":
        result[field] = [item for item in result.get(field) or [] if item not in value]
    elif directive == "$retainKeys":
        for extra in set(result) - set(value):
            del result[extra]


def _merge_field(target: Any, patch: Any, schema: JsonObject) -> Any:
    if isinstance(patch, list):
        keys = schema.get("x-kubernetes-list-map-keys")
        if keys:
            return _merge_list(target or [], patch, keys[0], schema.get("items") or {})
        if schema.get("x-kubernetes-list-type") == "set":
            return [*patch, *(item for item in target or [] if item not in patch)]
        return patch
    return strategic_merge_patch(target, patch, schema)


def _merge_list(target: list[Any], patch: list[Any], key: str, schema: JsonObject) -> list[Any]:
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    result = {item.get(key): item for item in target}
    for item in patch:
        if item.get("$patch") == "delete":
            result.pop(item.get(key), None)
        else:
            result[item.get(key)] = strategic_merge_patch(result.get(item.get(key)), item, schema)
    return list(result.values())


def json_patch(target: Any, operations: Any) -> Any:
    """Return `target` after the operations, all of them or an error.

    Raises:
        StatusError: 422, an operation is malformed or cannot be carried out.
    """
    document = copy.deepcopy(target)
    for operation in operations:
        document = _apply(document, operation)
    return document


def _apply(document: Any, operation: JsonObject) -> Any:
    name, path = operation.get("op"), operation.get("path")
    function = _OPERATIONS.get(str(name))
    if function is None or not isinstance(path, str):
        raise StatusError(422, "Invalid", _REFUSED)
    try:
        return function(document, path, operation)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise StatusError(422, "Invalid", _REFUSED) from error


_REFUSED = "the server rejected our request due to an error in our request"


def _split(path: str) -> list[str]:
    if path == "":
        return []
    if not path.startswith("/"):
        raise ValueError(path)
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


def _step(value: Any, token: str) -> Any:
    return value[_index(token, len(value) - 1)] if isinstance(value, list) else value[token]


def _index(token: str, largest: int) -> int:
    index = int(token)
    if not 0 <= index <= largest or token != str(index):
        raise IndexError(token)
    return index


def _get(document: Any, path: str) -> Any:
    for token in _split(path):
        document = _step(document, token)
    return document


def _parent(document: Any, path: str) -> tuple[Any, str]:
    *ancestors, last = _split(path)
    for token in ancestors:
        document = _step(document, token)
    return document, last


def _put(document: Any, path: str, value: Any) -> Any:
    if path == "":
        return value
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent)), value)
    else:
        parent[last] = value
    return document


def _remove(document: Any, path: str, _operation: JsonObject | None = None) -> Any:
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        del parent[_index(last, len(parent) - 1)]
    else:
        del parent[last]
    return document


def _add(document: Any, path: str, operation: JsonObject) -> Any:
    return _put(document, path, copy.deepcopy(operation["value"]))


def _replace(document: Any, path: str, operation: JsonObject) -> Any:
    _get(document, path)
    if path == "":
        return copy.deepcopy(operation["value"])
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        parent[_index(last, len(parent) - 1)] = copy.deepcopy(operation["value"])
    else:
        parent[last] = copy.deepcopy(operation["value"])
    return document


def _move(document: Any, path: str, operation: JsonObject) -> Any:
    value = _get(document, operation["from"])
    return _put(_remove(document, operation["from"]), path, value)


def _copy(document: Any, path: str, operation: JsonObject) -> Any:
    return _put(document, path, copy.deepcopy(_get(document, operation["from"])))


def _test(document: Any, path: str, operation: JsonObject) -> Any:
    try:
        found = _get(document, path)
    except (KeyError, IndexError, TypeError):
        found = None
    if found != operation.get("value"):
        raise StatusError(422, "Invalid", _REFUSED)
    return document


_OPERATIONS: dict[str, Callable[[Any, str, JsonObject], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
