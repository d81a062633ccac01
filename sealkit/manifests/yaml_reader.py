"""YAML text of one document to a tree, safe against hostile input.

The tree is built straight from libyaml's events in one pass: its composer recurses in C and
crashes the process on deep nesting, its event parser does not recurse at all. Depth and number of
nodes are counted as the events come, so that nothing grows before it is refused.

Plain scalars resolve as in Kubernetes, whose YAML is go-yaml v2 (sigs.k8s.io/yaml): YAML 1.1
booleans (`yes`, `on`, `y` …), 0-octal, `_` in numbers; but dates and base-60 numbers are strings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

from sealkit.errors import ManifestError
from sealkit.manifests.pyyaml import yaml
from sealkit.manifests.tree import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_NODES,
    Entry,
    MappingNode,
    Node,
    Scalar,
    SequenceNode,
    refusal,
)

# The stubs let an event lack its marks and its kind be anything; libyaml's events never do.
_Event = Any

_QUOTE_IT: Final = "put it in quotes"
_TAG: Final = "tag:yaml.org,2002:"
_NUMBER_START: Final = frozenset("+-.0123456789")
_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_RESOLVABLE: Final = _NUMBER_START | {word[0] for word in _WORDS if word}
_INTEGER: Final = re.compile(
    r"([-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(0|[1-9][0-9]*))"
)
_BASES: Final = {"hex": 16, "bin": 2, "oct": 8, None: 10}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAGGED_TYPES: Final[dict[str, tuple[type, ...]]] = {
    _TAG + "int": (int,),
    _TAG + "float": (float, int),
    _TAG + "bool": (bool,),
    _TAG + "null": (type(None),),
}


def read_yaml(text: str, start: int, end: int) -> tuple[bool, Node | None]:
    """Read the one document in `text[start:end]`: whether there is one, and its tree.

    The tree is None for an empty document. Text without a document holds comments at most.

    Raises:
        ManifestError: not YAML, more than one document, or one of the refusals above.
    """
    return _Reader(text, start, end).document()


def resolve(text: str) -> str | int | float | bool | None:
    """Return what a plain scalar means.

    Raises:
        ValueError: an integer of more than `MAX_DIGITS` digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMBER_START else text


def _number(text: str) -> str | int | float:
    digits = text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match:
        if len(digits) > MAX_DIGITS:
            raise ValueError("too many digits")
        kind = match.lastgroup
        return int(match[1] + (match[kind] if kind else match[match.lastindex or 0]), _BASES[kind])
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return text if math.isinf(number) else number
    return text


class _Reader:
    """Walks the events of one document."""

    __slots__ = ("_next", "_nodes", "_path", "_start", "_text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._start = start
        self._path: list[str] = []
        self._nodes = 0
        self._next: Callable[[], _Event] = yaml.CSafeLoader(text[start:end]).get_event

    def document(self) -> tuple[bool, Node | None]:
        """Return whether there is a document, and its tree."""
        try:
            return self._document()
        except yaml.YAMLError as error:
            raise self._syntax(error) from error

    def _document(self) -> tuple[bool, Node | None]:
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            return False, None
        root = self._node(self._next())
        self._next()  # the end of the document
        event = self._next()
        # The split at "---" lines and libyaml must agree, or a document would be lost unseen.
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._refuse(event, 'another document begins without a "---" line')
        if isinstance(root, Scalar) and root.start == root.end:
            return True, None
        return True, root

    def _node(self, event: _Event) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        self._admit(event)
        if len(self._path) >= MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event)
        return self._sequence(event)

    def _admit(self, event: _Event) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._refuse(event, f"more than {MAX_NODES:,} values in one document")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._refuse(event, "anchors and aliases are not allowed", "write it out")

    def _scalar(self, event: _Event) -> Scalar:
        self._nodes += 1
        if self._nodes > MAX_NODES or event.anchor is not None:
            self._admit(event)  # raises
        value: str | int | float | bool | None = event.value
        style = event.style or ""
        if event.tag is not None:
            value = self._tagged(event)
        elif not style and (not event.value or event.value[0] in _RESOLVABLE):
            value = self._resolved(event)
        start = self._start  # as in _begin_of and _end_of: this is where a reader spends its time
        return Scalar(value, start + event.start_mark.index, start + event.end_mark.index, style)

    def _resolved(self, event: _Event) -> str | int | float | bool | None:
        try:
            return resolve(event.value)
        except ValueError as error:
            raise self._refuse(event, "a number of too many digits", _QUOTE_IT) from error

    def _tagged(self, event: _Event) -> str | int | float | bool | None:
        if event.tag in ("!", _TAG + "str"):
            text: str = event.value
            return text
        types = _TAGGED_TYPES.get(event.tag)
        value = self._resolved(event)
        if types is None or not isinstance(value, types) or event.style:
            raise self._refuse(event, "a tag that is not allowed here", "leave the tag out")
        return float(value) if float in types and isinstance(value, int) else value

    def _mapping(self, start: _Event) -> MappingNode:
        self._check_tag(start, "map")
        entries: dict[str, Entry] = {}
        end = 0
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key, name = self._key(event, entries)
            self._path.append(name)
            value = self._node(self._next())
            self._path.pop()
            entries[name] = Entry(key, value)
            end = value.end
        if start.flow_style:
            end = self._end_of(event)
        return MappingNode(entries, self._begin_of(start), end, bool(start.flow_style))

    def _key(self, event: _Event, entries: dict[str, Entry]) -> tuple[Scalar, str]:
        # Not read as a node: keys could nest in keys, unseen by the count of levels.
        key = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
        if key is None or not isinstance(key.value, str):
            raise self._refuse(event, "a key that is not a string", _QUOTE_IT)
        if key.value == "<<" and not key.style:
            raise self._refuse(event, "merge keys are not allowed", "write it out")
        if key.value in entries:
            self._path.append(key.value)
            raise self._refuse(event, "the key is there twice", "remove one of them")
        return key, key.value

    def _sequence(self, start: _Event) -> SequenceNode:
        self._check_tag(start, "seq")
        items: list[Node] = []
        begin = self._begin_of(start)
        end = begin + 1
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            self._path.append(f"[{len(items)}]")
            items.append(self._node(event))
            self._path.pop()
            end = items[-1].end
        if start.flow_style:
            end = self._end_of(event)
        return SequenceNode(items, begin, end, bool(start.flow_style))

    def _begin_of(self, event: _Event) -> int:
        index: int = event.start_mark.index
        return self._start + index

    def _end_of(self, event: _Event) -> int:
        index: int = event.end_mark.index
        return self._start + index

    def _check_tag(self, event: _Event, kind: str) -> None:
        if event.tag not in (None, "!", _TAG + kind):
            raise self._refuse(event, "a tag that is not allowed here", "leave the tag out")

    def _refuse(self, event: _Event, problem: str, hint: str = "") -> ManifestError:
        index = self._begin_of(event)
        return refusal(self._text, index, problem, path=self._path, hint=hint)

    def _syntax(self, error: yaml.YAMLError) -> ManifestError:
        # libyaml's own sentences are fixed texts; the rest of `str(error)` could quote a value.
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "a character that is not allowed"
        index = mark.index if mark else getattr(error, "position", 0)
        return refusal(self._text, self._start + index, f"not YAML: {problem}", path=self._path)
