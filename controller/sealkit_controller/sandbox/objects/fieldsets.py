"""Sets of field paths: what `managedFields` records and server-side apply computes with.

A path is a tuple of elements as `fieldsV1` spells them: `f:<name>`, `k:<keys as JSON>` for an item
of a keyed list, `v:<value as JSON>` for an item of a set. The rules for lists and maps are those of
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sealkit_controller.sandbox.objects.schema import child_schema, item_schema
from sealkit_controller.sandbox.objects.status import JsonObject

Path = tuple[str, ...]
FieldSet = frozenset[Path]
NOTHING: FieldSet = frozenset()


@dataclass(frozen=True)
class Comparison:
    """How one object differs from another, each path in one set at most."""

    removed: FieldSet
    changed: FieldSet  # modified or added


def encode(fields: FieldSet) -> JsonObject:
    """Return the `fieldsV1` document of a set."""
    root: JsonObject = {}
    for path in sorted(fields):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _without_leaf_marks(root)


def _without_leaf_marks(node: JsonObject) -> JsonObject:
    if node.keys() == {"."}:
        return {}
    return {name: _without_leaf_marks(child) if child else {} for name, child in node.items()}


def decode(document: JsonObject) -> FieldSet:
    """Return the set that a `fieldsV1` document describes."""
    return frozenset(_decode(document, ()))


def _decode(node: JsonObject, path: Path) -> Iterator[Path]:
    if not node and path:
        yield path
    for element, child in node.items():
        if element == ".":
            yield path
        else:
            yield from _decode(child, (*path, element))


def with_prefixes(fields: Iterable[Path]) -> set[Path]:
    """Return the paths and everything that contains them."""
    return {path[:length] for path in fields for length in range(1, len(path) + 1)}


def show(path: Path) -> str:
    """Return a path as conflict messages show it, such as `.data.password`."""
    return "".join(_show_element(element) for element in path)


def _show_element(element: str) -> str:
    kind, _, text = element.partition(":")
    if kind == "f":
        return f".{text}"
    if kind == "v":
        return f"[={text}]"
    keys = json.loads(text)
    return "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in keys.items()) + "]"


def is_atomic(value: Any, schema: JsonObject) -> bool:
    """Return whether a value is owned as a whole."""
    if isinstance(value, dict):
        return schema.get("x-kubernetes-map-type") == "atomic"
    if isinstance(value, list):
        return schema.get("x-kubernetes-list-type") not in {"map", "set"}
    return True


def item_element(item: Any, schema: JsonObject) -> str:
    """Return the path element of an item in a list of type `map` or `set`."""
    if schema.get("x-kubernetes-list-type") == "set":
        return "v:" + json.dumps(item, separators=(",", ":"))
    items = item_schema(schema).get("properties") or {}
    keys = {}
    for name in sorted(schema.get("x-kubernetes-list-map-keys") or ()):
        value = item.get(name, items.get(name, {}).get("default"))
        if value is not None:
            keys[name] = value
    return "k:" + json.dumps(keys, separators=(",", ":"))


def children(value: Any, schema: JsonObject) -> Iterator[tuple[str, Any, JsonObject]]:
    """Yield path element, value and schema of everything directly inside a value that has parts."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield f"f:{name}", item, child_schema(schema, name) or {}
    elif isinstance(value, list):
        items = item_schema(schema)
        for item in value:
            yield item_element(item, schema), item, items


def fields_of(value: Any, schema: JsonObject) -> FieldSet:
    """Return the paths that an applied configuration claims."""
    return frozenset(_claims(value, schema, ()))


def _claims(value: Any, schema: JsonObject, path: Path) -> Iterator[Path]:
    named = schema.get("properties") or {}
    for element, item, child in children(value, schema):
        place = (*path, element)
        leaf = is_atomic(item, child) or item == {}
        # Items of maps and lists are members themselves; named fields exist through their content.
        if leaf or isinstance(value, list) or element[2:] not in named:
            yield place
        if not leaf:
            yield from _claims(item, child, place)


def compare(old: Any, new: Any, schema: JsonObject) -> Comparison:
    """Return what has to change in `old` to get `new`."""
    walk = _Walk(set(), set())
    walk.compare(old, new, schema, ())
    return Comparison(frozenset(walk.removed), frozenset(walk.changed))


_ABSENT = object()


@dataclass(frozen=True)
class _Walk:
    removed: set[Path]
    changed: set[Path]

    def compare(self, old: Any, new: Any, schema: JsonObject, path: Path) -> None:
        if old is _ABSENT or new is _ABSENT:
            self._one_sided(old if new is _ABSENT else new, schema, path, gone=new is _ABSENT)
        elif _is_leaf(old, new, schema):
            if old != new:
                self.changed.add(path)
        else:
            self._descend(old, new, schema, path)

    def _descend(self, old: Any, new: Any, schema: JsonObject, path: Path) -> None:
        left = {element: item for element, item, _ in children(old, schema)}
        for element, item, child in children(new, schema):
            before = left.pop(element, _ABSENT)
            if before is _ABSENT or before != item:
                self.compare(before, item, child, (*path, element))
        for element, item, child in children(old, schema):
            if element in left:
                self.compare(item, _ABSENT, child, (*path, element))

    def _one_sided(self, value: Any, schema: JsonObject, path: Path, *, gone: bool) -> None:
        (self.removed if gone else self.changed).add(path)
        if not is_atomic(value, schema):
            for element, item, child in children(value, schema):
                self._one_sided(item, child, (*path, element), gone=gone)


def _is_leaf(old: Any, new: Any, schema: JsonObject) -> bool:
    if type(old) is not type(new):
        return True
    return is_atomic(new, schema) or not (old or new)
