"""`sealkit edit`: the values of a manifest in an editor, with or without a private key."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Audience, Choice
from sealkit.cli.change_file import Changed, ChangeRequest
from sealkit.cli.change_file import run as change_manifest
from sealkit.cli.editing import draft, headed, plan
from sealkit.cli.options import name_option, recipient_option
from sealkit.cli.output import print_json
from sealkit.cli.unseal import read_keys
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import SealkitError, UsageError
from sealkit.manifests.sealed import SealedSecret
from sealkit.sealing import open_values
from sealkit.sensitive import Sensitive

Opening = Callable[[Sensitive], Sensitive]
"""Lets the user change a text."""
Keys = dict[Kid, PrivateKey]


class EditRequest(NamedTuple):
    """Which manifest to edit, and with which private keys, if any."""

    change: ChangeRequest
    key_files: tuple[str, ...]
    allow_disk: bool


class _UnchangedError(Exception):
    """There is nothing to write."""


@click.command("edit")
@click.argument("file")
@name_option
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FILE",
    help="Show the values, opened with the key Secrets in this file; repeatable.",
)
@recipient_option
@click.option(
    "--allow-disk", is_flag=True, help="Edit in a temporary folder if there is none in memory."
)
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def edit_command(
    app: App,
    file: str,
    name: str,
    keys: tuple[str, ...],
    recipients: tuple[str, ...],
    allow_disk: bool,
    as_json: bool,
) -> None:
    """Edit the values of the sealed manifest FILE in $SEALKIT_EDITOR, $VISUAL or $EDITOR.

    Without a private key sealed values show as <sealed>: leave one to keep it, replace it to seal
    a new one, delete its line to remove it. What is not changed keeps its bytes. The text is in
    memory only, and gone when the editor is closed.
    """
    choice = Choice(recipient_files=recipients)
    request = EditRequest(ChangeRequest(file, "", name, choice), keys, allow_disk)
    try:
        report = run(request, app)
    except _UnchangedError:
        app.say(f"sealkit: note: nothing was changed in {file}")
        if as_json:
            print_json(app, [])
        return
    if as_json:
        print_json(app, [report._asdict()])
    else:
        app.say(_line(report))


def _line(report: Changed) -> str:
    """Return the report for people."""
    parts = [f"set {', '.join(report.set)}"] if report.set else []
    parts += [f"removed {', '.join(report.removed)}"] if report.removed else []
    clusters = f" for {', '.join(report.clusters)}" if report.set and report.clusters else ""
    return f"{' and '.join(parts)} in {report.file}{clusters}"


def run(request: EditRequest, app: App) -> Changed:
    """Let the user change the values of one manifest, and seal those that were changed.

    Raises:
        SealkitError: as `change.run`; the editor failed; what was saved is wrong; the file was
            changed meanwhile. It is as it was then.
        _UnchangedError: nothing was changed.
    """
    file = request.change.file
    if sys.platform == "win32":
        hint = "sealkit set FILE KEY asks for a value, without an editor"
        raise UsageError("edit needs Linux or macOS", hint=hint)
    if file == STDIO:
        raise UsageError("an editor needs a file, not standard input")
    keys = read_keys(app, request.key_files)
    content = app.read(file)

    def change(sealed: SealedSecret, audience: Audience) -> SealedSecret:
        changed = _edited(request, app, keys, sealed, audience)
        if app.read(file) != content:
            what = "was changed by somebody else meanwhile, nothing was written"
            raise SealkitError(what).located(file=file)
        return changed

    return change_manifest(request.change, app, change)


def _edited(
    request: EditRequest, app: App, keys: Keys, sealed: SealedSecret, audience: Audience
) -> SealedSecret:
    from sealkit.cli import scratch  # noqa: PLC0415 (cold start)

    opened = open_values(sealed, keys) if keys else None
    shown = draft(sealed, opened)
    editor = scratch.editor_of(app.environment)
    place = scratch.folder_in_memory(app.environment, allow_disk=request.allow_disk)

    def made(saved: Sensitive) -> SealedSecret:
        found = plan(sealed, opened, shown, saved)
        changed = found.made(sealed, audience.keys if found.values else (), app.random)
        if changed == sealed:
            raise _UnchangedError
        for key in found.partly_public:
            app.say(f"sealkit: note: {key}: the text around its references is public now")
        return changed

    with scratch.scratch(place) as path:

        def opening(text: Sensitive) -> Sensitive:
            saved = scratch.edit(path, text, editor, app.environment)
            if saved.untouched:
                app.say(_hint(editor[0]))
            return saved.content

        return _until_right(app, opening, shown, made)


def _hint(editor: str) -> str:
    return (
        f"sealkit: hint: {editor} came back at once; if it has a window of its own, tell it to"
        f" wait for you: SEALKIT_EDITOR='{editor} --wait'"
    )


def _until_right(
    app: App, opening: Opening, shown: Sensitive, made: Callable[[Sensitive], SealedSecret]
) -> SealedSecret:
    """Open the editor again, with the error above the text, until what was saved is right.

    Raises:
        SealkitError: the user gave up: left nothing, or changed nothing after an error; or nobody
            is there to mend it.
    """
    text = shown
    while True:
        saved = opening(text)
        if not saved.reveal().strip():
            raise SealkitError("nothing was left in the editor, so nothing was changed")
        try:
            return made(headed(saved))
        except SealkitError as error:
            if not app.interactive() or saved == text:
                raise
            text = headed(saved, error)
