"""`sealkit keys`: the keys a cluster has, and what still depends on each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.options import cluster_options
from sealkit.cli.output import print_json
from sealkit.cli.resources import SEALED, read_resources
from sealkit.cluster import Place, sealed_secrets
from sealkit.errors import UsageError
from sealkit.fetching import listed_keys
from sealkit.lines import printable
from sealkit.manifests.sealed import KIND
from sealkit.usage import Wraps, key_usage, needs, wraps_of

_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})
_MARK: Final = b"sealkit.dev/"  # in every SealedSecret; templates of other tools are passed over


@click.group("keys")
def keys_command() -> None:
    """Keys that a cluster has, and what depends on them."""


@dataclass(frozen=True)
class UsageRequest:
    """Which cluster's keys, and which manifests: those of `paths`, or without any the cluster's.

    With `key` the manifests that need that one are wanted, not the counts.
    """

    place: Place
    controller_namespace: str
    paths: tuple[str, ...]
    key: str


@dataclass(frozen=True)
class Manifest:
    """A manifest, by its file and document or its namespace and name, and its public part."""

    name: str
    wraps: Wraps


@dataclass(frozen=True)
class Row:
    """One key. `only` counts the manifests that would no longer open without it."""

    kid: str
    state: str
    since: str
    manifests: int
    only: int


@dataclass(frozen=True)
class Usage:
    """Every key with its use, the newest first, and how many manifests none of them opens."""

    keys: tuple[Row, ...]
    unopened: int


@keys_command.command("usage")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--key", default="", metavar="KID", help="List the manifests that open only with this key."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@cluster_options
@click.pass_obj
def usage_command(
    app: App,
    paths: tuple[str, ...],
    key: str,
    as_json: bool,
    context: str | None,
    kubeconfig: str | None,
    controller_namespace: str,
) -> None:
    """Count the manifests that depend on each key of a cluster.

    A key with 0 under ONLY can be removed: everything opens without it. Without PATHs the manifests
    of the cluster are counted; else those in the files and folders named, so that it can be seen
    what of a repository still needs an old key.
    """
    place = Place(context, app.path(kubeconfig) if kubeconfig else None)
    request = UsageRequest(place, controller_namespace, paths, key)
    if key:
        names = needing(request, app)
        app.write(STDIO, "".join(f"{printable(name)}\n" for name in names))
        return
    found = usage(request, app)
    if as_json:
        print_json(app, asdict(found))
    else:
        _print_table(app, found)


def usage(request: UsageRequest, app: App) -> Usage:
    """Return what depends on each key.

    Raises:
        SealkitError: the cluster does not answer, or a file cannot be read.
    """
    keys = listed_keys(request.place, request.controller_namespace)
    counts = Counter(one.wraps for one in _manifests(request, app))
    used = key_usage(counts, [key.kid for key in keys])
    rows = (
        Row(key.kid, key.state, key.since, used[key.kid].manifests, used[key.kid].only)
        for key in keys
    )
    unopened = sum(
        count
        for wraps, count in counts.items()
        if not all(envelope & used.keys() for envelope in wraps)
    )
    return Usage(tuple(rows), unopened)


def needing(request: UsageRequest, app: App) -> list[str]:
    """Return the manifests that open with no key of the cluster but one.

    Raises:
        UsageError: the cluster has no such key.
        SealkitError: the cluster does not answer, or a file cannot be read.
    """
    kids = [key.kid for key in listed_keys(request.place, request.controller_namespace)]
    if request.key not in kids:
        hint = f"it has: {', '.join(kids)}"
        raise UsageError("is no key of this cluster", field="--key", hint=hint)
    return [one.name for one in _manifests(request, app) if needs(one.wraps, request.key, kids)]


def _manifests(request: UsageRequest, app: App) -> Iterator[Manifest]:
    if not request.paths:
        for raw in sealed_secrets(request.place):
            yield Manifest(_place_of(raw), wraps_of(raw))
    for path in request.paths:
        for file in _files(app, path):
            yield from _in_file(app, file)


def _place_of(raw: object) -> str:
    metadata = raw.get("metadata") if isinstance(raw, dict) else None
    names = metadata if isinstance(metadata, dict) else {}
    return f"{names.get('namespace', '')}/{names.get('name', '')}"


def _files(app: App, path: str) -> Sequence[str]:
    folder = Path(app.path(path))
    if path == STDIO or not folder.is_dir():
        return [path]
    found = (file for file in folder.rglob("*") if file.suffix in _ENDINGS and file.is_file())
    return sorted(app.shown(file) for file in found if _MARK in app.read(str(file)))


def _in_file(app: App, file: str) -> Iterator[Manifest]:
    _, resources = read_resources(app, file)
    for found in resources:
        if found.type == SEALED:
            place = found.resource.document
            yield Manifest(f"{place.file}:{place.number}", wraps_of(found.raw))


def _print_table(app: App, found: Usage) -> None:
    lines = [f"{'KEY':26}  {'STATE':11}  {'SINCE':20}  MANIFESTS  ONLY"]
    lines += [
        f"{row.kid:26}  {row.state:11}  {row.since:20}  {row.manifests:9}  {row.only:4}"
        for row in found.keys
    ]
    app.write(STDIO, "".join(f"{printable(line)}\n" for line in lines))
    if found.unopened:
        objects = f"{found.unopened} {KIND}{'' if found.unopened == 1 else 's'}"
        app.say(f"sealkit: note: none of these keys opens {objects}")
