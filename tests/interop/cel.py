"""Common Expression Language, in two engines that have nothing in common but the specification."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import cel
import celpy
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError

_Plain = dict[str, Any]  # JSON, as both engines declare their input


def evaluate(expression: str, raw: Mapping[str, object]) -> bool | None:
    """Return what both engines make of an expression over an object, None for an error in both."""
    plain: _Plain = json.loads(json.dumps(raw))
    first, second = (_value(engine(expression), plain) for engine in (_celpy, _cel))
    assert first is second, f"{expression}: cel-python says {first}, the other engine {second}"
    return first


def _value(program: Callable[[_Plain], object], raw: _Plain) -> bool | None:
    try:
        value = program(raw)
    # Fields that are not there: each engine has an exception of its own for each case.
    except (CELEvalError, KeyError, RuntimeError):
        return None
    assert isinstance(value, bool | int), f"not a truth value: {value!r}"
    return bool(value)


@cache
def _celpy(expression: str) -> Callable[[_Plain], object]:
    environment = celpy.Environment()
    program = environment.program(environment.compile(expression))

    def run(raw: _Plain) -> object:
        return program.evaluate({name: json_to_cel(raw[name]) for name in raw})

    return run


@cache
def _cel(expression: str) -> Callable[[_Plain], object]:
    return cel.compile(expression).execute
