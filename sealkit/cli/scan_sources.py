"""What `sealkit scan` reads: files, and what is in Git's index or in its history."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sealkit.cli.app import STDIO, App
from sealkit.cli.resources import label_of
from sealkit.errors import SealkitError, UsageError
from sealkit.files import slashed
from sealkit.git import HEAD, Git
from sealkit.scanning.file import MAX_BYTES, Scanned, Skipped, scan
from sealkit.scanning.generators import Neighbour

_REGULAR: Final = ":100"  # an entry of `--raw` that becomes a regular file
_AT_ONCE: Final = 64 * 2**20  # bytes of blobs that are read from one process of Git


class Blob(NamedTuple):
    """A version of a file in Git; `label` is what findings call it, `path` is from the root."""

    label: str
    path: str
    id: str
    size: int


def files_in(app: App, paths: tuple[str, ...]) -> list[str]:
    """Return the files that arguments name, each once; of a folder in Git, all but ignored ones.

    Raises:
        UsageError: a path is not there.
    """
    found: dict[str, str] = {}
    for path in paths:
        for name in _files_of(app, path):
            found.setdefault(app.place(name), name)
    return list(found.values())


def _files_of(app: App, path: str) -> list[str]:
    place = Path(app.path(path))
    if path == STDIO or place.is_file():
        return [path]
    if not place.is_dir():
        raise UsageError("there is no such file or folder").located(file=path)
    names = _known_to_git(app, place) or _walked(place)
    paths = (os.path.join(path, name) for name in names)
    return [slashed(os.path.normpath(one)) for one in paths]


def _known_to_git(app: App, folder: Path) -> list[str]:
    """Return the files of a folder that are in the index or could be; none outside of Git."""
    git = Git(folder, app.environment)
    try:
        root = git.root()
        names = {*git.files("."), *git.files(".", untracked=True)}
    except SealkitError:
        return []
    below = (os.path.relpath(root / name, folder.resolve()) for name in sorted(names))
    return [name for name in below if _is_regular(folder / name)]


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:  # removed, but still in the index
        return False


def _walked(folder: Path) -> list[str]:
    found: list[str] = []
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        places = (Path(where, name) for name in sorted(files))
        found += [str(place.relative_to(folder)) for place in places if _is_regular(place)]
    return found


def scan_file(app: App, name: str) -> Scanned:
    """Return what is wrong in a file, or in standard input.

    Raises:
        SealkitError: it cannot be read.
    """
    label = label_of(app.shown(name))
    if name != STDIO and _size(Path(app.path(name))) > MAX_BYTES:
        return Scanned(label, skipped=Skipped.LARGE)
    return scan(
        Path(name).as_posix(), app.read(name), _beside(app, Path(app.path(name))), label=label
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reading it says why
        return 0


def _beside(app: App, file: Path) -> Neighbour:
    """Return what reads files near another one: those that are there, and not ignored by Git."""

    def read(name: str) -> bytes | None:
        place = file.parent / name
        if not place.is_file() or _size(place) > MAX_BYTES or _is_ignored(app, place):
            return None
        return app.read(str(place))

    return read


def _is_ignored(app: App, place: Path) -> bool:
    git = Git(place.parent, app.environment)
    try:
        git.run("check-ignore", "--quiet", "--", place.name)
    except SealkitError:  # also: no repository
        return False
    return True


def staged(app: App, paths: tuple[str, ...]) -> list[Blob]:
    """Return what the next commit would change, as it is in the index.

    Raises:
        UsageError: the folder is in no repository.
    """
    git = Git(app.folder, app.environment)
    root = git.root()
    base = git.find_commit(HEAD) or git.run("hash-object", "-t", "tree", "--stdin").decode().strip()
    form = ("--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=AMT")
    parts = iter(git.run("diff-index", *form, base, "--", *paths).split(b"\0")[:-1])
    ids = {
        os.fsdecode(path): head.split(b" ")[3].decode()
        for head, path in zip(parts, parts, strict=True)
        if head.split(b" ")[1].startswith(b"100")
    }
    sizes = sizes_of(git, tuple(ids.values()))
    return [
        Blob(app.shown(root / path), path, one, sizes[one])
        for path, one in ids.items()
        if one in sizes
    ]


def sizes_of(git: Git, ids: tuple[str, ...]) -> Mapping[str, int]:
    """Return how large blobs are; trees and what is missing are left out."""
    stdin = "".join(f"{one}\n" for one in ids).encode()
    lines = git.run("cat-file", "--batch-check", stdin=stdin).decode().splitlines()
    parts = (line.split(" ") for line in lines)
    return {part[0]: int(part[2]) for part in parts if part[1] == "blob"}


def scan_blobs(app: App, blobs: list[Blob], *, in_index: bool) -> Iterator[Scanned]:
    """Yield what is wrong in versions of files; few are in memory at a time.

    Of a history, files that a kustomization takes are looked at by `past_generators`.
    """
    git = Git(app.folder, app.environment)
    for group in _groups(blobs):
        contents = git.blobs(blob.id for blob in group)
        for blob in group:
            if blob.size > MAX_BYTES:
                yield Scanned(blob.label, skipped=Skipped.LARGE)
                continue
            neighbour = _in_index(git, blob.path) if in_index else nothing_beside
            yield scan(blob.path, contents[blob.id], neighbour, label=blob.label)


def _groups(blobs: list[Blob]) -> Iterator[list[Blob]]:
    group: list[Blob] = []
    total = 0
    for blob in blobs:
        if total + blob.size > _AT_ONCE and group:
            yield group
            group, total = [], 0
        group.append(blob)
        total += blob.size
    yield group


def nothing_beside(_: str) -> bytes | None:
    """Read nothing: what there is beside a file is somebody else's to look at."""
    return None


def beside(path: str, name: str) -> str:
    """Return the path of a file that another one names, both from the root of a repository."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _in_index(git: Git, path: str) -> Neighbour:
    def read(name: str) -> bytes | None:
        try:
            return git.read("", beside(path, name))
        except UsageError:
            return None

    return read
