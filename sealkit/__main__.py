"""Start the command line: `sealkit`, `kubectl sealkit` and `python -m sealkit`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command in `sys.argv` and exit with its code."""
    from sealkit.cli.main import run  # noqa: PLC0415 (keeps `import sealkit` free)

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
