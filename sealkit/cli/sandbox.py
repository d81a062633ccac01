"""`sealkit sandbox`: a small API server with the controller on it, until interrupted."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Error as SqliteError
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from sealkit.cli.app import App
from sealkit.errors import SealkitError, UsageError
from sealkit.files import PRIVATE_MODE

if TYPE_CHECKING:
    from sealkit_controller.app import Controller
    from sealkit_controller.cluster import Cluster
    from sealkit_controller.connection import Access
    from sealkit_controller.sandbox import Sandbox

START_SECONDS: Final = 30
_STOP: Final = frozenset({signal.SIGINT, signal.SIGTERM})


@click.command("sandbox")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="Port to listen on; 0 chooses a free one.",
)
@click.option(
    "--kubeconfig",
    default="sandbox.kubeconfig",
    show_default=True,
    metavar="FILE",
    help="Write the kubeconfig here, readable by you only.",
)
@click.option(
    "--database", default="", metavar="FILE", help="Keep the objects in this SQLite file."
)
@click.option(
    "--vault",
    "vaults",
    multiple=True,
    metavar="URL",
    help="Allow VaultStores to have this address, such as http://127.0.0.1:8200; repeatable.",
)
@click.pass_obj
def sandbox_command(
    app: App, port: int, kubeconfig: str, database: str, vaults: tuple[str, ...]
) -> None:
    """Run a small Kubernetes API server and the controller for development.

    Writes a kubeconfig for kubectl. Not for production: it has one user who may do everything.
    """
    if not hasattr(signal, "pthread_sigmask"):
        raise SealkitError("the sandbox needs Linux or macOS")
    for address in vaults:
        _check_address(address)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)  # inherited by every thread started below
    place = Path(app.path(database)) if database else None
    with running_cluster(port, place, vaults) as (server, _):
        app.write(kubeconfig, server.kubeconfig(), mode=PRIVATE_MODE)
        app.say(f"sandbox at {server.url}, not for production")
        app.say(f"  export KUBECONFIG={app.path(kubeconfig)}")
        app.say(f"  sealkit init --demo-cluster {kubeconfig}")
        app.say("Ctrl-C ends it")
        signal.sigwait(_STOP)
    app.say("sandbox stopped")


@contextmanager
def running_cluster(
    port: int = 0, database: Path | None = None, vaults: tuple[str, ...] = ()
) -> Iterator[tuple[Sandbox, Controller]]:
    """Run an API server and a controller in this process, ready when the block begins.

    `vaults` are the addresses that a VaultStore may have besides those that any controller allows.

    Raises:
        SealkitError: the controller's part is not installed, or does not get ready in time; the
            port is taken; the database is none.
    """
    try:
        from sealkit_controller.app import Controller  # noqa: PLC0415 (optional part)
        from sealkit_controller.kube import HttpCluster  # noqa: PLC0415 (same)
        from sealkit_controller.logs import logger  # noqa: PLC0415 (same)
        from sealkit_controller.sandbox import Sandbox  # noqa: PLC0415 (same)
        from sealkit_controller.settings import Settings  # noqa: PLC0415 (same)
    except ModuleNotFoundError as error:
        hint = "pip install 'sealkit[controller]'"
        raise SealkitError(f"{error.name} is not installed", hint=hint) from error
    gc.enable()  # off in short commands: see __main__
    settings = Settings(
        cluster_name="sandbox",
        bind_address="127.0.0.1",
        public_port=0,
        probe_port=0,
        vault="cluster",
        vault_addresses=vaults,
    )
    with _started(Sandbox, port, database) as server:
        server.install_crds()
        with closing(HttpCluster(_access(server), settings)) as cluster:
            _create_namespace(cluster, settings.namespace)
            log = logger(sys.stderr, "error")
            with Controller(settings, cluster, log=log) as controller:
                if not controller.wait_until_ready(START_SECONDS):
                    raise SealkitError(f"the controller is not ready after {START_SECONDS} s")
                yield server, controller


def _started(make: type[Sandbox], port: int, database: Path | None) -> Sandbox:
    try:
        return make(port=port, database=database)
    except SqliteError as error:
        what, hint = "is no database of a sandbox", "name a file that is not there yet"
        raise SealkitError(what, hint=hint).located(file=str(database)) from error
    except OSError as error:
        if error.filename:  # that of the database
            raise
        hint = "without --port a free one is chosen"
        what = f"port {port}: {os.strerror(error.errno or 0).lower()}"
        raise SealkitError(what, hint=hint) from error


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
        raise UsageError(
            "is not the address of a Vault, expected http://HOST:PORT", field="--vault"
        )


def _create_namespace(cluster: Cluster, name: str) -> None:
    from sealkit_controller.cluster import ApiError  # noqa: PLC0415 (optional part)
    from sealkit_controller.objects import Resource  # noqa: PLC0415 (same)

    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    try:
        cluster.create(Resource("", "v1", "namespaces", "Namespace"), "", body)
    except ApiError as error:
        if error.reason != "AlreadyExists":  # a database brings it along
            raise


def _access(server: Sandbox) -> Access:
    import ssl  # noqa: PLC0415 (rare: cold start)

    from sealkit_controller.connection import Access  # noqa: PLC0415 (optional part)

    url = urlsplit(server.url)
    return Access(
        host=url.hostname or "",
        port=url.port or 443,
        tls=ssl.create_default_context(cadata=server.ca_pem.decode()),
        authorization=lambda _renew: f"Bearer {server.admin_token}",
    )
