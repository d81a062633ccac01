"""YAML values to the same trees as JSON, safe against hostile input.

Built from libyaml's events, because its composer recurses in C and dies of deep nesting. Plain
scalars mean what the YAML 1.2 core schema says, as far as JSON can say it: `yes` is a string.
Anchors, aliases, tags and a name that comes twice are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import yaml
from yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from sealkit.references.jsontree import MAX_DEPTH, Number, Read, Tree

_Event = Any  # the stubs leave out what an event has

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def read(text: str) -> Read | None:
    """Read `text` that is one YAML document, or None; no reason, since reasons carry the text."""
    with suppress(yaml.YAMLError, ValueError):
        return Read(_Reader(text).document(), len(text))
    return None


class _Reader:
    """Walks the events of one document; ValueError for all that is refused."""

    __slots__ = ("_next",)

    def __init__(self, text: str) -> None:
        self._next: Callable[[], _Event] = yaml.CSafeLoader(text).get_event

    def document(self) -> Tree:
        self._next()  # the start of the stream
        start = self._next()
        if isinstance(start, StreamEndEvent):
            return None
        root = self._node(self._next(), 0)
        self._next()  # the end of the document
        if isinstance(self._next(), StreamEndEvent):
            return root
        raise ValueError

    def _node(self, event: _Event, depth: int) -> Tree:
        if event.anchor or event.tag or depth > MAX_DEPTH:  # an alias has an anchor
            raise ValueError
        if isinstance(event, MappingStartEvent):
            return self._mapping(depth)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(depth)
        return _scalar(event)

    def _mapping(self, depth: int) -> Tree:
        entries: dict[str, Tree] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.value in entries:
                raise ValueError
            entries[event.value] = self._node(self._next(), depth + 1)
        return entries

    def _sequence(self, depth: int) -> Tree:
        items: list[Tree] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items


def _scalar(event: _Event) -> Tree:
    text: str = event.value
    if event.style:  # quoted, or a block of text
        return text
    if text in _WORDS:
        return _WORDS[text]
    return Number(text) if _NUMBER.fullmatch(text) else text
