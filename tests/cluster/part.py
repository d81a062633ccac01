"""One server process of a test: started, waited for, stopped and killed, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from http.client import HTTPException
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
POLL_SECONDS = 0.05


class PartError(Exception):
    """A process did not become ready or ended early; the message ends with its log's tail."""


class Part:
    """A server process that can be stopped and started again under the same command.

    Start it from a thread that lives as long as it does: Linux ends it with that thread.
    """

    def __init__(self, command: Sequence[str], log: Path, ready: Callable[[], bool]) -> None:
        """Describe the process; `ready` may raise OSError or HTTPException."""
        self.command = command
        self.log = log
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, or None while it is not running."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self, deadline_seconds: float = 60) -> None:
        """Start the process and return once it is ready; its output is added to `log`.

        Raises:
            PartError: it ended, or was not ready in time.
        """
        with ExitStack() as undo:
            undo.callback(self.kill)
            self.spawn()
            self.await_ready(deadline_seconds)
            undo.pop_all()

    def spawn(self) -> None:
        """Start the process and return at once."""
        assert self.pid is None, f"{self.log.stem} is running"
        tether = (sys.executable, "-I", "-S", str(TETHER), str(os.getpid()))
        # A session of its own, so that a Ctrl-C reaches the test run alone, which ends it.
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                (*tether, *self.command),
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def await_ready(self, deadline_seconds: float) -> None:
        """Poll until the process is ready.

        Raises:
            PartError: it ended, or was not ready in time.
        """
        give_up = time.monotonic() + deadline_seconds
        while self.pid is not None:
            with suppress(OSError, HTTPException):
                if self._ready():
                    return
            if time.monotonic() > give_up:
                raise PartError(
                    f"{self.log.stem}: not ready in {deadline_seconds} s\n{self.tail()}"
                )
            time.sleep(POLL_SECONDS)
        raise PartError(f"{self.log.stem}: ended early\n{self.tail()}")

    def stop(self, grace_seconds: float = 20) -> None:
        """Ask the process to end, and kill it if it has not in time."""
        self._end(signal.SIGTERM, grace_seconds)

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        self._end(signal.SIGKILL, None)

    def tail(self, lines: int = 25) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _end(self, how: signal.Signals, grace_seconds: float | None) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.send_signal(how)
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
