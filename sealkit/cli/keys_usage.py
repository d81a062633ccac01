"""`sealkit keys usage`: what still depends on each key of a cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealkit.cli.app import STDIO, App
from sealkit.cli.resources import SEALED, read_resources
from sealkit.cluster import Place, sealed_secrets
from sealkit.errors import UsageError
from sealkit.fetching import listed_keys
from sealkit.lines import printable
from sealkit.manifests.sealed import KIND
from sealkit.usage import Wraps, key_usage, needs, wraps_of

_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})
_MARK: Final = b"sealkit.dev/"  # in every SealedSecret; templates of other tools are passed over


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
    """A manifest, by its file and document or its namespace and name, as it was read."""

    name: str
    raw: Mapping[str, object]

    @property
    def wraps(self) -> Wraps:
        """The ids of the keys it is wrapped for."""
        return wraps_of(self.raw)


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
    return manifests_in(app, request.paths) if request.paths else manifests_of(request.place)


def manifests_of(place: Place) -> Iterator[Manifest]:
    """Yield the manifests of a cluster. Raises as `cluster.sealed_secrets`."""
    for raw in sealed_secrets(place):
        yield Manifest(place_of(raw), raw)


def manifests_in(app: App, paths: Sequence[str]) -> Iterator[Manifest]:
    """Yield the manifests of files and folders.

    Raises:
        SealkitError: a file cannot be read.
    """
    for path in paths:
        for file in _files(app, path):
            yield from _in_file(app, file)


def place_of(raw: object) -> str:
    """Return `<namespace>/<name>` of an object that may be of any shape."""
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
            yield Manifest(f"{place.file}:{place.number}", found.raw)


def print_table(app: App, found: Usage) -> None:
    """Print a line for each key, and a note on what none of them opens."""
    lines = [f"{'KEY':26}  {'STATE':11}  {'SINCE':20}  MANIFESTS  ONLY"]
    lines += [
        f"{row.kid:26}  {row.state:11}  {row.since:20}  {row.manifests:9}  {row.only:4}"
        for row in found.keys
    ]
    app.write(STDIO, "".join(f"{printable(line)}\n" for line in lines))
    if found.unopened:
        objects = f"{found.unopened} {KIND}{'' if found.unopened == 1 else 's'}"
        app.say(f"sealkit: note: none of these keys opens {objects}")
