"""`sealkit seal`: Secrets in any mixture of documents become SealedSecrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click

from sealkit import fields
from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Choice
from sealkit.cli.options import output_option, sealing_options, store_options
from sealkit.cli.output import print_report
from sealkit.cli.resources import SEALED, SECRET, Found, label_of, read_resources
from sealkit.cli.terms import Sealed, Terms, Wish, store_asked_for, terms_for
from sealkit.errors import ManifestError, ReferenceSyntaxError, UsageError
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

    Other documents, their order and comments stay as they are. Input that is sealed already
    passes through unchanged. Values that are references to Vault, such as
    vault:kv/shop/db#password, go to spec.references instead of being encrypted.
    """
    request = SealRequest(
        sources=tuple(dict.fromkeys(files)) or (STDIO,),
        output=output,
        in_place=in_place,
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
    print_report(app, run(request, app), as_json=as_json)


def _check(request: SealRequest, *, as_json: bool) -> None:
    both = request.output != STDIO or STDIO in request.sources
    to_stdout = not request.in_place and request.output == STDIO
    refusals = {
        "--in-place goes with files, and not with --output": request.in_place and both,
        "--in-place goes neither with --as nor with --raw": request.in_place
        and bool(request.target or request.raw),
        "several files need --in-place": not request.in_place and len(request.sources) > 1,
        "--json needs -o FILE or --in-place, standard output is the manifest": as_json
        and to_stdout,
        "--raw needs --name, the name of the Secret": bool(request.raw) and not request.name,
        "--store and --cluster-store are for references, not for --no-references or --raw": bool(
            request.wish.store and not request.with_references
        ),
    }
    for message, applies in refusals.items():
        if applies:
            raise UsageError(message)
    _check_names(request)


def _check_names(request: SealRequest) -> None:
    try:
        fields.namespace_or_none(request.namespace, "--namespace")
        if request.name:
            fields.object_name(request.name, "--name")
    except ManifestError as error:
        raise UsageError(error.problem, field=error.field) from error


def run(request: SealRequest, app: App) -> list[Sealed]:
    """Seal all sources, then write all results: an error in one leaves every file as it was.

    A file that holds nothing to seal is not written in place.

    Raises:
        SealkitError: a source cannot be read, sealed, or sealed for whom it is to be sealed.
    """
    results = [(source, *_seal_source(request, app, source)) for source in request.sources]
    for source, text, lines in results:
        if lines or not request.in_place:
            app.write(source if request.in_place else request.output, text)
    return [line for _, _, lines in results for line in lines]


def _seal_source(request: SealRequest, app: App, source: str) -> tuple[str, list[Sealed]]:
    terms = terms_for(app, _target(request, app, source), request.wish)
    if request.raw:
        return _seal_raw(request, app, terms, source)
    return _seal_text(request, app, terms, source)


def _target(request: SealRequest, app: App, source: str) -> Path | None:
    """Return where the result will live: --as, else the file that is written, else unknown."""
    written = source if request.in_place else request.output
    name = request.target or (written if written != STDIO else "")
    return app.place(name) if name else None


def _seal_raw(
    request: SealRequest, app: App, terms: Terms, source: str
) -> tuple[str, list[Sealed]]:
    terms.audience.check_keys()
    data = {request.raw: Sensitive(app.read(source))}
    divided = Divided(Secret(request.name, request.namespace, data), {})
    return emit_yaml(terms.seal(divided)), [terms.line(divided, label_of(source), 1)]


def _seal_text(
    request: SealRequest, app: App, terms: Terms, source: str
) -> tuple[str, list[Sealed]]:
    text, found = read_resources(app, source)
    secrets = [entry for entry in found if entry.type == SECRET]
    if request.name and len(secrets) != 1:
        raise UsageError("--name needs exactly one Secret").located(file=label_of(source))
    if not secrets and not any(entry.type == SEALED for entry in found):
        app.say(f"sealkit: note: there is no Secret in {label_of(source)}")
    changes, lines = [], []
    for entry in secrets:
        divided = _divided(request, entry)
        terms.check_keys(divided)
        with entry.located():
            changes.append(Replace(entry.resource, terms.seal(divided)))
        lines.append(terms.line(divided, label_of(source), entry.document))
        say_public(app, entry, divided)
    return rewrite(text, changes), lines


def say_public(app: App, entry: Found, divided: Divided) -> None:
    """Tell of text that was in a Secret and stands in a manifest now."""
    for key in divided.partly_public:
        place = f"{entry.resource.document.file}:{entry.document}"
        app.say(f"sealkit: note: {place}: {key}: the text around its references is public now")


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
    return replace(divided, secret=replace(secret, namespace=secret.namespace or namespace))


def _parsed(raw: Mapping[str, object]) -> Divided:
    try:
        return divide(raw)
    except ReferenceSyntaxError as error:
        error.hint = error.hint or "if it is no reference to Vault: --no-references"
        raise
