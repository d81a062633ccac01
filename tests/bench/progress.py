"""What a long benchmark is doing, on one line of a terminal."""

import sys
from collections.abc import Callable

Say = Callable[[str], None]


def say_nothing(text: str) -> None:
    """Keep quiet, as in a test."""


def say_on_terminal(text: str) -> None:
    """Replace the last line of standard error, if that is a terminal; "" takes it away."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()
