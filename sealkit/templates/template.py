"""Text templates: parse one without values, render it with them.

The door of the package: values come in and the text goes out in `Sensitive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias, Union

from sealkit.errors import TemplateError
from sealkit.sensitive import Sensitive
from sealkit.templates.evaluate import run
from sealkit.templates.limits import MAX_DEPTH, MAX_VALUES, Fault
from sealkit.templates.lookup import MissingKey
from sealkit.templates.parser import Program, parse_program
from sealkit.templates.usage import Usage, usage_of
from sealkit.templates.values import Map, Value, map_of

Values: TypeAlias = Mapping[str, Union[Sensitive, "Values"]]
"""What a template is given: secrets by name, or maps of them."""

DELIMITERS: Final = ("{{", "}}")


@dataclass(frozen=True)
class Template:
    """A template whose syntax is right; made by `parse`.

    `usage` tells which fields it names, so that a missing one is found before there are values.
    """

    usage: Usage
    program: Program = field(repr=False)

    @property
    def fields_used(self) -> frozenset[str]:
        """The names of the fields it uses; with `usage.everything` there may be more."""
        return self.usage.names

    def render(self, values: Values, missing: MissingKey = MissingKey.NO_VALUE) -> Sensitive:
        """Return the text for `values`: at most 1 MiB, bytes that pass through unchanged.

        Raises:
            TemplateError: a function refuses its arguments, a field is looked up in what has none
                (or is missing, with `MissingKey.ERROR`), or a limit is reached. It names line,
                column, function and kinds of values, never a value.
        """
        return Sensitive(run(self.program, _root(values), missing))


def parse(text: str, delimiters: tuple[str, str] = DELIMITERS) -> Template:
    """Return the template that `text` is.

    `delimiters` stand around actions, for texts that another engine reads first: 1 to 16
    characters without white space.

    Raises:
        TemplateError: the syntax is wrong, a function or a template does not exist, or the text is
            too long or nested too deep. It names line and column and does not quote the text.
    """
    program = parse_program(text, *delimiters)
    return Template(usage_of(program), program)


def _root(values: Values) -> Map:
    problem = ""
    try:
        return _map(values, MAX_DEPTH)
    except Fault as fault:
        problem = str(fault)
    raise TemplateError(f"the values for the template: {problem}")


def _map(values: Values, depth: int) -> Map:
    if not depth:
        raise Fault(f"nest deeper than {MAX_DEPTH}")
    entries = {_key(key): _value(value, depth) for key, value in values.items()}
    strings = all(isinstance(value, bytes) for value in entries.values())
    return map_of(entries, strings=strings, most=MAX_VALUES)


def _key(key: str) -> bytes:
    return key.encode("utf-8", "replace")


def _value(value: Sensitive | Values, depth: int) -> Value:
    return value.reveal() if isinstance(value, Sensitive) else _map(value, depth - 1)
