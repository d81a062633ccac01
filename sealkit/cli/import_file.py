"""One file for `sealkit import`: each object in it is recognised and converted, or left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit.cli import import_bitnami, import_sops
from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Choice, audience_for
from sealkit.cli.audiences import Audiences
from sealkit.cli.import_report import Imported, Origin, Result
from sealkit.cli.resources import SECRET, Found, label_of, parse_resources
from sealkit.cli.terms import Terms
from sealkit.cli.tree_files import Files
from sealkit.errors import ManifestError
from sealkit.foreign import Context, Conversion, Note, Raw, convert, convert_secret, sops
from sealkit.foreign.context import EXTERNAL_SECRETS, VAULT_SECRETS, group_of
from sealkit.foreign.sops_users import notes_on_user
from sealkit.manifests.documents import read_documents
from sealkit.manifests.splice import Replace, rewrite
from sealkit.manifests.vault import DEFAULT_STORE, VaultTerms
from sealkit.references.store import Store
from sealkit.referring import Divided, divide

if TYPE_CHECKING:
    from sealkit.crypto.bitnami import Ring

# Only a file with one of these can hold something to import; trees are full of others.
_RELATED: Final = (EXTERNAL_SECRETS, VAULT_SECRETS)
_SIGNS: Final = tuple(one.encode() for one in (*_RELATED, "Secret", "secretGenerator", "sops"))
_TEMPLATE: Final = (
    "has {{ in it, which may be a template, so it stays as it is: name the file itself to seal it"
)
_UNKNOWN: Final = "is encrypted with sops, without its field sops: nothing can open it, so it stays"


class Task(NamedTuple):
    """What is the same for all files; `stdin` is what was read from there."""

    app: App
    files: Files
    context: Context
    audiences: Audiences
    output: str
    seals_plain: bool
    namespace: str
    stdin: bytes = b""
    bitnami: Ring | None = None

    def read(self, name: str) -> bytes:
        """Return the content of a file; standard input is there more than once."""
        return self.stdin if name == STDIO else self.app.read(name)

    def terms(self, source: str) -> Terms:
        """Decide for whom the Secrets of a file are sealed: by its place, or that of the output.

        Raises:
            SealkitError: as `audience_for`.
        """
        written = self.output if self.output != STDIO else source
        if written == STDIO:
            audience = audience_for(self.app, None, Choice())
        else:
            audience = self.audiences.of(self.app.place(written))
        store = VaultTerms(Store(DEFAULT_STORE.name, self.context.store_kind))
        return Terms(audience, audience.scopes[0], store, self.app.random)


class Source(NamedTuple):
    """One file: its text, its objects, and `before` as they were while sops had them encrypted."""

    name: str
    text: str
    is_named: bool
    found: Sequence[Found]
    before: Sequence[Found]


class _Made(NamedTuple):
    entry: Found
    conversion: Conversion
    origin: Origin = Origin.OTHER


def related_objects(task: Task, name: str) -> list[Raw]:
    """Return the objects of a file that decide what becomes of others, also in other files."""
    raw = task.read(name)
    if not any(group.encode() in raw for group in _RELATED):
        return []
    try:
        found = parse_resources(raw, name)[1]
    except ManifestError:  # told when the file itself is converted
        return []
    groups = {*_RELATED, f"generators.{EXTERNAL_SECRETS}"}
    return [entry.raw for entry in found if group_of(entry.raw) in groups]


def convert_file(task: Task, name: str) -> Result:
    """Return what becomes of one file; nothing is written.

    Raises:
        SealkitError: it cannot be read; a document is wrong in itself; sops cannot open it; a
            Secret cannot be sealed for whom it is to be sealed.
    """
    label, is_named = label_of(name), name in task.files.named
    raw = task.read(name)
    result = Result(name, label, is_named)
    if not is_named and not any(sign in raw for sign in _SIGNS):
        return result
    if is_named:
        import_sops.refuse_flat(raw, label)
    try:
        text, found = parse_resources(raw, name)
    except ManifestError:
        if is_named:
            raise
        return result._replace(is_unread=True)
    text, lines = _converted(task, Source(name, text, is_named, found, found))
    return result._replace(old=raw, text=text, lines=tuple(lines))


def _converted(task: Task, source: Source) -> tuple[str, list[Imported]]:
    encrypted = next(filter(import_sops.is_encrypted, source.found), None)
    if encrypted:
        opened = import_sops.decrypted(task.app, source.text, source.found)
        if isinstance(opened, ManifestError):
            if source.is_named:
                raise opened
            return source.text, [_line(source, _Made(encrypted, import_sops.stays(opened)))]
        source = source._replace(found=opened)
    made = [
        one
        for entry, before in zip(source.found, source.before, strict=True)
        if (one := _convert(task, source, entry, before))
    ]
    text = _rewritten(source, made)
    text = import_sops.without_metadata(text) if encrypted else text
    gone = {
        one.entry.document for one in made if one.conversion.goes and not one.entry.resource.field
    }
    return _without(text, gone), [_line(source, one) for one in made]


def _rewritten(source: Source, made: Sequence[_Made]) -> str:
    changes = [
        Replace(one.entry.resource, one.conversion.manifest)
        for one in made
        if one.conversion.manifest
    ]
    return rewrite(source.text, changes)


def _convert(task: Task, source: Source, entry: Found, before: Found) -> _Made | None:
    with entry.located():
        if import_bitnami.is_bitnami(entry):
            terms = partial(task.terms, source.name)
            return _Made(entry, import_bitnami.converted(entry, task.bitnami, terms))
        if entry.type != SECRET:
            folder = Path(source.name).parent.as_posix()
            notes = notes_on_user(entry.raw, folder, lambda file: _is_encrypted(task, source, file))
            made = Conversion(notes) if notes else convert(entry.raw, task.context)
            return _Made(entry, made) if made else None
        if entry is not before:
            secret, notes = import_sops.secret_of(entry, before.raw)
            made = _sealed(task, source, Divided(secret, {}), notes)
            return _Made(entry, made, Origin.SOPS)
        if any(entry.raw.get(name) for name in ("data", "stringData")):
            return _convert_secret(task, source, entry)
        return None


def _convert_secret(task: Task, source: Source, entry: Found) -> _Made | None:
    """Convert a Secret with references; one with values is sealed if that was asked for."""
    if paths := list(sops.encrypted_fields(entry.raw)):
        return _Made(entry, Conversion((Note(paths[0], "", _UNKNOWN),)))
    plain = _Made(entry, Conversion(()), Origin.PLAIN)
    node = entry.resource.node
    if not source.is_named and "{{" in source.text[node.start : node.end]:
        note = (Note("", "", _TEMPLATE),) if task.seals_plain else ()
        return plain._replace(conversion=Conversion(note))
    try:
        divided = divide(entry.raw)
    except ManifestError:
        if task.seals_plain or source.is_named:
            raise
        return plain
    if divided.references and not (divided.secret.data and task.seals_plain):
        made = convert_secret(entry.raw, divided.secret, divided.references, task.context)
        return _Made(entry, made)
    return plain._replace(conversion=_sealed(task, source, divided)) if task.seals_plain else plain


def _sealed(
    task: Task, source: Source, divided: Divided, notes: tuple[Note, ...] = ()
) -> Conversion:
    terms = task.terms(source.name)
    terms.check_keys(divided)
    secret = divided.secret._replace(namespace=divided.secret.namespace or task.namespace)
    return Conversion(notes, terms.seal(divided._replace(secret=secret)))


def _is_encrypted(task: Task, source: Source, file: str) -> bool:
    """Tell whether a file, named relative to a source, is there and encrypted with sops."""
    place = Path(task.app.place(source.name)).parent / file
    return (
        source.name != STDIO
        and place.is_file()
        and sops.is_encrypted_file(task.app.read(str(place)))
    )


def _without(text: str, documents: set[int]) -> str:
    """Take out whole documents, counted from 1, with the comments in them."""
    if not documents:
        return text
    kept = [one for one in read_documents(text) if one.number not in documents]
    return "".join(text[one.start : one.end] for one in kept)


def _line(source: Source, made: _Made) -> Imported:
    entry, conversion = made.entry, made.conversion
    manifest = conversion.manifest
    return Imported(
        file=label_of(source.name),
        document=entry.document,
        item=entry.resource.field,
        was=(_kind_of(entry), _name_in(entry.raw)),
        to=(str(manifest["kind"]), _name_in(manifest)) if manifest else None,
        goes=conversion.goes,
        notes=conversion.notes,
        origin=made.origin,
    )


def _kind_of(entry: Found) -> str:
    kind = entry.type[1]
    return "file" if kind is None or sops.is_encrypted(kind) else str(kind)


def _name_in(raw: Mapping[str, object]) -> str:
    metadata = raw.get("metadata")
    place = metadata if isinstance(metadata, Mapping) else {}
    return "/".join(str(place[one]) for one in ("namespace", "name") if place.get(one))
