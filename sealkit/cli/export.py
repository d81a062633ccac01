"""`sealkit export`: manifests become those of another tool, with a report of what does not fit.

Values exist in memory only, between the one encryption and the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import click

from sealkit.cli import batch
from sealkit.cli.app import STDIO, App
from sealkit.cli.making import making
from sealkit.cli.options import check_output, jobs_option, key_option, output_option
from sealkit.cli.output import counted, print_report
from sealkit.cli.resources import SEALED, Found, label_of, parse_resources
from sealkit.cli.unseal import read_keys
from sealkit.crypto.bitnami import Certificate, seal
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import ConfigError, SealkitError, UsageError
from sealkit.foreign import Conversion, Note
from sealkit.foreign.bitnami_export import obstacles, to_bitnami
from sealkit.lines import printable
from sealkit.manifests.sealed import KIND, SealedSecret
from sealkit.manifests.splice import Replace, rewrite
from sealkit.sealing import open_values
from sealkit.sensitive import Sensitive


class ExportRequest(NamedTuple):
    """What to export, for which certificate, with which private keys, and where to put it."""

    sources: tuple[str, ...]
    output: str
    in_place: bool
    check: bool
    key_files: tuple[str, ...]
    certificate: str
    jobs: int | None


class Tools(NamedTuple):
    """What is the same for all manifests: private keys of ours, and their certificate."""

    app: App
    keys: Mapping[Kid, PrivateKey]
    certificate: Certificate

    def seal(self, value: Sensitive, bound_to: bytes) -> str:
        """Return the item for a value."""
        return seal(value, self.certificate.key, bound_to, self.app.random)


@dataclass(frozen=True)
class Exported:
    """One line of the report; `values` is how many were sealed, None if the manifest stays."""

    file: str
    document: int
    item: str
    namespace: str
    name: str
    scope: str
    values: int | None
    notes: tuple[Note, ...]

    def _asdict(self) -> Mapping[str, object]:
        return {
            "file": self.file,
            "document": self.document,
            "item": self.item,
            "namespace": self.namespace,
            "name": self.name,
            "scope": self.scope,
            "result": "unchanged" if self.values is None else "converted",
            "values": self.values or 0,
            "notes": [note._asdict() for note in self.notes],
        }

    def __str__(self) -> str:
        """Return the line for people, and one more for each note."""
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        first = f"left {name} as it is"
        if self.values is not None:
            first = f"exported {name}: {counted(self.values, 'value')} ({self.scope})"
        place = f"{self.file}:{self.document}: {f'{self.item}: ' if self.item else ''}"
        lines = (first, *(f"sealkit: note: {place}{note}" for note in self.notes))
        return "\n".join(printable(line) for line in lines)


class Result(NamedTuple):
    """What becomes of one file."""

    name: str
    text: str
    lines: Sequence[Exported] = ()
    old: bytes = b""

    @property
    def is_changed(self) -> bool:
        """Whether a manifest in it is another one now."""
        return any(line.values is not None for line in self.lines)


@click.command("export")
@click.argument("files", nargs=-1)
@click.option(
    "--to",
    type=click.Choice(["bitnami"]),
    required=True,
    expose_value=False,
    help="Whose manifests to make: SealedSecrets of bitnami.com.",
)
@click.option(
    "--cert",
    "certificate",
    required=True,
    metavar="FILE",
    help="Certificate to seal with, as `kubeseal --fetch-cert` prints it.",
)
@key_option(required=True)
@output_option
@click.option("-i", "--in-place", is_flag=True, help="Replace each file by its exported form.")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 10 if something would be exported."
)
@jobs_option
@click.option("--strict", is_flag=True, help="Fail, and write nothing, if there is any note.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON; needs -o or -i.")
@click.pass_obj
def export_command(
    app: App,
    files: tuple[str, ...],
    certificate: str,
    keys: tuple[str, ...],
    output: str,
    in_place: bool,
    check: bool,
    jobs: int | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Turn manifests in FILES (standard input by default) into those of another tool.

    With -i these are files, folders and globs; all are turned, and only then written. Values are
    opened with your private keys and sealed to the certificate; nothing is written in between.
    Scope, type, labels, annotations and text templates come along.

    A note tells of each field that is not carried over. Manifests with values in Vault, other
    documents, their order and comments stay as they are.
    """
    sources = tuple(batch.iter_files(app, files or (STDIO,)))
    request = ExportRequest(sources, output, in_place or check, check, keys, certificate, jobs)
    _check(request, as_json=as_json)
    results = run(request, app)
    lines = [line for result in results for line in result.lines]
    notes = sum(len(line.notes) for line in lines)
    if not check and (not strict or not notes):
        _write(request, app, results)
    if not lines:
        app.say(f"sealkit: note: there is no {KIND} of sealkit in {_named(files)}")
    _report(request, app, results, as_json=as_json)
    if strict and notes:
        raise SealkitError(f"nothing is written: --strict, and there is {counted(notes, 'note')}")
    batch.end(batch.WOULD_CHANGE if check and any(one.is_changed for one in results) else 0)


