"""`sealkit create`: a new Secret, built and sealed in one step; it is never anywhere in plain."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import click

from sealkit import fields
from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Choice
from sealkit.cli.ingredients import (
    CHARSETS,
    DEFAULT_LENGTH,
    MIN_LENGTH,
    Docker,
    Ingredients,
    Recipe,
    parse_sources,
)
from sealkit.cli.options import sealing_options, store_options
from sealkit.cli.output import print_report
from sealkit.cli.terms import Sealed, Terms, Wish, store_asked_for, terms_for
from sealkit.cli.values import parse_references
from sealkit.errors import ManifestError, UsageError
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret, check_keys
from sealkit.referring import Divided

if TYPE_CHECKING:
    from sealkit.references.template import Template


class CreateRequest(NamedTuple):
    """What to make, of what, where to put it, and for whom."""

    secret: Secret
    ingredients: Ingredients
    references: Mapping[str, Template]
    output: str
    target: str
    wish: Wish
    force: bool


@click.command("create")
@click.argument("name")
@click.option("-n", "--namespace", default="", metavar="NAME", help="Namespace of the Secret.")
@click.option(
    "--from-literal-stdin",
    "keys",
    multiple=True,
    metavar="KEY",
    help="Ask for the value of KEY, or read it from standard input; repeatable.",
)
@click.option(
    "--from-file",
    "files",
    multiple=True,
    metavar="KEY=PATH",
    help="Take the value of KEY from a file, byte for byte; repeatable.",
)
@click.option(
    "--from-env-file",
    "env_files",
    multiple=True,
    metavar="PATH",
    help="Take every NAME=value of a .env file; quotes go, nothing is interpolated.",
)
@click.option(
    "--generate",
    "recipes",
    multiple=True,
    metavar="KEY[:LENGTH[:CHARSET]]",
    help=f"Make a random value: {DEFAULT_LENGTH} characters if not told otherwise, at least"
    f" {MIN_LENGTH}, of {', '.join(CHARSETS)}; it is not shown. Repeatable.",
)
@click.option(
    "--docker",
    default="",
    metavar="SERVER",
    help="Log in to a registry, such as ghcr.io, or https://index.docker.io/v1/ for Docker Hub:"
    " ask for user and password, or read the password from standard input.",
)
@click.option("--docker-user", default="", metavar="NAME", help="The user of --docker.")
@click.option(
    "--tls",
    nargs=2,
    default=None,
    metavar="CERT KEY",
    help="A certificate, with its chain, and its private key, both files with PEM.",
)
@click.option("--ssh", default="", metavar="KEYFILE", help="A private key for SSH.")
@click.option(
    "--reference",
    "pairs",
    multiple=True,
    metavar="KEY=vault:PATH#KEY",
    help="Let KEY refer to a value in Vault; repeatable.",
)
@store_options
@click.option(
    "--type",
    "secret_type",
    default="",
    metavar="TYPE",
    help="Type of the Secret; Opaque, or what --tls, --docker or --ssh need.",
)
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Add a label.")
@click.option(
    "--annotation", "annotations", multiple=True, metavar="KEY=VALUE", help="Add an annotation."
)
@click.option(
    "-o",
    "--output",
    default=STDIO,
    metavar="FILE",
    help="Write to this new file; - is standard output.",
)
@click.option("--force", is_flag=True, help="Replace the output file if there is one.")
@sealing_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON; needs -o.")
@click.pass_obj
def create_command(
    app: App,
    name: str,
    namespace: str,
    keys: tuple[str, ...],
    files: tuple[str, ...],
    env_files: tuple[str, ...],
    recipes: tuple[str, ...],
    docker: str,
    docker_user: str,
    tls: tuple[str, str] | None,
    ssh: str,
    pairs: tuple[str, ...],
    store: str,
    cluster_store: str,
    secret_type: str,
    labels: tuple[str, ...],
    annotations: tuple[str, ...],
    output: str,
    force: bool,
    target: str,
    clusters: tuple[str, ...],
    recipients: tuple[str, ...],
    scope: str | None,
    as_json: bool,
) -> None:
    """Build the Secret NAME and seal it, without kubectl and without a plain file.

    Values come from a prompt, standard input or files, are generated, or stay in Vault. They are
    never given on the command line, and never printed.
    """
    ingredients = Ingredients(
        sources=parse_sources(keys, files),
        env_files=env_files,
        recipes=tuple(Recipe.parse(text) for text in recipes),
        docker=Docker(docker, docker_user) if docker else None,
        tls=tls,
        ssh=ssh,
    )
    request = CreateRequest(
        secret=_secret(name, namespace, (labels, annotations), ingredients.type_of(secret_type)),
        ingredients=ingredients,
        references=parse_references(pairs),
        output=output,
        target=target,
        wish=Wish(
            choice=Choice(clusters, recipients),
            scope=Scope(scope) if scope else None,
            store=store_asked_for(store, cluster_store),
        ),
        force=force,
    )
    _check(request, docker_user=docker_user, as_json=as_json)
    print_report(app, [run(request, app)], as_json=as_json)


def _secret(
    name: str,
    namespace: str,
    metadata: tuple[tuple[str, ...], tuple[str, ...]],
    secret_type: str,
) -> Secret:
    """Return the Secret without its values.

    Raises:
        UsageError: naming the option that is wrong.
    """
    labels, annotations = metadata
    try:
        return Secret(
            name=fields.object_name(name, "NAME"),
            namespace=fields.namespace_or_none(namespace, "--namespace"),
            data={},
            type=secret_type,
            labels=fields.label_map(_pairs(labels, "--label"), "--label"),
            annotations=fields.annotation_map(_pairs(annotations, "--annotation"), "--annotation"),
        )
    except ManifestError as error:
        raise UsageError(error.problem, field=error.field) from error


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError("is not of the form KEY=VALUE", field=option)
        if key in pairs:
            raise UsageError("is given twice", field=f"{option}.{key}")
        pairs[key] = value
    return pairs


def _check(request: CreateRequest, *, docker_user: str, as_json: bool) -> None:
    nothing = request.ingredients.is_empty and not request.references
    refusals = {
        "there is no value": nothing,
        "--json needs -o FILE, standard output is the manifest": as_json
        and request.output == STDIO,
        "--store and --cluster-store are for --reference": bool(
            request.wish.store and not request.references
        ),
        "--docker-user is for --docker": bool(docker_user and not request.ingredients.docker),
    }
    for message, applies in refusals.items():
        if applies:
            raise UsageError(message, hint="sealkit create --help" if nothing else "")


def run(request: CreateRequest, app: App) -> Sealed:
    """Make the manifest and write it; nobody is asked for a secret before all else is right.

    Raises:
        SealkitError: the output is there already, a value cannot be had, or the result is no
            Secret, or none that may be sealed for whom it is to be sealed.
    """
    request.ingredients.check(app)
    terms = _terms(request, app)
    data = request.ingredients.read(app, lambda keys: _check_keys(request, keys))
    divided = Divided(request.secret._replace(data=data), request.references)
    app.write(request.output, emit_yaml(terms.seal(divided)))
    _say_what_surprises(app, divided)
    file = "stdout" if request.output == STDIO else request.output
    return terms.line(divided, file, 1)


def _terms(request: CreateRequest, app: App) -> Terms:
    if request.output != STDIO and not request.force and os.path.isfile(app.place(request.output)):
        hint = "sealkit set changes values of a manifest; --force replaces the file"
        raise UsageError("is there already", hint=hint).located(file=request.output)
    place = request.target or (request.output if request.output != STDIO else "")
    terms = terms_for(app, app.place(place) if place else None, request.wish)
    terms.scope.place(request.secret.namespace, request.secret.name)
    if not request.ingredients.is_empty:
        terms.audience.check_keys()
    return terms


def _check_keys(request: CreateRequest, keys: Iterable[str]) -> None:
    """Refuse a key that is given twice, and what the type of the Secret lacks or forbids."""
    seen: dict[str, None] = {}
    for key in (*request.references, *keys):
        if key in seen:
            raise UsageError("is given twice", field=key)
        seen[key] = None
    check_keys(request.secret.type, seen)


def _say_what_surprises(app: App, divided: Divided) -> None:
    for key in divided.partly_public:
        app.say(f"sealkit: note: {key}: the text around its references is public now")
    for key, value in divided.secret.data.items():
        if value.reveal().startswith(b"vault:"):
            what = "reads as a reference and is encrypted as it is, see --reference"
            app.say(f"sealkit: note: {key}: {what}")
