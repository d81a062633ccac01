"""What `sealkit scan --history` reads: every blob of some commits, each once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from sealkit.cli.app import App
from sealkit.cli.scan_sources import Blob, sizes_of
from sealkit.errors import UsageError
from sealkit.files import slashed
from sealkit.git import HEAD, Git

_ABBREVIATED: Final = 12


class Past(NamedTuple):
    """Commits, the oldest first, and the blobs that are in them."""

    commits: tuple[str, ...]
    blobs: list[Blob]


def history(app: App, paths: tuple[str, ...], count: int | None) -> Past:
    """Return the last `count` commits, or all, and their blobs: each once, oldest first.

    A blob is called by the first of these commits that has it, as `git show` takes it.

    Raises:
        UsageError: the folder is in no repository, or there is no commit.
    """
    git = Git(app.folder, app.environment)
    folders = wanted_folders(app, git, paths)
    if git.find_commit(HEAD) is None:
        raise UsageError("there is no commit yet")
    if git.is_shallow():
        app.say("sealkit: note: a shallow clone has only its last commits: git fetch --unshallow")
    limit = (f"--max-count={count}",) if count else ()
    order = ("--objects", "--in-commit-order", "--reverse", "--topo-order")
    lines = os.fsdecode(git.run("rev-list", *order, *limit, HEAD)).split("\n")
    labels = {
        one: (label_in(commit, path), path)
        for one, path, commit in _objects(lines)
        if is_below(path, folders)
    }
    sizes = sizes_of(git, tuple(labels))
    commits = tuple(line for line in lines if line and " " not in line)
    return Past(commits, [Blob(*labels[one], one, size) for one, size in sizes.items()])


def wanted_folders(app: App, git: Git, paths: tuple[str, ...]) -> list[str]:
    """Return files and folders that arguments name, from the root of the repository.

    Raises:
        UsageError: the folder is in no repository.
    """
    root = git.root().resolve()
    return [slashed(os.path.relpath(app.place(path), root)) for path in paths]


def label_in(commit: str, path: str) -> str:
    """Return what a file of a commit is called."""
    return f"{commit[:_ABBREVIATED]}:{path}"


def is_below(path: str, folders: list[str]) -> bool:
    """Tell whether a path is one of some, or in one of them."""
    return any(folder in (".", path) or path.startswith(f"{folder}/") for folder in folders)


def _objects(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield id, path and commit of every tree and blob behind its commit."""
    commit = ""
    for line in lines:
        one, space, path = line.partition(" ")
        if not space:
            commit = one
        elif path:
            yield one, path, commit
