"""Whole trees for `rewrap`, `reseal` and `compact`: their options, their run and their report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import NamedTuple, TypeVar

import click

from sealkit.cli import batch, ledger
from sealkit.cli.app import STDIO, App
from sealkit.cli.audiences import Audiences
from sealkit.cli.batch import Outcome
from sealkit.cli.options import jobs_option, key_option
from sealkit.cli.output import counted, print_json, print_lines
from sealkit.cli.rewriting import Done, Rewritten, Task, Verb, rewrite_file
from sealkit.cli.unseal import read_keys
from sealkit.errors import UsageError
from sealkit.lines import printable
from sealkit.manifests.sealed import KIND

F = TypeVar("F", bound=Callable[..., object])


class Request(NamedTuple):
    """What to rewrite, with which private keys, and what to tell about it."""

    paths: tuple[str, ...]
    key_files: tuple[str, ...]
    check: bool
    jobs: int | None
    report: str
    resume: str
    as_json: bool


class Report(NamedTuple):
    """What became of all files; `skipped` is how many a former run had done."""

    verb: Verb
    check: bool
    outcomes: Sequence[Outcome[Done]]
    skipped: int

    @property
    def done(self) -> list[Done]:
        """The files in which nothing was wrong."""
        return [outcome.value for outcome in self.outcomes if outcome.value]

    @property
    def rewritten(self) -> list[Rewritten]:
        """The manifests that were, or would be, written anew."""
        return [line for done in self.done for line in done.rewritten]

    @property
    def manifests(self) -> int:
        """How many manifests were looked at."""
        return sum(done.manifests for done in self.done)

    @property
    def saved_bytes(self) -> int:
        """By how much all files together are smaller than before."""
        return sum(done.saved_bytes for done in self.done)

    def code(self) -> int:
        """Return the exit code: an error weighs more than a change that --check found."""
        changes = batch.WOULD_CHANGE if self.check and self.rewritten else 0
        return batch.worst_code(self.outcomes) or changes

    def to_dict(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "verb": self.verb.name,
            "check": self.check,
            "files": len(self.outcomes),
            "skipped": self.skipped,
            "manifests": self.manifests,
            "savedBytes": self.saved_bytes,
            "changed": [asdict(line) for line in self.rewritten],
            "failed": ledger.failures(self.outcomes),
        }

    def lines(self) -> list[str]:
        """Return a line a manifest, for people."""
        done = f"would {self.verb.name}" if self.check else self.verb.done
        return [
            printable(f"{done} {line.called} in {line.file}: {self.verb.says(line)}")
            for line in self.rewritten
        ]

    def notes(self) -> list[str]:
        """Return what people must know about those who open manifests no longer."""
        losses = Counter(loser for line in self.rewritten for loser in line.losers)
        if self.check:
            return []
        return [
            f"{loser} no longer opens {counted(number, 'manifest')}, but its holders knew the"
            " values, and Git's history still opens for them: change the values, unless the key"
            " was only renewed"
            for loser, number in losses.items()
        ]

    def summary(self) -> str:
        """Return the last line."""
        done = f"would {self.verb.name}" if self.check else self.verb.done
        parts = []
        if self.manifests:
            parts.append(f"{done} {len(self.rewritten):,} of {self.manifests:,} manifests")
        if self.verb.name == "compact" and self.saved_bytes and not self.check:
            parts.append(f"saved {self.saved_bytes:,} bytes")
        if failed := sum(1 for outcome in self.outcomes if outcome.error):
            parts.append(f"{counted(failed, 'file')} failed")
        if self.skipped:
            parts.append(f"{counted(self.skipped, 'file')} done before")
        return ", ".join(parts)


def rewriting_options(command: F) -> F:
    """Add the arguments and options that all these verbs have."""
    for add in (
        click.option("--json", "as_json", is_flag=True, help="Report as JSON."),
        click.option(
            "--resume", default="", metavar="FILE", help="Skip the files that this report has done."
        ),
        click.option(
            "--report", default="", metavar="FILE", help="Write which files are done, for --resume."
        ),
        jobs_option,
        click.option(
            "--check", is_flag=True, help="Write nothing; exit with 10 if something would change."
        ),
        key_option(required=False),
        click.argument("paths", nargs=-1, required=True),
    ):
        command = add(command)
    return command


def check_key_given(request: Request) -> None:
    """Refuse to begin without a private key where nothing goes without.

    Raises:
        UsageError: there is none.
    """
    if not request.key_files and not request.check:
        hint = "kubectl get secret -n sealkit-system -l sealkit.dev/key -o yaml"
        raise UsageError("a private key is needed: --key FILE", hint=hint)


def carry_out(app: App, verb: Verb, request: Request) -> None:
    """Run a verb on all files, tell what became of them, and end with its exit code.

    Raises:
        SealkitError: nothing was begun.
        Exit: something failed, or would change under --check.
    """
    report = run(app, verb, request)
    _print(app, request, report)
    batch.end(report.code())


def run(app: App, verb: Verb, request: Request) -> Report:
    """Rewrite what needs it in all files; an error in one stops no other.

    Raises:
        UsageError: a path is not there; options exclude each other; the report is none.
        ConfigError: a key file holds no key.
    """
    if request.check and request.report:
        raise UsageError("--check gets nothing done that --report could tell of")
    if STDIO in request.paths:
        raise UsageError("standard input is at no place that a rule covers, expected files")
    files = batch.iter_files(app, request.paths)
    before = ledger.done_before(app, request.resume, verb.name) if request.resume else frozenset()
    todo = [file for file in files if file not in before]
    task = Task(app, verb, read_keys(app, request.key_files), request.check, Audiences(app))
    outcomes: list[Outcome[Done]] = []
    save = partial(ledger.save, app, request.report, verb.name, before, outcomes)
    if request.report:
        save()  # what cannot be written is found out before anything is done
    work = partial(rewrite_file, task)
    try:
        for outcome in batch.each(app, todo, work, jobs=request.jobs, doing=verb.doing):
            outcomes.append(outcome)  # noqa: PERF402 (what is done counts, even if interrupted)
    finally:
        if request.report:
            save()
    return Report(verb, request.check, outcomes, len(files) - len(todo))


def _print(app: App, request: Request, report: Report) -> None:
    """Tell everything: what --check found is a result, all else is talk."""
    if request.as_json:
        print_json(app, report.to_dict())
    else:
        print_lines(app, report.lines(), is_result=report.check)
    batch.say_errors(app, report.outcomes)
    for note in report.notes():
        app.say(f"sealkit: note: {note}")
    if not (report.manifests or report.skipped or batch.worst_code(report.outcomes)):
        app.say(f"sealkit: note: there is no {KIND} in {', '.join(request.paths)}")
    elif not request.as_json:
        app.say(report.summary())
