"""`sealkit import`: documents of other tools become ours, with a report of what does not fit."""

from __future__ import annotations

import os
from functools import partial
from itertools import chain
from typing import NamedTuple

import click

from sealkit import fields
from sealkit.cli import batch
from sealkit.cli.app import STDIO, App
from sealkit.cli.audiences import Audiences
from sealkit.cli.import_bitnami import bitnami_option, read_ring
from sealkit.cli.import_file import Task, convert_file, related_objects
from sealkit.cli.import_report import Report
from sealkit.cli.import_tree import convert_all, write_all
from sealkit.cli.options import jobs_option, output_option, refuse
from sealkit.cli.output import counted, print_json
from sealkit.cli.tree_files import find_files
from sealkit.errors import ManifestError, SealkitError, UsageError
from sealkit.foreign import Context
from sealkit.manifests.secret import check_data_key
from sealkit.references.store import StoreKind


class ImportRequest(NamedTuple):
    """What to convert, where to put it, and what the documents do not say."""

    paths: tuple[str, ...]
    output: str
    in_place: bool
    keys: tuple[str, ...]
    store_kind: StoreKind
    secrets: bool
    namespace: str
    check: bool
    jobs: int | None
    bitnami_keys: tuple[str, ...]

    @property
    def one_by_one(self) -> bool:
        """Whether each file is looked at for its own place, and so there may be many."""
        return self.in_place or self.check


@click.command("import")
@click.argument("paths", nargs=-1)
@output_option
@click.option("-i", "--in-place", is_flag=True, help="Replace each file by its converted form.")
@click.option("--secrets", is_flag=True, help="Seal Secrets in plain text as well.")
@click.option(
    "-n", "--namespace", default="", metavar="NAME", help="Namespace of Secrets that name none."
)
@bitnami_option
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
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 10 if something would change."
)
@jobs_option
@click.option("--json", "as_json", is_flag=True, help="Report as JSON; needs -o, -i or --check.")
@click.pass_obj
def import_command(
    app: App,
    paths: tuple[str, ...],
    output: str,
    in_place: bool,
    secrets: bool,
    namespace: str,
    bitnami_keys: tuple[str, ...],
    keys: str,
    store_kind: str,
    strict: bool,
    check: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Convert documents of other tools in PATHS (standard input by default).

    Converts Secrets that sops encrypted, with the sops and the keys of yours; ExternalSecret,
    SecretStore and ClusterSecretStore of the External Secrets Operator; VaultStaticSecret,
    VaultDynamicSecret, VaultPKISecret, and VaultAuth with its VaultConnection, of the Vault Secrets
    Operator; Secrets with references of the Argo CD Vault Plugin or of bank-vaults; SealedSecrets
    of Bitnami, with their sealing keys.

    A note tells of each field that is not carried over. Other documents, their order and comments
    stay as they are. Give stores and what uses them in one call. With --in-place PATHS may be
    folders and globs; what Git ignores is left out unless it is named. An error in one file, and
    none is written.
    """
    request = ImportRequest(
        paths=tuple(dict.fromkeys(paths)) or (STDIO,),
        output=output,
        in_place=in_place,
        keys=tuple(dict.fromkeys(key.strip() for key in keys.split(","))) if keys else (),
        store_kind=StoreKind(store_kind),
        secrets=secrets,
        namespace=namespace,
        check=check,
        jobs=jobs,
        bitnami_keys=bitnami_keys,
    )
    _check(app, request, as_json=as_json)
    report = run(request, app)
    is_refused = strict and report.notes > 0
    if not is_refused:
        _write(request, app, report)
    _print(request, app, report, as_json=as_json)
    if is_refused:
        notes = counted(report.notes, "note")
        raise SealkitError(f"nothing is written: --strict, and there is {notes}")
    batch.end(batch.WOULD_CHANGE if check and report.changes else 0)


def _check(app: App, request: ImportRequest, *, as_json: bool) -> None:
    elsewhere = request.output != STDIO or STDIO in request.paths
    several = len(request.paths) > 1 or not _is_file(app, request.paths[0])
    refusals = {
        "--in-place goes with files, and not with --output": request.in_place and elsewhere,
        "--check goes with files, and not with --output": request.check and elsewhere,
        "several files need --in-place": not request.one_by_one and several,
        "--json needs -o FILE or --in-place, standard output is the manifest": as_json
        and not request.one_by_one
        and request.output == STDIO,
    }
    refuse(refusals)
    try:
        fields.namespace_or_none(request.namespace, "--namespace")
        for key in request.keys:
            check_data_key(key, "--keys")
    except ManifestError as error:
        raise UsageError(error.problem, field=error.field.partition(".")[0]) from error


def _is_file(app: App, path: str) -> bool:
    """Tell whether a path is not that of many files; what is nowhere, reading it tells."""
    place = app.path(path)
    return (
        path == STDIO
        or os.path.isfile(place)
        or not (os.path.isdir(place) or set(path) & set("*?["))
    )


def run(request: ImportRequest, app: App) -> Report:
    """Convert all files; nothing is written.

    Raises:
        UsageError: a path is not there.
        ConfigError: a file with keys of Bitnami holds none.
        Exit: a file cannot be read or converted, which is told.
    """
    files = find_files(app, request.paths)
    stdin = app.read(STDIO) if STDIO in files.names else b""
    context = Context((), request.keys, request.store_kind)
    task = Task(
        app=app,
        files=files,
        context=context,
        audiences=Audiences(app),
        output=request.output,
        seals_plain=request.secrets,
        namespace=request.namespace,
        stdin=stdin,
    )
    gather = partial(related_objects, task)
    found = batch.run_all(app, files.names, gather, jobs=request.jobs, doing="reading")
    objects = tuple(chain.from_iterable(outcome.value or () for outcome in found))
    context = Context(objects, request.keys, request.store_kind)
    ring = read_ring(app, request.bitnami_keys, request.paths)
    work = partial(convert_file, task._replace(context=context, bitnami=ring))
    return convert_all(app, files, work, jobs=request.jobs, check=request.check)


def _write(request: ImportRequest, app: App, report: Report) -> None:
    """Write what changed; a file in which nothing did is not written in place."""
    if request.check:
        return
    if request.in_place:
        write_all(app, report.results)
        return
    for result in report.results:
        app.write(request.output, result.text)


def _print(request: ImportRequest, app: App, report: Report, *, as_json: bool) -> None:
    """Tell everything: what --check found is a result, all else is talk."""
    if as_json:
        print_json(app, [line._asdict() for line in report.lines])
    elif request.check:
        app.write(STDIO, "".join(f"{line}\n" for line in report.texts()))
    else:
        for line in report.texts():
            app.say(line)
    for note in (*(() if as_json else report.said()), *report.rest(request.paths)):
        app.say(f"sealkit: note: {note}")
    if not as_json and (summary := report.summary()):
        app.say(summary)
