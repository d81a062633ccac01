"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def cluster_options(command: F) -> F:
    """Add the options that say which cluster, and where in it the controller is."""
    for option in (
        click.option(
            "--controller-namespace",
            default="sealkit-system",
            show_default=True,
            metavar="NAME",
            help="Where the controller publishes its key.",
        ),
        click.option(
            "--kubeconfig", default=None, metavar="FILE", help="Look for the context in this file."
        ),
        click.option(
            "--context", default=None, metavar="CTX", help="The cluster of this kubectl context."
        ),
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
