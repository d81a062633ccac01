"""The two states that `sealkit diff` compares: which they are, and the manifests in them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sealkit.cli.app import App
from sealkit.cli.batch import SUFFIXES, may_hold_manifest
from sealkit.cli.resources import SEALED, Found
from sealkit.comparing import Manifest
from sealkit.errors import ManifestError, SealkitError, UsageError
from sealkit.files import read_bytes, slashed
from sealkit.git import HEAD, Git
from sealkit.manifests.documents import iter_resources, read_documents
from sealkit.manifests.sealed import SealedSecret

_HERE: Final = "the working tree"


class Span(NamedTuple):
    """Two commits, and what the user called them; `new` None is the working tree."""

    old: str
    old_name: str = HEAD
    new: str | None = None
    new_name: str = _HERE


class State(NamedTuple):
    """The manifests of one state in the files that differ; files that cannot be read, and why."""

    manifests: list[Manifest]
    broken: dict[str, str]


def understood(app: App, git: Git, arguments: tuple[str, ...]) -> tuple[Span, tuple[str, ...]]:
    """Tell the revision from the paths, as git does.

    Raises:
        UsageError: the first argument is neither or both, another is no path of either state, or
            there is no commit yet.
    """
    if not arguments:
        return Span(_head(git)), ()
    first, *rest = arguments
    span = _span(git, first)
    is_path = _is_path(app, git, first, HEAD)
    if span and is_path:
        what = f"{first!r} is both a revision and a path"
        raise UsageError(what, hint=f"for the path, write ./{first}")
    if not span and not is_path:
        hint = "in a shallow clone, fetch the revision first: git fetch --unshallow"
        raise UsageError(f"{first!r} is neither a revision nor a path", hint=hint)
    paths = tuple(rest) if span else arguments
    span = span or Span(_head(git))
    for path in paths:
        if not any(_is_path(app, git, path, commit) for commit in (span.old, span.new or HEAD)):
            what = f"is neither in {span.old_name} nor in {span.new_name}"
            raise UsageError(what).located(file=path)
    return span, paths


def _head(git: Git) -> str:
    commit = git.find_commit(HEAD)
    if commit is None:
        raise UsageError("there is no commit yet that could be compared")
    return commit


def _is_path(app: App, git: Git, name: str, commit: str) -> bool:
    return os.path.exists(app.path(name)) or git.holds(commit, name)


def _span(git: Git, text: str) -> Span | None:
    """Parse `A`, `A..B` or `A...B`; a side that is left out is HEAD. None: it is no revision."""
    since_left = "..." in text
    one, dots, other = text.partition("..." if since_left else "..")
    old = git.find_commit(one or HEAD)
    if old is None or not dots:
        return Span(old, one) if old else None
    new = git.find_commit(other or HEAD)
    if new is None:
        return None
    start = git.merge_base(old, new) if since_left else old
    return Span(start, one or HEAD, new, other or HEAD)


def states(
    app: App, git: Git, root: Path, span: Span, paths: tuple[str, ...]
) -> tuple[State, State]:
    """Return the manifests of both states, of files that may differ.

    Raises:
        SealkitError: git cannot read them.
    """
    old, new = _contents(git, root, span, paths)
    return _state(app, root, old), _state(app, root, new)


_Contents = dict[str, bytes | SealkitError]


def _contents(
    git: Git, root: Path, span: Span, paths: tuple[str, ...]
) -> tuple[_Contents, _Contents]:
    changes = [one for one in git.changes(span.old, span.new, *paths) if _counts(one.path)]
    blobs = git.blobs(name for one in changes for name in (one.old, one.new) if name)
    old: _Contents = {one.path: blobs[one.old] for one in changes if one.old}
    if span.new:
        return old, {one.path: blobs[one.new] for one in changes if one.new}
    names = [one.path for one in changes]
    names += filter(_counts, git.files(*paths, untracked=True))
    return old, {name: _read(root / name) for name in names if _is_regular(root / name)}


def _counts(name: str) -> bool:
    return name.endswith(SUFFIXES)


def _is_regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _read(path: Path) -> bytes | SealkitError:
    try:
        return read_bytes(path)
    except SealkitError as error:
        return error


def _state(app: App, root: Path, contents: _Contents) -> State:
    state = State([], {})
    here = os.path.realpath(app.folder)
    for name, content in contents.items():
        file = slashed(os.path.relpath(root / name, here))
        try:
            state.manifests.extend(_manifests(content, file))
        except SealkitError as error:
            state.broken[file] = _problem(error)
    return state


def _manifests(content: bytes | SealkitError, file: str) -> list[Manifest]:
    if isinstance(content, SealkitError):
        raise content
    if not may_hold_manifest(content):
        return []
    documents = read_documents(content, file=file)
    resources = (resource for one in documents for resource in iter_resources(one))
    found = (Found(resource, resource.to_dict()) for resource in resources)
    return [_manifest(entry, file) for entry in found if entry.type == SEALED]


def _manifest(entry: Found, file: str) -> Manifest:
    try:
        sealed = SealedSecret.from_dict(entry.raw)
    except ManifestError as error:
        metadata = entry.raw.get("metadata")
        space = metadata.get("namespace") if isinstance(metadata, Mapping) else ""
        return Manifest(file, entry.document, str(space), entry.name, None, _problem(error))
    return Manifest(file, entry.document, sealed.namespace, sealed.name, sealed)


def _problem(error: SealkitError) -> str:
    return ": ".join(part for part in (error.field, error.problem) if part)
