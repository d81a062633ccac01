"""Run a program that is killed when the process that started it ends, however it ends.

`python tether.py PARENT PROGRAM [ARGUMENT …]`: it replaces this interpreter, so it keeps the
process id. Only Linux can tie a process to another; elsewhere the program just runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # it ended before it could be tied to
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the point of this file; no shell is wanted


if __name__ == "__main__":
    main()
