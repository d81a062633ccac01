"""What a template may cost, whoever wrote it: each limit has one error, and none is configurable.

The limits bound time and memory together: steps bound the walk, work bounds the text and lists
that functions read and make, and the sizes bound a single value before it is built.
"""

from __future__ import annotations

from typing import Final

from sealkit.errors import TemplateError
from sealkit.templates.nodes import Position

MAX_SOURCE: Final = 256 * 1024
"""Characters of a template."""
MAX_NESTING: Final = 40
"""Blocks and parentheses inside each other, in the text; and while running, templates included."""
MAX_WORDS: Final = 20_000
"""Tokens of a template: its actions cost time, its text does not."""
MAX_VARIABLES: Final = 100
"""Variables alive at one place."""
MAX_OUTPUT: Final = 1024 * 1024
"""Bytes of output: a Secret has no room for more."""
MAX_WEIGHT: Final = 1024 * 1024
"""Weight of one value: bytes of text, and `ITEM_WEIGHT` for each entry of a list or map."""
ITEM_WEIGHT: Final = 16
MAX_VALUES: Final = 2 * MAX_WEIGHT
"""Weight of what a template is given: 1 MiB of plaintext, and room for names and entries."""
MAX_DEPTH: Final = 32
"""Lists and maps inside each other in one value."""
MAX_STEPS: Final = 100_000
"""Statements run, commands and arguments evaluated, fields looked up, turns of loops."""
MAX_WORK: Final = 8 * 1024 * 1024
"""Weight of all that functions were given and made, that is looped over and written, in sum."""
MAX_NUMBER_WIDTH: Final = 1000
"""Width and precision in a format of `printf`."""


class Fault(Exception):  # noqa: N818  # never leaves the package, see TemplateError
    """What a function cannot do; the caller adds where. Says kinds and limits, never a value."""


def failure(at: Position, problem: str, *, hint: str = "") -> TemplateError:
    """Return the error for `problem`, with its place in front."""
    return TemplateError(f"{at}: {problem}", hint=hint)


def room_for(weight: int, most: int = MAX_WEIGHT) -> None:
    """Refuse a value before it is built.

    Raises:
        Fault: it would weigh more than `most`.
    """
    if weight > most:
        raise Fault(f"would make a value larger than {most} bytes")


class Budget:
    """What one rendering may still use."""

    __slots__ = ("_steps", "_work")

    def __init__(self) -> None:
        self._steps = MAX_STEPS
        self._work = MAX_WORK

    def step(self, at: Position, count: int = 1) -> None:
        """Account for `count` steps.

        Raises:
            TemplateError: `MAX_STEPS` are used up.
        """
        self._steps -= count
        if self._steps < 0:
            raise failure(at, f"the template takes more than {MAX_STEPS} steps")

    def work(self, at: Position, weight: int) -> None:
        """Account for what a function reads or has made.

        Raises:
            TemplateError: `MAX_WORK` is used up.
        """
        self._work -= weight
        if self._work < 0:
            raise failure(at, f"the template handles more than {MAX_WORK} bytes in sum")
