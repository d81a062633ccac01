"""Read and write files: the only module of the toolkit that touches file contents.

A write replaces the whole file at once or leaves the old one: never half a file, never a private
file that somebody else can read while it is written.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from sealkit.errors import SealkitError

MAX_BYTES: Final = 16 * 1024 * 1024

# Windows would write "\r\n" for "\n" without the first, and has no need of the second.
_FLAGS: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

PUBLIC_MODE: Final = 0o644
PRIVATE_MODE: Final = 0o600


def read_bytes(path: Path) -> bytes:
    """Return the content of a file of at most 16 MiB.

    Raises:
        SealkitError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SealkitError(f"cannot be read: {reason_of(error)}").located(file=str(path)) from error
    if len(content) > MAX_BYTES:
        raise SealkitError("is larger than 16 MiB").located(file=str(path))
    return content


def write_atomically(path: Path, content: bytes, *, mode: int = PUBLIC_MODE) -> None:
    """Replace or create `path` with `content`; a symbolic link keeps pointing at its target.

    An existing file keeps its permissions, less what `mode` forbids if it is private; a new one
    gets `mode` less what the umask takes away. What is no regular file, such as a pipe, is written
    to as it stands. The directory must exist. A process killed at the wrong moment leaves a file
    `.sealkit-….tmp`, with the permissions of the target.

    Raises:
        SealkitError: it cannot be written; the old file, if there was one, is unchanged.
    """
    target = Path(os.path.realpath(path))
    try:
        old = _mode(target)
        if old is None or stat.S_ISREG(old):
            _replace(target, content, mode, old)
        else:
            target.write_bytes(content)  # a rename would put a file where /dev/null was
    except OSError as error:
        what = f"cannot be written: {reason_of(error)}"
        raise SealkitError(what).located(file=str(path)) from error


def _mode(target: Path) -> int | None:
    if target.is_symlink():  # resolved, and still a link: a ring
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target.stat().st_mode if target.exists() else None


def _replace(target: Path, content: bytes, mode: int, old: int | None) -> None:
    permissions = mode if old is None else old & (0o777 if mode == PUBLIC_MODE else mode)
    # In the same directory, so that the rename is atomic.
    temporary = target.with_name(f".sealkit-{os.urandom(8).hex()}.tmp")
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | _FLAGS
        with os.fdopen(os.open(temporary, flags, permissions), "wb") as file:
            if old is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), permissions)  # the umask is for new files only
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_file(path: Path) -> None:
    """Remove a file; that it is not there is no error.

    Raises:
        SealkitError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        what = f"cannot be removed: {reason_of(error)}"
        raise SealkitError(what).located(file=str(path)) from error


def make_folder(path: Path) -> None:
    """Create a folder unless it is there.

    Raises:
        SealkitError: it cannot be created.
    """
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise SealkitError(f"cannot be created: {reason_of(error)}").located(
            file=str(path)
        ) from error


def reason_of(error: OSError) -> str:
    """Return what the operating system says went wrong, without the names of files."""
    return (error.strerror or type(error).__name__).lower()


def slashed(path: str) -> str:
    """Return a path with slashes, as configuration, Git and reports have it, on Windows too."""
    return path.replace(os.sep, "/")
