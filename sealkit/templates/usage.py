"""Which fields of its values a template uses, found out without values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sealkit.templates.nodes import (
    Action,
    Block,
    Chain,
    Choice,
    Command,
    Constant,
    Dot,
    Field,
    Include,
    Loop,
    Name,
    Operand,
    Pipe,
    Statement,
    Variable,
)
from sealkit.templates.parser import Program

_BY_NAME: Final = frozenset(("index", "get", "hasKey"))


@dataclass(frozen=True)
class Usage:
    """The fields a template names, and whether it uses the map of all values in another way.

    With `everything` (`range .`, `toJson .`, a variable that holds `.`) the names may not be all.
    """

    names: frozenset[str]
    everything: bool


@dataclass
class _Finder:
    """Follows where dot is the map of all values; a rebound dot is something else."""

    program: Program
    names: set[bytes] = field(default_factory=set)
    everything: bool = False
    seen: set[tuple[bytes, bool]] = field(default_factory=set)
    waiting: list[tuple[bytes, bool]] = field(default_factory=list)

    def run(self) -> None:
        """Go through all that may run, one template after the other: chains of them may be long."""
        self.block(self.program.main, root=True, main=True)
        while self.waiting:
            name, whole = self.waiting.pop()
            self.block(self.program.defined[name], root=whole, main=whole)

    def block(self, block: Block, *, root: bool, main: bool) -> None:
        """`root`: dot is the map here; `main`: so is `$`."""
        for statement in block:
            self._statement(statement, root=root, main=main)

    def _statement(self, statement: Statement, *, root: bool, main: bool) -> None:
        match statement:
            case Action():
                self._pipe(statement.pipe, root=root, main=main)
            case Choice():
                self._choice(statement, root=root, main=main)
            case Loop():
                self._pipe(statement.pipe, root=root, main=main)
                self.block(statement.body, root=False, main=main)
                self.block(statement.otherwise, root=root, main=main)
            case Include():
                self._include(statement, root=root, main=main)
            case _:
                return

    def _choice(self, choice: Choice, *, root: bool, main: bool) -> None:
        for pipe, body in choice.branches:
            self._pipe(pipe, root=root, main=main)
            self.block(body, root=root and not choice.rebinds, main=main)
        self.block(choice.otherwise, root=root, main=main)

    def _include(self, include: Include, *, root: bool, main: bool) -> None:
        whole = include.pipe is not None and self._is_whole(include.pipe, root=root, main=main)
        if include.pipe is not None and not whole:
            self._pipe(include.pipe, root=root, main=main)
        if (include.name, whole) not in self.seen:
            self.seen.add((include.name, whole))
            self.waiting.append((include.name, whole))

    def _is_whole(self, operand: Operand, *, root: bool, main: bool) -> bool:
        """Return whether `operand` is the map of all values."""
        if isinstance(operand, Pipe):
            words = operand.commands[0].words
            plain = len(operand.commands) == len(words) == 1 and not operand.declares
            return plain and self._is_whole(words[0], root=root, main=main)
        if isinstance(operand, Variable):
            return main and not operand.slot and not operand.names
        return root and isinstance(operand, Dot)

    def _pipe(self, pipe: Pipe, *, root: bool, main: bool) -> None:
        for command in pipe.commands:
            for operand in self._left_over(command, root=root, main=main):
                self._operand(operand, root=root, main=main)

    def _left_over(self, command: Command, *, root: bool, main: bool) -> Iterator[Operand]:
        """Note the name in `index . "name"`, and yield what else the command has."""
        match command.words:
            case (Name(name=name), whole, Constant(value=bytes(key)), *rest) if (
                name in _BY_NAME and self._is_whole(whole, root=root, main=main)
            ):
                self.names.add(key)
                yield from rest
            case words:
                yield from words

    def _operand(self, operand: Operand, *, root: bool, main: bool) -> None:
        match operand:
            case Field() if root:
                self.names.add(operand.names[0])
            case Variable() if main and not operand.slot and operand.names:
                self.names.add(operand.names[0])
            case Chain():
                self._chain(operand, root=root, main=main)
            case Pipe() if not self._is_whole(operand, root=root, main=main):
                self._pipe(operand, root=root, main=main)
            case _:
                self.everything |= self._is_whole(operand, root=root, main=main)

    def _chain(self, chain: Chain, *, root: bool, main: bool) -> None:
        if self._is_whole(chain.base, root=root, main=main):
            self.names.add(chain.names[0])
        else:
            self._operand(chain.base, root=root, main=main)


def usage_of(program: Program) -> Usage:
    """Return what `program` uses of the values it will be given."""
    finder = _Finder(program)
    finder.run()
    names = frozenset(name.decode("utf-8", "replace") for name in finder.names)
    return Usage(names, finder.everything)
