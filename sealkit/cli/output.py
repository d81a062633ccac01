"""Printers: one report, as lines for people or as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sealkit.cli.app import STDIO, App


class Line(Protocol):
    """One line of a report: a named tuple whose `str` is the line for people."""

    def _asdict(self) -> Mapping[str, object]: ...


def print_report(app: App, report: Sequence[Line], *, as_json: bool, check: bool = False) -> None:
    """Say each line of a report on standard error, or print it as JSON on standard output.

    With `check` nothing was done: what would have been is a result, on standard output.
    """
    if as_json:
        print_json(app, [line._asdict() for line in report])
        return
    lines = [f"would have {line}" if check else str(line) for line in report]
    print_lines(app, lines, is_result=check)


def print_lines(app: App, lines: Sequence[str], *, is_result: bool) -> None:
    """Print lines: what --check found is a result, what was done is talk."""
    if is_result:
        app.write(STDIO, "".join(f"{line}\n" for line in lines))
        return
    for line in lines:
        app.say(line)


def print_json(app: App, value: object) -> None:
    """Print one JSON value on standard output."""
    import json  # noqa: PLC0415 (rare: cold start)

    app.write(STDIO, json.dumps(value, indent=2, default=str) + "\n")


def json_of(value: object) -> str:
    """Return one JSON value in one line."""
    import json  # noqa: PLC0415 (rare: cold start)

    return json.dumps(value, ensure_ascii=False)


def counted(number: int, what: str) -> str:
    """Return `1 value`, `2 values`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
