"""Read and write files: the only module of the toolkit that touches file contents.

A write replaces the whole file at once or leaves the old one: never half a file, never a private
file that somebody else can read while it is written.

Here and in what a cold `seal` goes through, paths are text: loading pathlib would take longer than
reading, sealing and writing. Other modules may give and make a `Path`.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import Final, TypeAlias

from sealkit.errors import SealkitError

AnyPath: TypeAlias = "str | os.PathLike[str]"

MAX_BYTES: Final = 16 * 1024 * 1024

# Windows would write "\r\n" for "\n" without the first, and has no need of the second.
_FLAGS: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

PUBLIC_MODE: Final = 0o644
PRIVATE_MODE: Final = 0o600


def read_bytes(path: AnyPath) -> bytes:
    """Return the content of a file of at most 16 MiB.

    Raises:
        SealkitError: it cannot be read, or is larger.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SealkitError(f"cannot be read: {reason_of(error)}").located(
            file=os.fspath(path)
        ) from error
    if len(content) > MAX_BYTES:
        raise SealkitError("is larger than 16 MiB").located(file=os.fspath(path))
    return content


def is_file(path: AnyPath) -> bool:
    """Tell whether a regular file is there, links followed.

    Raises:
        SealkitError: there is no telling: a link in a ring, a folder that is closed to us.
    """
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        what = f"cannot be read: {reason_of(error)}"
        raise SealkitError(what).located(file=os.fspath(path)) from error


def write_atomically(path: AnyPath, content: bytes, *, mode: int = PUBLIC_MODE) -> None:
    """Replace or create `path` with `content`; a symbolic link keeps pointing at its target.

    An existing file keeps its permissions, less what `mode` forbids if it is private; a new one
    gets `mode` less what the umask takes away. What is no regular file, such as a pipe, is written
    to as it stands. The directory must exist. A process killed at the wrong moment leaves a file
    `.sealkit-….tmp`, with the permissions of the target.

    Raises:
        SealkitError: it cannot be written; the old file, if there was one, is unchanged.
    """
    target = os.path.realpath(path)
    try:
        old = _mode(target)
        if old is None or stat.S_ISREG(old):
            _replace(target, content, mode, old)
        else:
            with open(target, "wb") as file:  # a rename would put a file where /dev/null was
                file.write(content)
    except OSError as error:
        what = f"cannot be written: {reason_of(error)}"
        raise SealkitError(what).located(file=os.fspath(path)) from error


def _mode(target: str) -> int | None:
    if os.path.islink(target):  # resolved, and still a link: a ring
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return os.stat(target).st_mode if os.path.exists(target) else None


def _replace(target: str, content: bytes, mode: int, old: int | None) -> None:
    permissions = mode if old is None else old & (0o777 if mode == PUBLIC_MODE else mode)
    # In the same directory, so that the rename is atomic.
    name = f".sealkit-{os.urandom(8).hex()}.tmp"
    temporary = os.path.join(os.path.dirname(target), name)
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | _FLAGS
        with os.fdopen(os.open(temporary, flags, permissions), "wb") as file:
            if old is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), permissions)  # the umask is for new files only
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        _remove(temporary)
        raise


def remove_file(path: AnyPath) -> None:
    """Remove a file; that it is not there is no error.

    Raises:
        SealkitError: it cannot be removed.
    """
    try:
        _remove(path)
    except OSError as error:
        what = f"cannot be removed: {reason_of(error)}"
        raise SealkitError(what).located(file=os.fspath(path)) from error


def _remove(path: AnyPath) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def make_folder(path: AnyPath) -> None:
    """Create a folder unless it is there.

    Raises:
        SealkitError: it cannot be created.
    """
    try:
        os.mkdir(path)
    except OSError as error:
        if not os.path.isdir(path):
            what = f"cannot be created: {reason_of(error)}"
            raise SealkitError(what).located(file=os.fspath(path)) from error


def reason_of(error: OSError) -> str:
    """Return what the operating system says went wrong, without the names of files."""
    return (error.strerror or type(error).__name__).lower()


def slashed(path: str) -> str:
    """Return a path with slashes, as configuration, Git and reports have it, on Windows too."""
    return path.replace(os.sep, "/")


def inside(path: str, folder: str) -> str | None:
    """Return a path as seen from a folder, with slashes; None if it is not below it.

    Both are absolute; those of Windows differ in no more than case if they are the same. Nothing is
    followed: `..` stays.
    """
    start = folder.removesuffix(os.sep) + os.sep
    if os.path.normcase(path.removesuffix(os.sep) + os.sep) == os.path.normcase(start):
        return "."
    if not os.path.normcase(path).startswith(os.path.normcase(start)):
        return None
    return slashed(path[len(start) :])
