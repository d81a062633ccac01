"""`python -m sealkit_controller.sandbox`: serve in the foreground until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from sealkit_controller.sandbox.sandbox import Sandbox


def main(arguments: Sequence[str]) -> int:
    """Serve, with the kinds of sealkit installed, and return the exit code."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(options.port, options.database) as sandbox:
        sandbox.install_crds()
        _write_private(options.kubeconfig, sandbox.kubeconfig())
        sys.stdout.write(f"serving {sandbox.url}\nexport KUBECONFIG={options.kubeconfig}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sealkit_controller.sandbox", description=__doc__
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="written at start")
    parser.add_argument("--database", type=Path, help="keep objects in this file")
    return parser


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
