"""Every benchmark in one run, so that its figures can be compared: `python -m tests.bench`."""

import sys

from tests.bench import cold_start, controller_sync


def main() -> int:
    """Run the command line's benchmark, then the controller's; return the exit code."""
    return cold_start.main() or controller_sync.main()


if __name__ == "__main__":
    sys.exit(main())