def _named(files: tuple[str, ...]) -> str:
    return ", ".join(label_of(name) for name in files or (STDIO,))


def _check(request: ExportRequest, *, as_json: bool) -> None:
    check_output(request.sources, request.output, in_place=request.in_place, as_json=as_json)
    inputs = (*request.sources, *request.key_files, request.certificate)
    if inputs.count(STDIO) > 1:
        raise UsageError("standard input can be only one of them: FILE, --cert or one --key")


def run(request: ExportRequest, app: App) -> list[Result]:
    """Convert all sources; nothing is written.

    Raises:
        ConfigError: the certificate is none to seal with, or a key file holds no key.
        Exit: a source cannot be read, a document is wrong in itself, or a manifest does not open;
            all of that was told.
    """
    certificate = _certificate(app, request.certificate)
    tools = Tools(app, read_keys(app, request.key_files), certificate)
    work = partial(_converted, tools, everything=not request.in_place)
    outcomes = batch.run_all(app, request.sources, work, jobs=request.jobs, doing="exporting")
    batch.say_errors(app, outcomes)
    batch.end(batch.worst_code(outcomes))
    return [one.value for one in outcomes if one.value]


def _certificate(app: App, name: str) -> Certificate:
    try:
        certificate = Certificate.parse(app.read(name))
        certificate.check_usable(app.today())
    except ConfigError as error:
        error.located(file=label_of(name))
        raise
    return certificate


def _converted(tools: Tools, name: str, *, everything: bool) -> Result:
    raw = tools.app.read(name)
    # Trees are full of files that are none of our business, and of templates that are no YAML.
    if not everything and not batch.may_hold_manifest(raw):
        return Result(name, "")
    text, found = parse_resources(raw, name)
    done = [(entry, *_convert(tools, entry)) for entry in found if entry.type == SEALED]
    changes = [Replace(entry.resource, made.manifest) for entry, _, made in done if made.manifest]
    lines = [_line(name, *one) for one in done]
    return Result(name, rewrite(text, changes), lines, raw)


def _convert(tools: Tools, entry: Found) -> tuple[SealedSecret, Conversion]:
    with entry.located():
        sealed = SealedSecret.from_dict(entry.raw)
        if notes := obstacles(sealed):
            return sealed, Conversion(notes)
        values = open_values(sealed, tools.keys)
        with making(tools.app.random) as salt:
            return sealed, to_bitnami(sealed, values, tools.seal, salt)


def _line(name: str, entry: Found, sealed: SealedSecret, made: Conversion) -> Exported:
    return Exported(
        file=label_of(name),
        document=entry.document,
        item=entry.resource.field,
        namespace=sealed.namespace,
        name=sealed.name,
        scope=sealed.scope.value,
        values=_count(made.manifest) if made.manifest else None,
        notes=made.notes,
    )


def _count(manifest: Mapping[str, object]) -> int:
    spec = manifest["spec"]
    items = spec.get("encryptedData") if isinstance(spec, Mapping) else None
    return len(items) if isinstance(items, Mapping) else 0


def _write(request: ExportRequest, app: App, results: Sequence[Result]) -> None:
    """Write what changed; a file in which nothing did is not written in place."""
    if not request.in_place:
        (result,) = results
        app.write(request.output, result.text)
        return
    changed = (one for one in results if one.is_changed)
    batch.write_all(app, {one.name: batch.Change(one.old, one.text) for one in changed})


def _report(request: ExportRequest, app: App, results: Sequence[Result], *, as_json: bool) -> None:
    lines = [line for result in results for line in result.lines]
    print_report(app, lines, as_json=as_json, check=request.check)
    done = [line for line in lines if line.values is not None]
    if len(done) > 1 and not as_json:
        verb = "would export" if request.check else "exported"
        files = len({line.file for line in done})
        app.say(f"{verb} {counted(len(done), 'manifest')} in {counted(files, 'file')}")
