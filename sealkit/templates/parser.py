"""From tokens to a tree. All that can be known without values is checked here.

That is more than Go checks before it runs a template: unknown templates and variables, arguments
that nothing takes and wrong numbers of arguments are errors even where they would never be run,
so that a template can be checked before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sealkit.templates.expressions import Expressions, described, literal_of
from sealkit.templates.limits import failure
from sealkit.templates.literals import text_of
from sealkit.templates.nodes import (
    Action,
    Block,
    Choice,
    Include,
    Jump,
    Loop,
    Pipe,
    Position,
    Statement,
    Text,
)
from sealkit.templates.tokens import SPACES, Token, Tokens

_NOTHING: Final[Block] = ()


@dataclass(frozen=True)
class Program:
    """A template and the templates defined in it."""

    main: Block
    defined: Mapping[bytes, Block]


def parse_program(source: str, left: str, right: str) -> Program:
    """Return the tree of `source`.

    Raises:
        TemplateError: the text is no template, or nests deeper than `MAX_NESTING`.
    """
    parser = _Parser([*Tokens(source, left, right)])
    main, _ = parser.block(())
    parser.check_includes()
    return Program(main, parser.defined)


class _Parser:
    """Reads statements; what stands in an action is left to `Expressions`."""

    def __init__(self, tokens: list[Token]) -> None:
        self._read = Expressions(tokens)
        self._loops = 0
        self._includes: list[Include] = []
        self._filled: set[bytes] = set()
        self.defined: dict[bytes, Block] = {}
        self._statements: Mapping[str, Callable[[Position], Statement | None]] = {
            "if": lambda at: self._choice(at, "if"),
            "with": lambda at: self._choice(at, "with"),
            "range": self._loop,
            "break": lambda at: self._jump(at, "break"),
            "continue": lambda at: self._jump(at, "continue"),
            "template": self._include,
            "block": self._inline_block,
            "define": self._define,
        }

    def _ahead(self, *texts: str) -> str:
        token = self._read.peek()
        return token.text if token.kind == "keyword" and token.text in texts else ""

    def check_includes(self) -> None:
        """Refuse what includes a template that nothing defines."""
        for include in self._includes:
            if include.name not in self.defined:
                raise failure(include.at, "includes a template that is not defined here")

    def block(self, stops: tuple[str, ...]) -> tuple[Block, str]:
        """Read statements up to one of the keywords `stops` (or the end of the text if none).

        Return them and the keyword, which is read as well. The variables declared in between end
        here.
        """
        mark = len(self._read.scope)
        statements: list[Statement] = []
        self._read.enter(self._read.peek().at)
        while True:
            token = self._read.next()
            if token.kind == "text":
                statements.append(Text(token.at, token.text.encode()))
                continue
            if token.kind == "end of text":
                stop = self._at_end(token, stops)
                break
            if stop := self._stop(stops):
                break
            if statement := self._statement(token.at):
                statements.append(statement)
        self._read.depth -= 1
        del self._read.scope[mark:]
        return tuple(statements), stop

    def _at_end(self, token: Token, stops: tuple[str, ...]) -> str:
        if stops:
            raise failure(token.at, 'the text ends before "end"')
        return ""

    def _stop(self, stops: tuple[str, ...]) -> str:
        word = self._ahead("end", "else")
        if not word:
            return ""
        token = self._read.next()
        if word not in stops:
            raise failure(token.at, f'there is nothing for "{word}" here')
        if word == "end":
            self._read.take("right", 'nothing more after "end"')
        return word

    def _statement(self, at: Position) -> Statement | None:
        if word := self._ahead(*self._statements):
            self._read.next()
            return self._statements[word](at)
        pipe = self._read.pipe("right", declares=1)
        return Action(at, pipe)

    def _choice(self, at: Position, word: Literal["if", "with"]) -> Choice:
        mark, otherwise = len(self._read.scope), _NOTHING
        branches: list[tuple[Pipe, Block]] = []
        while True:
            pipe = self._read.pipe("right", declares=1)
            body, stop = self.block(("else", "end"))
            branches.append((pipe, body))
            if stop == "end":
                break
            if self._ahead(word):
                self._read.next()
                continue
            otherwise = self._otherwise()
            break
        del self._read.scope[mark:]
        return Choice(at, tuple(branches), otherwise, rebinds=word == "with")

    def _otherwise(self) -> Block:
        self._read.take("right", 'nothing more after "else"')
        return self.block(("end",))[0]

    def _loop(self, at: Position) -> Loop:
        mark = len(self._read.scope)
        pipe = self._read.pipe("right", declares=2)
        self._loops += 1
        body, stop = self.block(("else", "end"))
        self._loops -= 1
        otherwise = self._otherwise() if stop == "else" else ()
        del self._read.scope[mark:]
        return Loop(at, pipe, body, otherwise)

    def _jump(self, at: Position, kind: Literal["break", "continue"]) -> Jump:
        self._read.take("right", f'nothing more after "{kind}"')
        if not self._loops:
            raise failure(at, f'"{kind}" is not inside a "range"')
        return Jump(at, kind)

    def _include(self, at: Position) -> Include:
        name = self._template_name()
        has_pipe = self._read.peek().kind != "right"
        pipe = self._read.pipe("right") if has_pipe else None
        if not has_pipe:
            self._read.next()
        include = Include(at, name, pipe)
        self._includes.append(include)
        return include

    def _inline_block(self, at: Position) -> Include:
        name, pipe = self._template_name(), self._read.pipe("right")
        self._add(at, name, self._body())
        return Include(at, name, pipe)

    def _define(self, at: Position) -> None:
        if self._read.depth > 1:
            raise failure(at, 'a "define" stands inside another block')
        name = self._template_name()
        self._read.take("right", "nothing more after the name")
        self._add(at, name, self._body())

    def _body(self) -> Block:
        """Read a template of its own: it sees no variable and no loop from around it."""
        scope, loops = self._read.scope, self._loops
        self._read.scope, self._loops = ["$"], 0
        body, _ = self.block(("end",))
        self._read.scope, self._loops = scope, loops
        return body

    def _template_name(self) -> bytes:
        token = self._read.next()
        if token.kind not in {"string", "raw"}:
            raise failure(token.at, f"expected a name in quotes, found {described(token)}")
        return literal_of(token, text_of)

    def _add(self, at: Position, name: bytes, body: Block) -> None:
        if not _is_blank(body):
            if name in self._filled:
                raise failure(at, "a template of this name is defined already")
            self._filled.add(name)
        elif name in self._filled:
            return
        self.defined[name] = body


def _is_blank(block: Block) -> bool:
    return all(isinstance(each, Text) and not each.text.strip(SPACES.encode()) for each in block)
