"""The syntax tree of a template: what parsing made sure of, frozen. Pure, holds no values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Position:
    """Where in the text something starts; both counted from 1, columns in characters."""

    line: int
    column: int

    def __str__(self) -> str:
        """`line:column`, as compilers write it."""
        return f"{self.line}:{self.column}"


@dataclass(frozen=True)
class Constant:
    """A string, number, character or truth value written in the template.

    `whole` is the integer a number stands for where an integer is wanted (`3.0` is 3 there).
    """

    at: Position
    value: bytes | bool | int | float
    whole: int | None = None


@dataclass(frozen=True)
class Nil:
    """The word `nil`, an argument only."""

    at: Position


@dataclass(frozen=True)
class Dot:
    """`.`: the value the template is at."""

    at: Position


@dataclass(frozen=True)
class Field:
    """`.a.b`: looked up from dot."""

    at: Position
    names: tuple[bytes, ...]


@dataclass(frozen=True)
class Variable:
    """`$x.a`: `slot` counts the variables alive here, 0 is `$` itself."""

    at: Position
    slot: int
    names: tuple[bytes, ...]


@dataclass(frozen=True)
class Name:
    """The name of a function that exists."""

    at: Position
    name: str


@dataclass(frozen=True)
class Chain:
    """`(pipeline).a.b`, or fields of what a function without arguments returns."""

    at: Position
    base: Pipe | Name
    names: tuple[bytes, ...]


@dataclass(frozen=True)
class Command:
    """A first word and its arguments; only a `Name` has arguments."""

    at: Position
    words: tuple[Operand, ...]


@dataclass(frozen=True)
class Pipe:
    """Commands, each the last argument of the next; then what is declared or assigned.

    `declares` is how many variables it adds; `assigns` are slots of existing ones.
    """

    at: Position
    commands: tuple[Command, ...]
    declares: int = 0
    assigns: tuple[int, ...] = ()


Operand: TypeAlias = Constant | Nil | Dot | Field | Variable | Name | Chain | Pipe


@dataclass(frozen=True)
class Text:
    """Text between actions, already trimmed."""

    at: Position
    text: bytes


@dataclass(frozen=True)
class Action:
    """A pipeline whose value is written, unless it declares or assigns."""

    at: Position
    pipe: Pipe


@dataclass(frozen=True)
class Choice:
    """`if` (or `with`, which `rebinds` dot) with all its `else if` branches in a row."""

    at: Position
    branches: tuple[tuple[Pipe, Block], ...]
    otherwise: Block
    rebinds: bool


@dataclass(frozen=True)
class Loop:
    """`range`; `otherwise` runs where there is nothing to iterate over."""

    at: Position
    pipe: Pipe
    body: Block
    otherwise: Block


@dataclass(frozen=True)
class Jump:
    """`break` or `continue`, inside a loop for sure."""

    at: Position
    kind: Literal["break", "continue"]


@dataclass(frozen=True)
class Include:
    """`template "name" pipeline`; the name is defined for sure."""

    at: Position
    name: bytes
    pipe: Pipe | None


Statement: TypeAlias = Text | Action | Choice | Loop | Jump | Include
Block: TypeAlias = tuple[Statement, ...]
