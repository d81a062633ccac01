"""Read and write files: the only module of the toolkit that touches file contents.

A write replaces the whole file at once or leaves the old one: never half a file, never a file that
somebody else can read while it is written.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from sealkit.errors import SealkitError

MAX_BYTES: Final = 16 * 1024 * 1024

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
        raise SealkitError(f"cannot be read: {_reason(error)}").located(file=str(path)) from error
    if len(content) > MAX_BYTES:
        raise SealkitError("is larger than 16 MiB").located(file=str(path))
    return content


def write_atomically(path: Path, content: bytes, *, mode: int = PUBLIC_MODE) -> None:
    """Replace or create `path` with `content`; a symbolic link keeps pointing at its target.

    An existing file keeps its permissions unless `mode` is stricter; a new one gets `mode`. The
    directory must exist.

    Raises:
        SealkitError: it cannot be written; the old file, if there was one, is unchanged.
    """
    target = path.resolve()
    try:
        permissions = target.stat().st_mode & 0o777 & _at_most(mode) if target.exists() else mode
        _replace(target, content, permissions)
    except OSError as error:
        raise SealkitError(f"cannot be written: {_reason(error)}").located(
            file=str(path)
        ) from error


def _at_most(mode: int) -> int:
    return 0o777 if mode == PUBLIC_MODE else mode


def _replace(target: Path, content: bytes, permissions: int) -> None:
    # mkstemp opens with O_EXCL and mode 0600, in the same directory so that rename is atomic.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), permissions)
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
