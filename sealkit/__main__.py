"""Start the command line: `sealkit`, `kubectl sealkit` and `python -m sealkit`."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command in `sys.argv` and exit with its code."""
    # A tenth of a short command's time would be spent on looking for garbage that it has not made.
    gc.disable()
    try:
        from sealkit.cli.main import run  # noqa: PLC0415 (keeps `import sealkit` free)

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were loaded
        code = 130
    gc.freeze()  # nor is any looked for on the way out
    sys.exit(_flushed(code))


def _flushed(code: int) -> int:
    """Flush standard output here, where a failure can still be dealt with in silence."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        # The error was told or does not matter. Python would flush, and complain, once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or 1
    return code


if __name__ == "__main__":
    main()
