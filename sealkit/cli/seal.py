"""`sealkit seal`: Secrets in any mixture of documents become SealedSecrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import click

from sealkit import fields
from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Choice
from sealkit.cli.options import (
    check_output,
    jobs_option,
    output_option,
    refuse,
    sealing_options,
    store_options,
)
from sealkit.cli.output import print_report
from sealkit.cli.resources import SEALED, SECRET, Found, label_of, resources_of
from sealkit.cli.terms import Made, Sealed, Terms, Wish, store_asked_for, terms_for, terms_of
from sealkit.errors import ManifestError, ReferenceSyntaxError, UsageError
from sealkit.manifests.documents import read_documents
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.manifests.splice import Replace, rewrite
from sealkit.referring import Divided, divide
from sealkit.sensitive import Sensitive


class SealRequest(NamedTuple):
    """What to seal, where to put it, for whom."""

    sources: tuple[str, ...]
    output: str
    in_place: bool
    target: str
    wish: Wish
    namespace: str
    name: str
    raw: str
    with_references: bool


@click.command("seal")
@click.argument("files", nargs=-1)
@output_option
@click.option("-i", "--in-place", is_flag=True, help="Replace each file by its sealed form.")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 10 if something would be sealed."
)
@jobs_option
@sealing_options
@click.option(
    "-n", "--namespace", default="", metavar="NAME", help="Namespace of Secrets that name none."
)
@click.option("--name", default="", metavar="NAME", help="Name for the one Secret that is read.")
@click.option("--raw", default="", metavar="KEY", help="Take the input as the one value of KEY.")
@store_options
@click.option(
    "--no-references",
    "literally",
    is_flag=True,
    help="Encrypt values that read as references to Vault, as they are.",
)
@click.option("--json", "as_json", is_flag=True, help="Report as JSON; needs -o or -i.")
@click.pass_obj
def seal_command(
    app: App,
    files: tuple[str, ...],
    output: str,
    in_place: bool,
    check: bool,
    jobs: int | None,
    target: str,
    clusters: tuple[str, ...],
    recipients: tuple[str, ...],
    scope: str | None,
    namespace: str,
    name: str,
    raw: str,
    store: str,
    cluster_store: str,
    literally: bool,
    as_json: bool,
) -> None:
    """Seal every Secret in FILES (standard input by default).

    With -i these are files, folders and globs; all are sealed, and only then written. Other
    documents, their order and comments stay as they are. Input that is sealed already
    passes through unchanged. Values that are references to Vault, such as
    vault:kv/shop/db#password, go to spec.references instead of being encrypted.
    """
    request = SealRequest(
        sources=tuple(dict.fromkeys(files)) or (STDIO,),
        output=output,
        in_place=in_place or check,
        target=target,
        wish=Wish(
            choice=Choice(clusters, recipients),
            scope=Scope(scope) if scope else None,
            store=store_asked_for(store, cluster_store),
        ),
        namespace=namespace,
        name=name,
        raw=raw,
        with_references=not literally and not raw,
    )
    _check(request, as_json=as_json)
    if request.in_place:
        run_in_place(request, app, check=check, jobs=jobs, as_json=as_json)
    else:
        print_report(app, run(request, app), as_json=as_json)


def _check(request: SealRequest, *, as_json: bool) -> None:
    check_output(request.sources, request.output, in_place=request.in_place, as_json=as_json)
    refusals = {
        "--in-place goes neither with --as nor with --raw": request.in_place
        and bool(request.target or request.raw),
        "--raw needs --name, the name of the Secret": bool(request.raw) and not request.name,
        "--store and --cluster-store are for references, not for --no-references or --raw": bool(
            request.wish.store and not request.with_references
        ),
    }
    refuse(refusals)
    _check_names(request)


def _check_names(request: SealRequest) -> None:
    try:
        fields.namespace_or_none(request.namespace, "--namespace")
        if request.name:
            fields.object_name(request.name, "--name")
    except ManifestError as error:
        raise UsageError(error.problem, field=error.field) from error


def run(request: SealRequest, app: App) -> list[Sealed]:
    """Seal the one source and write the result.

    Raises:
        SealkitError: it cannot be read, sealed, or sealed for whom it is to be sealed.
    """
    (source,) = request.sources
    target = _target(request, app)
    terms = terms_for(app, target, request.wish)
    if request.raw:
        made = _seal_raw(request, app, terms, source)
    else:
        made = _seal_text(request, terms, source, app.read(source))
    for note in made.notes:
        app.say(note)
    app.write(request.output, made.text)
    return list(made.lines)


def run_in_place(
    request: SealRequest, app: App, *, check: bool, jobs: int | None, as_json: bool
) -> None:
    """Seal files and whole folders in place. Raises as `seal_tree.carry_out`."""
    from sealkit.cli import seal_tree  # noqa: PLC0415 (cold start)
    from sealkit.cli.audiences import Audiences  # noqa: PLC0415 (same)

    audiences = Audiences(app, request.wish.choice)

    def seal(source: str, raw: bytes) -> Made:
        target = app.place(source)
        terms = terms_of(app, audiences.of(target), target, request.wish)
        return _seal_text(request, terms, source, raw)

    seal_tree.carry_out(app, seal_tree.Request(request.sources, check, jobs, as_json), seal)


def _target(request: SealRequest, app: App) -> str | None:
    """Return where the result will live: --as, else the file that is written, else unknown."""
    name = request.target or (request.output if request.output != STDIO else "")
    return app.place(name) if name else None


def _seal_raw(request: SealRequest, app: App, terms: Terms, source: str) -> Made:
    terms.audience.check_keys()
    data = {request.raw: Sensitive(app.read(source))}
    divided = Divided(Secret(request.name, request.namespace, data), {})
    return Made(emit_yaml(terms.seal(divided)), [terms.line(divided, label_of(source), 1)])


def _seal_text(request: SealRequest, terms: Terms, source: str, raw: bytes) -> Made:
    documents = read_documents(raw, file=label_of(source))
    found = resources_of(documents)
    secrets = [entry for entry in found if entry.type == SECRET]
    if request.name and len(secrets) != 1:
        raise UsageError("--name needs exactly one Secret").located(file=label_of(source))
    changes, lines, notes = [], [], []
    if not secrets and not any(entry.type == SEALED for entry in found):
        notes.append(f"sealkit: note: there is no Secret in {label_of(source)}")
    for entry in secrets:
        divided = _divided(request, entry)
        terms.check_keys(divided)
        with entry.located():
            changes.append(Replace(entry.resource, terms.seal(divided)))
        lines.append(terms.line(divided, label_of(source), entry.document))
        notes += public_notes(entry, divided)
    text = documents[0].text if documents else ""
    return Made(rewrite(text, changes, documents), lines, notes)


def public_notes(entry: Found, divided: Divided) -> list[str]:
    """Tell of text that was in a Secret and stands in a manifest now."""
    place = f"{entry.resource.document.file}:{entry.document}"
    return [
        f"sealkit: note: {place}: {key}: the text around its references is public now"
        for key in divided.partly_public
    ]


def _divided(request: SealRequest, entry: Found) -> Divided:
    with entry.located():
        return divided_secret(
            entry.raw, request.name, request.namespace, with_references=request.with_references
        )


def divided_secret(
    raw: Mapping[str, object], name: str, namespace: str, *, with_references: bool = True
) -> Divided:
    """Parse a Secret, with another name or in a namespace that it does not say itself.

    Raises:
        ManifestError: it is wrong, or says another namespace.
        ReferenceSyntaxError: a value begins as a reference and is none.
    """
    metadata = raw.get("metadata")
    if name and isinstance(metadata, Mapping):
        raw = {**raw, "metadata": {**metadata, "name": name}}
    divided = _parsed(raw) if with_references else Divided(Secret.from_dict(raw), {})
    secret = divided.secret
    if namespace and secret.namespace not in {"", namespace}:
        what = f"is not the namespace that --namespace says, {namespace!r}"
        raise ManifestError(what, field="metadata.namespace")
    return divided._replace(secret=secret._replace(namespace=secret.namespace or namespace))


def _parsed(raw: Mapping[str, object]) -> Divided:
    try:
        return divide(raw)
    except ReferenceSyntaxError as error:
        error.hint = error.hint or "if it is no reference to Vault: --no-references"
        raise
