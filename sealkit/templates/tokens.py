"""From the text of a template to tokens: what is text, what is an action, and its words.

Follows the lexical rules of Go's text/template: trim markers, comments, where a word may end.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from sealkit.errors import TemplateError
from sealkit.templates.limits import MAX_SOURCE, MAX_WORDS, failure
from sealkit.templates.nodes import Position

SPACES: Final = " \t\r\n"
_ACTIONS: Final = ("block", "break", "continue", "define", "else", "end", "if", "range", "template")
KEYWORDS: Final = frozenset((*_ACTIONS, "with", "nil", "true", "false"))
_TOKEN: Final = re.compile(
    r"""
    (?P<declare>:=) | (?P<assign>=) | (?P<pipe>\|) | (?P<comma>,) | (?P<open>\() | (?P<close>\))
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*")
    | (?P<raw>`[^`]*`)
    | (?P<character>'(?:[^'\\\n]|\\[^\n])*')
    | (?P<number>[+-]?(?:[0-9]|\.[0-9])(?:[eE][+-]|[\w.])*)
    | (?P<variable>\$\w*) | (?P<field>\.\w+) | (?P<dot>\.) | (?P<word>\w+)
    """,
    re.VERBOSE,
)
_BOUNDED: Final = frozenset(("variable", "field", "dot", "word"))
_UNCLOSED: Final = frozenset("\"'`")


@dataclass(frozen=True)
class Token:
    """`kind` is a group of the pattern, `keyword`, `text`, `left`, `right` or `end of text`.

    `spaced`: there is white space in front of it.
    """

    kind: str
    text: str
    at: Position
    spaced: bool


class Tokens:
    """The tokens of one text; iterate over it once.

    Raises:
        TemplateError: the text is too long or not Unicode, or a delimiter cannot be one.
    """

    def __init__(self, source: str, left: str, right: str) -> None:
        self._source = source
        self._left = left
        self._ends = [match.end() for match in re.finditer("\n", source)]
        self._check(left, right)
        closing = re.escape(right)
        self._closing = re.compile(rf"(?P<trim>[ \t\r\n]+-{closing})|[ \t\r\n]*{closing}")
        self._comment_end = re.compile(rf"(?P<trim>[ \t\r\n]-{closing})|{closing}")
        self._right = right
        self._words = 0

    def _check(self, left: str, right: str) -> None:
        for delimiter in (left, right):
            if not 0 < len(delimiter) <= 16 or set(delimiter) & {*SPACES, "\0"}:
                raise TemplateError("a delimiter is not 1 to 16 characters without white space")
        if left == right:
            raise TemplateError("the delimiters are the same")
        if len(self._source) > MAX_SOURCE:
            raise TemplateError(f"the template is longer than {MAX_SOURCE} characters")
        if re.search("[\ud800-\udfff]", self._source):
            raise TemplateError("the template is not Unicode text")

    def __iter__(self) -> Iterator[Token]:
        """Yield them in order; the last one is `end of text`.

        Raises:
            TemplateError: an action, comment, string or parenthesis is not closed, or a character
                has no place where it stands.
        """
        here = 0
        while (start := self._source.find(self._left, here)) >= 0:
            after = start + len(self._left)
            trims = self._source[after : after + 1] == "-" and self._is_space(after + 1)
            yield from self._text(here, start, trims=trims)
            inside = after + 2 if trims else after
            if self._source.startswith("/*", inside):
                here = self._past_comment(inside)
            else:
                yield Token("left", self._left, self._position(start), spaced=False)
                here = yield from self._action(inside, start)
        yield from self._text(here, len(self._source), trims=False)
        yield Token("end of text", "", self._position(len(self._source)), spaced=False)

    def _is_space(self, offset: int) -> bool:
        return self._source[offset : offset + 1] in {*SPACES}

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._ends, offset)
        return Position(line + 1, offset - (self._ends[line - 1] if line else 0) + 1)

    def _text(self, start: int, stop: int, *, trims: bool) -> Iterator[Token]:
        text = self._source[start:stop]
        kept = text.rstrip(SPACES) if trims else text
        if kept:
            yield Token("text", kept, self._position(start), spaced=False)

    def _past_comment(self, start: int) -> int:
        stop = self._source.find("*/", start + 2)
        if stop < 0:
            raise failure(self._position(start), "a comment is not closed")
        closing = self._comment_end.match(self._source, stop + 2)
        if not closing:
            raise failure(self._position(stop), "a comment ends before the action does")
        return self._after(closing)

    def _after(self, closing: re.Match[str]) -> int:
        here = closing.end()
        if closing["trim"]:
            while self._is_space(here):
                here += 1
        return here

    def _action(self, here: int, start: int) -> Generator[Token, None, int]:
        depth = 0
        while not (closing := self._closing.match(self._source, here)):
            token, here = self._word(here, start)
            self._words += 1
            if self._words > MAX_WORDS:
                raise failure(token.at, f"the template has more than {MAX_WORDS} words")
            depth += {"open": 1, "close": -1}.get(token.kind, 0)
            if depth < 0:
                raise failure(token.at, "there is no parenthesis to close")
            yield token
        if depth:
            raise failure(self._position(closing.start()), "a parenthesis is not closed")
        yield Token("right", self._right, self._position(closing.start()), spaced=True)
        return self._after(closing)

    def _word(self, here: int, start: int) -> tuple[Token, int]:
        begin = here
        while self._is_space(here):
            here += 1
        if here >= len(self._source):
            raise failure(self._position(start), "an action is not closed")
        at = self._position(here)
        match = _TOKEN.match(self._source, here)
        if not match:
            quoted = self._source[here] in _UNCLOSED
            raise failure(
                at, "a quoted text is not closed" if quoted else "a character has no meaning here"
            )
        kind, word = str(match.lastgroup), match[0]
        if kind in _BOUNDED and not self._may_end(word, match.end()):
            raise failure(at, "a name has a character that it cannot have")
        return Token("keyword" if word in KEYWORDS else kind, word, at, here > begin), match.end()

    def _may_end(self, word: str, here: int) -> bool:
        letters = word.lstrip("$.")
        if not all(letter == "_" or letter.isalpha() or letter.isdecimal() for letter in letters):
            return False
        return self._source[here : here + 1] in {*SPACES, "", *".,|:()"} or self._source.startswith(
            self._right, here
        )
