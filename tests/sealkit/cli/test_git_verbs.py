"""`sealkit git`: set up in real repositories, where Git itself runs what was set up."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from sealkit.manifests.emit import emit_json
from tests.sealkit.cli.desk import CANARY, Chancy, Closed, Desk, key_of, only_sealed, secret_text

FILE: Final = "db.sealed.yaml"
ODD: Final = 'shop\'s "apps"/a b/-db.sealed.yaml'
LINES: Final = "".join(
    f"*.sealed.{suffix} diff=sealkit merge=sealkit\n" for suffix in ("yaml", "yml", "json")
)
CONFLICT: Final = re.compile(r"<{7} ours\r?\n(.*?)={7}\r?\n(.*?)>{7} theirs\r?\n?", re.DOTALL)
DRIVEN: Final = ("merge-driver", "base", "ours", "theirs")


class Raw(io.BytesIO):
    """Standard output that may be no text."""

    def getvalue(self) -> bytes:
        return b""


@dataclass(frozen=True)
class Repository:
    """A clone at the desk in which Git finds sealkit, and nothing of the user's own."""

    desk: Desk

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.desk.folder,
            env=self.desk.environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def git(self, *arguments: str) -> str:
        """Run what must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def set(self, file: str = FILE, **values: str) -> None:
        """Set values one by one and commit them together."""
        for key, value in values.items():
            self.desk.ok("set", "--", self.place(file), key, stdin=value)
        self.commit(f"set {' '.join(values)}")

    def place(self, file: str) -> str:
        return str(self.desk.folder / file)

    def branch(self, name: str) -> None:
        self.git("switch", "--quiet", "--create", name, "start")

    def seal(self, file: str = FILE, **values: str) -> None:
        source = secret_text(**values)
        self.desk.ok("seal", "-o", self.place(file), stdin=source)

    def values(self, file: str = FILE) -> dict[str, str]:
        """Open a manifest as its cluster does."""
        opened = self.desk.values(self.desk.read(file))
        return {key: value.decode() for key, value in opened.items()}

    def sides(self, file: str = FILE) -> list[dict[str, str]]:
        """Return the values of both texts that a conflict can be resolved to."""
        text = self.desk.read(file)
        assert "<<<<<<<" in text
        return [
            {k: v.decode() for k, v in self.desk.values(CONFLICT.sub(rf"\{side}", text)).items()}
            for side in (1, 2)
        ]


@pytest.fixture
def clone(desk: Desk, tmp_path: Path) -> Repository:
    """A repository with nothing set up."""
    (tmp_path / "home").mkdir()
    desk.environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_NAME": "Ada" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": "ada@example.com" for role in ("AUTHOR", "COMMITTER")},
    }
    repository = Repository(Chancy(desk.folder, desk.keys_folder, desk.environment))
    repository.git("init", "--quiet", "--initial-branch=main")
    return repository


@pytest.fixture
def repository(clone: Repository) -> Repository:
    """A repository that is set up, with a manifest in `start` and two branches to come."""
    clone.desk.ok("git", "install")
    clone.seal(A="1", B="1", C="1")
    clone.commit("start")
    clone.git("branch", "start")
    return clone


class TestInstall:
    """What is set and written, and taken away again."""

    def test_what_it_does(self, clone: Repository) -> None:
        result = clone.desk.ok("git", "install")
        assert result.out == ""
        assert result.err.splitlines() == [
            "set diff and merge in the configuration of this clone",
            "added 3 lines to .gitattributes: commit it",
        ]
        assert clone.desk.read(".gitattributes") == LINES
        assert clone.git("config", "diff.sealkit.cachetextconv") == "false\n"

    def test_twice_changes_nothing(self, clone: Repository) -> None:
        clone.desk.ok("git", "install")
        before = clone.desk.files()
        assert clone.desk.ok("git", "install").err.splitlines() == [
            "kept diff and merge in the configuration of this clone",
            "kept .gitattributes",
        ]
        assert clone.desk.files() == before

    @pytest.mark.parametrize(
        ("there", "left"),
        [
            (b"*.png binary\n", b"*.png binary\n"),
            (b"*.png binary\r\n# \xff\r\n", b"*.png binary\r\n# \xff\r\n"),
            (b"# no end", b"# no end\n"),
        ],
        ids=["lines", "windows", "no end"],
    )
    def test_what_was_there_stays(self, clone: Repository, there: bytes, left: bytes) -> None:
        config = (clone.desk.folder / ".git" / "config").read_bytes()
        clone.desk.write(".gitattributes", there)
        clone.desk.ok("git", "install")
        text = (clone.desk.folder / ".gitattributes").read_bytes()
        end = b"\r\n" if b"\r" in there else b"\n"
        assert text == left + LINES.encode().replace(b"\n", end)
        result = clone.desk.ok("git", "uninstall")
        assert result.err.splitlines() == [
            "removed diff and merge from the configuration of this clone",
            "removed 3 lines from .gitattributes",
        ]
        assert (clone.desk.folder / ".gitattributes").read_bytes() == left
        assert (clone.desk.folder / ".git" / "config").read_bytes() == config

    def test_what_is_gone_is_not_taken_away_twice(self, clone: Repository) -> None:
        before = clone.desk.files()
        clone.desk.ok("git", "install")
        clone.desk.ok("git", "uninstall")
        assert clone.desk.ok("git", "uninstall").err == "nothing was set\n"
        assert clone.desk.files() == before

    def test_the_files_of_rules(self, clone: Repository) -> None:
        rules = [
            {"paths": ["apps/*/prod/**", "one.yaml", "all/*"], "clusters": ["prod"]},
            {"paths": ['my "apps"/*.json', "**"], "clusters": ["staging"]},
        ]
        clone.desk.config(rules)
        clone.desk.ok("git", "install")
        lines = clone.desk.read(".gitattributes").removeprefix(LINES).splitlines()
        assert [line.removesuffix(" diff=sealkit merge=sealkit") for line in lines] == [
            *(f"/apps/*/prod/**/*.{suffix}" for suffix in ("yaml", "yml", "json")),
            "/one.yaml",
            r'"/my \"apps\"/*.json"',
            *(f"/**/*.{suffix}" for suffix in ("yaml", "yml", "json")),
        ]
        paths = ["apps/x/prod/db.yaml", "apps/x/prod/a/b.yml", 'my "apps"/x.json', "a/one.json"]
        told = clone.git("-c", "core.quotePath=false", "check-attr", "merge", "--", *paths)
        assert told.count("merge: sealkit") == 4
        assert "unspecified" in clone.git("check-attr", "merge", "--", "apps/x/prod/logo.png")
        clone.desk.ok("git", "uninstall")
        assert not (clone.desk.folder / ".gitattributes").exists()

    def test_in_a_folder_of_the_repository(self, clone: Repository) -> None:
        rules = [{"paths": ["prod/**"], "clusters": ["prod"]}]
        clone.desk.config(rules)
        inner = clone.desk.folder / "team"
        inner.mkdir()
        (clone.desk.folder / ".sealkit.yaml").rename(inner / ".sealkit.yaml")
        Desk(inner, inner, clone.desk.environment).ok("git", "install")
        assert "\n/team/prod/**/*.yaml diff=" in clone.desk.read(".gitattributes")

    def test_a_configuration_outside_of_the_repository_says_nothing(
        self, clone: Repository
    ) -> None:
        clone.desk.config([{"paths": ["inner/**"], "clusters": ["prod"]}])
        inner = clone.desk.folder / "inner"
        inner.mkdir()
        clone.git("init", "--quiet", "inner")
        Desk(inner, inner, clone.desk.environment).ok("git", "install")
        assert clone.desk.read("inner/.gitattributes") == LINES

    def test_for_all_repositories(self, clone: Repository) -> None:
        result = clone.desk.ok("git", "install", "--global")
        assert "your own configuration" in result.err
        assert "sealkit" not in clone.desk.read(".git/config")
        assert clone.git("config", "--global", "merge.sealkit.recursive") == "binary\n"
        clone.desk.ok("git", "uninstall", "--global")
        assert clone.run("config", "--global", "merge.sealkit.driver").returncode == 1

    def test_for_all_repositories_from_outside_of_any(
        self, clone: Repository, tmp_path: Path
    ) -> None:
        home = Desk(tmp_path / "home", tmp_path, clone.desk.environment)
        assert "run it again" in home.ok("git", "install", "--global").err
        assert list(home.files()) == [".gitconfig"]
        home.ok("git", "uninstall", "--global")
        result = home.run("git", "install")
        assert result.code == 2
        assert "sealkit git install --global" in result.err

    def test_where_git_would_not_find_sealkit(self, clone: Repository) -> None:
        clone.desk.environment["PATH"] = os.environ["PATH"]
        assert "Git will not find sealkit" in clone.desk.ok("git", "install").err

    def test_without_git(self, clone: Repository) -> None:
        clone.desk.environment["PATH"] = str(clone.desk.folder)
        assert "git is not installed" in clone.desk.run("git", "install").err

    def test_a_wrong_configuration_changes_nothing(self, clone: Repository) -> None:
        clone.desk.write(".sealkit.yaml", "apiVersion: 1\n")
        before = clone.desk.files()
        assert clone.desk.run("git", "install").code == 2
        assert clone.desk.files() == before


class TestTextconv:
    """What `git diff` compares: everything but ciphertext."""

    def test_of_a_manifest(self, desk: Desk) -> None:
        desk.write("secret.yaml", "# why\n" + secret_text(A="1", B="vault:kv/a#b"))
        desk.ok("seal", "secret.yaml", "-o", FILE)
        text = desk.ok("git", "textconv", FILE).out
        shown = re.sub(r"\b[0-9a-f]{8}>", "DIGEST>", re.sub(r"\S{8}…", "ID", text))
        assert shown == (
            "# why\napiVersion: sealkit.dev/v1alpha1\nkind: SealedSecret\nmetadata:\n"
            "  name: db\n  namespace: shop\nspec:\n  scope: strict\n  envelopes:\n"
            "    ID: <opens in prod, staging, DIGEST>\n  encryptedData:\n"
            "    A: <sealed, 136 bytes, DIGEST>\n  references:\n"
            "    B:\n      path: kv/a\n      key: b\n  template:\n    type: Opaque\n"
        )
        assert desk.ok("git", "textconv", FILE).out == text

    def test_of_json_and_from_elsewhere(self, desk: Desk, tmp_path: Path) -> None:
        desk.ok("seal", "-o", FILE, stdin=secret_text())
        path = tmp_path / "blob.json"
        path.write_text(emit_json(only_sealed(desk.read(FILE))))
        text = desk.ok("git", "textconv", path).out
        assert '"PASSWORD": <sealed, ' in text
        assert "<opens in prod, staging, " in text
        assert len(text) < 700
        assert desk.ok("git", "textconv", "-", stdin=path.read_bytes()).out == text

    @pytest.mark.parametrize("config", ["", "apiVersion: wrong\n"], ids=["none", "broken"])
    def test_clusters_without_a_name(self, desk: Desk, config: str) -> None:
        desk.ok("seal", "-o", FILE, stdin=secret_text())
        (desk.folder / ".sealkit.yaml").unlink()
        if config:
            desk.write(".sealkit.yaml", config)
        kids = sorted(key_of(name).kid[:8] for name in ("prod", "staging"))
        assert f"<opens in {kids[0]}…, {kids[1]}…, " in desk.ok("git", "textconv", FILE).out

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"\x00\xff SealedSecret", id="binary"),
            pytest.param(b"SealedSecret: [", id="damaged"),
            pytest.param(b"kind: SealedSecret\n", id="another kind"),
            pytest.param(b"# SealedSecret\n", id="a comment"),
            pytest.param(b"\xef\xbb\xbf# SealedSecret\r\n---\r\n", id="windows"),
            pytest.param(b"[" * 100_000 + b"SealedSecret", id="deep"),
            pytest.param(secret_text(PASSWORD="x").encode(), id="a Secret"),
        ],
    )
    def test_anything_else_passes_through(self, desk: Desk, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "blob").write_bytes(content)
        out = Raw()
        assert desk.run("git", "textconv", tmp_path / "blob", stdout=out).code == 0
        assert bytes(out.getbuffer()) == content

    def test_a_manifest_beside_a_damaged_one(self, desk: Desk) -> None:
        desk.ok("seal", "-o", FILE, stdin=secret_text())
        text = desk.read(FILE) + "---\n" + desk.read(FILE).replace("strict", "what")
        desk.write(FILE, text)
        assert desk.ok("git", "textconv", FILE).out == text

    def test_a_file_of_any_size(self, desk: Desk) -> None:
        desk.write(FILE, b"SealedSecret" + b"\n" * 2**24)
        assert len(desk.ok("git", "textconv", FILE).out) == 12 + 2**24

    def test_a_file_that_is_not_there(self, desk: Desk) -> None:
        result = desk.ok("git", "textconv", "nowhere.yaml")
        assert (result.out, result.err) == (
            "",
            "sealkit: note: nowhere.yaml: no such file or directory\n",
        )

    def test_a_reader_that_went_away(self, desk: Desk) -> None:
        desk.write(FILE, b"SealedSecret" + b"\n" * 2**24)
        assert desk.run("git", "textconv", FILE, stdout=Closed(BrokenPipeError())).code == 1

    def test_git_diff_shows_which_keys_changed(self, repository: Repository) -> None:
        repository.set(B="2")
        diff = repository.git("diff", "start", "HEAD")
        changed = [line for line in diff.splitlines() if re.match(r"[-+] ", line)]
        assert sorted(re.sub(r"<.*>|\S{8}…", "…", line) for line in changed) == [
            "+    B: …",
            "+    …: …",
            "-    B: …",
        ]

    def test_git_log_goes_through_any_history(self, repository: Repository) -> None:
        for content in (b"\x00\xff", secret_text().encode(), b"kind: SealedSecret\n: ["):
            repository.desk.write(FILE, content)
            repository.commit("broken")
        assert "stringData" in repository.git("log", "--patch", "--text")


class TestMerging:
    """Branches that come together in real repositories."""

    def branches(self, repository: Repository, file: str = FILE) -> None:
        """Change neighbours on two branches, ours and theirs; ours is checked out."""
        repository.branch("theirs")
        repository.set(file, B="theirs", D="theirs")
        repository.branch("ours")
        repository.set(file, A="ours", E="ours")

    MERGED: Final = {"A": "ours", "B": "theirs", "C": "1", "D": "theirs", "E": "ours"}

    def test_neighbours(self, repository: Repository) -> None:
        self.branches(repository)
        repository.git("merge", "--quiet", "theirs")
        assert repository.values() == self.MERGED

    def test_without_sealkit_they_do_not_merge(self, repository: Repository) -> None:
        repository.desk.ok("git", "uninstall")
        repository.git("stash", "--quiet")
        self.branches(repository)
        repository.git("config", "--local", "merge.conflictStyle", "merge")
        assert repository.run("merge", "theirs").returncode == 1

    def test_rebase(self, repository: Repository) -> None:
        self.branches(repository)
        repository.set(C="ours")
        repository.git("rebase", "--quiet", "theirs")
        assert repository.values() == self.MERGED | {"C": "ours"}
        assert repository.git("rev-list", "--count", "theirs..ours") == "2\n"

    def test_cherry_pick(self, repository: Repository) -> None:
        self.branches(repository)
        repository.git("cherry-pick", "theirs")
        assert repository.values() == self.MERGED

    def test_revert(self, repository: Repository) -> None:
        repository.set(B="2")
        repository.set(A="3")
        repository.git("revert", "--no-edit", "HEAD~1")
        assert repository.values() == {"A": "3", "B": "1", "C": "1"}

    def test_criss_cross(self, repository: Repository) -> None:
        self.branches(repository)
        repository.git("branch", "old")
        repository.git("merge", "--quiet", "theirs")
        repository.git("switch", "--quiet", "theirs")
        repository.git("merge", "--quiet", "old")
        repository.set(F="theirs")
        repository.git("switch", "--quiet", "ours")
        repository.set(C="ours")
        repository.git("merge", "--quiet", "theirs")
        assert repository.values() == self.MERGED | {"C": "ours", "F": "theirs"}

    def test_a_path_with_spaces_quotes_and_a_dash(self, repository: Repository) -> None:
        (repository.desk.folder / ODD).parent.mkdir(parents=True)
        repository.seal(ODD, A="1", B="1", C="1")
        repository.commit("odd")
        repository.git("branch", "--force", "start")
        self.branches(repository, ODD)
        repository.git("merge", "--quiet", "theirs")
        assert repository.values(ODD) == self.MERGED
        assert "<sealed, " in repository.git("diff", "start", "HEAD")

    def test_in_a_path_that_begins_with_a_dash(self, repository: Repository) -> None:
        repository.git("mv", "--", FILE, "-d.sealed.yaml")
        repository.commit("moved")
        repository.git("branch", "--force", "start")
        self.branches(repository, "-d.sealed.yaml")
        repository.git("merge", "--quiet", "theirs")
        assert repository.values("-d.sealed.yaml") == self.MERGED
        assert "<sealed, " in repository.git("diff", "start")

    def test_windows_lines(self, repository: Repository) -> None:
        text = repository.desk.read(FILE).replace("\n", "\r\n")
        repository.desk.write(FILE, text)
        repository.commit("windows")
        repository.git("branch", "--force", "start")
        self.branches(repository)
        repository.git("merge", "--quiet", "theirs")
        text = repository.desk.read(FILE)
        assert text.count("\r\n") == text.count("\n")
        assert repository.values() == self.MERGED

    def test_the_same_key(self, repository: Repository) -> None:
        self.branches(repository)
        repository.set(B="ours")
        done = repository.run("merge", "theirs")
        assert done.returncode == 1
        assert (
            f"sealkit: error: {FILE}: both sides changed spec.encryptedData.B\n"
            "sealkit: hint: choose between the conflict markers, then: git add\n"
        ) in done.stderr
        assert repository.git("diff", "--name-only", "--diff-filter=U") == f"{FILE}\n"
        assert repository.sides() == [self.MERGED | {"B": "ours"}, self.MERGED]

    def test_one_side_removed_what_the_other_changed(self, repository: Repository) -> None:
        self.branches(repository)
        repository.desk.ok("unset", FILE, "B")
        repository.commit("unset")
        assert repository.run("merge", "theirs").returncode == 1
        rest = {key: value for key, value in self.MERGED.items() if key != "B"}
        assert repository.sides() == [rest, self.MERGED]

    def test_one_side_removed_the_file(self, repository: Repository) -> None:
        self.branches(repository)
        repository.git("rm", "--quiet", FILE)
        repository.commit("removed")
        done = repository.run("merge", "theirs")
        assert "CONFLICT (modify/delete)" in done.stdout

    def test_clusters_here_and_values_there(self, repository: Repository) -> None:
        text = repository.desk.read(FILE)
        repository.branch("theirs")
        repository.set(B="theirs")
        repository.branch("ours")
        kid = key_of("staging").kid
        repository.desk.write(FILE, re.sub(rf"\n *{kid}: .*", "", text))
        repository.commit("without staging")
        done = repository.run("merge", "--no-edit", "theirs")
        assert done.returncode == 0
        assert "the values of shop/db open in different clusters now" in done.stderr
        assert repository.values() == {"A": "1", "B": "theirs", "C": "1"}

    def test_both_sides_add_the_file(self, repository: Repository) -> None:
        for branch, values in (("theirs", {"X": "1"}), ("ours", {"Y": "2"})):
            repository.branch(branch)
            repository.seal("new.sealed.yaml", **values)
            repository.commit("new")
        repository.git("merge", "--quiet", "theirs")
        assert repository.values("new.sealed.yaml") == {"X": "1", "Y": "2"}

    @pytest.mark.parametrize("content", [b"\x00\xff", b"a: [\n"], ids=["binary", "unreadable"])
    def test_one_side_is_no_manifest(self, repository: Repository, content: bytes) -> None:
        self.branches(repository)
        text = repository.desk.read(FILE)
        repository.git("switch", "--quiet", "theirs")
        repository.desk.write(FILE, content)
        repository.commit("broken")
        repository.git("switch", "--quiet", "ours")
        done = repository.run("merge", "theirs")
        assert done.returncode == 1
        assert f"CONFLICT (content): Merge conflict in {FILE}" in done.stdout
        binary = b"\x00" in content
        assert (repository.desk.read(FILE) == text) is binary
        assert f"{FILE}: both sides changed lines" in done.stderr

    def test_plain_files_merge_as_ever(self, repository: Repository) -> None:
        repository.desk.write("plain.sealed.yaml", "a: 1\n\n\n\nb: 1\n")
        repository.commit("plain")
        repository.git("branch", "--force", "start")
        for branch, text in (("theirs", "a: 1\n\n\n\nb: 2\n"), ("ours", "a: 2\n\n\n\nb: 1\n")):
            repository.branch(branch)
            repository.desk.write("plain.sealed.yaml", text)
            repository.commit(branch)
        repository.git("merge", "--quiet", "theirs")
        assert repository.desk.read("plain.sealed.yaml") == "a: 2\n\n\n\nb: 2\n"


class TestDriver:
    """The verb itself, as it behaves in other hands than Git's."""

    def files(self, desk: Desk) -> None:
        desk.ok("seal", "-o", "base", stdin=secret_text(A="1", B="1"))
        for name in DRIVEN[2:]:
            desk.write(name, desk.read("base"))

    def test_nothing_to_do_changes_nothing(self, desk: Desk) -> None:
        self.files(desk)
        before = desk.files()
        assert desk.ok("git", *DRIVEN).err == ""
        assert desk.files() == before

    def test_only_one_side(self, desk: Desk) -> None:
        self.files(desk)
        desk.ok("set", "theirs", "B", stdin="2")
        desk.ok("git", *DRIVEN, "7", "x.yaml")
        assert desk.read("ours") == desk.read("theirs")

    def test_markers_have_the_size_that_is_asked_for(self, desk: Desk) -> None:
        for name in DRIVEN[1:]:
            desk.write(name, name)
        result = desk.run("git", *DRIVEN, "9", "x\x1b.yaml")
        assert result.code == 1
        assert r"sealkit: error: x\x1b.yaml: both sides changed lines" in result.err
        assert desk.read("ours").startswith("<<<<<<<<< ours\nours\n=========\ntheirs\n>>>>>>>>>")

    def test_one_side_needs_what_the_other_removed(self, desk: Desk) -> None:
        self.files(desk)
        text = "    type: Opaque\n    data:\n      URL: 'db://{{ .B }}'\n"
        desk.write("ours", desk.read("base").replace("    type: Opaque\n", text))
        desk.ok("unset", "theirs", "B")
        result = desk.run("git", *DRIVEN, "7", FILE)
        assert result.code == 1
        assert "both sides together are no manifest: spec.template.data.URL: " in result.err
        assert CONFLICT.sub(r"\2", desk.read("ours")) == desk.read("theirs")

    def test_binary_files_stay_with_a_conflict(self, desk: Desk) -> None:
        for name in DRIVEN[1:]:
            desk.write(name, b"\0" + name.encode())
        assert desk.run("git", *DRIVEN).code == 1
        assert desk.read("ours") == "\0ours"

    def test_other_clusters_here_and_other_values_there(self, desk: Desk) -> None:
        fresh = Chancy(desk.folder, desk.keys_folder)
        self.files(fresh)
        fresh.ok("set", "theirs", "B", stdin="2")
        kid = key_of("staging").kid
        fresh.write("ours", re.sub(rf"\n *{kid}: .*", "", fresh.read("ours")))
        result = fresh.ok("git", *DRIVEN, "7", FILE)
        assert result.err.startswith(f"sealkit: note: {FILE}: the values of shop/db open in ")
        assert fresh.values(fresh.read("ours")) == {"A": b"1", "B": b"2"}

    @pytest.mark.parametrize("missing", DRIVEN[1:])
    def test_a_file_that_is_not_there(self, desk: Desk, missing: str) -> None:
        self.files(desk)
        (desk.folder / missing).unlink()
        before = desk.files()
        result = desk.run("git", *DRIVEN)
        assert (result.code, missing in result.err) == (1, True)
        assert desk.files() == before

    def test_without_git_nothing_changes(self, desk: Desk) -> None:
        self.files(desk)
        desk.ok("set", "theirs", "B", stdin="2")
        before = desk.files()
        desk.environment["PATH"] = str(desk.folder)
        result = desk.run("git", *DRIVEN)
        assert (result.code, "git is not installed" in result.err) == (1, True)
        assert desk.files() == before


@pytest.mark.parametrize(
    "arguments",
    [DRIVEN, ("textconv", "ours"), ("install",), ("uninstall",)],
    ids=lambda one: one[0],
)
def test_no_value_shows(clone: Repository, arguments: tuple[str, ...]) -> None:
    """A Secret between the manifests that somebody forgot is not quoted in talk."""
    plain = f"\n---\napiVersion: v1\nkind: Secret\nstringData: {{a: {CANARY}, a: {CANARY}}}\n"
    for name in DRIVEN[1:]:
        clone.desk.ok("seal", "-o", name, stdin=secret_text(A="1", B=name))
        clone.desk.write(name, clone.desk.read(name) + plain)
    clone.desk.write(".sealkit.yaml", f"clusters: [{CANARY}, ")
    assert CANARY not in clone.desk.run("git", *arguments).err
