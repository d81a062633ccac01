"""`sealkit import`: documents of other tools become ours, with a report of what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.options import output_option
from sealkit.cli.output import counted, print_report
from sealkit.cli.resources import SECRET, Found, label_of, read_resources
from sealkit.errors import ManifestError, SealkitError, UsageError
from sealkit.foreign import Context, Conversion, Note, convert, convert_secret
from sealkit.lines import printable
from sealkit.manifests.documents import read_documents
from sealkit.manifests.secret import check_data_key
from sealkit.manifests.splice import Replace, rewrite
from sealkit.references.reference import StoreKind
from sealkit.referring import divide


class ImportRequest(NamedTuple):
    """What to convert, where to put it, and what the documents do not say."""

    sources: tuple[str, ...]
    output: str
    in_place: bool
    keys: tuple[str, ...]
    store_kind: StoreKind


@dataclass(frozen=True)
class Imported:
    """One line of the report: what an object became, and what was not carried over.

    `to` is its new kind and name; None if it stays as it is or became a part of others (`goes`).
    """

    file: str
    document: int
    item: str
    was: tuple[str, str]
    to: tuple[str, str] | None
    goes: bool
    notes: tuple[Note, ...]

    def _asdict(self) -> Mapping[str, object]:
        kind, name = self.was
        return {
            "file": self.file,
            "document": self.document,
            "item": self.item,
            "kind": kind,
            "name": name,
            "result": "joined" if self.goes else "converted" if self.to else "unchanged",
            "to": {"kind": self.to[0], "name": self.to[1]} if self.to else None,
            "notes": [note._asdict() for note in self.notes],
        }

    def __str__(self) -> str:
        """Return the line for people, and one more for each note."""
        became = " ".join(self.to) if self.to else "part of its stores" if self.goes else ""
        was = " ".join(self.was)
        first = f"imported {was}: {became}" if became else f"left {was} as it is"
        place = f"{self.file}:{self.document}: {f'{self.item}: ' if self.item else ''}"
        lines = (first, *(f"sealkit: note: {place}{note}" for note in self.notes))
        return "\n".join(printable(line) for line in lines)


class Input(NamedTuple):
    """One file: its text and the objects in it."""

    name: str
    text: str
    found: Sequence[Found]


class Result(NamedTuple):
    """What becomes of one file."""

    name: str
    text: str
    lines: Sequence[Imported]


@click.command("import")
@click.argument("files", nargs=-1)
@output_option
@click.option("-i", "--in-place", is_flag=True, help="Replace each file by its converted form.")
@click.option(
    "--keys",
    default="",
    metavar="NAMES",
    help="Data keys, with commas between, for documents that take all keys of a secret.",
)
@click.option(
    "--store-kind",
    type=click.Choice([kind.value for kind in StoreKind]),
    default=StoreKind.NAMESPACED.value,
    show_default=True,
    help="Kind of the stores of documents that have one kind only.",
)
@click.option("--strict", is_flag=True, help="Fail, and write nothing, if there is any note.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON; needs -o or -i.")
@click.pass_obj
def import_command(
    app: App,
    files: tuple[str, ...],
    output: str,
    in_place: bool,
    keys: str,
    store_kind: str,
    strict: bool,
    as_json: bool,
) -> None:
    """Convert documents of other tools in FILES (standard input by default).

    Converts ExternalSecret, SecretStore and ClusterSecretStore of the External Secrets Operator;
    VaultStaticSecret, VaultDynamicSecret, VaultPKISecret, and VaultAuth with its VaultConnection,
    of the Vault Secrets Operator; Secrets with references of the Argo CD Vault Plugin or of
    bank-vaults.

    A note tells of each field that is not carried over. Other documents, their order and comments
    stay as they are. Give stores and what uses them in one call.
    """
    request = ImportRequest(
        sources=tuple(dict.fromkeys(files)) or (STDIO,),
        output=output,
        in_place=in_place,
        keys=tuple(dict.fromkeys(key.strip() for key in keys.split(","))) if keys else (),
        store_kind=StoreKind(store_kind),
    )
    _check(request, as_json=as_json)
    results = run(request, app)
    lines = [line for result in results for line in result.lines]
    notes = sum(len(line.notes) for line in lines)
    if not strict or not notes:
        _write(request, app, results)
    print_report(app, lines, as_json=as_json)
    if strict and notes:
        raise SealkitError(f"nothing is written: --strict, and there is {counted(notes, 'note')}")


def _check(request: ImportRequest, *, as_json: bool) -> None:
    both = request.output != STDIO or STDIO in request.sources
    to_stdout = not request.in_place and request.output == STDIO
    refusals = {
        "--in-place goes with files, and not with --output": request.in_place and both,
        "several files need --in-place": not request.in_place and len(request.sources) > 1,
        "--json needs -o FILE or --in-place, standard output is the manifest": as_json
        and to_stdout,
    }
    for message, applies in refusals.items():
        if applies:
            raise UsageError(message)
    for key in request.keys:
        try:
            check_data_key(key, "--keys")
        except ManifestError as error:
            raise UsageError(error.problem, field="--keys") from error


def run(request: ImportRequest, app: App) -> list[Result]:
    """Convert all sources; nothing is written.

    Raises:
        SealkitError: a source cannot be read, or a document is wrong in itself.
    """
    sources = [Input(name, *read_resources(app, name)) for name in request.sources]
    objects = tuple(entry.raw for source in sources for entry in source.found)
    context = Context(objects, request.keys, request.store_kind)
    return [_converted(app, source, context) for source in sources]


def _converted(app: App, source: Input, context: Context) -> Result:
    done = [(entry, made) for entry in source.found if (made := _convert(entry, context))]
    if not done:
        app.say(f"sealkit: note: there is nothing to import in {label_of(source.name)}")
    changes = [Replace(entry.resource, one.manifest) for entry, one in done if one.manifest]
    text = rewrite(source.text, changes)
    gone = {entry.document for entry, one in done if one.goes and not entry.resource.field}
    lines = [_line(source, entry, made) for entry, made in done]
    return Result(source.name, _without(text, gone), lines)


def _convert(entry: Found, context: Context) -> Conversion | None:
    with entry.located():
        if entry.type != SECRET:
            return convert(entry.raw, context)
        divided = divide(entry.raw)
        if not divided.references:
            return None
        return convert_secret(entry.raw, divided.secret, divided.references, context)


def _without(text: str, documents: set[int]) -> str:
    """Take out whole documents, counted from 1, with the comments in them."""
    if not documents:
        return text
    kept = [one for one in read_documents(text) if one.index not in documents]
    return "".join(text[one.start : one.end] for one in kept)


def _line(source: Input, entry: Found, made: Conversion) -> Imported:
    return Imported(
        file=label_of(source.name),
        document=entry.document,
        item=entry.resource.field,
        was=(str(entry.type[1]), _name_in(entry.raw)),
        to=(str(made.manifest["kind"]), _name_in(made.manifest)) if made.manifest else None,
        goes=made.goes,
        notes=made.notes,
    )


def _name_in(raw: Mapping[str, object]) -> str:
    metadata = raw.get("metadata")
    place = metadata if isinstance(metadata, Mapping) else {}
    return "/".join(str(place[one]) for one in ("namespace", "name") if place.get(one))


def _write(request: ImportRequest, app: App, results: Sequence[Result]) -> None:
    """Write what changed; a file in which nothing did is not written in place."""
    for result in results:
        changed = any(line.to or line.goes for line in result.lines)
        if changed or not request.in_place:
            app.write(result.name if request.in_place else request.output, result.text)
