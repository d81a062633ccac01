"""YAML and JSON as they come: what `manifests` refuses for good reasons is read here.

Anchors, merge keys, tags, duplicate keys, and texts that Kubernetes would take for numbers: every
scalar is the text that stands there. Safe on any input: depth and number of nodes are limited.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from sealkit.errors import ManifestError
from sealkit.manifests.json_reader import read_json
from sealkit.manifests.tree import MappingNode, Scalar
from sealkit.manifests.tree import Node as StrictNode

MAX_DEPTH: Final = 100
MAX_NODES: Final = 300_000

_Event = Any  # the stubs let events lack their marks


class Text(NamedTuple):
    """A scalar; `style` is what opens it, one of `'"|>`, empty for a plain one."""

    value: str
    start: int
    end: int
    style: str


class Map(NamedTuple):
    """A mapping in its order, keys that are no scalars left out; a key may be there twice."""

    pairs: list[tuple[Text, Node]]
    start: int

    def get(self, name: str) -> Node | None:
        """Return the first value under a key."""
        return next((value for key, value in self.pairs if key.value == name), None)

    def text(self, *path: str) -> str:
        """Return the scalar at a path, "" if there is none."""
        node: Node | None = self
        for name in path:
            node = node.get(name) if isinstance(node, Map) else None
        return node.value if isinstance(node, Text) else ""


class Seq(NamedTuple):
    """A sequence."""

    items: list[Node]
    start: int


Node = Text | Map | Seq


class _TooMuch(Exception):  # noqa: N818 (never leaves the module)
    """Deeper or larger than anything that is written for Kubernetes."""


def read(text: str) -> list[Node] | None:
    """Return the documents of a text, None if it is neither YAML nor JSON."""
    try:
        return list(_Reader(text).roots())
    except (yaml.YAMLError, _TooMuch):
        pass
    try:
        is_json = text.lstrip()[:1] in ("{", "[")
        return [_of_json(node) for node in read_json(text, 0, len(text))] if is_json else None
    except ManifestError:
        return None


def _of_json(node: StrictNode) -> Node:
    if isinstance(node, Scalar):
        value = node.value if isinstance(node.value, str) else ""
        return Text(value, node.start, node.end, node.style)
    if isinstance(node, MappingNode):
        entries = node.entries.items()
        pairs = [
            (Text(name, entry.key.start, entry.key.end, '"'), _of_json(entry.value))
            for name, entry in entries
        ]
        return Map(pairs, node.start)
    return Seq([_of_json(item) for item in node.items], node.start)


class _Reader:
    """Builds trees from libyaml's events, which do not recurse."""

    __slots__ = ("_anchors", "_count", "_depth", "_next")

    def __init__(self, text: str) -> None:
        self._next = yaml.CSafeLoader(text).get_event
        self._anchors: dict[str, Node] = {}
        self._count = 0
        self._depth = 0

    def roots(self) -> Iterator[Node]:
        """Yield the root of each document."""
        while not isinstance(event := self._event(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                yield self._node(self._event())

    def _event(self) -> _Event:
        self._count += 1
        if self._count > MAX_NODES:
            raise _TooMuch
        return self._next()

    def _node(self, event: _Event) -> Node:
        if isinstance(event, AliasEvent):
            return self._anchors.get(event.anchor or "", Text("", 0, 0, ""))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooMuch
        node = self._built(event)
        self._depth -= 1
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _built(self, event: _Event) -> Node:
        start: int = event.start_mark.index
        end: int = event.end_mark.index
        if isinstance(event, ScalarEvent):
            return Text(event.value, start, end, event.style or "")
        if isinstance(event, SequenceStartEvent):
            return Seq(list(self._items()), start)
        return Map(list(self._pairs()), start)

    def _items(self) -> Iterator[Node]:
        while not isinstance(event := self._event(), SequenceEndEvent):
            yield self._node(event)

    def _pairs(self) -> Iterator[tuple[Text, Node]]:
        while not isinstance(event := self._event(), MappingEndEvent):
            key = self._node(event)
            value = self._node(self._event())
            if isinstance(key, Text) and key.value == "<<" and not isinstance(value, Text):
                yield from self._merged(value)
            elif isinstance(key, Text):
                yield key, value

    def _merged(self, value: Map | Seq) -> Iterator[tuple[Text, Node]]:
        for one in value.items if isinstance(value, Seq) else [value]:
            if isinstance(one, Map):
                self._count += len(one.pairs)  # or merges of merges would double without end
                yield from one.pairs
