"""Many files in one call: find them, work on each, show progress, tell errors, end with one code.

An error in one file stops no other. Nothing here knows what is done with a file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final, Generic, NamedTuple, NoReturn, TypeVar

import click

from sealkit.cli.app import STDIO, App
from sealkit.errors import SealkitError, UsageError
from sealkit.files import reason_of, slashed
from sealkit.lines import printable

T = TypeVar("T")

WOULD_CHANGE: Final = 10  # the exit code of --check
SUFFIXES: Final = (".yaml", ".yml", ".json")
# Every manifest of ours says its API group; trees are full of files, such as templates of Helm,
# that are no YAML at all, and are none of our business.
_GROUP: Final = b"sealkit.dev"
_FEW: Final = 12  # files that are done as soon as a process is started for them
_CHUNK: Final = 8  # files a process takes at a time


class Change(NamedTuple):
    """What is to become of a file: it is written only while it is as it was read."""

    old: bytes
    new: str


class Outcome(NamedTuple, Generic[T]):
    """What became of one file: what the work returned, or why it could not be done."""

    file: str
    value: T | None = None
    error: SealkitError | None = None


def may_hold_manifest(content: bytes) -> bool:
    """Tell whether a file can hold a manifest of ours, without reading it as YAML."""
    return _GROUP in content


def iter_files(app: App, paths: Iterable[str]) -> list[str]:
    """Return the files that arguments name, each once, in order; `-` stays as it is.

    A folder gives its *.yaml, *.yml and *.json, recursively and sorted, and so does a glob, in
    which `**` stands for any folders. Hidden files and folders, such as .git, count only where
    they are named; links to folders are not followed.

    Raises:
        UsageError: a path is not there, or a glob matches nothing.
        SealkitError: a folder cannot be read.
    """
    found: dict[str, str] = {}
    for path in paths:
        for name in _files_of(app, path):
            found.setdefault(name if name == STDIO else app.place(name), name)
    return list(found.values())


def _files_of(app: App, path: str) -> Iterable[str]:
    if path == STDIO:
        return [path]
    place = app.path(path)
    if os.path.isdir(place):
        return _below(app, path)
    if os.path.exists(place):
        return [path]
    if set(path) & set("*?["):
        return _matching(app, path)
    raise UsageError("there is no such file or folder").located(file=path)


def _below(app: App, folder: str) -> Iterator[str]:
    """Yield the manifests in a folder, called as the folder was."""
    for where, folders, files in os.walk(app.path(folder), onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(where, app.path(folder))
        for name in sorted(files):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                path = os.path.join(folder, inside, name)
                yield slashed(os.path.normpath(path))


def _unreadable(error: OSError) -> NoReturn:
    """Refuse to pass over in silence what nobody has looked at."""
    what = f"cannot be read: {reason_of(error)}"
    raise SealkitError(what).located(file=str(error.filename)) from error


def _matching(app: App, pattern: str) -> list[str]:
    from glob import iglob  # noqa: PLC0415 (rare: cold start)

    found: list[str] = []
    for name in sorted(iglob(pattern, root_dir=app.folder, recursive=True)):
        if os.path.isdir(app.path(name)):
            found += _below(app, name)
        elif name.endswith(SUFFIXES):
            found.append(slashed(name))
    if not found:
        raise UsageError("matches no *.yaml, *.yml or *.json").located(file=pattern)
    return found


def run_all(
    app: App, files: Sequence[str], work: Callable[[str], T], *, jobs: int | None, doing: str
) -> list[Outcome[T]]:
    """Return what becomes of each file; see `each`."""
    return list(each(app, files, work, jobs=jobs, doing=doing))


def each(
    app: App, files: Sequence[str], work: Callable[[str], T], *, jobs: int | None, doing: str
) -> Iterator[Outcome[T]]:
    """Work on each file and yield what became of it, in order; `jobs` of None: all processors.

    The work may happen in forked processes: what it returns is pickled, what it changes is lost,
    and it is not to talk. A terminal shows `doing` and how far it is. A `SealkitError` of the work
    is an outcome; every other exception ends everything.
    """
    jobs = min(jobs or _processors(), len(files) // _FEW)
    with _progress(app, doing, len(files)) as show:
        if jobs > 1 and _forks():
            outcomes = _in_processes(work, files, jobs)
        else:
            outcomes = (outcome(work, file) for file in files)
        with closing(outcomes):
            for done, one in enumerate(outcomes, start=1):
                show(done)
                yield one


def write_all(app: App, changes: Mapping[str, Change]) -> None:
    """Write all files, if all still are what was read.

    Raises:
        SealkitError: one is not, and none is written; or one cannot be written, and the hint says
            how many others were.
    """
    for file, change in changes.items():
        if app.read(file) != change.old:
            what, hint = "was changed meanwhile, nothing was written", "run the command again"
            raise SealkitError(what, hint=hint).located(file=file)
    for number, (file, change) in enumerate(changes.items()):
        try:
            app.write(file, change.new)
        except SealkitError as error:
            if number:
                error.hint = f"{number} of {len(changes)} files were written; run the command again"
            raise


def say_errors(app: App, outcomes: Iterable[Outcome[T]]) -> None:
    """Tell every error as the root command does; one that many files have in common, once."""
    told: set[str] = set()
    for error in (outcome.error for outcome in outcomes if outcome.error):
        error.file = printable(app.shown(error.file)) if error.file else ""
        error.field = printable(error.field)
        if str(error) in told:
            continue
        told.add(str(error))
        app.say(f"sealkit: error: {error}")
        if error.hint:
            app.say(f"sealkit: hint: {error.hint}")


def worst_code(outcomes: Iterable[Outcome[T]]) -> int:
    """Return the exit code of the whole: the highest of all errors, 0 without any."""
    return max((outcome.error.exit_code for outcome in outcomes if outcome.error), default=0)


def end(code: int) -> None:
    """End the command with an exit code, everything having been told.

    Raises:
        Exit: the code is not 0.
    """
    if code:
        raise click.exceptions.Exit(code)


def outcome(work: Callable[[str], T], file: str) -> Outcome[T]:
    """Return what the work on one file returns or raises."""
    try:
        return Outcome(file, work(file))
    except SealkitError as error:
        error.located(file=file)
        return Outcome(file, error=error)


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _forks() -> bool:
    """Tell whether this system forks safely. Keys in memory cannot be handed over otherwise."""
    return sys.platform not in {"win32", "darwin"}


# What a forked process works with: filled there, and only there, when it starts.
_inherited: list[Callable[[str], object]] = []


def _in_processes(
    work: Callable[[str], T], files: Sequence[str], jobs: int
) -> Generator[Outcome[T]]:
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor  # noqa: PLC0415 (cold start)
    from multiprocessing import get_context  # noqa: PLC0415 (cold start)

    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("fork"), initializer=_begin, initargs=(work,)
    )
    try:
        yield from pool.map(_in_process, files, chunksize=_CHUNK)
    except BrokenExecutor as error:
        what = "a process of this command was ended from outside"
        raise SealkitError(what, hint="with less memory: --jobs 1") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(work: Callable[[str], object]) -> None:
    import signal  # noqa: PLC0415 (in a process of its own)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    _inherited[:] = [work]


def _in_process(file: str) -> Outcome[Any]:
    return outcome(_inherited[0], file)


@contextmanager
def _progress(app: App, doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what shows progress, in one line of a terminal that is empty again at the end.

    Without colours and other escape sequences, whatever NO_COLOR says.
    """
    if total < 2 or not app.stderr.isatty() or app.environment.get("TERM") == "dumb":
        yield lambda _: None
        return
    width = len(f"{doing} {total:,}/{total:,}")
    step = max(total // 100, 1)

    def show(done: int) -> None:
        if done % step == 0 or done == total:
            app.stderr.write(f"\r{doing} {done:,}/{total:,}")
            app.stderr.flush()

    try:
        yield show
    finally:
        app.stderr.write(f"\r{' ' * width}\r")
        app.stderr.flush()
