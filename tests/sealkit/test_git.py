"""Reading from Git repositories, with the real git."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from sealkit.errors import SealkitError, UsageError
from sealkit.git import HEAD, Change, Git, GitError, Version

PERSON: Final = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
}
ENVIRONMENT: Final[Mapping[str, str]] = {
    "PATH": os.environ.get("PATH", os.defpath),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **PERSON,
}


class Repository:
    """A folder with a repository that tests write to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git = Git(folder, ENVIRONMENT)
        self.do("init", "-q", "-b", "main")

    def do(self, *arguments: str) -> str:
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=dict(ENVIRONMENT), check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def commit(self) -> str:
        self.do("add", "--all")
        self.do("commit", "-q", "--allow-empty", "-m", "x")
        return self.do("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "repository").mkdir()
    made = Repository(tmp_path / "repository")
    made.write("a", b"one\n")
    made.write("sub/b", b"\x00\xff")
    made.commit()
    return made


class TestPlaces:
    def test_the_root_from_below(self, repository: Repository) -> None:
        below = Git(repository.folder / "sub", ENVIRONMENT)
        assert below.root() == repository.folder.resolve()

    def test_no_repository(self, tmp_path: Path) -> None:
        limited = {**ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
        with pytest.raises(UsageError) as caught:
            Git(tmp_path, limited).root()
        assert caught.value.problem == "this folder is in no git repository"

    def test_a_repository_without_files(self, tmp_path: Path, repository: Repository) -> None:
        repository.do("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
        with pytest.raises(GitError) as caught:
            Git(tmp_path / "bare", ENVIRONMENT).root()
        assert caught.value.problem == "git rev-parse: this operation must be run in a work tree"

    def test_no_git(self, tmp_path: Path) -> None:
        with pytest.raises(SealkitError, match="git is not installed"):
            Git(tmp_path, {"PATH": str(tmp_path)}).root()

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(SealkitError, match="git cannot be started: no such file"):
            Git(tmp_path / "gone", ENVIRONMENT).root()

    def test_a_git_that_says_nothing(self, tmp_path: Path) -> None:
        program = tmp_path / "git"
        program.write_text("#!/bin/sh\nexit 3\n")
        program.chmod(0o755)
        with pytest.raises(GitError, match="git rev-parse: exit code 3"):
            Git(tmp_path, {"PATH": str(tmp_path)}).root()


class TestRevisions:
    def test_a_commit(self, repository: Repository) -> None:
        assert repository.git.commit(HEAD) == repository.do("rev-parse", "main")

    @pytest.mark.parametrize("name", ["nope", "", "--all", "HEAD~9", "HEAD:a"])
    def test_none(self, repository: Repository, name: str) -> None:
        assert repository.git.find_commit(name) is None
        with pytest.raises(UsageError, match="is no revision of this repository"):
            repository.git.commit(name)

    def test_the_last_in_common(self, repository: Repository) -> None:
        start = repository.git.commit(HEAD)
        repository.do("switch", "-q", "-c", "other")
        other = repository.commit()
        repository.do("switch", "-q", "main")
        repository.write("a", b"two")
        assert repository.git.merge_base(repository.commit(), other) == start

    def test_none_in_common(self, repository: Repository) -> None:
        start = repository.git.commit(HEAD)
        repository.do("switch", "-q", "--orphan", "other")
        with pytest.raises(UsageError, match="no commit in common"):
            repository.git.merge_base(start, repository.commit())


class TestContents:
    def test_a_file_of_a_revision_and_of_the_index(self, repository: Repository) -> None:
        repository.write("sub/b", b"staged")
        repository.do("add", "sub/b")
        repository.write("sub/b", b"not staged")
        below = Git(repository.folder / "sub", ENVIRONMENT)
        assert below.read(HEAD, "sub/b") == b"\x00\xff"
        assert below.read("", "sub/b") == b"staged"

    @pytest.mark.parametrize("path", ["none", "sub"])
    @pytest.mark.parametrize(("revision", "where"), [("HEAD", "HEAD"), ("", "the index")])
    def test_not_there(self, repository: Repository, path: str, revision: str, where: str) -> None:
        with pytest.raises(UsageError) as caught:
            repository.git.read(revision, path)
        assert (caught.value.file, caught.value.problem) == (path, f"is not in {where}")

    def test_blobs(self, repository: Repository) -> None:
        ids = [repository.do("rev-parse", f"HEAD:{name}") for name in ("a", "sub/b", "a")]
        assert repository.git.blobs(ids) == {ids[0]: b"one\n", ids[1]: b"\x00\xff"}
        assert repository.git.blobs([]) == {}

    def test_a_blob_that_is_missing(self, repository: Repository) -> None:
        with pytest.raises(SealkitError, match=r"git object 1{12} is missing"):
            repository.git.blobs(["1" * 40])

    def test_one_at_a_time(self, repository: Repository) -> None:
        large = bytes(200_000)
        repository.write("large", large)
        repository.commit()
        ids = [repository.do("rev-parse", f"HEAD:{name}") for name in ("a", "large", "a")]
        reading = repository.git.each_blob(ids)
        assert next(reading) == (ids[0], b"one\n")
        assert list(reading) == [(ids[1], large)]
        next(again := repository.git.each_blob(ids))
        again.close()

    @pytest.mark.parametrize("said", ["", f"{'1' * 40} blob 9\n1234"])
    def test_a_git_that_ends_early(self, tmp_path: Path, said: str) -> None:
        program = tmp_path / "git"
        program.write_text(f"#!/bin/sh\nprintf '{said}'\n")
        program.chmod(0o755)
        with pytest.raises(SealkitError, match="git cat-file ended early"):
            Git(tmp_path, {"PATH": str(tmp_path)}).blobs(["1" * 40])


class TestHistory:
    """The states that a branch has had."""

    def test_commits(self, repository: Repository) -> None:
        repository.do("switch", "-q", "-c", "other")
        repository.commit()
        repository.do("switch", "-q", "main")
        repository.do("merge", "-q", "--no-ff", "-m", "Merge: é\n\nmore", "other")
        first, *rest = repository.git.first_parents()
        assert [one.subject for one in (first, *rest)] == ["Merge: é", "x"]
        assert first.id == repository.do("rev-parse", "HEAD")
        assert first.day == repository.do("log", "-1", "--format=%cs")
        assert repository.git.first_parents(1) == (first,)

    def test_no_subject(self, repository: Repository) -> None:
        repository.do("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")
        assert [one.subject for one in repository.git.first_parents()] == ["", "x"]

    def test_no_commit(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="there is no commit yet"):
            Repository(tmp_path).git.first_parents()

    def test_a_shallow_clone(self, tmp_path: Path, repository: Repository) -> None:
        repository.commit()
        assert not repository.git.is_shallow()
        url = f"file://{repository.folder}"
        repository.do("clone", "-q", "--depth", "1", url, str(tmp_path / "shallow"))
        assert Git(tmp_path / "shallow", ENVIRONMENT).is_shallow()

    def test_versions_are_the_trees_of_all_commits(self, repository: Repository) -> None:
        draw = random.Random(1)  # noqa: S311 (no secret)
        names = ["a", "sub/b", "sub/c", "d e", TestNames.ODD]
        for step in range(25):
            for name in draw.sample(names, draw.randrange(3)):
                path = repository.folder / name
                if path.is_symlink() or (path.exists() and draw.random() < 0.4):
                    path.unlink()
                elif not path.exists() and draw.random() < 0.2:
                    path.symlink_to("nowhere")
                else:
                    repository.write(name, draw.choice([b"1", b"2", b"%d" % step]))
            repository.commit()
        commits = [one.id for one in repository.git.first_parents()]
        for paths in ([], ["sub"]):
            found = list(repository.git.versions(commits, *paths))
            for number, commit in enumerate(commits):
                here = {v.path: v.blob for v in found if v.newest <= number <= v.oldest}
                assert here == tree(repository, commit, *paths)

    def test_versions_through_a_merge(self, repository: Repository) -> None:
        repository.do("switch", "-q", "-c", "other")
        repository.write("a", b"theirs")
        repository.commit()
        repository.do("switch", "-q", "main")
        repository.do("merge", "-q", "--no-ff", "-m", "m", "other")
        commits = [one.id for one in repository.git.first_parents()]
        old, new = (repository.do("rev-parse", f"{one}:a") for one in ("HEAD~", "HEAD"))
        found = repository.git.versions(commits, "a")
        assert sorted(found) == sorted([Version("a", new, 0, 0), Version("a", old, 1, 1)])


def tree(repository: Repository, commit: str, *paths: str) -> dict[str, str]:
    """Return the regular files of one commit, asked for in another way."""
    raw = repository.git.run("ls-tree", "-r", "-z", commit, *paths)
    lines = [os.fsdecode(line) for line in raw.split(b"\0") if line]
    heads = [line.split("\t", 1) for line in lines if line.startswith("100")]
    return {path: head.split(" ")[2] for head, path in heads}


class TestNames:
    ODD: Final = 'new line\n"quote" \udcff é'

    def test_files(self, repository: Repository) -> None:
        repository.write(".gitignore", b"ignored\n")
        for name in ("ignored", "sub/new", self.ODD):
            repository.write(name, b"")
        git = repository.git
        assert git.files() == ("a", "sub/b")
        assert git.files("sub") == ("sub/b",)
        assert set(git.files(untracked=True)) == {".gitignore", "sub/new", self.ODD}
        below = Git(repository.folder / "sub", ENVIRONMENT)
        assert below.files("b") == ("sub/b",)

    @pytest.mark.parametrize(
        ("path", "there"),
        [("a", True), ("sub", True), ("s*/b", True), ("gone", True), ("none", False)],
    )
    def test_holds(self, repository: Repository, path: str, there: bool) -> None:  # noqa: FBT001 (a column)
        repository.write("gone", b"")
        commit = repository.commit()
        repository.do("rm", "-q", "gone")
        assert repository.git.holds(commit, path) is there


class TestChanges:
    def test_between_commits(self, repository: Repository) -> None:
        one = repository.git.commit(HEAD)
        (repository.folder / "a").rename(repository.folder / TestNames.ODD)
        repository.write("sub/b", b"two")
        two = repository.commit()
        changes = {change.path: change for change in repository.git.changes(one, two)}
        moved = repository.do("rev-parse", f"{one}:a")
        assert changes.pop("a") == Change("a", moved, None)
        assert changes.pop(TestNames.ODD) == Change(TestNames.ODD, None, moved)
        (changed,) = changes.values()
        assert changed.path == "sub/b"
        assert repository.git.blobs([changed.new or ""]) == {changed.new: b"two"}
        assert repository.git.changes(one, two, "none") == ()

    def test_with_the_working_tree(self, repository: Repository) -> None:
        repository.write("a", b"changed")
        (repository.folder / "sub" / "b").unlink()
        old = [repository.do("rev-parse", f"HEAD:{name}") for name in ("a", "sub/b")]
        expected = (Change("a", old[0], None), Change("sub/b", old[1], None))
        assert repository.git.changes(HEAD, None) == expected
        below = Git(repository.folder / "sub", ENVIRONMENT)
        assert below.changes(HEAD, None, "b") == expected[1:]

    def test_links_are_no_files(self, repository: Repository) -> None:
        one = repository.git.commit(HEAD)
        (repository.folder / "link").symlink_to("a")
        assert repository.git.changes(one, repository.commit()) == (Change("link", None, None),)

    def test_an_unmerged_path_comes_once(self, repository: Repository) -> None:
        repository.do("switch", "-q", "-c", "other")
        repository.write("a", b"theirs")
        repository.commit()
        repository.do("switch", "-q", "main")
        repository.write("a", b"ours")
        repository.commit()
        with pytest.raises(subprocess.CalledProcessError):
            repository.do("merge", "other")
        old = repository.do("rev-parse", "HEAD:a")
        assert repository.git.changes(HEAD, None) == (Change("a", old, None),)
        assert repository.git.files() == ("a", "sub/b")

    def test_the_index_of_a_hook(self, repository: Repository) -> None:
        repository.do("read-tree", "--index-output=.git/other", "HEAD")
        hooked = {**ENVIRONMENT, "GIT_INDEX_FILE": ".git/other"}
        repository.do("rm", "-q", "--cached", "a")
        assert repository.git.files() == ("sub/b",)
        assert Git(repository.folder, hooked).files() == ("a", "sub/b")
