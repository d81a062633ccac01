"""What detectors yield, and the texts that they look at: a file, or a text inside another one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sealkit.findings.finding import Finding, Place, Rule
from sealkit.manifests.tree import field_path
from sealkit.scanning.judging import is_random, length_class
from sealkit.scanning.tree import Node, Text

Locate = Callable[[int], tuple[int, int]]

_HISTORY = "what was committed must be changed as well"


class Hit(NamedTuple):
    """A finding whose file is not known yet, with the last line of what it is about."""

    rule: Rule
    line: int
    column: int
    last_line: int
    field: str
    subject: str
    message: str
    hint: str
    document: int = 0

    def in_file(self, file: str) -> Finding:
        """Return the finding."""
        place = Place(file, self.document, self.line, self.column, self.field, self.subject)
        return Finding(self.rule, place, self.message, self.hint)


class Excerpt(NamedTuple):
    """A text with the way from its indexes to lines and columns of the file.

    `original` has the templates that are covered in `text`; both are equally long.
    """

    text: str
    original: str
    locate: Locate


class View(NamedTuple):
    """Where a node is: its text, the keys that lead to it, and the object that it belongs to.

    `depth` is how many texts it is inside of; `in_values`: it is among the values of a chart;
    `of_secret`: it is a patch of a Secret; `in_prose`: it is an example in a document.
    """

    excerpt: Excerpt
    path: tuple[str, ...] = ()
    subject: str = ""
    depth: int = 0
    in_values: bool = False
    of_secret: bool = False
    in_prose: bool = False

    def below(self, *keys: str) -> View:
        """Return the view of what is under a key, or under several."""
        return self._replace(path=(*self.path, *keys))

    def source(self, node: Text) -> str:
        """Return what stands there, templates included."""
        return self.excerpt.original[node.start : node.end]

    def counts(self, value: str) -> bool:
        """Tell whether a value may be a real one: examples in a document are not made up well."""
        return not self.in_prose or is_random(value)

    def hit(self, rule: Rule, node: Node, message: str, hint: str) -> Hit:
        """Return a hit at a node."""
        line, column = self.excerpt.locate(node.start)
        last, _ = self.excerpt.locate(node.end) if isinstance(node, Text) else (line, 0)
        field = field_path(self.path)
        return Hit(rule, line, column, last, field, self.subject, message, hint)

    def plain(self, rule: Rule, node: Text, length: int, hint: str, what: str = "value") -> Hit:
        """Return the hit that most are: a value in plain text."""
        message = f"a {what} of {length_class(length)} in plain text"
        return self.hit(rule, node, message, f"{hint}; {_HISTORY}")


Hits = Iterator[Hit]


def lines_of(text: str) -> Locate:
    """Return what finds line and column of an index, both counted from 1."""
    starts = [0]
    while (following := text.find("\n", starts[-1])) >= 0:
        starts.append(following + 1)

    def locate(index: int) -> tuple[int, int]:
        line = bisect_right(starts, index)
        return line, index - starts[line - 1] + 1

    return locate


def inside(outer: Excerpt, node: Text, text: str) -> Excerpt:
    """Return the text of a scalar; lines are exact if it is a `|` block, else all are its first."""
    line, column = outer.locate(node.start)
    if node.style != "|" or node.value != text:
        return Excerpt(text, text, lambda _: (line, column))
    inner = lines_of(text)
    body = outer.original[outer.original.find("\n", node.start) + 1 : node.end]
    content = body.lstrip("\r\n")
    skipped = body[: len(body) - len(content)].count("\n") - (len(text) - len(text.lstrip("\n")))
    indent = len(content) - len(content.lstrip(" "))

    def locate(index: int) -> tuple[int, int]:
        row, offset = inner(index)
        return line + row + skipped, offset + indent

    return Excerpt(text, text, locate)
