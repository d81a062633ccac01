"""Many files for `sealkit seal --in-place`: all are sealed, and only then is any written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from sealkit.cli import batch
from sealkit.cli.app import App
from sealkit.cli.output import counted, print_report
from sealkit.cli.terms import Made
from sealkit.cli.tree_files import find_files

_MARK = b"Secret"  # trees are full of files that hold none, and that may be no YAML at all


class Request(NamedTuple):
    """Which files and folders to seal in place, and how to go about it."""

    paths: tuple[str, ...]
    check: bool
    jobs: int | None
    as_json: bool


def carry_out(app: App, request: Request, seal: Callable[[str, bytes], Made]) -> None:
    """Seal all files in place with `seal`, tell what became of them, and end with an exit code.

    A file in which there is nothing to seal is not written.

    Raises:
        SealkitError: a path is not there; a file was changed meanwhile or cannot be written.
        Exit: something is wrong with a file, and none was written; or would change under --check.
    """
    files = find_files(app, request.paths)
    work = partial(_made, app, seal, files.named)
    outcomes = batch.run_all(app, files.names, work, jobs=request.jobs, doing="sealing")
    made = {one.file: one.value for one in outcomes if one.value}
    for one in made.values():
        for note in one.notes:
            app.say(note)
    batch.say_errors(app, outcomes)
    batch.end(batch.worst_code(outcomes))
    if not request.check:
        changed = {file: one for file, one in made.items() if one.lines}
        batch.write_all(
            app, {file: batch.Change(one.old, one.text) for file, one in changed.items()}
        )
    _report(app, request, made.values())


def _made(app: App, seal: Callable[[str, bytes], Made], named: frozenset[str], file: str) -> Made:
    old = app.read(file)
    if file not in named and _MARK not in old:
        return Made("")
    made = seal(file, old)
    # That a file in a folder holds no Secret is nothing to tell.
    notes = made.notes if made.lines or file in named else ()
    return made._replace(old=old, notes=notes)


def _report(app: App, request: Request, made: Iterable[Made]) -> None:
    lines = [line for one in made for line in one.lines]
    print_report(app, lines, as_json=request.as_json, check=request.check)
    files = len({line.file for line in lines})
    if len(lines) > 1 and not request.as_json:
        done = "would seal" if request.check else "sealed"
        app.say(f"{done} {counted(len(lines), 'Secret')} in {counted(files, 'file')}")
    batch.end(batch.WOULD_CHANGE if request.check and lines else 0)
