"""`sealkit scan`: what it reads, what it says, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sealkit.scanning import file
from tests.sealkit.cli.desk import CANARY, Desk, Result, secret_text
from tests.sealkit.cli.test_canary import SPELLINGS

FOUND = "error SK401: shop/db: stringData.PASSWORD: a value of 16 to 31 characters in plain text"
SECRET = secret_text(PASSWORD=CANARY)
PERSON = {"NAME": "Ada", "EMAIL": "ada@example.com"}


@pytest.fixture
def repository(bare: Desk) -> Desk:
    """An empty folder that Git looks after."""
    bare.environment |= {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{role}_{key}": PERSON[key] for role in ("AUTHOR", "COMMITTER") for key in PERSON},
    }
    git(bare, "init", "-q", "-b", "main")
    return bare


def git(desk: Desk, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=desk.folder, env=desk.environment, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def commit(desk: Desk) -> str:
    git(desk, "add", "--all", "--force")
    git(desk, "commit", "-q", "--allow-empty", "-m", "x")
    return git(desk, "rev-parse", "--short=12", "HEAD")


def found(result: Result) -> list[str]:
    """Return place and rule of each finding, as the text has them."""
    lines = (line for line in result.out.splitlines() if not line.startswith("  "))
    return [line.partition(" SK")[0].split(": ")[0] for line in lines]


class TestFiles:
    def test_a_secret_is_found_and_not_shown(self, bare: Desk) -> None:
        bare.write("db.yaml", SECRET)
        result = bare.run("scan")
        assert result.code == 3
        assert f"db.yaml:7:3: {FOUND}" in result.out
        assert "sealkit: 1 file: 1 error" in result.err

    def test_nothing_is_found(self, bare: Desk) -> None:
        bare.write("a.yaml", "kind: Secret\nstringData: {a: ''}\n")
        assert bare.ok("scan").err == "sealkit: 1 file: no findings\n"

    def test_standard_input(self, bare: Desk) -> None:
        assert "stdin:7:3: error SK401" in bare.run("scan", "-", stdin=SECRET).out

    def test_hidden_files_count_and_those_of_git_do_not(self, bare: Desk) -> None:
        for name in (".env", ".git/x.env", "a/.docker/config.json"):
            bare.write(name, "PASSWORD=kq8W9vb2")
        assert found(bare.run("scan")) == [".env:1:1"]

    def test_a_file_named_twice_is_looked_at_once(self, bare: Desk) -> None:
        bare.write("a/db.yaml", SECRET)
        assert found(bare.run("scan", "a/db.yaml", "a", ".")) == ["a/db.yaml:7:3"]

    def test_a_path_that_is_not_there(self, bare: Desk) -> None:
        result = bare.run("scan", "nowhere")
        assert result.code == 2
        assert "nowhere: there is no such file or folder" in result.err

    def test_links_are_not_followed(self, bare: Desk) -> None:
        bare.write("db.yaml", SECRET)
        (bare.folder / "link.yaml").symlink_to("db.yaml")
        (bare.folder / "gone.yaml").symlink_to("nowhere")
        assert found(bare.run("scan")) == ["db.yaml:7:3"]

    def test_what_cannot_be_looked_at_is_counted(
        self, bare: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sealkit.cli.scan_sources.MAX_BYTES", 1000)
        bare.write("a.bin", b"\0\1\2secret")
        bare.write("b.yaml", SECRET + "#" * 1000)
        result = bare.ok("scan")
        assert result.err == (
            "sealkit: 0 files: no findings; skipped 1 binary, 1 larger than 16 MiB\n"
        )

    def test_a_file_that_cannot_be_read_is_told_and_others_are_looked_at(
        self, bare: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bare.write("db.yaml", SECRET)
        bare.write("large.yaml", b"a" * (file.MAX_BYTES + 1))
        monkeypatch.setattr("sealkit.cli.scan_sources._size", lambda _: 0)
        result = bare.run("scan")
        assert result.code == 1
        assert "large.yaml: is larger than 16 MiB" in result.err
        assert found(result) == ["db.yaml:7:3"]

    @pytest.mark.parametrize("pattern", ["tests/*", "*.yaml", "tests/db.yaml"])
    def test_left_out(self, bare: Desk, pattern: str) -> None:
        bare.write("tests/db.yaml", SECRET)
        assert "0 files" in bare.ok("scan", "--exclude", pattern).err

    def test_many_files_in_several_processes(self, bare: Desk) -> None:
        for number in range(40):
            bare.write(f"{number:02}.yaml", SECRET)
        result = bare.run("scan", "--jobs", "2")
        assert found(result) == [f"{number:02}.yaml:7:3" for number in range(40)]


class TestGenerators:
    TEXT = "secretGenerator:\n- name: db\n  files: [password.txt, large.txt, ../nowhere]\n"

    def test_a_file_beside_it(self, bare: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sealkit.cli.scan_sources.MAX_BYTES", 1000)
        bare.write("kustomization.yaml", self.TEXT)
        bare.write("password.txt", "kq8W9vb2")
        bare.write("large.txt", "b" * 1001)
        result = bare.run("scan")
        assert found(result) == ["kustomization.yaml:3:11"]
        assert "SK406: db: secretGenerator[0].files[0]: takes a plaintext file" in result.out

    def test_a_file_that_git_ignores(self, repository: Desk) -> None:
        repository.write("kustomization.yaml", self.TEXT)
        repository.write("password.txt", "kq8W9vb2")
        repository.write(".gitignore", "password.txt\n")
        assert "no findings" in repository.ok("scan").err

    def test_a_file_in_the_index(self, repository: Desk) -> None:
        repository.write("a/kustomization.yaml", self.TEXT)
        repository.write("a/password.txt", "kq8W9vb2")
        git(repository, "add", ".")
        (repository.folder / "a/password.txt").unlink()
        assert found(repository.run("scan", "--staged")) == ["a/kustomization.yaml:3:11"]


class TestGeneratorsInGit:
    """What a kustomization takes counts as it is in the same commit, or in the index."""

    ENVS = "secretGenerator:\n- name: db\n  envs: [db.txt]\n"
    PLAIN = "A=kq8W9vb2\n"
    SEALED = "A=ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\n"

    def test_both_in_one_commit(self, repository: Desk) -> None:
        repository.write("a/kustomization.yaml", self.ENVS)
        repository.write("a/db.txt", self.PLAIN)
        first = commit(repository)
        repository.write("a/db.txt", self.SEALED)
        commit(repository)
        result = repository.run("scan", "--history")
        assert found(result) == [f"{first}:a/kustomization.yaml:3:10"]
        assert "SK406: db: secretGenerator[0].envs[0]: takes a plaintext file" in result.out
        assert "3 files: 1 error" in result.err

    def test_only_the_file_changes_and_back(self, repository: Desk) -> None:
        repository.write("kustomization.yml", self.ENVS)
        repository.write("db.txt", self.SEALED)
        commit(repository)
        repository.write("db.txt", self.PLAIN)
        second = commit(repository)
        for text in (self.SEALED, self.PLAIN):
            repository.write("db.txt", text)
            commit(repository)
        assert found(repository.run("scan", "--history")) == [f"{second}:kustomization.yml:3:10"]
        assert found(repository.run("scan", "--history=2"))  # where it is older than both

    def test_equal_kustomizations_that_take_other_files(self, repository: Desk) -> None:
        for folder, text in (("prod", self.SEALED), ("staging", self.PLAIN)):
            repository.write(f"{folder}/kustomization.yaml", self.ENVS)
            repository.write(f"{folder}/db.txt", text)
        first = commit(repository)
        result = repository.run("scan", "--history")
        assert found(result) == [f"{first}:staging/kustomization.yaml:3:10"]
        repository.ok("scan", "prod", "--history")
        repository.ok("scan", "--history", "--exclude", "staging/*")

    def test_on_a_branch_that_was_merged(self, repository: Desk) -> None:
        repository.write("kustomization.yaml", self.ENVS)
        repository.write("db.txt", self.SEALED)
        commit(repository)
        git(repository, "checkout", "-q", "-b", "side")
        repository.write("db.txt", self.PLAIN)
        second = commit(repository)
        repository.write("db.txt", self.SEALED)
        commit(repository)
        git(repository, "checkout", "-q", "main")
        repository.write("other", "a")
        commit(repository)
        git(repository, "merge", "-q", "--no-edit", "side")
        assert found(repository.run("scan", "--history")) == [f"{second}:kustomization.yaml:3:10"]

    @pytest.mark.parametrize("name", ["missing.txt", "../../outside.txt", "/etc/hostname"])
    def test_a_file_that_is_not_in_the_repository(self, repository: Desk, name: str) -> None:
        repository.write("a/kustomization.yaml", self.ENVS.replace("db.txt", name))
        repository.write("a/odd\nname", "a")
        commit(repository)
        assert "no findings" in repository.ok("scan", "--history").err
        repository.write("a/new", "a")
        git(repository, "add", "--all")
        assert "no findings" in repository.ok("scan", "--staged").err

    def test_a_large_file(self, repository: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sealkit.cli.scan_generators.MAX_BYTES", 100)
        repository.write("kustomization.yaml", self.ENVS)
        repository.write("db.txt", self.PLAIN * 100)
        commit(repository)
        repository.ok("scan", "--history")

    def test_the_staged_version_of_a_file_counts(self, repository: Desk) -> None:
        repository.write("a/kustomization.yaml", self.ENVS)
        repository.write("a/db.txt", self.SEALED)
        commit(repository)
        repository.write("a/db.txt", self.PLAIN)
        repository.ok("scan", "--staged")
        git(repository, "add", "a/db.txt")
        repository.write("a/db.txt", self.SEALED)  # in the folder it is mended
        assert found(repository.run("scan", "--staged")) == ["a/kustomization.yaml:3:10"]
        repository.ok("scan", "--staged", "--exclude", "a/*")

    def test_what_was_there_before_is_no_finding_of_the_next_commit(self, repository: Desk) -> None:
        repository.write("kustomization.yaml", self.ENVS)
        repository.write("db.txt", self.PLAIN)
        commit(repository)
        repository.write("other.yaml", "a: secret")
        git(repository, "add", "--all")
        assert "1 file: no findings" in repository.ok("scan", "--staged").err

    def test_an_allowance_in_the_kustomization(self, repository: Desk) -> None:
        text = self.ENVS.replace("  envs", "  # sealkit:allow SK406 of a test\n  envs")
        repository.write("kustomization.yaml", text)
        repository.write("db.txt", self.PLAIN)
        commit(repository)
        assert "1 finding allowed" in repository.ok("scan", "--history").err

    @pytest.mark.parametrize("option", ["--staged", "--history"])
    def test_canary(self, repository: Desk, option: str) -> None:
        repository.write("kustomization.yaml", self.ENVS)
        repository.write("db.txt", self.SEALED)
        commit(repository)
        repository.write("db.txt", f"A={CANARY}\n")
        if option == "--history":
            commit(repository)
        git(repository, "add", "--all")
        result = repository.run("scan", option, "--format", "json")
        assert "SK406" in result.out
        assert not [one for one in SPELLINGS if one in result.out + result.err]


class TestWithGit:
    def test_ignored_files_are_left_out_unless_named(self, repository: Desk) -> None:
        repository.write(".gitignore", "*.env\nbuild/\n")
        repository.write("app.env", "PASSWORD=kq8W9vb2")
        repository.write("build/db.yaml", SECRET)
        assert "1 file: no findings" in repository.ok("scan").err
        assert found(repository.run("scan", "app.env", "build")) == [
            "app.env:1:1",
            "build/db.yaml:7:3",
        ]

    def test_tracked_and_untracked_files_count_and_removed_ones_do_not(
        self, repository: Desk
    ) -> None:
        for name in ("a.yaml", "gone.yaml"):
            repository.write(name, SECRET)
        commit(repository)
        (repository.folder / "gone.yaml").unlink()
        repository.write("new.yaml", SECRET)
        assert found(repository.run("scan")) == ["a.yaml:7:3", "new.yaml:7:3"]

    def test_staged_is_what_the_next_commit_changes(self, repository: Desk) -> None:
        repository.write("old.yaml", SECRET)
        commit(repository)
        repository.write("new.yaml", SECRET)
        git(repository, "add", "new.yaml")
        repository.write("new.yaml", "mended: in the folder only\n")
        repository.write("untracked.yaml", SECRET)
        assert found(repository.run("scan", "--staged")) == ["new.yaml:7:3"]

    def test_staged_for_the_first_commit(self, repository: Desk) -> None:
        repository.write("db.yaml", SECRET)
        git(repository, "add", ".")
        assert found(repository.run("scan", "--staged")) == ["db.yaml:7:3"]

    def test_nothing_is_staged(self, repository: Desk) -> None:
        assert "0 files" in repository.ok("scan", "--staged").err

    def test_staged_links_and_removals_are_no_files(self, repository: Desk) -> None:
        repository.write("db.yaml", SECRET)
        commit(repository)
        (repository.folder / "db.yaml").unlink()
        (repository.folder / "link").symlink_to("secret")
        git(repository, "add", "--all")
        assert "0 files" in repository.ok("scan", "--staged").err

    def test_staged_in_a_folder(self, repository: Desk) -> None:
        for name in ("a/db.yaml", "b/db.yaml"):
            repository.write(name, SECRET)
        git(repository, "add", ".")
        assert found(repository.run("scan", "--staged", "b")) == ["b/db.yaml:7:3"]

    def test_history_finds_what_is_gone(self, repository: Desk) -> None:
        repository.write("db.yaml", SECRET)
        first = commit(repository)
        repository.write("db.yaml", "mended: true\n")
        repository.write("copy.yaml", "mended: true\n")
        commit(repository)
        result = repository.run("scan", "--history")
        assert found(result) == [f"{first}:db.yaml:7:3"]
        assert "2 files" in result.err  # three, of which two are the same blob

    def test_history_of_the_last_commits(self, repository: Desk) -> None:
        repository.write("db.yaml", SECRET)
        commit(repository)
        (repository.folder / "db.yaml").unlink()
        second = commit(repository)
        repository.write("b/db.yaml", SECRET)
        third = commit(repository)
        assert second
        assert found(repository.run("scan", "--history=1")) == [f"{third}:b/db.yaml:7:3"]
        assert "0 files" in repository.ok("scan", "--history=1", "a").err
        assert len(found(repository.run("scan", "b", "--history", "1"))) == 1

    def test_history_reads_large_ones_in_parts(
        self, repository: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sealkit.cli.scan_sources._AT_ONCE", 300)
        monkeypatch.setattr("sealkit.cli.scan_sources.MAX_BYTES", 1000)
        for number in range(5):
            repository.write(f"{number}.yaml", f"# {number}\n{SECRET}")
        repository.write("large.yaml", SECRET + "#" * 1000)
        commit(repository)
        result = repository.run("scan", "--history")
        assert len(found(result)) == 5
        assert "skipped 1 larger than 16 MiB" in result.err

    def test_history_of_a_shallow_clone_says_so(self, repository: Desk) -> None:
        for number in range(2):
            repository.write("db.yaml", f"number: {number}\n")
            commit(repository)
        assert "shallow" not in repository.ok("scan", "--history").err
        git(repository, "clone", "-q", "--depth=1", f"file://{repository.folder}", "clone")
        shallow = replace(repository, folder=repository.folder / "clone")
        assert "note: a shallow clone" in shallow.ok("scan", "--history").err

    def test_history_without_a_commit(self, repository: Desk) -> None:
        result = repository.run("scan", "--history")
        assert (result.code, "there is no commit yet" in result.err) == (2, True)

    @pytest.mark.parametrize("option", ["--staged", "--history"])
    def test_outside_of_a_repository(self, bare: Desk, option: str) -> None:
        bare.environment["PATH"] = os.environ.get("PATH", os.defpath)
        bare.environment["GIT_CEILING_DIRECTORIES"] = str(bare.folder.parent)
        result = bare.run("scan", option)
        assert (result.code, "is in no git repository" in result.err) == (2, True)

    def test_both_at_once(self, repository: Desk) -> None:
        result = repository.run("scan", "--staged", "--history")
        assert (result.code, "exclude each other" in result.err) == (2, True)


class TestReports:
    def test_an_allowance(self, bare: Desk) -> None:
        bare.write("db.yaml", "# sealkit:allow SK401 of a test\n" + SECRET)
        assert bare.ok("scan").err == "sealkit: 1 file: no findings; 1 finding allowed\n"
        assert "SK401" in bare.ok("scan", "--show-allowed").out

    def test_an_allowance_without_a_reason(self, bare: Desk) -> None:
        bare.write("db.yaml", "# sealkit:allow SK401\n" + SECRET)
        assert [one["rule"] for one in bare.run("scan", "--format", "json").json["findings"]] == [
            "SK001",
            "SK401",
        ]

    @pytest.mark.parametrize(("threshold", "code"), [("note", 3), ("warning", 3), ("error", 0)])
    def test_a_warning_fails_unless_only_errors_are_to(
        self, bare: Desk, threshold: str, code: int
    ) -> None:
        bare.write("db.yaml", secret_text(PASSWORD="changeme"))
        assert bare.run("scan", "--fail-on", threshold).code == code

    @pytest.mark.parametrize("name", ["text", "json", "sarif", "junit", "github", "gitlab"])
    def test_every_format_into_a_file(self, bare: Desk, name: str) -> None:
        bare.write("db.yaml", SECRET)
        result = bare.run("scan", "--format", name, "-o", "report")
        assert (result.code, result.out) == (3, "")
        assert "SK401" in bare.read("report")

    def test_fingerprints_stay_when_lines_move(self, bare: Desk) -> None:
        def fingerprint() -> Any:
            report = json.loads(bare.run("scan", "--format", "json").out)
            return [one["fingerprint"] for one in report["findings"]]

        bare.write("db.yaml", SECRET)
        before = fingerprint()
        bare.write("db.yaml", "# new\n---\na: b\n---\n" + SECRET.replace(CANARY, "another-value-1"))
        assert fingerprint() == before

    def test_the_name_of_a_stranger_s_file_is_printable(self, bare: Desk) -> None:
        bare.write("a\x1b[31m.yaml", SECRET)
        assert "\x1b" not in bare.run("scan").out


Case = Callable[[Desk], Result]
PLACES: dict[str, str] = {
    "db.yaml": SECRET,
    "broken.yaml": f"a: ]\n{SECRET}",
    "template.yaml": f"{{{{ x }}}}\nkind: Secret\ndata: {{a: '{{{{ \"{CANARY}\" | b64enc }}}}'}}\n",
    "values.yaml": f"password: {CANARY}\n",
    ".env": f"PASSWORD={CANARY}\n",
    "kustomization.yaml": f"secretGenerator: [{{name: a, literals: ['{CANARY}', 'a={CANARY}']}}]\n",
    "config.json": json.dumps({"auths": {"r": {"password": CANARY}}}),
    "allowed.yaml": f"# sealkit:allow SK401 {'x'}\n{SECRET}",
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github", "gitlab"])
def test_canary(bare: Desk, name: str, form: str) -> None:
    bare.write(name, PLACES[name])
    result = bare.run("scan", "--format", form, "--show-allowed", "--fail-on", "note")
    assert ("SK4" in result.out) or name == "allowed.yaml"  # not all formats show those
    assert not [one for one in SPELLINGS if one in result.out + result.err]
