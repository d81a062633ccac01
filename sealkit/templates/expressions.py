"""From tokens to the expressions of an action: pipelines, commands, operands.

Everything that can be known without values is checked: the variables that are alive, the
functions that exist and how many arguments they take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from sealkit.templates.functions import FUNCTIONS
from sealkit.templates.limits import MAX_NESTING, MAX_VARIABLES, Fault, failure
from sealkit.templates.literals import character_of, number_of, text_of
from sealkit.templates.nodes import (
    Chain,
    Command,
    Constant,
    Dot,
    Field,
    Name,
    Nil,
    Operand,
    Pipe,
    Position,
    Variable,
)
from sealkit.templates.tokens import Token

_T = TypeVar("_T")
_OPERANDS: Final = frozenset(
    ("string", "raw", "character", "number", "variable", "field", "dot", "word", "open")
)
_WORDS: Final = frozenset(("true", "false", "nil"))


class Expressions:
    """Reads tokens from the first to the last.

    `scope` is the variables alive at the place, `$` first; `depth` how many blocks and
    parentheses are open there.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._here = 0
        self.scope = ["$"]
        self.depth = 0

    def peek(self) -> Token:
        """Return the next token and leave it there."""
        return self._tokens[self._here]

    def next(self) -> Token:
        """Return the next token and go past it."""
        token = self._tokens[self._here]
        self._here += 1
        return token

    def take(self, kind: str, expected: str) -> Token:
        """Return the next token, which must be of `kind`.

        Raises:
            TemplateError: it is another; `expected` says what should be there.
        """
        token = self.next()
        if token.kind != kind:
            raise failure(token.at, f"expected {expected}, found {described(token)}")
        return token

    def enter(self, at: Position) -> None:
        """Go one block or parenthesis deeper; the caller comes back up.

        Raises:
            TemplateError: that is deeper than `MAX_NESTING`.
        """
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise failure(at, f"the template nests deeper than {MAX_NESTING}")

    def pipe(self, end: str, *, declares: int = 0) -> Pipe:
        """Read a pipeline and the token of kind `end` after it.

        At most `declares` variables may be declared or assigned in front of it.

        Raises:
            TemplateError: it is no pipeline.
        """
        at = self.peek().at
        names, assigns = self._targets(declares)
        commands = [self._command(piped=False)]
        while self.peek().kind == "pipe":
            self.next()
            commands.append(self._command(piped=True))
        self.take(end, "an argument, | or the end of the action")
        if assigns:
            return Pipe(at, tuple(commands), assigns=tuple(map(self._slot, names)))
        self.scope += [name.text for name in names]
        if len(self.scope) > MAX_VARIABLES:
            raise failure(at, f"more than {MAX_VARIABLES} variables are declared here")
        return Pipe(at, tuple(commands), declares=len(names))

    def _targets(self, allowed: int) -> tuple[list[Token], bool]:
        """Read `$x :=`, `$x =`, or in a loop `$k, $v :=`; nothing if there is none of it."""
        start, names = self._here, [self.next()]
        while names[-1].kind == "variable" and self.peek().kind == "comma":
            self.next()
            names.append(self.next())
        sign = self.peek().kind
        if names[-1].kind != "variable" or sign not in {"declare", "assign"}:
            if len(names) > 1:
                raise failure(names[-1].at, "a comma is only between the variables of a range")
            self._here = start
            return [], False
        if len(names) > allowed:
            raise failure(names[0].at, f"{len(names)} variables cannot be set here")
        self.next()
        return names, sign == "assign"

    def _slot(self, token: Token) -> int:
        for slot in reversed(range(len(self.scope))):
            if self.scope[slot] == token.text:
                return slot
        raise failure(token.at, "a variable is not declared here")

    def _command(self, *, piped: bool) -> Command:
        first = self.peek()
        if not _is_operand(first):
            raise failure(first.at, f"expected a value or a function, found {described(first)}")
        words = [self._operand()]
        while _is_operand(self.peek()):
            if not self.peek().spaced:
                raise failure(self.peek().at, "two arguments are not separated by a space")
            words.append(self._operand())
        _check_call(first.at, words, piped=piped)
        return Command(first.at, tuple(words))

    def _operand(self) -> Operand:
        token = self.next()
        term = self._term(token)
        names = self._names()
        if not names:
            return term
        if isinstance(term, Field | Variable):
            return replace(term, names=term.names + names)
        if isinstance(term, Pipe | Name):
            return Chain(token.at, term, names)
        raise failure(token.at, "something without fields has a field")

    def _names(self) -> tuple[bytes, ...]:
        names = []
        while self.peek().kind == "field" and not self.peek().spaced:
            names.append(self.next().text[1:].encode())
        return tuple(names)

    def _term(self, token: Token) -> Operand:
        if token.kind == "open":
            self.enter(token.at)
            pipe = self.pipe("close")
            self.depth -= 1
            return pipe
        if token.kind == "variable":
            return Variable(token.at, self._slot(token), ())
        if token.kind == "word":
            return _function(token)
        return _simple_term(token)


def _function(token: Token) -> Name:
    if token.text not in FUNCTIONS:
        raise failure(
            token.at,
            "calls a function that does not exist here",
            hint="functions that reach outside or give another result each time are left out",
        )
    return Name(token.at, token.text)


def _simple_term(token: Token) -> Operand:
    if token.kind == "dot":
        return Dot(token.at)
    if token.kind == "field":
        return Field(token.at, (token.text[1:].encode(),))
    return Nil(token.at) if token.text == "nil" else _constant(token)


def _constant(token: Token) -> Constant:
    if token.kind == "keyword":
        return Constant(token.at, token.text == "true")
    if token.kind == "character":
        code = literal_of(token, character_of)
        return Constant(token.at, code, code)
    if token.kind == "number":
        return Constant(token.at, *literal_of(token, number_of))
    return Constant(token.at, literal_of(token, text_of))


def literal_of(token: Token, read: Callable[[str], _T]) -> _T:
    """Return what `read` makes of `token`, with the place in the error if it cannot."""
    try:
        return read(token.text)
    except Fault as fault:
        problem = str(fault)
    raise failure(token.at, problem)


def _is_operand(token: Token) -> bool:
    return token.kind in _OPERANDS or (token.kind == "keyword" and token.text in _WORDS)


def _check_call(at: Position, words: list[Operand], *, piped: bool) -> None:
    first, count = words[0], len(words) - 1 + piped
    if isinstance(first, Nil):
        raise failure(at, '"nil" is not a value to begin with')
    if isinstance(first, Name):
        _check_count(first, count)
    elif count:
        raise failure(at, "something that is no function is given an argument")
    for word in words[isinstance(first, Name) :]:
        name = word.base if isinstance(word, Chain) else word
        if isinstance(name, Name):
            _check_count(name, 0)


def _check_count(call: Name, count: int) -> None:
    function = FUNCTIONS[call.name]
    if not function.accepts(count):
        wanted = f"at least {len(function.takes)}" if function.more else f"{len(function.takes)}"
        raise failure(call.at, f"{call.name} takes {wanted} arguments, not {count}")


def described(token: Token) -> str:
    """Return what `token` is, without its text unless that is a keyword."""
    if token.kind == "keyword":
        return f'"{token.text}"'
    return {"right": "the end of the action", "word": "a name"}.get(token.kind, f"a {token.kind}")
