"""`sealkit diff`: what changed in sealed manifests between two states of a repository."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.diff_report import Change, Place, Report, Unread
from sealkit.cli.diff_states import Span, State, states, understood
from sealkit.cli.output import print_json
from sealkit.comparing import Manifest, Pair, compare, pair
from sealkit.config import find_config
from sealkit.errors import ManifestError, SealkitError, UnsealError
from sealkit.git import Git
from sealkit.lines import printable
from sealkit.manifests.documents import read_documents

if TYPE_CHECKING:
    from sealkit.crypto.x1 import Kid, PrivateKey
    from sealkit.sensitive import Sensitive


class Knowledge(NamedTuple):
    """What is known here: names of clusters by key id, and private keys, None for none asked."""

    clusters: Mapping[str, str]
    keys: Mapping[Kid, PrivateKey] | None


@click.command("diff")
@click.argument("arguments", nargs=-1, metavar="[REV] [PATH]...")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FILE",
    help="Tell which changed values differ inside, with key Secrets of the controller; - is"
    " standard input; repeatable.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there are differences.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def diff_command(
    app: App, arguments: tuple[str, ...], keys: tuple[str, ...], exit_code: bool, as_json: bool
) -> None:
    """Show what changed in sealed manifests since REV (HEAD by default), without any key.

    REV may be A..B, to compare two revisions, or A...B, for what B changed since it left A. New
    files count before they are added. PATH narrows it to files, folders and globs.
    """
    report = run(app, arguments, keys)
    if as_json:
        print_json(app, report.to_dict())
    else:
        for unread in report.unreadable:
            app.say(f"sealkit: note: {printable(str(unread))}")
        lines = (line for change in report.manifests for line in change.lines())
        app.write(STDIO, "".join(f"{printable(line)}\n" for line in lines))
    if exit_code and report.differs:
        raise click.exceptions.Exit(1)


def run(app: App, arguments: tuple[str, ...], key_files: tuple[str, ...]) -> Report:
    """Compare two states.

    Raises:
        UsageError: there is no repository, or an argument is neither a revision nor a path of it.
        SealkitError: git cannot do it; a key file is wrong.
    """
    git = Git(app.folder, app.environment)
    root = git.root()
    span, paths = understood(app, git, arguments)
    keys = _read_keys(app, key_files) if key_files else None
    old, new = states(app, git, root, span, paths)
    files = {one.file for one in (*old.manifests, *new.manifests)}
    known = Knowledge(_clusters(app, git, root, span.old, files), keys)
    pairs = pair(old.manifests, new.manifests)
    unread = [line for both in pairs for line in _unread(both, span)]
    changes = [_change(both, known) for both in _comparable(pairs, old, new)]
    return Report(
        old=span.old,
        new=span.new,
        manifests=tuple(change for change in changes if change.differs),
        unreadable=(*_broken(span, old, new), *unread),
    )


def _read_keys(app: App, names: tuple[str, ...]) -> Mapping[Kid, PrivateKey]:
    from sealkit.cli.unseal import read_keys  # noqa: PLC0415 (rare: cold start)

    return read_keys(app, names)


def _clusters(app: App, git: Git, root: Path, commit: str, files: set[str]) -> dict[str, str]:
    """Return the clusters by key id: those of the configurations, and of what they were before."""
    names: dict[str, str] = {}
    found = (
        find_config(folder)
        for folder in sorted({os.path.dirname(app.path(file)) for file in files})
    )
    for config in {one.path: one for one in found if one}.values():
        with suppress(SealkitError, ValueError):  # it was not there, or was none
            content = git.read(commit, Path(config.path).relative_to(root).as_posix())
            (document,) = read_documents(content)
            names |= _old_clusters(document.to_plain())
        names |= {cluster.kid: cluster.name for cluster in config.clusters.values()}
    return names


def _old_clusters(raw: object) -> dict[str, str]:
    clusters = raw.get("clusters") if isinstance(raw, Mapping) else None
    entries = clusters.items() if isinstance(clusters, Mapping) else ()
    return {str(one.get("kid")): str(name) for name, one in entries if isinstance(one, Mapping)}


def _unread(both: Pair, span: Span) -> list[Unread]:
    named = zip(both, (span.old_name, span.new_name), strict=True)
    return [
        Unread(one.file, one.document, state, one.problem)
        for one, state in named
        if one and one.problem
    ]


def _broken(span: Span, old: State, new: State) -> list[Unread]:
    """Return a line for each file that cannot be read, of the older state if of both."""
    newer = {file: (span.new_name, problem) for file, problem in new.broken.items()}
    older = {file: (span.old_name, problem) for file, problem in old.broken.items()}
    return [Unread(file, 0, *why) for file, why in sorted({**newer, **older}.items())]


def _comparable(pairs: list[Pair], old: State, new: State) -> Iterator[Pair]:
    """Yield pairs that are read, and single manifests whose other state is not merely unread."""
    lost = {one.file for one, other in pairs if one and one.problem and not other}
    found = {other.file for one, other in pairs if other and other.problem and not one}
    for before, after in pairs:
        if any(one and one.problem for one in (before, after)):
            continue
        if before is None and after and after.file in lost | old.broken.keys():
            continue
        if after is None and before and before.file in found | new.broken.keys():
            continue
        yield before, after


def _change(both: Pair, known: Knowledge) -> Change:
    before, after = both
    comparison = compare(*(one.sealed if one else None for one in both))
    kids = {reader.kid for reader in comparison.readers}
    clusters = {kid: known.clusters[kid] for kid in sorted(kids & known.clusters.keys())}
    change = Change(Place.of(before), Place.of(after), comparison, clusters)
    if known.keys is None:
        return change
    changed = comparison.values.changed
    old, new = (_opened(one, known.keys) if changed else None for one in both)
    if old is None or new is None:
        return replace(change, same=(), unknown=changed)
    return replace(change, same=tuple(key for key in changed if old[key] == new[key]), unknown=())


def _opened(one: Manifest | None, keys: Mapping[Kid, PrivateKey]) -> Mapping[str, Sensitive] | None:
    """Return the values of a manifest, None if these keys do not open it."""
    from sealkit.sealing import open_values  # noqa: PLC0415 (rare: cold start)

    try:
        return open_values(one.sealed, keys) if one and one.sealed else None
    except (UnsealError, ManifestError):  # the scope may need what is not there
        return None
