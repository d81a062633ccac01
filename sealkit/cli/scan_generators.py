"""Kustomizations in Git that take plaintext files, also where only one of both changed.

What is wrong in a kustomization itself is found like in any other file; here are the files that it
names, in the index or in the same commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sealkit.cli.app import App
from sealkit.cli.scan_history import Past, label_in
from sealkit.cli.scan_sources import Blob, beside
from sealkit.git import HEAD, Git
from sealkit.scanning.file import MAX_BYTES, Scanned, scan
from sealkit.scanning.rules import GENERATOR_FILE

_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_EVERY: Final = tuple(f":(top,glob)**/{name}" for name in _NAMES)
_OUTSIDE: Final = ("../", "/")
_CHECK: Final = "--batch-check=%(objecttype) %(objectname) %(objectsize)"


class _State(NamedTuple):
    """A kustomization in a commit with what it takes: paths, and ids of blobs."""

    path: str
    id: str
    taken: tuple[tuple[str, str], ...]


def staged_generators(
    app: App, blobs: Iterable[Blob], is_wanted: Callable[[str], bool]
) -> Iterator[Scanned]:
    """Yield kustomizations that the next commit leaves as they are, unlike files they take.

    Raises:
        SealkitError: git refused.
    """
    git = Git(app.folder, app.environment)
    changed = {blob.path: blob for blob in blobs}
    if not changed:
        return
    root = git.root()
    paths = [one for one in git.files(*_EVERY) if one not in changed and is_wanted(one)]
    ids = _ids(git, (("", path) for path in paths))
    for (_, path), one in ids.items():
        reader = _Reader(git, {name: blob.id for name, blob in changed.items()})
        yield from reader.taken(path, git.blobs([one])[one], app.shown(root / path))


def past_generators(app: App, past: Past, is_wanted: Callable[[str], bool]) -> Iterator[Scanned]:
    """Yield every kustomization of some commits with the files that it takes in the same commit.

    Raises:
        SealkitError: git refused.
    """
    if not any(blob.path.rsplit("/", 1)[-1] in _NAMES for blob in past.blobs):
        return
    git = Git(app.folder, app.environment)
    paths = [path for path in _ever(git) if is_wanted(path)]
    commits = _touching(git, past, _EVERY)
    names = _named(git, paths, commits)
    files = {one for (path, _), found in names.items() for one in found}
    if not files:
        return
    commits = _touching(git, past, (*_EVERY, *(f":(top,literal){one}" for one in files)))
    reported: set[_State] = set()
    for commit, state in _states(git, commits, paths, names):
        if state not in reported:
            reported.add(state)
            reader = _Reader(git, dict(state.taken))
            raw = git.blobs([state.id])[state.id]
            yield from reader.taken(state.path, raw, label_in(commit, state.path))


@dataclass
class _Reader:
    """Reads the files beside another one that are among some blobs, and remembers their names."""

    git: Git
    ids: Mapping[str, str]
    asked: set[str] = field(default_factory=set)

    def taken(self, path: str, raw: bytes, label: str) -> Iterator[Scanned]:
        """Yield a kustomization if it takes one of the files in plain text."""

        def read(name: str) -> bytes | None:
            file = beside(path, name)
            if file.startswith(_OUTSIDE):
                return None
            self.asked.add(file)
            one = self.ids.get(file)
            return self.git.blobs([one])[one] if one else None

        found = scan(path, raw, read, label=label)
        findings = tuple(one for one in found.findings if one.rule is GENERATOR_FILE)
        if findings:
            yield found._replace(findings=findings)


def _ever(git: Git) -> list[str]:
    """Return the paths of all kustomizations that there ever were."""
    form = ("--format=", "--name-only", "--no-renames", "--full-history", "-z")
    names = os.fsdecode(git.run("log", *form, HEAD, "--", *_EVERY)).split("\0")
    return sorted({name.strip("\n") for name in names} - {""})


def _touching(git: Git, past: Past, paths: Iterable[str]) -> list[str]:
    """Return those commits that change one of some paths, and the first, whose files are older."""
    lines = git.run("rev-list", "--full-history", HEAD, "--", *paths).decode("ascii").split()
    touching = {past.commits[0], *lines}
    return [commit for commit in past.commits if commit in touching]


def _named(
    git: Git, paths: list[str], commits: list[str]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the files that each version of a kustomization takes, by its path and id."""
    found = _ids(git, ((commit, path) for commit in commits for path in paths))
    versions = {(path, one) for (_, path), one in found.items()}
    contents = git.blobs(one for _, one in versions)
    names = {}
    for path, one in versions:
        reader = _Reader(git, {})
        list(reader.taken(path, contents[one], path))
        names[path, one] = tuple(sorted(reader.asked))
    return names


def _states(
    git: Git,
    commits: list[str],
    paths: list[str],
    names: Mapping[tuple[str, str], tuple[str, ...]],
) -> Iterator[tuple[str, _State]]:
    """Yield the kustomizations of every commit that take files, with those that are there."""
    files = {file for found in names.values() for file in found}
    ids = _ids(git, ((commit, path) for commit in commits for path in {*paths, *files}))
    for commit in commits:
        for path in paths:
            one = ids.get((commit, path), "")
            wanted = ((file, ids.get((commit, file), "")) for file in names.get((path, one), ()))
            taken = tuple((file, found) for file, found in wanted if found)
            if taken:
                yield commit, _State(path, one, taken)


def _ids(git: Git, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the ids of files in commits, "" is the index, without those not there or too large."""
    pairs = [pair for pair in wanted if "\n" not in pair[1]]
    stdin = b"".join(os.fsencode(f"{commit}:{path}\n") for commit, path in pairs)
    found = {}
    for pair, line in zip(
        pairs, git.run("cat-file", _CHECK, stdin=stdin).splitlines(), strict=True
    ):
        kind, *rest = line.split(b" ")
        if kind == b"blob" and int(rest[1]) <= MAX_BYTES:
            found[pair] = rest[0].decode("ascii")
    return found
