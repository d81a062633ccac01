"""The world a command works in: streams, folder, clock, randomness. Tests give it another one."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date
from typing import BinaryIO, Final, NamedTuple, TextIO

from sealkit.errors import SealkitError, UsageError
from sealkit.files import (
    MAX_BYTES,
    PUBLIC_MODE,
    AnyPath,
    inside,
    read_bytes,
    reason_of,
    slashed,
    write_atomically,
)

STDIO: Final = "-"


class App(NamedTuple):
    """Everything a command gets from outside. Results go to `stdout`, talk goes to `stderr`."""

    stdin: BinaryIO
    stdout: BinaryIO
    stderr: TextIO
    folder: str
    environment: Mapping[str, str]
    random: Callable[[int], bytes]
    today: Callable[[], date]
    ask: Callable[[str], str]

    @classmethod
    def of_process(cls) -> App:
        """Return the real world of this process.

        A stream that is closed (`<&-` in a shell) is empty to read and leads nowhere to talk; only
        results need an open one.

        Raises:
            SealkitError: standard output is closed, or the folder we are in is gone.
        """
        if sys.stdout is None:
            raise SealkitError("standard output is closed")
        try:
            folder = os.getcwd()
        except OSError as error:
            raise SealkitError(f"the current folder: {reason_of(error)}") from error
        return cls(
            stdin=sys.stdin.buffer if sys.stdin else io.BytesIO(),
            stdout=sys.stdout.buffer,
            stderr=sys.stderr or io.StringIO(),
            folder=folder,
            environment=os.environ,
            random=os.urandom,
            today=date.today,
            ask=_ask_without_echo,
        )

    def path(self, name: str) -> str:
        """Return the absolute path of a file named on the command line."""
        return os.path.join(self.folder, name)

    def place(self, name: str) -> str:
        """Return the absolute path of the file that a name leads to, links followed."""
        return os.path.realpath(self.path(name))

    def shown(self, path: AnyPath) -> str:
        """Return how messages call a path: as seen from here, if it is below."""
        return inside(os.fspath(path), self.folder) or slashed(os.fspath(path))

    def read(self, name: str) -> bytes:
        """Return the content of a file, or of standard input for `-`; at most 16 MiB.

        Raises:
            SealkitError: it cannot be read, or is larger.
        """
        if name != STDIO:
            return read_bytes(self.path(name))
        if self.interactive():
            self.say("sealkit: note: reading standard input, Ctrl-D ends it")
        content = self.stdin.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise UsageError("is larger than 16 MiB").located(file="stdin")
        return content

    def write(self, name: str, content: str | bytes, *, mode: int = PUBLIC_MODE) -> None:
        """Write a result to a file, whole or not at all, or to standard output for `-`.

        Raises:
            SealkitError: it cannot be written; an old file is unchanged.
            BrokenPipeError: the reader of standard output went away, as `| head` does.
        """
        # A file name that is not UTF-8 arrived with surrogates, and leaves as it came.
        raw = content.encode(errors="surrogateescape") if isinstance(content, str) else content
        if name == STDIO:
            self._print(raw)
        else:
            write_atomically(self.path(name), raw, mode=mode)

    def _print(self, raw: bytes) -> None:
        try:
            self.stdout.write(raw)
            self.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            what = f"cannot be written: {reason_of(error)}"
            raise SealkitError(what).located(file="stdout") from error

    def say(self, line: str) -> None:
        """Tell the user something that is not the result."""
        self.stderr.write(f"{line}\n")
        self.stderr.flush()

    def interactive(self) -> bool:
        """Tell whether a person can be asked."""
        return self.stdin.isatty()


def _ask_without_echo(prompt: str) -> str:
    import getpass  # noqa: PLC0415 (rare: cold start)

    return getpass.getpass(prompt)
