"""`sealkit git`: sealed manifests in `git diff`, `git merge`, `git rebase`."""

from __future__ import annotations

import click

from sealkit.cli.app import STDIO, App
from sealkit.errors import SealkitError


@click.group("git")
def git_command() -> None:
    """Readable diffs and merges value by value, without any key."""


_for_all = click.option(
    "--global", "is_global", is_flag=True, help="For all repositories of this user."
)


@git_command.command("install", short_help="Set up Git for sealed manifests.")
@_for_all
@click.pass_obj
def install_command(app: App, is_global: bool) -> None:
    """Let Git compare and merge sealed manifests with sealkit.

    The commands go to the configuration of this clone; .gitattributes, which is to be committed,
    says for which files: *.sealed.yaml, *.sealed.yml, *.sealed.json, and what the rules of
    .sealkit.yaml name.
    """
    from sealkit.cli.git_setup import install  # noqa: PLC0415 (cold start)

    for line in install(app, is_global=is_global):
        app.say(line)


@git_command.command("uninstall", short_help="Take back what install did.")
@_for_all
@click.pass_obj
def uninstall_command(app: App, is_global: bool) -> None:
    """Take away what `sealkit git install` set and wrote, and nothing else."""
    from sealkit.cli.git_setup import uninstall  # noqa: PLC0415 (cold start)

    for line in uninstall(app, is_global=is_global):
        app.say(line)


@git_command.command("textconv", short_help="Print a file as git diff is to compare it.")
@click.argument("file")
@click.pass_obj
def textconv_command(app: App, file: str) -> None:
    """Print FILE with its ciphertexts shortened to what changes when they do.

    A file without manifests, or with a damaged one, is printed as it is. Git runs this, and stops
    with an error if it fails: it never does.
    """
    from sealkit.cli.git_text import copy, run  # noqa: PLC0415 (cold start)

    try:
        text = run(app, file)
    except SealkitError:
        copy(app, file)
    else:
        app.write(STDIO, text)


@git_command.command("merge-driver", short_help="Merge a file for Git.")
@click.argument("base")
@click.argument("ours")
@click.argument("theirs")
@click.argument("marker_size", type=click.IntRange(min=1), default=7)
@click.argument("path", default="")
@click.pass_obj
def merge_driver_command(
    app: App, base: str, ours: str, theirs: str, marker_size: int, path: str
) -> None:
    """Merge the changes from BASE to THEIRS into the file OURS.

    Values, references, labels and the like are merged one by one. Where both sides changed one
    differently it is put between conflict markers, and the exit code is 1. Git runs this.
    """
    from sealkit.cli.git_merge import MergeRequest, run  # noqa: PLC0415 (cold start)

    run(MergeRequest(base, ours, theirs, marker_size, path), app)
