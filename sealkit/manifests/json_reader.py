"""JSON text (RFC 8259) to the same trees, with places, and nothing but JSON.

YAML parsers read most JSON, but not all of it (tabs, long keys, escaped surrogate pairs), and more
than JSON. Depth and number of values are limited as in YAML.
"""

from __future__ import annotations

import json
import math
import re
from typing import Final

from sealkit.errors import ManifestError
from sealkit.manifests.tree import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_DOCUMENTS,
    MAX_NODES,
    Entry,
    MappingNode,
    Node,
    Scalar,
    SequenceNode,
    refusal,
)

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_STRING: Final = re.compile(r'"([^"\\\x00-\x1f]*)((?:\\[^\x00-\x1f][^"\\\x00-\x1f]*)*)"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD: Final = re.compile(r"true|false|null")
_WORDS: Final = {"true": True, "false": False, "null": None}


def read_json(text: str, start: int, end: int) -> list[Node]:
    """Read all values in `text[start:end]`; several may follow each other, as in a stream.

    Raises:
        ManifestError: not JSON, a key twice, a limit exceeded, a string that is not Unicode.
    """
    return _Reader(text, start, end).values()


class _Reader:
    """A cursor over the text."""

    __slots__ = ("_at", "_end", "_nodes", "_path", "_text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._at = start
        self._end = end
        self._nodes = 0
        self._path: list[str] = []

    def values(self) -> list[Node]:
        """Return every value up to the end."""
        found: list[Node] = []
        while self._peek():
            if len(found) >= MAX_DOCUMENTS:
                raise self._refuse(f"more than {MAX_DOCUMENTS:,} documents")
            self._nodes = 0
            found.append(self._value())
        return found

    def _peek(self) -> str:
        """Skip white space and return the next character, or nothing at the end."""
        here = self._text[self._at : min(self._at + 1, self._end)]
        if here not in " \t\r\n":
            return here
        match = _SPACE.match(self._text, self._at, self._end)
        self._at = match.end() if match else self._at
        return self._text[self._at : min(self._at + 1, self._end)]

    def _take(self, wanted: str, expected: str) -> None:
        if self._peek() != wanted:
            raise self._refuse(f"not JSON: expected {expected}")
        self._at += 1

    def _value(self) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._refuse(f"more than {MAX_NODES:,} values in one document")
        opening = self._peek()
        if opening == '"':
            return self._string()
        if opening and opening in "{[" and len(self._path) >= MAX_DEPTH:
            raise self._refuse(f"nested deeper than {MAX_DEPTH} levels")
        if opening == "{":
            return self._mapping()
        if opening == "[":
            return self._sequence()
        return self._literal()

    def _mapping(self) -> MappingNode:
        start = self._at
        self._at += 1
        entries: dict[str, Entry] = {}
        more = self._peek() != "}"
        while more:
            key, name = self._key(entries)
            self._take(":", '":" after the key')
            self._path.append(name)
            entries[name] = Entry(key, self._value())
            self._path.pop()
            more = self._peek() == ","
            self._at += more
        self._take("}", '"," or "}"')
        return MappingNode(entries, start, self._at, flow=True)

    def _key(self, entries: dict[str, Entry]) -> tuple[Scalar, str]:
        if self._peek() != '"':
            raise self._refuse("not JSON: expected a key in double quotes")
        key = self._string()
        name = str(key.value)
        if name in entries:
            self._at = key.start
            self._path.append(name)
            raise self._refuse("the key is there twice", "remove one of them")
        return key, name

    def _sequence(self) -> SequenceNode:
        start = self._at
        self._at += 1
        items: list[Node] = []
        more = self._peek() != "]"
        while more:
            self._path.append(f"[{len(items)}]")
            items.append(self._value())
            self._path.pop()
            more = self._peek() == ","
            self._at += more
        self._take("]", '"," or "]"')
        return SequenceNode(items, start, self._at, flow=True)

    def _string(self) -> Scalar:
        match = _STRING.match(self._text, self._at, self._end)
        if match is None:
            raise self._refuse("not JSON: a string that is not closed or holds a control character")
        value = match[1] if not match[2] else self._unescaped(match[0])
        start, self._at = match.span()
        return Scalar(value, start, self._at, '"')

    def _unescaped(self, source: str) -> str:
        try:
            value = str(json.loads(source))
            value.encode()
        except json.JSONDecodeError as error:
            raise self._refuse("not JSON: an escape that does not exist") from error
        except UnicodeEncodeError as error:
            raise self._refuse("half of a surrogate pair, which is no character") from error
        return value

    def _literal(self) -> Scalar:
        start = self._at
        word = _WORD.match(self._text, start, self._end)
        number = _NUMBER.match(self._text, start, self._end)
        match = word or number
        if match is None:
            raise self._refuse("not JSON: expected a value")
        self._at = match.end()
        value = _WORDS[match[0]] if word else self._number(match)
        return Scalar(value, start, self._at, "")

    def _number(self, match: re.Match[str]) -> int | float:
        source = match[0]
        if not match[1] and not match[2] and len(source) <= MAX_DIGITS:
            return int(source)
        number = float(source) if match[1] or match[2] else math.inf
        if math.isinf(number):
            raise self._refuse("a number that is too large", "put it in quotes")
        return number

    def _refuse(self, problem: str, hint: str = "") -> ManifestError:
        return refusal(self._text, self._at, problem, path=self._path, hint=hint)
