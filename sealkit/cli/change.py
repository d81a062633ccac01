"""`sealkit set` and `sealkit unset`: change single values without any private key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Audience, Choice, audience_for
from sealkit.cli.options import name_option, recipient_option
from sealkit.cli.output import print_report
from sealkit.cli.resources import SEALED, Found, label_of, read_resources
from sealkit.cli.values import Sources, check_keys, parse_references
from sealkit.errors import UsageError
from sealkit.manifests.sealed import KIND, SealedSecret, envelope_to_dict
from sealkit.manifests.splice import Remove, Set, apply_edits
from sealkit.manifests.vault import VaultTerms
from sealkit.references.template import Template
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
        if self.removed and not self.set:
            return f"removed {', '.join(self.removed)} from {self.file}"
        clusters = f" for {', '.join(self.clusters)}" if self.clusters else ""
        return f"set {', '.join(self.set)} in {self.file}{clusters}"


_in_place_option = click.option(
    "-o",
    "--output",
    default="",
    metavar="FILE",
    help="Write here instead of in place; - is stdout.",
)


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
    "--reference",
    "pairs",
    multiple=True,
    metavar="KEY=vault:PATH#KEY",
    help="Let KEY refer to a value in Vault; repeatable.",
)
@_in_place_option
@name_option
@recipient_option
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def set_command(
    app: App,
    file: str,
    keys: tuple[str, ...],
    files: tuple[str, ...],
    pairs: tuple[str, ...],
    output: str,
    name: str,
    recipients: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add or change the values of KEYS in the sealed manifest FILE.

    Values are asked for without echo, or one is read from standard input. Every other value keeps
    its bytes; comments and layout stay. A reference is public, and is given as it is.
    """
    request = ChangeRequest(file, output, name, Choice(recipient_files=recipients))
    _check(request, keys, as_json=as_json)
    references = parse_references(pairs)
    sources = Sources.parse(keys, files, others=tuple(references))
    sources.check(app, file)

    def change(sealed: SealedSecret, audience: Audience) -> SealedSecret:
        referring = refer(sealed, references)
        _check_sealed(referring, sources.names)
        if not sources.names:
            return referring
        # Only now, when nothing else can be wrong any more, is anybody asked for a secret.
        return set_values(referring, sources.read(app), audience.keys, app.random)

    report = run(request, app, change, encrypts=bool(sources.names))
    print_report(app, [report], as_json=as_json)


@click.command("unset")
@click.argument("file")
@click.argument("keys", nargs=-1, required=True)
@_in_place_option
@name_option
@recipient_option
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
    """Remove the values of KEYS from the sealed manifest FILE, sealed or references."""
    request = ChangeRequest(file, output, name, Choice(recipient_files=recipients))
    _check(request, keys, as_json=as_json)
    report = run(request, app, lambda sealed, _: remove(sealed, keys))
    print_report(app, [report], as_json=as_json)


def _check(request: ChangeRequest, keys: tuple[str, ...], *, as_json: bool) -> None:
    if as_json and (request.output or request.file) == STDIO:
        raise UsageError("--json needs -o FILE, standard output is the manifest")
    check_keys(keys)


def refer(sealed: SealedSecret, references: Mapping[str, Template]) -> SealedSecret:
    """Return `sealed` with references added or replaced; a sealed value of the same key goes.

    Raises:
        ManifestError: the result is no manifest; see `SealedSecret.check`.
    """
    merged = {**sealed.references, **references}
    referring = replace(sealed, references={key: merged[key] for key in sorted(merged)})
    return unset_values(referring, [key for key in sealed.encrypted_data if key in references])


def _check_sealed(sealed: SealedSecret, keys: tuple[str, ...]) -> None:
    """Refuse to seal values for keys whose values are in Vault.

    Raises:
        UsageError: one is.
    """
    for key in keys:
        if key in sealed.references:
            hint = "change it with --reference, or remove it first: sealkit unset"
            raise UsageError("is a reference to Vault", field=f"spec.references.{key}", hint=hint)


def remove(sealed: SealedSecret, keys: tuple[str, ...]) -> SealedSecret:
    """Return `sealed` without some values, wherever they are.

    Raises:
        UsageError: a key is not there.
        ManifestError: the template or the type of the Secret needs the key.
    """
    left = {key: one for key, one in sealed.references.items() if key not in keys}
    vault = sealed.vault if left else VaultTerms()
    rest = dict.fromkeys(key for key in keys if key not in sealed.references)
    return unset_values(replace(sealed, references=left, vault=vault), rest)


def run(request: ChangeRequest, app: App, change: Change, *, encrypts: bool = False) -> Changed:
    """Change one manifest in a file by editing its text; `encrypts` tells whether that needs keys.

    Raises:
        PolicyError: others can open the manifest than the configuration says.
        UsageError: the file holds no manifest, or several.
        ManifestError: the manifest is wrong before or after the change; the file is unchanged.
    """
    output = request.output or request.file
    place = request.file if output == STDIO else output
    target = app.place(place) if place != STDIO else None
    audience = audience_for(app, target, request.choice)
    if encrypts:
        audience.check_keys()
    _, found = read_resources(app, request.file)
    entry = _only(request, [entry for entry in found if entry.type == SEALED])
    with entry.located():
        before = SealedSecret.from_dict(entry.raw)
    if before.envelopes:
        audience.check_keys()
    with entry.located():
        audience.check_manifest(before)
        after = change(before, audience)
    planned = [*_made(entry.raw, after), *edits(before, after)]
    app.write(output, apply_edits(entry.resource, planned))
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


def _made(raw: Mapping[str, object], after: SealedSecret) -> list[Set]:
    """Return the edit that makes `spec.references`, in its place of the canonical order."""
    spec = raw.get("spec")
    if not after.references or not isinstance(spec, Mapping) or "references" in spec:
        return []
    before = [name for name in ("scope", "envelopes", "encryptedData") if name in spec]
    names = [name for name in spec if name not in before]
    ordered = {name: spec.get(name, {}) for name in (*before, "references", *names)}
    return [Set(("spec",), ordered)]


def edits(before: SealedSecret, after: SealedSecret) -> list[Set | Remove]:
    """Return the edits of the text that turn one manifest into the other."""
    changed: list[Set | Remove] = [
        Set(("spec", "encryptedData", key), str(value))
        for key, value in after.encrypted_data.items()
        if before.encrypted_data.get(key) != value
    ]
    changed += [
        Set(("spec", "references", key), template.to_raw())
        for key, template in after.references.items()
        if before.references.get(key) != template
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
    return changed + [Remove(("spec", *path)) for path in (*gone, *_unreferenced(before, after))]


def _unreferenced(before: SealedSecret, after: SealedSecret) -> list[tuple[str, ...]]:
    """Return the fields that go with references; with the last one, all that is about them."""
    if before.references and not after.references:
        return [("references",), ("vault",)]
    return [("references", key) for key in before.references if key not in after.references]


def _report(
    request: ChangeRequest,
    audience: Audience,
    document: int,
    versions: tuple[SealedSecret, SealedSecret],
) -> Changed:
    before, after = (_values(version) for version in versions)
    return Changed(
        file=label_of(request.file),
        document=document,
        namespace=versions[1].namespace,
        name=versions[1].name,
        set=tuple(key for key, value in after.items() if before.get(key) != value),
        removed=tuple(key for key in before if key not in after),
        clusters=audience.names if versions[1].envelopes else (),
    )


def _values(sealed: SealedSecret) -> dict[str, object]:
    """Return all values of a manifest, none of them plain."""
    return {**sealed.encrypted_data, **sealed.references}
