"""The world a command works in: streams, folder, clock, randomness. Tests give it another one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from sealkit.errors import UsageError
from sealkit.files import MAX_BYTES, PUBLIC_MODE, read_bytes, write_atomically

STDIO: Final = "-"


@dataclass(frozen=True)
class App:
    """Everything a command gets from outside. Results go to `stdout`, talk goes to `stderr`."""

    stdin: BinaryIO
    stdout: BinaryIO
    stderr: TextIO
    folder: Path
    environment: Mapping[str, str]
    random: Callable[[int], bytes]
    today: Callable[[], date]
    ask: Callable[[str], str]

    @classmethod
    def of_process(cls) -> App:
        """Return the real world of this process."""
        return cls(
            stdin=sys.stdin.buffer,
            stdout=sys.stdout.buffer,
            stderr=sys.stderr,
            folder=Path.cwd(),
            environment=os.environ,
            random=os.urandom,
            today=date.today,
            ask=_ask_without_echo,
        )

    def path(self, name: str) -> Path:
        """Return the absolute path of a file named on the command line."""
        return self.folder / name

    def read(self, name: str) -> bytes:
        """Return the content of a file, or of standard input for `-`; at most 16 MiB.

        Raises:
            SealkitError: it cannot be read, or is larger.
        """
        if name != STDIO:
            return read_bytes(self.path(name))
        content = self.stdin.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise UsageError("is larger than 16 MiB").located(file="stdin")
        return content

    def write(self, name: str, content: str | bytes, *, mode: int = PUBLIC_MODE) -> None:
        """Write a result to a file, whole or not at all, or to standard output for `-`.

        Raises:
            SealkitError: the file cannot be written; an old one is unchanged.
        """
        raw = content.encode() if isinstance(content, str) else content
        if name == STDIO:
            self.stdout.write(raw)
            self.stdout.flush()
        else:
            write_atomically(self.path(name), raw, mode=mode)

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
