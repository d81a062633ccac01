"""`sealkit scan`: find plaintext Secrets, and what is like them, in files and in Git."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from typing import NamedTuple

import click

from sealkit import __version__
from sealkit.cli.app import App
from sealkit.cli.batch import Outcome, each, end, say_errors, worst_code
from sealkit.cli.options import jobs_option
from sealkit.cli.output import counted
from sealkit.cli.scan_generators import past_generators, staged_generators
from sealkit.cli.scan_history import history, is_below, wanted_folders
from sealkit.cli.scan_sources import files_in, scan_blobs, scan_file, staged
from sealkit.cli.verify import FINDINGS, Presentation, findings_options
from sealkit.errors import UsageError
from sealkit.findings.allowing import divided
from sealkit.findings.finding import Place, Severity
from sealkit.findings.rendering import render
from sealkit.findings.report import Report, cleaned, in_order
from sealkit.git import Git
from sealkit.scanning.file import Scanned, Skipped
from sealkit.scanning.rules import SCAN

_EVERYTHING = 0


class ScanRequest(NamedTuple):
    """What to look at; `commits` is how far back, 0 for all the way, None for not at all."""

    paths: tuple[str, ...]
    excluded: tuple[str, ...]
    staged: bool
    commits: int | None
    jobs: int | None


class Result(NamedTuple):
    """What was found, how many files were looked at, and why others were not."""

    report: Report
    files: int
    skipped: Counter[Skipped]
    code: int


@click.command("scan")
@click.argument("paths", nargs=-1)
@click.option("--staged", is_flag=True, help="Look at what the next commit would change.")
@click.option(
    "--history",
    "commits",
    is_flag=False,
    flag_value=str(_EVERYTHING),
    type=click.IntRange(min=0),
    default=None,
    metavar="[N]",
    help="Look at every version of every file in the last N commits, or in all.",
)
@click.option(
    "--exclude",
    "excluded",
    multiple=True,
    metavar="GLOB",
    help="Leave out files whose path fits, such as 'tests/*'; repeatable.",
)
@findings_options
@jobs_option
@click.pass_obj
def scan_command(
    app: App,
    paths: tuple[str, ...],
    staged: bool,
    commits: int | None,
    excluded: tuple[str, ...],
    format_: str,
    output: str,
    show_allowed: bool,
    fail_on: str,
    jobs: int | None,
) -> None:
    """Find plaintext Secrets in PATHS: files and folders; this folder by default.

    Files that Git ignores are left out unless they are named. Findings never show a value. A
    comment `# sealkit:allow SK401 reason`, above a line or above a document, allows a finding
    there. Ends with 3 if there are findings.
    """
    if staged and commits is not None:
        raise UsageError("--staged and --history exclude each other")
    shown = Presentation(format_, output, show_allowed, Severity(fail_on))
    request = ScanRequest(paths or (".",), excluded, staged, commits, jobs)
    end(_show(app, shown, run(request, app, shows_allowed=show_allowed)))


def run(request: ScanRequest, app: App, *, shows_allowed: bool = False) -> Result:
    """Return what is wrong in all files, or in all versions of them.

    Raises:
        UsageError: a path is not there, or there is no repository where one is needed.
    """
    outcomes = list(_outcomes(request, app))
    say_errors(app, outcomes)
    scanned = [outcome.value for outcome in outcomes if outcome.value]
    looked_at = [one for one in scanned if one.skipped is None]
    files = len({one.file for one in looked_at})
    skipped = Counter(one.skipped for one in scanned if one.skipped)
    report = _report(looked_at, shows_allowed=shows_allowed)
    return Result(report, files, skipped, worst_code(outcomes))


def _outcomes(request: ScanRequest, app: App) -> Iterator[Outcome[Scanned]]:
    if not request.staged and request.commits is None:
        files = [one for one in files_in(app, request.paths) if _is_wanted(one, request)]
        yield from each(
            app, files, lambda file: scan_file(app, file), jobs=request.jobs, doing="scanning"
        )
        return
    scanned = _staged(request, app) if request.staged else _past(request, app)
    for one in scanned:
        yield Outcome(one.file, one)


def _staged(request: ScanRequest, app: App) -> Iterator[Scanned]:
    blobs = [one for one in staged(app, request.paths) if _is_wanted(one.path, request)]
    yield from scan_blobs(app, blobs, in_index=True)
    yield from staged_generators(app, blobs, lambda path: _is_wanted(path, request))


def _past(request: ScanRequest, app: App) -> Iterator[Scanned]:
    past = history(app, request.paths, request.commits)
    blobs = [one for one in past.blobs if _is_wanted(one.path, request)]
    yield from scan_blobs(app, blobs, in_index=False)
    folders = wanted_folders(app, Git(app.folder, app.environment), request.paths)
    yield from past_generators(
        app, past, lambda path: is_below(path, folders) and _is_wanted(path, request)
    )


def _is_wanted(path: str, request: ScanRequest) -> bool:
    return not any(fnmatch(path, pattern) for pattern in request.excluded)


def _report(scanned: Iterable[Scanned], *, shows_allowed: bool) -> Report:
    comments = {one.file: one.comments for one in scanned if one.comments}
    kept, allowed = divided((found for one in scanned for found in one.findings), comments)
    return Report(
        verb="scan",
        version=__version__,
        rules=SCAN,
        findings=in_order(kept),
        allowed=in_order(allowed),
        subjects=tuple(dict.fromkeys(cleaned(Place(one.file)) for one in scanned)),
        shows_allowed=shows_allowed,
    )


def _show(app: App, shown: Presentation, result: Result) -> int:
    report = result.report
    app.write(shown.output, render(report, shown.format))
    app.say(f"sealkit: {_summary(result)}")
    return result.code or (FINDINGS if report.fails(shown.threshold) else 0)


def _summary(result: Result) -> str:
    report = result.report
    counts = ((report.count(severity), severity.value) for severity in Severity)
    found = ", ".join(counted(number, what) for number, what in counts if number)
    allowed = f"; {counted(len(report.allowed), 'finding')} allowed" if report.allowed else ""
    reasons = ", ".join(
        f"{number} {why.value}" for why, number in sorted(result.skipped.items(), key=str)
    )
    skipped = f"; skipped {reasons}" if reasons else ""
    return f"{counted(result.files, 'file')}: {found or 'no findings'}{allowed}{skipped}"
