"""Read from Git repositories: the only module that starts git for reading. It changes nothing.

Paths that come out are relative to the root of the repository, with "/" between folders; bytes that
are no UTF-8 are in them as surrogates, as `os.fsdecode` has it. Paths that go in are what people
write: relative to the folder that git is started in, and Git's own wildcards count.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NamedTuple

from sealkit.errors import SealkitError, UsageError
from sealkit.files import AnyPath, reason_of

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


class Commit(NamedTuple):
    """A commit: its id, the day it was made, as `2026-11-01`, and the first line of its message."""

    id: str
    day: str
    subject: str


class Version(NamedTuple):
    """A file that kept its content through some commits, given by their numbers in a list.

    The list begins with the newest, so `newest` is the lower number.
    """

    path: str
    blob: str
    newest: int
    oldest: int


class GitError(SealkitError):
    """Git refused; `problem` is the first line that it said."""


@dataclass(frozen=True)
class Git:
    """Git, started in a folder with the environment of the user."""

    folder: AnyPath
    environment: Mapping[str, str]

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return what git prints on standard output.

        Raises:
            GitError: git refused.
            SealkitError: git is not installed or cannot be started.
        """
        import subprocess  # noqa: PLC0415 (cold start)

        program = self._program()
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

    def _program(self) -> str:
        import shutil  # noqa: PLC0415 (cold start)

        program = shutil.which("git", path=self.environment.get("PATH"))
        if program is None:
            raise SealkitError("git is not installed")
        return program

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
        return dict(self.each_blob(ids))

    def each_blob(self, ids: Iterable[str]) -> Generator[tuple[str, bytes]]:
        """Yield blobs as `blobs` returns them, each once, with one of them in memory at a time.

        Raises:
            SealkitError: one is missing, as in a partial clone; git ended before the last.
        """
        import subprocess  # noqa: PLC0415 (cold start)
        import tempfile  # noqa: PLC0415 (same)

        wanted = dict.fromkeys(ids)
        if not wanted:
            return
        with tempfile.TemporaryFile() as stdin:  # a pipe would fill while nobody reads the other
            stdin.writelines(f"{one}\n".encode("ascii") for one in wanted)
            stdin.seek(0)
            with subprocess.Popen(  # noqa: S603 (no shell, and the program is git)
                [self._program(), "cat-file", "--batch"],
                cwd=self.folder,
                env={**self.environment, **_OURS},
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process:
                assert process.stdout  # noqa: S101 (a pipe, as asked for)
                for _ in wanted:
                    yield _next_blob(process.stdout)

    def first_parents(self, count: int = 0) -> tuple[Commit, ...]:
        """Return the states that the branch has had, the newest first: the last `count`, 0 for all.

        What was merged is there as the merge; the commits of the branch merged are not.

        Raises:
            UsageError: there is no commit yet.
        """
        if self.find_commit(HEAD) is None:
            raise UsageError("there is no commit yet")
        form = ("--first-parent", "--date=short", "--encoding=UTF-8", "--format=%cd %s")
        limit = (f"--max-count={count}",) if count else ()
        lines = self.run("rev-list", *form, *limit, HEAD).decode(errors="replace").split("\n")
        heads = zip(lines[::2], lines[1::2], strict=False)
        return tuple(
            Commit(head.removeprefix("commit "), *about.split(" ", 1)) for head, about in heads
        )

    def is_shallow(self) -> bool:
        """Tell whether the clone lacks the commits before some point."""
        return self.run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def versions(self, commits: Sequence[str], *paths: str) -> Iterator[Version]:
        """Yield every version of every file in some commits, each followed by its parent."""
        empty = self.run("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()
        since = {
            change.path: Version(change.path, change.new, 0, 0)
            for change in self.changes(empty, commits[0], *paths)
            if change.new
        }
        for number, change in self._steps(commits, paths):
            if change.path in since:
                yield since.pop(change.path)._replace(oldest=number)
            if change.old:
                since[change.path] = Version(change.path, change.old, number + 1, 0)
        for version in since.values():
            yield version._replace(oldest=len(commits) - 1)

    def _steps(
        self, commits: Sequence[str], paths: tuple[str, ...]
    ) -> Iterator[tuple[int, Change]]:
        """Yield what each commit but the last changes in the next one, with its number."""
        numbers = {commit: number for number, commit in enumerate(commits)}
        pairs = itertools.pairwise(commits)
        stdin = "".join(f"{commit} {parent}\n" for commit, parent in pairs).encode("ascii")
        form = ("-r", "--raw", "-z", "--no-abbrev", "--no-renames")
        parts = iter(_split(self.run("diff-tree", "--stdin", *form, "--", *paths, stdin=stdin)))
        number = 0
        for part in parts:
            if part.startswith(":"):
                yield number, _change(part, next(parts))
            else:
                number = numbers[part]

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
        yield _change(head, path)


def _change(head: str, path: str) -> Change:
    old_mode, new_mode, old, new, _ = head.removeprefix(":").split(" ")
    return Change(path, _blob(old_mode, old), _blob(new_mode, new))


def _split(raw: bytes) -> list[str]:
    return [os.fsdecode(part) for part in raw.split(b"\0")[:-1]]


def _blob(mode: str, name: str) -> str | None:
    return name if mode.startswith(_REGULAR) and set(name) != {"0"} else None


def _next_blob(stream: IO[bytes]) -> tuple[str, bytes]:
    """Parse `<id> blob <size> LF <content> LF`."""
    name, kind, *size = stream.readline().decode("ascii").split() or ("", "")
    if not size:
        what = f"git object {name[:12]} is {kind}" if name else "git cat-file ended early"
        raise SealkitError(what)
    content = stream.read(int(size[0]) + 1)
    if len(content) <= int(size[0]):
        raise SealkitError("git cat-file ended early")
    return name, content[:-1]
