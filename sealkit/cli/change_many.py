"""`set` and `unset` in many files: the manifests that are meant all change, or none does.

First every file is looked at, then values are asked for, then all texts are made, then written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from sealkit.cli import batch, ledger
from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Audience, Choice
from sealkit.cli.audiences import Audiences
from sealkit.cli.batch import Outcome, may_hold_manifest
from sealkit.cli.change_deeds import Change, Deed
from sealkit.cli.change_file import Changed, update_of, values_of
from sealkit.cli.change_values import QUOTE
from sealkit.cli.output import counted, print_json, print_lines
from sealkit.cli.resources import SEALED, Found, parse_resources
from sealkit.cli.rewriting import check_fits
from sealkit.errors import PolicyError, UsageError
from sealkit.lines import printable
from sealkit.manifests.sealed import KIND, SealedSecret
from sealkit.manifests.splice import rewrite


class Request(NamedTuple):
    """Which manifests to change, and what to tell about it."""

    paths: tuple[str, ...]
    name: str
    choice: Choice
    check: bool
    jobs: int | None
    as_json: bool


class Task(NamedTuple):
    """What is the same for all files."""

    app: App
    deed: Deed
    request: Request
    audiences: Audiences


class Looked(NamedTuple):
    """One file before anything is done: its manifests, the keys they have, and what will change."""

    manifests: int = 0
    keys: frozenset[str] = frozenset()
    lines: tuple[Changed, ...] = ()


class Report(NamedTuple):
    """What became of all files: of `looked`, those in `failed` could not be done."""

    verb: str
    check: bool
    looked: Sequence[Outcome[Looked]]
    failed: Sequence[Outcome[object]]

    @property
    def lines(self) -> list[Changed]:
        """The manifests that were, or would be, changed: none if one could not be."""
        if self.failed:
            return []
        return [line for one in self.looked if one.value for line in one.value.lines]

    @property
    def manifests(self) -> int:
        """How many manifests were looked at."""
        return sum(one.value.manifests for one in self.looked if one.value)

    def code(self) -> int:
        """Return the exit code."""
        changes = batch.WOULD_CHANGE if self.check and self.lines else 0
        return batch.worst_code(self.failed) or changes

    def to_dict(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "verb": self.verb,
            "check": self.check,
            "files": len(self.looked),
            "manifests": self.manifests,
            "changed": [line._asdict() for line in self.lines],
            "failed": ledger.failures(self.failed),
        }

    def told(self) -> list[str]:
        """Return a line a manifest, for people."""
        words = ("would set", "would remove") if self.check else ("set", "removed")
        return [printable(f"{line.told(*words)}{_which(line)}") for line in self.lines]

    def summary(self) -> str:
        """Return the last line."""
        if self.failed:
            return f"{counted(len(self.failed), 'file')} failed, nothing was written"
        done = "would change" if self.check else "changed"
        what = "manifest" if self.manifests == 1 else "manifests"
        return f"{done} {len(self.lines):,} of {self.manifests:,} {what}"


def _which(line: Changed) -> str:
    """Return which of the manifests in a file it is, if it is not the first."""
    return f" (document {line.document}, {line.name})" if line.document > 1 else ""


def carry_out(app: App, deed: Deed, request: Request) -> None:
    """Change all manifests that are meant, tell what became of them, and end with an exit code.

    Raises:
        SealkitError: nothing was changed; or a file cannot be written, and the hint says whether
            others were.
        Exit: something is wrong with a file, or would change under --check.
    """
    report = run(app, deed, request)
    if request.as_json:
        print_json(app, report.to_dict())
    else:
        print_lines(app, report.told(), is_result=request.check)
    batch.say_errors(app, report.failed)
    if not request.as_json:
        app.say(report.summary())
    batch.end(report.code())


def run(app: App, deed: Deed, request: Request) -> Report:
    """Change all manifests that are meant, or none.

    Raises:
        UsageError: a path is not there; there is no manifest, or none with one of the keys.
        SealkitError: nobody gave a value; a file cannot be written.
    """
    if STDIO in request.paths:
        raise UsageError("--file takes files, folders and globs, not standard input")
    task = Task(app, deed, request, Audiences(app, request.choice))
    files = batch.iter_files(app, request.paths)
    looked = batch.run_all(app, files, partial(_look, task), jobs=request.jobs, doing="looking")
    if failed := _failed(looked):
        return Report(deed.verb, request.check, looked, failed)
    _check_found(task, [one.value for one in looked if one.value])
    todo = [one.file for one in looked if one.value and one.value.lines]
    if request.check or not todo:
        return Report(deed.verb, request.check, looked, ())
    # Only now, when nothing else can be wrong any more, is anybody asked for a secret.
    work = partial(_make, task, deed.prepared())
    made = batch.run_all(app, todo, work, jobs=request.jobs, doing="changing")
    failed = _failed(made)
    if not failed:
        batch.write_all(app, {one.file: one.value for one in made if one.value})
    return Report(deed.verb, request.check, looked, failed)


def _failed(
    outcomes: Sequence[Outcome[Looked]] | Sequence[Outcome[batch.Change]],
) -> list[Outcome[object]]:
    return [Outcome(one.file, error=one.error) for one in outcomes if one.error]


def _check_found(task: Task, looked: Sequence[Looked]) -> None:
    """Refuse to be content with nothing.

    Raises:
        UsageError: there is no manifest, or none that has one of the keys.
    """
    where, name = ", ".join(task.request.paths), task.request.name
    if not any(one.manifests for one in looked):
        named = f" named {name!r}" if name else ""
        raise UsageError(f"there is no {KIND}{named} in {where}")
    there = frozenset[str]().union(*(one.keys for one in looked))
    for key in task.deed.keys:
        if key not in there and not task.deed.adds:
            hint = "--add sets it in all of them" if task.deed.verb == "set" else ""
            hint = QUOTE if os.path.exists(task.app.path(key)) else hint
            raise UsageError(f"is in no manifest in {where}", field=key, hint=hint)


def _look(task: Task, file: str) -> Looked:
    """Find out what would change in a file, and refuse what could not."""
    raw = task.app.read(file)
    if not may_hold_manifest(raw):
        return Looked()
    entries = _meant(task, parse_resources(raw, file)[1])
    keys: set[str] = set()
    lines = []
    for entry in entries:
        with entry.located():
            sealed = SealedSecret.from_dict(entry.raw)
            keys.update(values_of(sealed))
            if chosen := task.deed.chosen(sealed):
                audience = _admitting(task, file, sealed, chosen)
                task.deed.look(sealed, chosen)
                lines.append(_line(task, entry, audience, sealed, chosen))
    return Looked(len(entries), frozenset(keys), tuple(lines))


def _make(task: Task, change: Change, file: str) -> batch.Change:
    """Return the new text of a file, in which all manifests are changed that are meant."""
    raw = task.app.read(file)
    text, found = parse_resources(raw, file)
    updates = []
    for entry in _meant(task, found):
        with entry.located():
            before = SealedSecret.from_dict(entry.raw)
            if chosen := task.deed.chosen(before):
                audience = _admitting(task, file, before, chosen)
                updates.append(update_of(entry, before, change(before, audience, chosen)))
    return batch.Change(raw, rewrite(text, updates))


def _meant(task: Task, found: Sequence[Found]) -> list[Found]:
    sealed = [entry for entry in found if entry.type == SEALED]
    return [entry for entry in sealed if task.request.name in {"", entry.name}]


def _admitting(task: Task, file: str, sealed: SealedSecret, chosen: tuple[str, ...]) -> Audience:
    """Return who may read a manifest, which is as the configuration says.

    Raises:
        PolicyError: it opens for others; the hint is the command that mends it.
        SealkitError: there is no key to seal for.
    """
    audience = task.audiences.of(task.app.place(file))
    if sealed.envelopes or task.deed.encrypts(chosen):
        audience.check_keys()
    try:
        check_fits(audience, sealed)
    except PolicyError as error:
        error.hint = error.hint.replace(" FILE ", f" {file} ")
        raise
    return audience


def _line(
    task: Task, entry: Found, audience: Audience, sealed: SealedSecret, chosen: tuple[str, ...]
) -> Changed:
    removes = task.deed.verb == "unset"
    seals = bool(sealed.envelopes) or task.deed.encrypts(chosen)
    return Changed(
        file=entry.resource.document.file,
        document=entry.document,
        namespace=sealed.namespace,
        name=sealed.name,
        set=() if removes else chosen,
        removed=chosen if removes else (),
        clusters=audience.names if seals else (),
    )
