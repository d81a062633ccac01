"""Every benchmark in one run, so that its figures can be compared: `python -m tests.bench`.

Prints tables, and draws the pictures of docs/performance.md where matplotlib is.
"""

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.bench import command_line, controller_sync, plots, sandbox_sync, vault_reads
from tests.bench.progress import say_on_terminal
from tests.cluster.binaries import NoBinaries


def main() -> int:
    """Run all: the command line, Vault, the controller twice; return the exit code."""
    code = command_line.main() or vault_reads.main()
    synced = controller_sync.run_on_control_plane(controller_sync.OBJECTS, say_on_terminal)
    with tempfile.TemporaryDirectory() as folder:
        many = sandbox_sync.measure(Path(folder), say=say_on_terminal)
    say_on_terminal("")
    if isinstance(synced, NoBinaries):
        sys.stdout.write(f"\nreal API server: not run ({synced.reason})\n")
    else:
        tables = controller_sync.table(synced), controller_sync.goals(synced)
        sys.stdout.write("\n" + "\n\n".join(map(str, tables)) + f"\n{synced.absent}\n")
    sys.stdout.write(f"\n{sandbox_sync.table(many)}\n")
    if find_spec("matplotlib") is None:
        sys.stdout.write("pictures: not drawn (needs matplotlib: uv sync --group bench)\n")
        return code
    plots.plot_many(many, plots.PICTURES / "performance-many.svg")
    if not isinstance(synced, NoBinaries):
        plots.plot_sync(synced, plots.PICTURES / "performance-sync.svg")
    return code


if __name__ == "__main__":
    sys.exit(main())
