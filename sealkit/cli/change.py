"""`sealkit set` and `sealkit unset`: change single values without any private key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Audience, Choice, audience_for
from sealkit.cli.output import print_report
from sealkit.cli.resources import SEALED, Found, read_resources
from sealkit.errors import UsageError
from sealkit.manifests.sealed import KIND, SealedSecret, envelope_to_dict
from sealkit.manifests.secret import check_data_key
from sealkit.manifests.splice import Remove, Set, apply_edits
from sealkit.sealing import set_values, unset_values
from sealkit.sensitive import Sensitive

Change = Callable[[SealedSecret, Audience], SealedSecret]


@dataclass(frozen=True)
class ChangeRequest:
    """Which manifest to change, and where the result goes; an empty output means in place."""

    file: str
    output: str
    name: str
    choice: Choice


@dataclass(frozen=True)
class Changed:
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
        parts = [
            f"{verb} {', '.join(keys)}"
            for verb, keys in (("set", self.set), ("removed", self.removed))
            if keys
        ]
        return f"{'; '.join(parts)} in {self.file} for {', '.join(self.clusters)}"


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
@click.option("-o", "--output", default="", help="Write here instead of in place; - is stdout.")
@click.option("--name", default="", help="Which manifest, if FILE holds several.")
@click.option(
    "--recipient", "recipients", multiple=True, help="Key file, where there is no config."
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
    values = _values(app, keys, files)

    def change(sealed: SealedSecret, audience: Audience) -> SealedSecret:
        recipients = [recipient.key for recipient in audience.recipients]
        return set_values(sealed, values, recipients, app.random)

    print_report(app, [run(request, app, change)], as_json=as_json)


@click.command("unset")
@click.argument("file")
@click.argument("keys", nargs=-1, required=True)
@click.option("-o", "--output", default="", help="Write here instead of in place; - is stdout.")
@click.option("--name", default="", help="Which manifest, if FILE holds several.")
@click.option(
    "--recipient", "recipients", multiple=True, help="Key file, where there is no config."
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
    report = run(request, app, lambda sealed, _: unset_values(sealed, keys))
    print_report(app, [report], as_json=as_json)


def _values(app: App, keys: tuple[str, ...], files: tuple[str, ...]) -> Mapping[str, Sensitive]:
    """Collect the new values: from files, from standard input, or by asking."""
    values = {}
    for entry in files:
        key, equals, path = entry.partition("=")
        if not equals:
            raise UsageError("is not of the form KEY=PATH", field="--from-file")
        values[key] = Sensitive(app.read(path))
    for key in keys:
        if "=" in key:
            hint = f"sealkit set FILE {key.partition('=')[0]} asks for it"
            raise UsageError("a value on the command line ends up in the shell history", hint=hint)
        if key in values:
            raise UsageError("is given twice", field=key)
        values[key] = _ask(app, key) if app.interactive() else _from_stdin(app, keys)
    for key in values:
        check_data_key(key, "spec.encryptedData")
    if not values:
        raise UsageError("there is no key to set", hint="sealkit set FILE KEY")
    return values


def _ask(app: App, key: str) -> Sensitive:
    return Sensitive(app.ask(f"{key}: ").encode())


def _from_stdin(app: App, keys: tuple[str, ...]) -> Sensitive:
    if len(keys) != 1:
        hint = "use --from-file KEY=PATH for the others"
        raise UsageError("standard input holds the value of one key only", hint=hint)
    value = app.read(STDIO)
    if value.endswith(b"\n"):
        app.say("sealkit: note: the value ends with a line break, which is part of it now")
    return Sensitive(value)


def run(request: ChangeRequest, app: App, change: Change) -> Changed:
    """Change one manifest in a file by editing its text.

    Raises:
        PolicyError: others can open the manifest than the configuration says.
        UsageError: the file holds no manifest, or several.
        ManifestError: the manifest is wrong before or after the change; the file is unchanged.
    """
    output = request.output or request.file
    target = request.file if output == STDIO else output
    audience = audience_for(app, app.path(target).resolve(), request.choice)
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
        raise UsageError(f"holds no {KIND}{named}", hint=hint).located(file=request.file)
    if len(found) > 1:
        names = ", ".join(entry.name for entry in found)
        raise UsageError(f"holds several: {names}", hint="pass --name").located(file=request.file)
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
        file=request.file,
        document=document,
        namespace=versions[1].namespace,
        name=versions[1].name,
        set=tuple(key for key, value in after.items() if before.get(key) != value),
        removed=tuple(key for key in before if key not in after),
        clusters=tuple(recipient.cluster for recipient in audience.recipients),
    )
