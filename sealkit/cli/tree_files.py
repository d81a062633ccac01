"""Which files of a tree a verb looks at: those that are named, and what Git does not ignore."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sealkit.cli import batch
from sealkit.cli.app import STDIO, App
from sealkit.errors import SealkitError
from sealkit.git import Git


class Files(NamedTuple):
    """The files to look at, in order, and which of them the arguments name themselves."""

    names: tuple[str, ...]
    named: frozenset[str]


def find_files(app: App, paths: Iterable[str]) -> Files:
    """Return the files that arguments stand for, each once: files, folders and globs.

    What Git ignores is left out unless it is named.

    Raises:
        UsageError: a path is not there, or a glob matches nothing.
        SealkitError: a folder cannot be read.
    """
    found: dict[str, str] = {}
    named: set[str] = set()
    for path in paths:
        is_named = path == STDIO or os.path.isfile(app.path(path))
        names = batch.iter_files(app, [path])
        for name in names if is_named else _kept(app, path, names):
            place = name if name == STDIO else app.place(name)
            found.setdefault(place, name)
            named |= {found[place]} if is_named else set()
    return Files(tuple(found.values()), frozenset(named))


def _kept(app: App, path: str, names: Sequence[str]) -> Sequence[str]:
    """Leave out what Git ignores; a folder that it ignores as a whole was named itself."""
    folder = app.path(path) if os.path.isdir(app.path(path)) else app.folder
    try:
        root = Git(folder, app.environment).root()
        git = Git(root, app.environment)
        known = {root / name for name in (*git.files(), *git.files(untracked=True))}
    except SealkitError:  # no repository, or no git
        return names
    places = {
        name: Path(app.place(os.path.dirname(name)), os.path.basename(name)) for name in names
    }
    if not any(place in known for place in places.values()):
        return names
    return [name for name, at in places.items() if at in known or not at.is_relative_to(root)]
