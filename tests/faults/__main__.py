"""Run schedules by hand: `python -m tests.faults SEED` or `python -m tests.faults --count 5000`."""

import argparse
import sys
import time

from tests.faults.schedule import run_all, sandboxes

_BATCH = 60  # after which failures are told


def main() -> int:
    """Run the schedules that were asked for, and tell the story of each that failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds, from the first on")
    parser.add_argument("--times", type=int, default=1, help="how often to run each")
    parser.add_argument("--jobs", type=int, default=3, help="how many side by side")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.count)
    started = time.monotonic()
    failed = 0
    with sandboxes(min(options.jobs, options.count)) as boxes:
        for number in range(options.times):
            for start in range(0, len(seeds), _BATCH):
                stories = run_all(boxes, seeds[start : start + _BATCH], f"-{number}")
                failed += len(stories)
                sys.stdout.writelines(f"{story}\n" for story in stories)
                sys.stdout.flush()
    seconds = time.monotonic() - started
    total = options.count * options.times
    sys.stdout.write(f"{total} schedules in {seconds:.1f} s, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
