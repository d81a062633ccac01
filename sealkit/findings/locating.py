"""From the dotted path of a field to its line and column."""

from __future__ import annotations

import re
from typing import Final

from sealkit.findings.finding import Place
from sealkit.manifests.documents import Resource
from sealkit.manifests.tree import MappingNode, Node, SequenceNode, position

_ITEM: Final = re.compile(r"\[([0-9]+)\]")


def place_in(resource: Resource, field: str = "", subject: str = "") -> Place:
    """Return the place of a field of an object; of what is around it, where it is missing.

    `field` is as errors have it, seen from the object: keys with dots in them are found too.
    """
    document = resource.document
    line, column = position(document.text, _index(resource.node, field))
    name = ".".join(part for part in (resource.field, field) if part)
    return Place(document.file, document.number, line, column, name, subject)


def _index(node: Node, path: str) -> int:
    """Walk as far as the path leads, and return where the last key on it begins."""
    index = node.start
    while path:
        step = _step(node, path)
        if step is None:
            break
        index, node, path = step
    return index


def _step(node: Node, path: str) -> tuple[int, Node, str] | None:
    if isinstance(node, MappingNode):
        keys = (
            key for key in node.entries if path == key or path.startswith((f"{key}.", f"{key}["))
        )
        key = max(keys, key=len, default=None)
        if key is None:
            return None
        entry = node.entries[key]
        return entry.key.start, entry.value, path[len(key) :].removeprefix(".")
    match = _ITEM.match(path)
    if isinstance(node, SequenceNode) and match and int(match[1]) < len(node.items):
        item = node.items[int(match[1])]
        return item.start, item, path[match.end() :].removeprefix(".")
    return None
