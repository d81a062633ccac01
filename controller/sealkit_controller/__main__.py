"""The command `sealkit-controller`."""

from __future__ import annotations

import argparse
import os
import sys

from sealkit import __version__
from sealkit.errors import SealkitError

try:
    from prometheus_client import CollectorRegistry

    from sealkit_controller import app, logs
    from sealkit_controller.access import load_access, own_namespace
    from sealkit_controller.kube import HttpCluster
    from sealkit_controller.metrics import Metrics
    from sealkit_controller.settings import Settings
except ModuleNotFoundError as error:
    if error.name not in {"prometheus_client", "structlog"}:
        raise
    sys.exit("sealkit-controller: error: not installed, try: pip install 'sealkit[controller]'")


def main(arguments: list[str] | None = None) -> int:
    """Run the controller until a signal ends it; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options.kubeconfig, options.context)
    except SealkitError as error:
        print(f"sealkit-controller: error: {error}", file=sys.stderr)  # noqa: T201  (a command)
        return error.exit_code
    except OSError as error:  # a port that is taken
        print(f"sealkit-controller: error: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1


def _run(kubeconfig: str, context: str) -> int:
    settings = Settings.from_environ(os.environ, own_namespace=own_namespace())
    access = load_access(kubeconfig, context)
    metrics = Metrics(CollectorRegistry())
    host = f"{access.host}:{access.port}"
    cluster = HttpCluster(
        access,
        settings,
        count=lambda method, code: metrics.requests.labels(code, method, host).inc(),
    )
    log = logs.logger(sys.stderr, settings.log_level)
    app.run(app.Controller(settings, cluster, metrics=metrics, log=log))
    cluster.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sealkit-controller",
        description="Turn SealedSecrets into Secrets. Settings: SEALKIT_* (see README).",
    )
    parser.add_argument("--kubeconfig", default="", help="file to use instead of kubectl's")
    parser.add_argument("--context", default="", help="context in it")
    parser.add_argument("--version", action="version", version=__version__)
    return parser


if __name__ == "__main__":
    sys.exit(main())
