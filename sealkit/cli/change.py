"""`sealkit set` and `sealkit unset`: change single values without any private key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Audience, Choice
from sealkit.cli.change_file import ChangeRequest, check_sealed, refer, remove, run
from sealkit.cli.change_values import Given, Options, given, words_of
from sealkit.cli.options import jobs_option, name_option, recipient_option
from sealkit.cli.output import print_report
from sealkit.errors import UsageError
from sealkit.manifests.sealed import SealedSecret
from sealkit.sealing import set_values

F = TypeVar("F", bound=Callable[..., object])


def _changing_options(command: F) -> F:
    """Add the options that both verbs have."""
    for add in (
        click.option("--json", "as_json", is_flag=True, help="Report as JSON."),
        jobs_option,
        click.option(
            "--check",
            is_flag=True,
            help="With --file: write nothing; exit with 10 if something would change.",
        ),
        recipient_option,
        name_option,
        click.option(
            "-o",
            "--output",
            default="",
            metavar="FILE",
            help="Write here instead of in place; - is stdout.",
        ),
        click.option(
            "-f",
            "--file",
            "paths",
            multiple=True,
            metavar="PATH",
            help="Change the manifests in this file, folder or glob; repeatable. All arguments"
            " are keys then.",
        ),
    ):
        command = add(command)
    return command


@click.command("set")
@click.argument("file", required=False, metavar="[FILE]")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option(
    "--from-file",
    "pairs",
    multiple=True,
    metavar="KEY=PATH",
    help="Take the value of KEY from a file, byte for byte; repeatable.",
)
@click.option(
    "--from-env-file",
    "env_files",
    multiple=True,
    metavar="PATH",
    help="Take every NAME=value of a .env file; quotes go, nothing is interpolated; - is standard"
    " input.",
)
@click.option(
    "--from-json",
    "json_files",
    multiple=True,
    metavar="PATH",
    help="Take every entry of a JSON object of strings; - is standard input.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    metavar="KEY=vault:PATH#KEY",
    help="Let KEY refer to a value in Vault; repeatable.",
)
@click.option(
    "--add", is_flag=True, help="With --file: also in manifests that do not have the key yet."
)
@_changing_options
@click.pass_obj
def set_command(
    app: App,
    file: str | None,
    keys: tuple[str, ...],
    pairs: tuple[str, ...],
    env_files: tuple[str, ...],
    json_files: tuple[str, ...],
    references: tuple[str, ...],
    add: bool,
    paths: tuple[str, ...],
    output: str,
    name: str,
    recipients: tuple[str, ...],
    check: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Add or change the values of KEYs in the sealed manifest FILE.

    Values are asked for without echo, or one is read from standard input. Every other value keeps
    its bytes; comments and layout stay. A reference is public, and is given as it is.

    With --file many manifests get the same values, each sealed for its own place and readers: those
    that have the key already, or with --add all. If anything is wrong in one, none is written.
    """
    target, keys = words_of(app, file, keys, paths)
    request = ChangeRequest(target, output, name, Choice(recipient_files=recipients))
    _check(
        request, paths, batch_only={"--add": add, "--check": check, "--jobs": jobs}, json=as_json
    )
    what = given(app, Options(keys, pairs, references, env_files, json_files), target)
    if paths:
        from sealkit.cli import change_many as many  # noqa: PLC0415 (cold start)
        from sealkit.cli.change_deeds import Setting  # noqa: PLC0415 (same)

        wanted = many.Request(paths, name, request.choice, check, jobs, as_json)
        many.carry_out(app, Setting(app, what, add), wanted)
    else:
        report = run(request, app, _setting(app, what), encrypts=bool(what.names))
        print_report(app, [report], as_json=as_json)


def _setting(app: App, what: Given) -> Callable[[SealedSecret, Audience], SealedSecret]:
    def change(sealed: SealedSecret, audience: Audience) -> SealedSecret:
        referring = refer(sealed, what.references)
        check_sealed(referring, what.names)
        if not what.names:
            return referring
        # Only now, when nothing else can be wrong any more, is anybody asked for a secret.
        return set_values(referring, what.read(app), audience.keys, app.random)

    return change


@click.command("unset")
@click.argument("file", required=False, metavar="[FILE]")
@click.argument("keys", nargs=-1, metavar="KEY...")
@_changing_options
@click.pass_obj
def unset_command(
    app: App,
    file: str | None,
    keys: tuple[str, ...],
    paths: tuple[str, ...],
    output: str,
    name: str,
    recipients: tuple[str, ...],
    check: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Remove the values of KEYs from the sealed manifest FILE, sealed or references.

    With --file they go from every manifest that has them. If anything is wrong in one, none is
    written.
    """
    target, keys = words_of(app, file, keys, paths)
    request = ChangeRequest(target, output, name, Choice(recipient_files=recipients))
    _check(request, paths, batch_only={"--check": check, "--jobs": jobs}, json=as_json)
    if not keys:
        raise UsageError("there is no key to remove", hint="sealkit unset FILE KEY")
    if paths:
        from sealkit.cli import change_many as many  # noqa: PLC0415 (cold start)
        from sealkit.cli.change_deeds import Unsetting  # noqa: PLC0415 (same)

        wanted = many.Request(paths, name, request.choice, check, jobs, as_json)
        many.carry_out(app, Unsetting(keys), wanted)
    else:
        report = run(request, app, lambda sealed, _: remove(sealed, keys))
        print_report(app, [report], as_json=as_json)


def _check(
    request: ChangeRequest, paths: tuple[str, ...], *, batch_only: dict[str, object], json: bool
) -> None:
    if paths and request.output:
        raise UsageError("--output goes with one FILE, not with --file")
    for option, value in batch_only.items():
        if value and not paths:
            raise UsageError(f"{option} goes with --file")
    if not paths and json and (request.output or request.file) == STDIO:
        raise UsageError("--json needs -o FILE, standard output is the manifest")
