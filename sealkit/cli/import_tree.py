"""Whole trees for `sealkit import`: all files are converted, and only then any is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sealkit.cli import batch
from sealkit.cli.app import App
from sealkit.cli.import_report import Report, Result
from sealkit.cli.tree_files import Files


def convert_all(
    app: App, files: Files, work: Callable[[str], Result], *, jobs: int | None, check: bool
) -> Report:
    """Return what becomes of all files; nothing is written.

    Raises:
        Exit: there were errors, and they are told.
    """
    outcomes = batch.run_all(app, files.names, work, jobs=jobs, doing="importing")
    batch.say_errors(app, outcomes)
    batch.end(batch.worst_code(outcomes))
    return Report([outcome.value for outcome in outcomes if outcome.value], check)


def write_all(app: App, results: Iterable[Result]) -> None:
    """Replace the files in which something changes. Raises as `batch.write_all`."""
    changed = (result for result in results if result.changes)
    batch.write_all(app, {one.name: batch.Change(one.old, one.text) for one in changed})
