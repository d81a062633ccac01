"""Run a parsed template: walk the tree, look things up, call functions, write bytes.

The walk recurses as deep as the template nests, which `MAX_NESTING` bounds; what it costs is
bounded by a `Budget`. Errors name a place, a function and kinds of values, never a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, assert_never

from sealkit.templates.functions import FUNCTIONS, Function
from sealkit.templates.limits import (
    ITEM_WEIGHT,
    MAX_NESTING,
    MAX_OUTPUT,
    MAX_STEPS,
    Budget,
    Fault,
    failure,
    room_for,
)
from sealkit.templates.lookup import MissingKey, look_up
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
    Jump,
    Loop,
    Name,
    Nil,
    Operand,
    Pipe,
    Position,
    Statement,
    Text,
    Variable,
)
from sealkit.templates.parser import Program
from sealkit.templates.printing import written
from sealkit.templates.values import (
    ABSENT,
    Kind,
    List,
    Map,
    Value,
    cost_of,
    is_true,
    kind_of,
    weight_of,
)

_Jump = Literal["break", "continue"]


def run(program: Program, root: Map, missing: MissingKey) -> bytes:
    """Return what `program` writes, given `root` as dot and `$`.

    Raises:
        TemplateError: a function refuses its arguments, a field is looked up in what has none, or
            a limit is reached.
    """
    runner = _Run(program, missing)
    runner.walk(program.main, root, [root])
    return b"".join(runner.output)


class _Run:
    """One rendering: the state that all templates of a program share."""

    def __init__(self, program: Program, missing: MissingKey) -> None:
        self._program = program
        self._missing = missing
        self._budget = Budget()
        self._depth = 0
        self._written = 0
        self.output: list[bytes] = []

    def walk(self, block: Block, dot: Value, scope: list[Value]) -> _Jump | None:
        """Run the statements of `block`; return the jump that ended it, if one did."""
        mark, jump = len(scope), None
        for statement in block:
            self._budget.step(statement.at)
            jump = self._statement(statement, dot, scope)
            if jump:
                break
        del scope[mark:]
        return jump

    def _statement(self, statement: Statement, dot: Value, scope: list[Value]) -> _Jump | None:
        match statement:
            case Text():
                self._write(statement.at, statement.text)
            case Action():
                self._action(statement, dot, scope)
            case Choice():
                return self._choice(statement, dot, scope)
            case Loop():
                return self._loop(statement, dot, scope)
            case Jump():
                return statement.kind
            case Include():
                self._include(statement, dot, scope)
            case _:
                assert_never(statement)
        return None

    def _write(self, at: Position, text: bytes) -> None:
        self._written += len(text)
        if self._written > MAX_OUTPUT:
            raise failure(at, f"the output is larger than {MAX_OUTPUT} bytes")
        self.output.append(text)

    def _action(self, action: Action, dot: Value, scope: list[Value]) -> None:
        value = self._pipe(action.pipe, dot, scope)
        if not action.pipe.declares and not action.pipe.assigns:
            text = written(value)
            self._budget.work(action.at, len(text))
            self._write(action.at, text)

    def _inner(self, at: Position, block: Block, dot: Value, scope: list[Value]) -> _Jump | None:
        self._deeper(at)
        jump = self.walk(block, dot, scope)
        self._depth -= 1
        return jump

    def _deeper(self, at: Position) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise failure(at, f"blocks and templates nest deeper than {MAX_NESTING} while running")

    def _choice(self, choice: Choice, dot: Value, scope: list[Value]) -> _Jump | None:
        mark, chosen, inner = len(scope), choice.otherwise, dot
        for pipe, body in choice.branches:
            value = self._pipe(pipe, dot, scope)
            if is_true(value):
                chosen, inner = body, value if choice.rebinds else dot
                break
        jump = self._inner(choice.at, chosen, inner, scope)
        del scope[mark:]
        return jump

    def _loop(self, loop: Loop, dot: Value, scope: list[Value]) -> _Jump | None:
        mark = len(scope)
        turns = self._turns(loop, self._pipe(loop.pipe, dot, scope))
        self._budget.work(loop.at, ITEM_WEIGHT * len(turns))
        if not turns:
            jump = self._inner(loop.at, loop.otherwise, dot, scope)
            del scope[mark:]
            return jump
        for key, item in turns:
            self._budget.step(loop.at)
            self._set_turn(loop.pipe, key, item, scope)
            if self._inner(loop.at, loop.body, item, scope) == "break":
                break
        del scope[mark:]
        return None

    def _turns(self, loop: Loop, value: Value) -> Sequence[tuple[Value, Value]]:
        """Return the pairs to iterate over; a number has no keys."""
        if isinstance(value, List):
            return list(enumerate(value.items))
        if isinstance(value, Map):
            return list(value.entries.items())
        if kind_of(value) is Kind.NOTHING:
            return ()
        if not isinstance(value, int) or isinstance(value, bool):
            raise failure(loop.at, f"range expects a list or a map, not {kind_of(value)}")
        if loop.pipe.declares + len(loop.pipe.assigns) > 1:
            raise failure(loop.at, "range over a whole number has one variable only")
        if value > MAX_STEPS:
            raise failure(loop.at, f"range has more than {MAX_STEPS} turns")
        return [(number, number) for number in range(value)]

    def _set_turn(self, pipe: Pipe, key: Value, value: Value, scope: list[Value]) -> None:
        slots = pipe.assigns or range(len(scope) - pipe.declares, len(scope))
        both: Iterable[Value] = (key, value) if len(slots) > 1 else (value,)
        for slot, each in zip(slots, both, strict=len(slots) > 0):
            scope[slot] = each

    def _include(self, include: Include, dot: Value, scope: list[Value]) -> None:
        value = self._pipe(include.pipe, dot, scope) if include.pipe else ABSENT
        self._inner(include.at, self._program.defined[include.name], value, [value])

    def _pipe(self, pipe: Pipe, dot: Value, scope: list[Value]) -> Value:
        piped: list[Value] = []
        for command in pipe.commands:
            value = self._command(command, piped, dot, scope)
            # What a pipeline gives has lost that it was a null in a map: it is no value.
            piped = [ABSENT if value is None else value]
        for slot in pipe.assigns:
            scope[slot] = piped[0]
        scope += piped * pipe.declares
        return piped[0]

    def _command(
        self, command: Command, piped: list[Value], dot: Value, scope: list[Value]
    ) -> Value:
        first = command.words[0]
        if isinstance(first, Name):
            return self._call(first, command.words[1:], piped, (dot, scope))
        return self._operand(first, dot, scope)

    def _operand(self, word: Operand, dot: Value, scope: list[Value]) -> Value:
        self._budget.step(word.at)
        match word:
            case Constant():
                value: Value = word.value
            case Nil():
                value = None
            case Dot():
                value = dot
            case Field():
                value = self._look_up(word, dot)
            case Variable():
                value = self._look_up(word, scope[word.slot])
            case _:
                value = self._computed(word, dot, scope)
        return value

    def _computed(self, word: Name | Chain | Pipe, dot: Value, scope: list[Value]) -> Value:
        if isinstance(word, Name):
            return self._call(word, (), [], (dot, scope))
        if isinstance(word, Chain):
            return self._look_up(word, self._computed(word.base, dot, scope))
        self._deeper(word.at)
        value = self._pipe(word, dot, scope)
        self._depth -= 1
        return value

    def _look_up(self, word: Field | Variable | Chain, value: Value) -> Value:
        self._budget.step(word.at, len(word.names))
        return look_up(word.at, value, word.names, self._missing)

    def _call(
        self,
        call: Name,
        words: Sequence[Operand],
        piped: list[Value],
        place: tuple[Value, list[Value]],
    ) -> Value:
        function = FUNCTIONS[call.name]
        arguments: list[Value] = []
        for number, word in enumerate(words):
            value = self._argument(word, function.parameter(number), place)
            if function.stops_at is not None and is_true(value) == function.stops_at:
                return value
            arguments.append(value)
        arguments += [_without_absence(value) for value in piped]
        return self._applied(call, function, arguments)

    def _argument(self, word: Operand, wanted: Kind, place: tuple[Value, list[Value]]) -> Value:
        value = self._operand(word, *place)
        whole = word.whole if isinstance(word, Constant) else None
        return whole if wanted is Kind.WHOLE and whole is not None else _without_absence(value)

    def _applied(self, call: Name, function: Function, arguments: list[Value]) -> Value:
        self._budget.step(call.at)
        cost = weight_of if function.deep else cost_of
        self._budget.work(call.at, sum(map(cost, arguments)))
        try:
            fitting = [
                _fitting(value, function.parameter(number))
                for number, value in enumerate(arguments)
            ]
            value: Value = function.run(*fitting)
            room_for(weight_of(value))
        except Fault as fault:
            problem = str(fault)
        else:
            self._budget.work(call.at, weight_of(value))
            return value
        raise failure(call.at, f"{call.name} {problem}")


def _without_absence(value: Value) -> Value:
    """A function sees nil where there is no value."""
    return None if value is ABSENT else value


def _fitting(value: Value, wanted: Kind) -> Value:
    if wanted is Kind.MAP and value is None:
        return Map({}, 0, 1, strings=False)  # Go: the zero of a map is an empty one
    if wanted is Kind.ANY or kind_of(value) is wanted:
        return value
    raise Fault(f"expects {wanted}, not {kind_of(value)}")
