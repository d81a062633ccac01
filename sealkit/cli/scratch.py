"""A private file in memory that an editor is opened on; gone afterwards, whatever happens.

The file is alone in a folder of its own, so that swap files and backups of the editor go with it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple, NoReturn

from sealkit.errors import SealkitError, UsageError
from sealkit.files import read_bytes, reason_of, write_atomically
from sealkit.sensitive import Sensitive

PREFIX: Final = "sealkit-edit-"
NAME: Final = "secret.yaml"  # the ending is for the colours of editors

_MOUNTS: Final = Path("/proc/self/mounts")
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_EDITORS: Final = ("SEALKIT_EDITOR", "VISUAL", "EDITOR")
_HASTE_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 2  # for an editor that was told to end
# Typed at a terminal: for the editor, which is in the same process group.
_FOR_THE_EDITOR: Final = ("SIGINT", "SIGQUIT")
_FATAL: Final = ("SIGTERM", "SIGHUP")


class Saved(NamedTuple):
    """What an editor left; `untouched` if it came back at once and has never saved."""

    content: Sensitive
    untouched: bool


def editor_of(environment: Mapping[str, str]) -> list[str]:
    """Return the editor's command, without a file: $SEALKIT_EDITOR, $VISUAL, $EDITOR, else vi.

    Raises:
        UsageError: its quotes are not closed.
    """
    name = next((name for name in _EDITORS if environment.get(name, "").strip()), "")
    try:
        return shlex.split(environment[name]) if name else ["vi"]
    except ValueError:
        raise UsageError("has a quote that is not closed", field=f"${name}") from None


def folder_in_memory(
    environment: Mapping[str, str], *, allow_disk: bool = False, mounts_file: Path = _MOUNTS
) -> Path:
    """Return a folder for the file: one in memory, or if that is allowed any temporary one.

    Raises:
        UsageError: there is none in memory.
    """
    mounts = mounts_file.read_text() if mounts_file.is_file() else ""
    candidates = [Path(name) for name in ("/dev/shm", environment.get("XDG_RUNTIME_DIR")) if name]  # noqa: S108 (its kind is checked)
    for folder in candidates:
        if is_in_memory(folder.resolve(), mounts) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    if allow_disk:
        return Path(environment.get("TMPDIR") or tempfile.gettempdir())
    hint = "values would be written to a disk: if that is all right, --allow-disk"
    raise UsageError("there is no folder in memory to edit in", hint=hint)


def is_in_memory(folder: Path, mounts: str) -> bool:
    """Tell whether a folder, links followed, is on a file system without a disk.

    `mounts` is the text of /proc/mounts; of two on one place the later counts.
    """
    found: tuple[int, str] = (-1, "")
    for line in mounts.splitlines():
        _, where, kind, *_ = line.split(" ")
        place = Path(where.replace("\\040", " "))
        if folder.is_relative_to(place) and len(place.parts) >= found[0]:
            found = (len(place.parts), kind)
    return found[1] in _IN_MEMORY


@contextmanager
def scratch(place: Path) -> Iterator[Path]:
    """Yield the path of a file to be, in a new folder below `place`; in the end the folder goes.

    Signals that would end this process remove the folder first. What killed ones left is removed.

    Raises:
        SealkitError: the folder cannot be made.
    """
    with _signals():
        _remove_leftovers(place)
        try:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        except OSError as error:
            what = f"no folder can be made there: {reason_of(error)}"
            raise SealkitError(what).located(file=str(place)) from error
        try:
            with _locked(folder):
                yield folder / NAME
        finally:
            _deaf()
            shutil.rmtree(folder, ignore_errors=True)


def _numbers(*names: str) -> tuple[signal.Signals, ...]:
    """Return signals by name; Windows, where nothing here is called, has no such attributes."""
    return tuple(getattr(signal, name) for name in names)


@contextmanager
def _signals() -> Iterator[None]:
    """Let the editor have the signals of the terminal, and end in order on those that end."""
    before = {number: signal.getsignal(number) for number in _numbers(*_FOR_THE_EDITOR, *_FATAL)}
    try:
        # A function, not SIG_IGN, which the editor would inherit.
        for number in _numbers(*_FOR_THE_EDITOR):
            signal.signal(number, _ignore)
        for number in _numbers(*_FATAL):
            signal.signal(number, _end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    pass


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    _deaf()  # a second signal must not disturb the cleaning up
    raise SystemExit(128 + number)


def _deaf() -> None:
    for number in _numbers(*_FOR_THE_EDITOR, *_FATAL):
        signal.signal(number, _ignore)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends: who gets it may clean up."""
    import fcntl  # noqa: PLC0415 (Windows has none)

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_leftovers(place: Path) -> None:
    """Remove the folders of processes of this user that were killed."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, or in use
            if folder.lstat().st_uid == os.getuid() and not folder.is_symlink():
                with _locked(folder):
                    shutil.rmtree(folder)


def edit(
    path: Path,
    content: Sensitive,
    editor: list[str],
    environment: Mapping[str, str],
    clock: Callable[[], float] = time.monotonic,
) -> Saved:
    """Write the file, run the editor on it, and return what it left, nothing if it left no file.

    Raises:
        UsageError: there is no such editor.
        SealkitError: it ended with an error, or left more than 16 MiB.
    """
    write_atomically(path, content.reveal(), mode=0o600)
    os.utime(path, (0, 0))  # to see a save even of the same content within the same instant
    start = clock()
    _run([*editor, str(path)], environment)
    if not path.exists():
        return Saved(Sensitive(b""), untouched=False)
    untouched = path.stat().st_mtime == 0 and clock() - start < _HASTE_SECONDS
    return Saved(Sensitive(read_bytes(path)), untouched)


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    try:
        # The user's own choice of a program, run without a shell.
        process = subprocess.Popen(command, env=environment)  # noqa: S603 (same)
    except OSError as error:
        hint = "export SEALKIT_EDITOR=nano, or whatever you like"
        what = f"the editor {command[0]!r} cannot be started: {reason_of(error)}"
        raise UsageError(what, hint=hint) from error
    try:
        code = process.wait()
    except BaseException:
        _stop(process)
        raise
    if code:
        how = f"with {code}" if code > 0 else f"by signal {-code}"
        raise SealkitError(f"the editor {command[0]!r} ended {how}, nothing was changed")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the editor before its folder goes: it may want to save something there."""
    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
