"""Run console sessions as they stand in README, docs and tests/transcripts, and compare.

A block is fenced with ```console. `$ command` runs in one shell a document, `> ` continues it; the
lines below are its output, standard error included: `…` stands for any characters in a line, a line
`…` alone for any lines. `[6]` at the end is the exit code, left out where it is 0. Of a block that
shows no output at all, only the exit codes are compared.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LIMIT_SECONDS: Final = 120
_END: Final = "--end-of-output--"
_EXIT_CODE: Final = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Step:
    """One command with the exit code that the document promises, and its output if it is shown."""

    line: int
    command: str
    output: str | None
    code: int

    def complaint(self, output: str, code: int) -> str:
        """Return what is wrong with a run of this step, or nothing."""
        if code != self.code:
            return f"exit code {code}, expected {self.code}; the output was:\n{output}"
        if self.output is None or matches(self.output, output):
            return ""
        return f"expected:\n{self.output}\nbut the output was:\n{output}"


def steps(text: str) -> list[Step]:
    """Return the commands of all console blocks of a document, in order."""
    found: list[Step] = []
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        of_block = list(_steps_of_block(block[1].splitlines(), first))
        silent = not any(step.output for step in of_block)
        found += [replace(step, output=None) if silent else step for step in of_block]
    return found


def _steps_of_block(lines: list[str], first: int) -> Iterator[Step]:
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        body = lines[start + 1 : end]
        continued = 0
        while continued < len(body) and body[continued].startswith("> "):
            continued += 1
        command = "\n".join([lines[start][2:], *(line[2:] for line in body[:continued])])
        output = body[continued:]
        while output and not output[-1]:
            output.pop()
        code = _EXIT_CODE.fullmatch(output[-1]) if output else None
        expected = "\n".join(output[:-1] if code else output)
        yield Step(first + start, command, expected, int(code[1]) if code else 0)


def matches(expected: str, actual: str) -> bool:
    """Tell whether an output is the one that a document shows."""
    return _match_lines(expected.splitlines(), actual.rstrip("\n").splitlines())


def _match_lines(expected: list[str], actual: list[str]) -> bool:
    if not expected:
        return not actual
    head, *rest = expected
    if head.strip() == "…":
        return any(_match_lines(rest, actual[start:]) for start in range(len(actual) + 1))
    pattern = ".*?".join(re.escape(part) for part in head.split("…"))
    return (
        bool(actual) and bool(re.fullmatch(pattern, actual[0])) and _match_lines(rest, actual[1:])
    )


class Shell:
    """One bash that keeps its folder and variables from command to command."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: str) -> tuple[str, int]:
        """Run a command and return its output, standard error included, and its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(
            f"{{ {command}\n}} </dev/null\ncode=$?; echo; echo {_END} $code\n"
        )
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.startswith(_END):
                return "".join(lines).removesuffix("\n"), int(line.split()[1])
            lines.append(line)
        raise AssertionError(f"the shell ended during: {command}\n{''.join(lines)}")


@contextmanager
def shell(folder: Path, environment: Mapping[str, str]) -> Iterator[Shell]:
    """Start a shell in a folder; it ends with the block, or by force after two minutes.

    What it has left running in the background ends as well.
    """
    process = subprocess.Popen(
        ["bash", "--norc", "--noprofile"],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    hung = threading.Timer(_LIMIT_SECONDS, process.kill)
    hung.start()
    try:
        yield Shell(process)
    finally:
        hung.cancel()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(timeout=30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.stdout.close()
