"""`sealkit vault push`: the values of a local Secret go to Vault, references to them come out.

Everything that can fail is tried before the one request that writes; a value never shows.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from sealkit import fields
from sealkit.cli.app import STDIO, App
from sealkit.cli.options import refuse
from sealkit.cli.resources import SECRET, Found, label_of, read_resources
from sealkit.cli.seal import divided_secret, public_notes
from sealkit.cli.terms import Wish, terms_for
from sealkit.cli.vault_desk import connecting, own_access, own_place
from sealkit.cli.vault_shelf import Difference, Shelf, look, put
from sealkit.errors import ManifestError, ReferenceSyntaxError, UsageError
from sealkit.lines import printable
from sealkit.manifests.splice import Replace, rewrite
from sealkit.references.modifiers import Plain
from sealkit.references.reference import Reference
from sealkit.references.template import Template
from sealkit.referring import Divided
from sealkit.sensitive import Sensitive


class PushRequest(NamedTuple):
    """Which Secret goes where in Vault, and where the manifest goes."""

    file: str
    to: str
    output: str
    in_place: bool
    replaces: bool
    wish: Wish
    namespace: str
    dry_run: bool


class Pushed(NamedTuple):
    """The report: which keys were written, or would be. `version` is 0 where there is none."""

    file: str
    document: int
    namespace: str
    name: str
    path: str
    written: bool
    version: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    equal: tuple[str, ...]
    removed: tuple[str, ...]
    dry_run: bool

    def __str__(self) -> str:
        """Return the line for people."""
        named = ("added", "changed", "equal", "removed")
        parts = [f"{what} {', '.join(keys)}" for what in named if (keys := getattr(self, what))]
        version = f" version {self.version}" if self.version else ""
        matters = self.added or self.changed or self.removed
        if self.dry_run:
            verb = "would write" if matters else "would write nothing to"
        else:
            verb = "wrote" if matters else "nothing to write to"
        return printable(f"{verb} {self.path}{version}: {'; '.join(parts)}")


def check(request: PushRequest, *, as_json: bool) -> None:
    """Refuse options that exclude each other.

    Raises:
        UsageError: they do, or one has a value that cannot be.
    """
    both = request.output != STDIO or request.file == STDIO
    to_stdout = not request.in_place and request.output == STDIO and not request.dry_run
    refusals = {
        "--in-place goes with a file, and not with --output": request.in_place and both,
        "--json needs -o FILE, --in-place or --dry-run, standard output is the manifest": as_json
        and to_stdout,
    }
    refuse(refusals)
    try:
        fields.namespace_or_none(request.namespace, "--namespace")
        Reference(request.to)
    except ManifestError as error:
        raise UsageError(error.problem, field=error.field) from error
    except ReferenceSyntaxError as error:
        raise UsageError(error.problem, field="--to", hint="such as kv/shop/db") from error


def run(request: PushRequest, app: App) -> Pushed:
    """Write what is not there yet, then the manifest.

    Raises:
        UsageError: there is not one Secret with a value, or it is not known where Vault is.
        ManifestError, ReferenceSyntaxError, PolicyError: no manifest can be made.
        VaultError: Vault cannot be asked, or refused; nothing was written.
        SealkitError: somebody else wrote meanwhile; nothing was written. Or the manifest cannot be
            written: then the same command again does only that.
    """
    text, found = read_resources(app, request.file)
    entry = _only_secret(request, found)
    with entry.located():
        divided = divided_secret(entry.raw, "", request.namespace)
        values = _texts(divided)
        moved = _moved(divided, request.to)
    output = request.file if request.in_place else request.output
    terms = terms_for(app, _target(app, output), request.wish)
    with entry.located():
        manifest = rewrite(text, [Replace(entry.resource, terms.seal(moved))])
    for note in public_notes(entry, moved):
        app.say(note)
    shelf, difference = _pushed(request, app, values)
    if not request.dry_run:
        app.write(output, manifest)
    return _report(request, entry, divided, shelf, difference)


def _only_secret(request: PushRequest, found: list[Found]) -> Found:
    secrets = [entry for entry in found if entry.type == SECRET]
    if len(secrets) != 1:
        what = f"holds {len(secrets) or 'no'} Secrets, expected one"
        raise UsageError(what).located(file=label_of(request.file))
    return secrets[0]


def _target(app: App, output: str) -> str | None:
    return app.place(output) if output != STDIO else None


def _texts(divided: Divided) -> dict[str, Sensitive]:
    """Return the values as Vault takes them: text, and base64 for what is none.

    Raises:
        UsageError: there is nothing to write.
    """
    if not divided.secret.data:
        hint = "sealkit seal makes a manifest of references" if divided.references else ""
        raise UsageError("holds no value to write to Vault", hint=hint)
    return {key: _text(value) for key, value in divided.secret.data.items()}


def _text(value: Sensitive) -> Sensitive:
    return value if _is_text(value) else Sensitive(base64.b64encode(value.reveal()))


def _is_text(value: Sensitive) -> bool:
    with suppress(UnicodeDecodeError):
        value.reveal().decode()
        return True
    return False


def _moved(divided: Divided, path: str) -> Divided:
    """Return the Secret with references to `path` in place of its values.

    Raises:
        ManifestError: a key cannot be named in a reference.
    """
    references = {**divided.references}
    for key, value in divided.secret.data.items():
        references[key] = Template((_reference(key, path, is_encoded=not _is_text(value)),))
    secret = divided.secret._replace(data={})
    return Divided(secret, {key: references[key] for key in sorted(references)})


def _reference(key: str, path: str, *, is_encoded: bool) -> Reference:
    reference = Reference(path, key, modifiers=(Plain.BASE64_DECODE,) if is_encoded else ())
    if reference.spelled() is None:
        raise ManifestError("cannot be named in a reference to this path", field=f"data.{key}")
    return reference


def _pushed(
    request: PushRequest, app: App, values: Mapping[str, Sensitive]
) -> tuple[Shelf, Difference]:
    own = own_access(app)
    with connecting(own) as connections:
        vault = connections.client(own_place(own))
        shelf = look(vault, request.to)
        difference = shelf.difference(values, replaces=request.replaces)
        if request.dry_run or not difference.matters:
            return shelf, difference
        return put(vault, shelf, values, replaces=request.replaces), difference


def _report(
    request: PushRequest, entry: Found, divided: Divided, shelf: Shelf, difference: Difference
) -> Pushed:
    return Pushed(
        file=label_of(request.file),
        document=entry.document,
        namespace=divided.secret.namespace,
        name=divided.secret.name,
        path=request.to,
        written=difference.matters and not request.dry_run,
        version=shelf.version,
        **difference._asdict(),
        dry_run=request.dry_run,
    )
