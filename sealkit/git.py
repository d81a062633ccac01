"""Read from Git repositories: the only module that starts git for reading. It changes nothing.

Paths that come out are relative to the root of the repository, with "/" between folders; bytes that
are no UTF-8 are in them as surrogates, as `os.fsdecode` has it. Paths that go in are what people
write: relative to the folder that git is started in, and Git's own wildcards count.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sealkit.errors import SealkitError, UsageError
from sealkit.files import reason_of

HEAD: Final = "HEAD"

_REGULAR: Final = "100"  # the modes of files begin with it: no symbolic link, no submodule
# Messages in English, and no lock that another git at work would trip over.
_OURS: Final = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


class Change(NamedTuple):
    """A path whose content differs between two states, with the ids of its blobs.

    None: it is no regular file there, or one of the working tree, which has no id yet.
    """

    path: str
    old: str | None
    new: str | None


class GitError(SealkitError):
    """Git refused; `problem` is the first line that it said."""


@dataclass(frozen=True)
class Git:
    """Git, started in a folder with the environment of the user."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return what git prints on standard output.

        Raises:
            GitError: git refused.
            SealkitError: git is not installed or cannot be started.
        """
        import shutil  # noqa: PLC0415 (cold start)
        import subprocess  # noqa: PLC0415 (same)

        program = shutil.which("git", path=self.environment.get("PATH"))
        if program is None:
            raise SealkitError("git is not installed")
        try:
            done = subprocess.run(  # noqa: S603 (no shell, and the program is git)
                [program, *arguments],
                cwd=self.folder,
                env={**self.environment, **_OURS},
                input=stdin,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise SealkitError(f"git cannot be started: {reason_of(error)}") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
            raise GitError(f"git {arguments[0]}: {said.splitlines()[0].removeprefix('fatal: ')}")
        return done.stdout

    def root(self) -> Path:
        """Return the root of the working tree.

        Raises:
            UsageError: the folder is in no repository.
            SealkitError: as `run`.
        """
        try:
            return Path(os.fsdecode(self.run("rev-parse", "--show-toplevel").removesuffix(b"\n")))
        except GitError as error:
            if "not a git repository" in error.problem:
                raise UsageError("this folder is in no git repository") from None
            raise

    def commit(self, revision: str) -> str:
        """Return the id of the commit that a revision names.

        Raises:
            UsageError: there is none.
        """
        found = self.find_commit(revision)
        if found is None:
            hint = "in a shallow clone, fetch it first: git fetch --unshallow"
            raise UsageError(f"{revision!r} is no revision of this repository", hint=hint)
        return found

    def find_commit(self, revision: str) -> str | None:
        """Return the id of the commit that a revision names, None if it names none."""
        if not revision or revision.startswith("-"):  # else it would be an option
            return None
        try:
            out = self.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        except GitError:
            return None
        return out.decode("ascii").strip()

    def merge_base(self, one: str, other: str) -> str:
        """Return the id of the last commit that two commits have in common.

        Raises:
            UsageError: they have none.
        """
        try:
            return self.run("merge-base", one, other).decode("ascii").strip()
        except GitError:
            raise UsageError("the two revisions have no commit in common") from None

    def read(self, revision: str, path: str) -> bytes:
        """Return a file as it is in a revision; "" is the index. `path` is relative to the root.

        Raises:
            UsageError: it is not there, or is no file.
        """
        try:
            return self.run("cat-file", "blob", f"{revision}:{path}")
        except GitError:
            what = f"is not in {revision}" if revision else "is not in the index"
            raise UsageError(what).located(file=path) from None

    def blobs(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of blobs, all read by one process.

        Raises:
            SealkitError: one is missing, as in a partial clone.
        """
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}
        stdin = "".join(f"{one}\n" for one in wanted).encode("ascii")
        return dict(_batch(self.run("cat-file", "--batch", stdin=stdin)))

    def files(self, *paths: str, untracked: bool = False) -> tuple[str, ...]:
        """Return the files in the index, or those that are neither there nor ignored."""
        which = ("--others", "--exclude-standard") if untracked else ("--cached",)
        return _names(self.run("ls-files", "-z", "--full-name", *which, "--", *paths))

    def holds(self, revision: str, path: str) -> bool:
        """Tell whether a path, a folder or a wildcard fits a file in the index or a revision."""
        tree = f"--with-tree={revision}"
        try:
            self.run("ls-files", "-z", "--error-unmatch", tree, "--", path)
        except GitError:
            return False
        return True

    def changes(self, old: str, new: str | None, *paths: str) -> tuple[Change, ...]:
        """Return what differs between two commits; `new` None is the working tree.

        A moved file is there twice, once as removed and once as added. Of the working tree files
        may be named that do not differ, and untracked ones are not.
        """
        form = ("--raw", "-z", "--no-abbrev", "--no-renames")
        what = ("diff-tree", "-r", *form, old, new) if new else ("diff-index", *form, old)
        found: dict[str, Change] = {}
        for change in _raw_changes(self.run(*what, "--", *paths)):
            found.setdefault(change.path, change)  # an unmerged path comes twice
        return tuple(found.values())


def _names(raw: bytes) -> tuple[str, ...]:
    """Split what `-z` ends with NUL; an unmerged path comes more than once."""
    return tuple(dict.fromkeys(os.fsdecode(name) for name in raw.split(b"\0") if name))


def _raw_changes(raw: bytes) -> Iterator[Change]:
    """Parse `:<mode> <mode> <id> <id> <letter> NUL <path> NUL` (git help diff-format)."""
    parts = iter(_split(raw))
    for head, path in zip(parts, parts, strict=True):
        old_mode, new_mode, old, new, _ = head.removeprefix(":").split(" ")
        yield Change(path, _blob(old_mode, old), _blob(new_mode, new))


def _split(raw: bytes) -> list[str]:
    return [os.fsdecode(part) for part in raw.split(b"\0")[:-1]]


def _blob(mode: str, name: str) -> str | None:
    return name if mode.startswith(_REGULAR) and set(name) != {"0"} else None


def _batch(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Parse `<id> blob <size> LF <content> LF`, as often as it comes."""
    start = 0
    while start < len(raw):
        end = raw.index(b"\n", start)
        name, kind, *size = raw[start:end].decode("ascii").split(" ")
        if not size:
            raise SealkitError(f"git object {name[:12]} is {kind}")
        start = end + 1 + int(size[0])
        yield name, raw[end + 1 : start]
        start += 1
