"""`sealkit keys`: the keys a cluster has: their state, their backup, and what depends on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.options import cluster_options, output_option
from sealkit.cli.output import print_json
from sealkit.cluster import Place
from sealkit.lines import printable

F = TypeVar("F", bound=Callable[..., object])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("keys")
def keys_command() -> None:
    """Keys that a cluster has: their state, their backup, and what depends on them."""


def _place(app: App, context: str | None, kubeconfig: str | None) -> Place:
    return Place(context, app.path(kubeconfig) if kubeconfig else None)


@keys_command.command("usage", short_help="Count the manifests that depend on each key.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--key", default="", metavar="KID", help="List the manifests that open only with this key."
)
@json_option
@cluster_options
@click.pass_obj
def usage_command(
    app: App,
    paths: tuple[str, ...],
    key: str,
    as_json: bool,
    context: str | None,
    kubeconfig: str | None,
    controller_namespace: str,
) -> None:
    """Count the manifests that depend on each key of a cluster.

    A key with 0 under ONLY can be removed: everything opens without it. Without PATHs the manifests
    of the cluster are counted; else those in the files and folders named, so that it can be seen
    what of a repository still needs an old key.
    """
    from sealkit.cli.keys_usage import (  # noqa: PLC0415 (cold start)
        UsageRequest,
        needing,
        print_table,
        usage,
    )

    place = _place(app, context, kubeconfig)
    request = UsageRequest(place, controller_namespace, paths, key)
    if key:
        names = needing(request, app)
        app.write(STDIO, "".join(f"{printable(name)}\n" for name in names))
        return
    found = usage(request, app)
    if as_json:
        print_json(app, asdict(found))
    else:
        print_table(app, found)


@keys_command.command("status", short_help="Show which key seals now, and which are pinned.")
@json_option
@cluster_options
@click.pass_obj
def status_command(
    app: App,
    as_json: bool,
    context: str | None,
    kubeconfig: str | None,
    controller_namespace: str,
) -> None:
    """Show the keys of a cluster: which one seals now, and which ones this repository pins.

    Takes no right but to read the public keys, which every user of a cluster has.
    """
    from sealkit.cli.keys_status import print_status, status  # noqa: PLC0415 (cold start)

    found = status(app, _place(app, context, kubeconfig), controller_namespace)
    if as_json:
        print_json(app, [row._asdict() for row in found])
    else:
        print_status(app, found)


@keys_command.command("backup")
@click.option(
    "-r",
    "--recipient",
    "recipients",
    multiple=True,
    metavar="AGE1…",
    help="Encrypt to this X25519 recipient of age; repeatable.",
)
@click.option(
    "-R",
    "--recipients-file",
    "recipient_files",
    multiple=True,
    metavar="FILE",
    help="Encrypt to the recipients in this file, one a line; repeatable.",
)
@click.option("-p", "--passphrase", "asks", is_flag=True, help="Ask for a passphrase.")
@click.option(
    "--passphrase-file",
    default="",
    metavar="FILE",
    help="Encrypt with the passphrase in this file; - is standard input.",
)
@output_option
@cluster_options
@click.pass_obj
def backup_command(
    app: App,
    recipients: tuple[str, ...],
    recipient_files: tuple[str, ...],
    asks: bool,
    passphrase_file: str,
    output: str,
    context: str | None,
    kubeconfig: str | None,
    controller_namespace: str,
) -> None:
    """Write the private keys of a cluster to an encrypted file.

    The file is in the age format: `age -d FILE | kubectl create -f -` restores it where there is no
    sealkit. A file that is there is never replaced, since it may be the only one with a key that
    old commits need. If FILE is a folder, a file in it is named after keys and states, and only
    written when there is none: run it as often as you like. It takes the right to list secrets in
    the namespace of the controller.
    """
    from sealkit.cli.keys_backup import BackupRequest, run  # noqa: PLC0415 (cold start)

    request = BackupRequest(
        _place(app, context, kubeconfig),
        controller_namespace,
        recipients,
        recipient_files,
        asks,
        passphrase_file,
        output,
    )
    run(request, app)


def unlocking_options(command: F) -> F:
    """Add the options that open an encrypted backup."""
    for option in (
        click.option(
            "--passphrase-file",
            default="",
            metavar="FILE",
            help="The passphrase of the backup, if nobody is there to be asked.",
        ),
        click.option(
            "-i",
            "--identity",
            "identities",
            multiple=True,
            metavar="FILE",
            help="Identities of age, as age-keygen writes them; repeatable.",
        ),
    ):
        command = option(command)
    return command


@keys_command.command("restore")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@unlocking_options
@click.option("--dry-run", is_flag=True, help="Write nothing; prove that the backup is good.")
@click.option(
    "--manifests",
    "paths",
    multiple=True,
    metavar="PATH",
    help="With --dry-run: open the manifests of a file or folder, not of a cluster; repeatable.",
)
@json_option
@cluster_options
@click.pass_obj
def restore_command(
    app: App,
    files: tuple[str, ...],
    identities: tuple[str, ...],
    passphrase_file: str,
    dry_run: bool,
    paths: tuple[str, ...],
    as_json: bool,
    context: str | None,
    kubeconfig: str | None,
    controller_namespace: str,
) -> None:
    """Give a cluster the keys of backups that it does not have.

    FILEs are what `sealkit keys backup` wrote, or key Secrets as kubectl prints them. Keys that are
    there stay as they are, so it can be run again. --dry-run writes nothing: it opens every
    manifest of the cluster with the keys of the backup alone, names those that do not open and
    the keys of the cluster that are in no FILE, and exits with 3 if there are any.
    """
    from sealkit.cli.keys_backup import Unlocking  # noqa: PLC0415 (cold start)
    from sealkit.cli.keys_restore import (  # noqa: PLC0415 (same)
        RestoreRequest,
        print_proof,
        print_restored,
        prove,
        restore,
    )

    request = RestoreRequest(
        _place(app, context, kubeconfig),
        controller_namespace,
        files,
        Unlocking(identities, passphrase_file),
        paths,
    )
    if dry_run:
        print_proof(app, prove(request, app), as_json=as_json)
    else:
        print_restored(app, restore(request, app), as_json=as_json)


def _state_command(does: str, state: str, short_help: str, help_text: str) -> None:
    @keys_command.command(does, short_help=short_help, help=help_text)
    @click.argument("kid", metavar="KID")
    @cluster_options
    @click.pass_obj
    def command(
        app: App,
        kid: str,
        context: str | None,
        kubeconfig: str | None,
        controller_namespace: str,
    ) -> None:
        from sealkit.cli.keys_state import label  # noqa: PLC0415 (cold start)

        label(app, _place(app, context, kubeconfig), controller_namespace, kid, state)


_state_command(
    "retire",
    "retired",
    "Take a key out of use.",
    """Take a key out of use: nothing new is sealed for it, and what was sealed still opens.

    KID is its id, as `sealkit keys status` shows it. If it was the last active key, the controller
    makes another one at once. It takes the right to list and patch secrets in the namespace of the
    controller.
    """,
)
_state_command(
    "compromised",
    "compromised",
    "Mark a key that somebody else may have.",
    """Mark a key that somebody else may have: each manifest that uses it says so.

    What was sealed for it still opens, in the cluster and for whoever has it: the values themselves
    have to change. KID and rights as for `sealkit keys retire`.
    """,
)
