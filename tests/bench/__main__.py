"""Every benchmark in one run, so that its figures can be compared: `python -m tests.bench`."""

import sys

from tests.bench.cold_start import main as measure_command_line
from tests.bench.controller_sync import main as measure_controller


def main() -> int:
    """Run the command line's benchmark, then the controller's; return the exit code."""
    return measure_command_line() or measure_controller()


if __name__ == "__main__":
    sys.exit(main())
