"""`sealkit set` and `sealkit unset`: change single values without any private key."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Audience, Choice, audience_for
from sealkit.cli.output import print_report
from sealkit.cli.resources import SEALED, Found, label_of, read_resources
from sealkit.cli.values import Sources, check_keys
from sealkit.errors import UsageError
from sealkit.manifests.sealed import KIND, SealedSecret, envelope_to_dict
from sealkit.manifests.splice import Remove, Set, apply_edits
from sealkit.sealing import set_values, unset_values

Change = Callable[[SealedSecret, Audience], SealedSecret]


class ChangeRequest(NamedTuple):
    """Which manifest to change, and where the result goes; an empty output means in place."""

    file: str
    output: str
    name: str
    choice: Choice


class Changed(NamedTuple):
    """The report: which values of which manifest were set or removed, and for whom."""

    file: str
    document: int
    namespace: str
    name: str
    set: tuple[str, ...]
    removed: tuple[str, ...]
    clusters: tuple[str, ...]

    def __str__(self) -> str:
        """Return the line for people."""
        if self.removed:
            return f"removed {', '.join(self.removed)} from {self.file}"
        return f"set {', '.join(self.set)} in {self.file} for {', '.join(self.clusters)}"


@click.command("set")
@click.argument("file")
@click.argument("keys", nargs=-1)
@click.option(
    "--from-file",
    "files",
    multiple=True,
    metavar="KEY=PATH",
    help="Take the value of KEY from a file, byte for byte; repeatable.",
)
@click.option(
    "-o",
    "--output",
    default="",
    metavar="FILE",
    help="Write here instead of in place; - is stdout.",
)
@click.option("--name", default="", metavar="NAME", help="Which manifest, if FILE holds several.")
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="FILE",
    help="Recipient file, where there is no config.",
)
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def set_command(
    app: App,
    file: str,
    keys: tuple[str, ...],
    files: tuple[str, ...],
    output: str,
    name: str,
    recipients: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add or change the values of KEYS in the sealed manifest FILE.

    Values are asked for without echo, or one is read from standard input. Every other value keeps
    its bytes; comments and layout stay.
    """
    request = ChangeRequest(file, output, name, Choice(recipient_files=recipients))
    _check(request, keys, as_json=as_json)
    sources = Sources.parse(keys, files)
    sources.check(app, file)

    def change(sealed: SealedSecret, audience: Audience) -> SealedSecret:
        # Only now, when nothing else can be wrong any more, is anybody asked for a secret.
        return set_values(sealed, sources.read(app), audience.keys, app.random)

    print_report(app, [run(request, app, change)], as_json=as_json)


@click.command("unset")
@click.argument("file")
@click.argument("keys", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    default="",
    metavar="FILE",
    help="Write here instead of in place; - is stdout.",
)
@click.option("--name", default="", metavar="NAME", help="Which manifest, if FILE holds several.")
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="FILE",
    help="Recipient file, where there is no config.",
)
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def unset_command(
    app: App,
    file: str,
    keys: tuple[str, ...],
    output: str,
    name: str,
    recipients: tuple[str, ...],
    as_json: bool,
) -> None:
    """Remove the values of KEYS from the sealed manifest FILE."""
    request = ChangeRequest(file, output, name, Choice(recipient_files=recipients))
    _check(request, keys, as_json=as_json)
    report = run(request, app, lambda sealed, _: unset_values(sealed, dict.fromkeys(keys)))
    print_report(app, [report], as_json=as_json)


def _check(request: ChangeRequest, keys: tuple[str, ...], *, as_json: bool) -> None:
    if as_json and (request.output or request.file) == STDIO:
        raise UsageError("--json needs -o FILE, standard output is the manifest")
    check_keys(keys)


def run(request: ChangeRequest, app: App, change: Change) -> Changed:
    """Change one manifest in a file by editing its text.

    Raises:
        PolicyError: others can open the manifest than the configuration says.
        UsageError: the file holds no manifest, or several.
        ManifestError: the manifest is wrong before or after the change; the file is unchanged.
    """
    output = request.output or request.file
    place = request.file if output == STDIO else output
    target = app.place(place) if place != STDIO else None
    audience = audience_for(app, target, request.choice)
    _, found = read_resources(app, request.file)
    entry = _only(request, [entry for entry in found if entry.type == SEALED])
    with entry.located():
        before = SealedSecret.from_dict(entry.raw)
        audience.check_manifest(before)
        after = change(before, audience)
    app.write(output, apply_edits(entry.resource, edits(before, after)))
    return _report(request, audience, entry.document, (before, after))


def _only(request: ChangeRequest, found: list[Found]) -> Found:
    if request.name:
        found = [entry for entry in found if entry.name == request.name]
    if not found:
        named = f" named {request.name!r}" if request.name else ""
        hint = "sealkit seal makes one from a Secret"
        raise UsageError(f"holds no {KIND}{named}", hint=hint).located(file=label_of(request.file))
    if len(found) > 1:
        names = ", ".join(repr(entry.name) for entry in found)
        raise UsageError(f"holds several: {names}", hint="pass --name").located(
            file=label_of(request.file)
        )
    return found[0]


def edits(before: SealedSecret, after: SealedSecret) -> list[Set | Remove]:
    """Return the edits of the text that turn one manifest into the other."""
    changed: list[Set | Remove] = [
        Set(("spec", "encryptedData", key), str(value))
        for key, value in after.encrypted_data.items()
        if before.encrypted_data.get(key) != value
    ]
    changed += [
        Set(("spec", "envelopes", eid), envelope_to_dict(envelope))
        for eid, envelope in after.envelopes.items()
        if eid not in before.envelopes
    ]
    gone = [
        ("encryptedData", key) for key in before.encrypted_data if key not in after.encrypted_data
    ]
    gone += [("envelopes", eid) for eid in before.envelopes if eid not in after.envelopes]
    return changed + [Remove(("spec", *path)) for path in gone]


def _report(
    request: ChangeRequest,
    audience: Audience,
    document: int,
    versions: tuple[SealedSecret, SealedSecret],
) -> Changed:
    before, after = (version.encrypted_data for version in versions)
    return Changed(
        file=label_of(request.file),
        document=document,
        namespace=versions[1].namespace,
        name=versions[1].name,
        set=tuple(key for key, value in after.items() if before.get(key) != value),
        removed=tuple(key for key in before if key not in after),
        clusters=audience.names,
    )
