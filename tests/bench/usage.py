"""What a running process takes of the machine, from /proc (Linux only)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Memory now and at its highest (VmRSS and VmHWM), and the CPU time of all threads so far."""

    resident_bytes: int
    peak_bytes: int
    cpu_seconds: float


def usage_of(pid: int) -> Usage:
    """Return what a process takes.

    Raises:
        FileNotFoundError: there is no such process, or no /proc.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    # The name in brackets may itself hold spaces; see proc_pid_stat(5) for the fields behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Usage(
        resident_bytes=_kilobytes(status, "VmRSS") * 1024,
        peak_bytes=_kilobytes(status, "VmHWM") * 1024,
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS,
    )


def _kilobytes(status: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None, f"no {name} in the status of the process"
    return int(found[1])
