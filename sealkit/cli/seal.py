"""`sealkit seal`: Secrets in any mixture of documents become SealedSecrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Audience, Choice, audience_for
from sealkit.cli.output import print_report
from sealkit.cli.resources import SEALED, SECRET, label_of, read_resources
from sealkit.errors import ManifestError, PolicyError, UsageError
from sealkit.manifests import fields
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.manifests.splice import Replace, rewrite
from sealkit.sealing import Random, seal
from sealkit.sensitive import Sensitive


class SealRequest(NamedTuple):
    """What to seal, where to put it, for whom."""

    sources: tuple[str, ...]
    output: str
    in_place: bool
    target: str
    choice: Choice
    scope: Scope | None
    namespace: str
    name: str
    raw: str


class Sealed(NamedTuple):
    """One line of the report: what was sealed, and for whom."""

    file: str
    document: int
    namespace: str
    name: str
    keys: int
    scope: str
    clusters: tuple[str, ...]

    def __str__(self) -> str:
        """Return the line for people."""
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        values = "1 value" if self.keys == 1 else f"{self.keys} values"
        return f"sealed {name}: {values} for {', '.join(self.clusters)} ({self.scope})"


class Terms(NamedTuple):
    """For whom and how far everything in one source is sealed."""

    audience: Audience
    scope: Scope
    random: Random

    def seal(self, secret: Secret) -> dict[str, object]:
        """Return the manifest. Raises as `sealkit.sealing.seal`."""
        return seal(secret, self.audience.keys, self.scope, self.random).to_dict()

    def line(self, secret: Secret, file: str, document: int) -> Sealed:
        """Return the line of the report for one Secret."""
        return Sealed(
            file=file,
            document=document,
            namespace=secret.namespace,
            name=secret.name,
            keys=len(secret.data),
            scope=self.scope.value,
            clusters=self.audience.names,
        )


@click.command("seal")
@click.argument("files", nargs=-1)
@click.option(
    "-o",
    "--output",
    default=STDIO,
    metavar="FILE",
    help="Write to this file; - is standard output.",
)
@click.option("-i", "--in-place", is_flag=True, help="Replace each file by its sealed form.")
@click.option(
    "--as",
    "target",
    default="",
    metavar="PATH",
    help="Path the result will have; decides the rule.",
)
@click.option(
    "-c",
    "--cluster",
    "clusters",
    multiple=True,
    metavar="NAME",
    help="Seal for this cluster; repeatable.",
)
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="FILE",
    help="Seal for the key in this file.",
)
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    help="How far a sealed value may move and still open; the rule's first, or strict.",
)
@click.option(
    "-n", "--namespace", default="", metavar="NAME", help="Namespace of Secrets that name none."
)
@click.option("--name", default="", metavar="NAME", help="Name for the one Secret that is read.")
@click.option("--raw", default="", metavar="KEY", help="Take the input as the one value of KEY.")
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
    as_json: bool,
) -> None:
    """Seal every Secret in FILES (standard input by default).

    Other documents, their order and comments stay as they are. Input that is sealed already
    passes through unchanged.
    """
    request = SealRequest(
        sources=tuple(dict.fromkeys(files)) or (STDIO,),
        output=output,
        in_place=in_place,
        target=target,
        choice=Choice(clusters, recipients),
        scope=Scope(scope) if scope else None,
        namespace=namespace,
        name=name,
        raw=raw,
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
    terms = _terms(request, app, source)
    if request.raw:
        return _seal_raw(request, app, terms, source)
    return _seal_text(request, app, terms, source)


def _terms(request: SealRequest, app: App, source: str) -> Terms:
    target = _target(request, app, source)
    audience = audience_for(app, target, request.choice)
    scope = request.scope or audience.scopes[0]
    try:
        audience.check_scope(scope)
    except PolicyError as error:
        error.located(file=str(target or ""))
        raise
    return Terms(audience, scope, app.random)


def _target(request: SealRequest, app: App, source: str) -> Path | None:
    """Return where the result will live: --as, else the file that is written, else unknown."""
    written = source if request.in_place else request.output
    name = request.target or (written if written != STDIO else "")
    return app.place(name) if name else None


def _seal_raw(
    request: SealRequest, app: App, terms: Terms, source: str
) -> tuple[str, list[Sealed]]:
    data = {request.raw: Sensitive(app.read(source))}
    secret = Secret(request.name, request.namespace, data)
    return emit_yaml(terms.seal(secret)), [terms.line(secret, label_of(source), 1)]


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
        with entry.located():
            secret = _secret(request, entry.raw)
            changes.append(Replace(entry.resource, terms.seal(secret)))
        lines.append(terms.line(secret, label_of(source), entry.document))
    return rewrite(text, changes), lines


def _secret(request: SealRequest, raw: Mapping[str, object]) -> Secret:
    metadata = raw.get("metadata")
    if request.name and isinstance(metadata, Mapping):
        raw = {**raw, "metadata": {**metadata, "name": request.name}}
    secret = Secret.from_dict(raw)
    if request.namespace and secret.namespace not in {"", request.namespace}:
        what = f"is not the namespace that --namespace says, {request.namespace!r}"
        raise ManifestError(what, field="metadata.namespace")
    return replace(secret, namespace=secret.namespace or request.namespace)
