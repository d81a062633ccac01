"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import click

from sealkit.cli.app import STDIO
from sealkit.errors import UsageError
from sealkit.manifests.scope import Scope

F = TypeVar("F", bound=Callable[..., object])

output_option = click.option(
    "-o",
    "--output",
    default=STDIO,
    metavar="FILE",
    help="Write to this file; - is standard output.",
)
name_option = click.option(
    "--name", default="", metavar="NAME", help="Which manifest, if FILE holds several."
)
recipient_option = click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="FILE",
    help="Recipient file, where there is no config.",
)
kubeconfig_option = click.option(
    "--kubeconfig", default=None, metavar="FILE", help="Look for the context in this file."
)
context_option = click.option(
    "--context", default=None, metavar="CTX", help="The cluster of this kubectl context."
)
controller_namespace_option = click.option(
    "--controller-namespace",
    default="sealkit-system",
    show_default=True,
    metavar="NAME",
    help="Where the controller publishes its key.",
)


def key_option(*, required: bool) -> Callable[[F], F]:
    """Return the option that gives private keys."""
    return click.option(
        "--key",
        "keys",
        multiple=True,
        required=required,
        metavar="FILE",
        help="Key Secrets of the controller, as `kubectl get -o yaml` prints them; - is standard"
        " input; repeatable.",
    )


def sealing_options(command: F) -> F:
    """Add the options that say for whom and how far something new is sealed."""
    for option in (
        click.option(
            "--scope",
            type=click.Choice([scope.value for scope in Scope]),
            help="How far a sealed value may move and still open; the rule's first, or strict.",
        ),
        click.option(
            "--recipient",
            "recipients",
            multiple=True,
            metavar="FILE",
            help="Seal for the key in this file.",
        ),
        click.option(
            "-c",
            "--cluster",
            "clusters",
            multiple=True,
            metavar="NAME",
            help="Seal for this cluster; repeatable.",
        ),
        click.option(
            "--as",
            "target",
            default="",
            metavar="PATH",
            help="Path the result will have; decides the rule.",
        ),
    ):
        command = option(command)
    return command


def cluster_options(command: F) -> F:
    """Add the options that say which cluster, and where in it the controller is."""
    for option in (
        controller_namespace_option,
        kubeconfig_option,
        context_option,
    ):
        command = option(command)
    return command


def store_options(command: F) -> F:
    """Add the options that say which store references are looked up in."""
    for option in (
        click.option(
            "--cluster-store",
            default="",
            metavar="NAME",
            help="Look references up in this ClusterVaultStore.",
        ),
        click.option(
            "--store",
            default="",
            metavar="NAME",
            help="Look references up in this VaultStore of the namespace, instead of `default`.",
        ),
    ):
        command = option(command)
    return command


def jobs_option(command: F) -> F:
    """Add `--jobs N`, for `batch.run_all`."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Work on so many files at once; as many as there are processors by default.",
    )(command)


def check_output(sources: Sequence[str], output: str, *, in_place: bool, as_json: bool) -> None:
    """Refuse what does not tell where results and the report go.

    Raises:
        UsageError: they have no place, or the same one.
    """
    refuse(
        {
            "--in-place goes with files, and not with --output": in_place
            and (output != STDIO or STDIO in sources),
            "several files need --in-place": not in_place and len(sources) > 1,
            "--json needs -o FILE or --in-place, standard output is the manifest": as_json
            and not in_place
            and output == STDIO,
        }
    )


def refuse(refusals: Mapping[str, bool]) -> None:
    """Refuse a command line for the first reason that applies.

    Raises:
        UsageError: there is one.
    """
    for message, applies in refusals.items():
        if applies:
            raise UsageError(message)
