"""`sealkit verify --history`: what can be rolled back to, and which key the rest needs."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from sealkit.config import NAME
from tests.sealkit.cli.desk import CANARY, Desk, Result, key_of, secret_text
from tests.sealkit.test_git import ENVIRONMENT

DB: Final = "apps/db.yaml"
API: Final = "apps/api.yaml"
DATE: Final = "2026-10-12T12:00:00Z"
FORMATS: Final = ["text", "json", "sarif", "junit", "github", "gitlab"]
TEMPLATE: Final = "apiVersion: sealkit.dev/v1alpha1\nkind: SealedSecret\na: {{ .x }}\n"


def git(desk: Desk, *arguments: str | Path) -> str:
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=desk.folder,
        env={**ENVIRONMENT, "GIT_COMMITTER_DATE": DATE},
        check=True,
        capture_output=True,
    )
    return done.stdout.decode().strip()


def commit(desk: Desk, subject: str = "x") -> str:
    git(desk, "add", "--all")
    git(desk, "commit", "-q", "--allow-empty", "-m", subject)
    return git(desk, "rev-parse", "HEAD")[:8]


def seal(desk: Desk, file: str = DB, *arguments: str, name: str = "db") -> None:
    desk.write(file, "")
    desk.ok("seal", "-o", file, *arguments, stdin=secret_text(name, PASSWORD=CANARY))


def renew(desk: Desk) -> None:
    """Give prod a new key, as `clusters add --replace` does, and no manifest to it."""
    desk.recipient("prod", key="prod-2")
    desk.config(clusters={"prod": desk.entry("prod", kid=key_of("prod-2").kid), **others(desk)})


def others(desk: Desk) -> dict[str, object]:
    return {"staging": desk.entry("staging")}


def verdicts(result: Result) -> list[str]:
    """Return what is said of each commit, the newest first."""
    lines = [line for line in result.out.splitlines() if line[8:10] == "  "]
    return [line[22 + 44 :].strip() for line in lines]


def rules(result: Result) -> list[tuple[str, str]]:
    assert result.code in {0, 3}, result.err
    return [(one["rule"], one["file"]) for one in result.json["findings"]]


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


@pytest.fixture
def repository(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(desk, "_random", lambda: os.urandom)
    desk.environment |= ENVIRONMENT
    git(desk, "init", "-q", "-b", "main")
    seal(desk)
    commit(desk, "A database")
    return desk


@pytest.fixture
def renewed(repository: Desk) -> Desk:
    """Prod has a new key, and the manifest of today is for it."""
    renew(repository)
    seal(repository)
    commit(repository, "A new key for prod")
    return repository


OLD: Final = key_of("prod").kid


class TestKeysOfToday:
    """By what the configuration pins."""

    def test_all_is_well(self, repository: Desk) -> None:
        first = git(repository, "rev-parse", "HEAD")[:8]
        seal(repository, API, name="api")
        second = commit(repository, "An API " + "é" * 60)
        result = repository.ok("verify", "--history", "9")
        assert result.out.splitlines() == [
            f"{second}  2026-10-12  An API {'é' * 36}…  ok",
            f"{first}  2026-10-12  {'A database':44}  ok",
        ]
        assert result.err.splitlines() == [
            "sealkit: 2 manifests: no findings",
            f"sealkit: 2 of 2 commits can be rolled back to, all since {first} of 2026-10-12",
        ]

    def test_a_key_was_renewed(self, renewed: Desk) -> None:
        second, first = git(renewed, "log", "--format=%H").split()
        result = renewed.run("verify", "--history")
        assert result.code == 3
        assert verdicts(result) == ["ok", f"{DB}:1 needs key {OLD} (prod)"]
        problem = f"in commit {first[:8]}: does not open in prod: needs key {OLD}"
        assert result.out.splitlines()[2:] == [
            f"{DB}: warning SK308: shop/db: {problem}",
            "  hint: sealkit keys usage --context CTX lists the keys that the cluster still has",
        ]
        assert result.err.splitlines() == [
            "sealkit: 1 manifest: 1 warning",
            f"sealkit: 1 of 2 commits can be rolled back to, all since {second[:8]} of 2026-10-12",
            f"sealkit: commit {first[:8]} needs key {OLD} (prod)",
        ]

    def test_commits_with_one_problem_are_told_together(self, renewed: Desk) -> None:
        git(renewed, "reset", "-q", "--hard", "HEAD~")
        for name in ("b", "c"):
            seal(renewed, f"{name}.yaml", name=name)
            commit(renewed)
        renew(renewed)
        result = renewed.run("verify", "--history")
        newest, *_, oldest = git(renewed, "log", "--format=%h", "--abbrev=8").split()
        assert verdicts(result) == [
            f"3 manifests need key {OLD} (prod)",
            f"2 manifests need key {OLD} (prod)",
            f"{DB}:1 needs key {OLD} (prod)",
        ]
        assert f"shop/db: in 3 commits, {newest} to {oldest}: does not open" in result.out
        assert result.out.count("SK308") == 3
        assert result.err.splitlines()[1:] == [
            "sealkit: 0 of 3 commits can be rolled back to, the newest is none of them",
            f"sealkit: 3 commits, {newest} to {oldest}, need key {OLD} (prod)",
        ]

    def test_as_json(self, renewed: Desk) -> None:
        second, first = git(renewed, "log", "--format=%H").split()
        found = renewed.run("verify", "--history", "--format", "json").json
        assert found["summary"]["manifests"] == 1
        assert [one["rule"] for one in found["findings"]] == ["SK308"]
        problem = {"rule": "SK308", "cluster": "prod", "keys": [OLD], "manifests": [f"{DB}:1"]}
        assert found["commits"] == [
            {
                "commit": second,
                "date": "2026-10-12",
                "subject": "A new key for prod",
                "ok": True,
                "manifests": 1,
                "problems": [],
            },
            {
                "commit": first,
                "date": "2026-10-12",
                "subject": "A database",
                "ok": False,
                "manifests": 1,
                "problems": [problem],
            },
        ]

    @pytest.mark.parametrize("form", FORMATS)
    def test_every_format_tells_it(self, renewed: Desk, form: str) -> None:
        result = renewed.run("verify", "--history", "--format", form)
        assert result.code == 3
        assert "SK308" in result.out
        assert OLD in result.out

    @pytest.mark.parametrize(("threshold", "code"), [("error", 0), ("warning", 3)])
    def test_fail_on(self, renewed: Desk, threshold: str, code: int) -> None:
        assert renewed.run("verify", "--history", "--fail-on", threshold).code == code

    def test_no_further_than_asked(self, renewed: Desk) -> None:
        assert verdicts(renewed.ok("verify", "--history", "1")) == ["ok"]

    def test_into_a_file(self, renewed: Desk) -> None:
        result = renewed.run("verify", "--history", "-o", "found.txt")
        assert (result.code, result.out) == (3, "")
        assert len(renewed.read("found.txt").splitlines()) == 4

    def test_a_cluster_that_came_later(self, repository: Desk) -> None:
        repository.recipient("lab")
        entries = {name: repository.entry(name) for name in ("prod", "staging", "lab")}
        repository.config(clusters=entries)
        result = repository.run("verify", "--history")
        assert verdicts(result) == [f"{DB}:1 was not sealed for lab"]
        assert "hint: after a roll-back: sealkit rewrap --key FILE" in result.out

    def test_a_cluster_that_left_does_not_matter(self, repository: Desk) -> None:
        repository.config(clusters=others(repository))
        assert verdicts(repository.ok("verify", "--history")) == ["ok"]

    def test_a_key_that_was_of_two_clusters(self, renewed: Desk) -> None:
        old = {"kid": OLD, "recipient": ".sealkit/gone.pub"}
        renewed.config(clusters={"gone": old, **others(renewed)})
        commit(renewed, "Prod has another name for a while")
        renew(renewed)
        last = renewed.run("verify", "--history", "--format", "json").json["commits"][-1]
        assert [one["keys"] for one in last["problems"]] == [[OLD]]

    def test_a_key_of_another_cluster_is_not_named(self, repository: Desk) -> None:
        seal(repository, DB, "-c", "staging")
        commit(repository)
        repository.config(clusters={"prod": repository.entry("prod")})
        assert (
            verdicts(repository.run("verify", "--history"))[0] == f"{DB}:1 was not sealed for prod"
        )

    def test_a_key_that_no_configuration_knew(self, repository: Desk) -> None:
        (repository.folder / NAME).unlink()
        git(repository, "rm", "-q", "--cached", NAME)
        git(repository, "commit", "-q", "--amend", "-m", "no configuration")
        renew(repository)
        result = repository.run("verify", "--history")
        assert verdicts(result) == [f"{DB}:1 needs key {OLD} (prod)"]

    @pytest.mark.parametrize("text", ["a: [", "- 1\n", "clusters: [1]\n", "clusters: {a: 1}\n", ""])
    def test_a_configuration_that_was_broken(self, renewed: Desk, text: str) -> None:
        good = renewed.read(NAME)
        renewed.write(NAME, text)
        commit(renewed)
        renewed.write(NAME, good)
        assert verdicts(renewed.run("verify", "--history"))[:2] == ["ok", "ok"]

    def test_the_rule_of_today_for_the_path_of_then(self, repository: Desk) -> None:
        git(repository, "mv", DB, "db.yaml")
        commit(repository)
        rules = [
            {"paths": ["apps/**"], "clusters": ["prod"]},
            {"paths": ["*"], "clusters": ["staging"]},
        ]
        clusters = {"prod": repository.entry("prod", kid=key_of("lab").kid), **others(repository)}
        repository.config(rules, clusters)
        found = verdicts(repository.run("verify", "--history"))
        assert found == ["ok", f"{DB}:1 needs key {OLD} (prod)"]

    def test_without_a_rule_any_cluster_will_do(self, renewed: Desk) -> None:
        clusters = {"prod": renewed.entry("prod", kid=key_of("lab").kid), **others(renewed)}
        renewed.config([{"paths": ["x"], "clusters": ["prod"]}], clusters)
        assert verdicts(renewed.ok("verify", "--history")) == ["ok", "ok"]
        del clusters["staging"]
        renewed.config([{"paths": ["x"], "clusters": ["prod"]}], clusters)
        staging = key_of("staging").kid
        either = sorted([key_of("prod-2").kid, staging])
        result = renewed.run("verify", "--history")
        assert verdicts(result)[0] == f"{DB}:1 needs key {' or '.join(either)}"
        assert "does not open in a cluster of today" in result.out

    def test_references_need_no_key(self, repository: Desk) -> None:
        git(repository, "rm", "-q", DB)
        repository.ok("seal", "-o", "v.yaml", stdin=secret_text(A="vault:kv/a#b"))
        commit(repository)
        renew(repository)
        assert verdicts(repository.run("verify", "--history"))[0] == "ok"


class TestWhatIsLookedAt:
    """Commits, paths, places."""

    def test_what_a_branch_went_through_before_it_was_merged(self, repository: Desk) -> None:
        git(repository, "switch", "-q", "-c", "work")
        seal(repository, API, "-c", "staging", name="api")
        commit(repository, "half done")
        seal(repository, API, name="api")
        commit(repository, "done")
        git(repository, "switch", "-q", "main")
        git(repository, "merge", "-q", "--no-ff", "-m", "Merge work", "work")
        result = repository.ok("verify", "--history")
        assert verdicts(result) == ["ok", "ok"]
        assert "Merge work" in result.out

    def test_a_file_that_is_gone(self, renewed: Desk) -> None:
        git(renewed, "rm", "-q", DB)
        commit(renewed, "No database")
        for path in (".", "apps", DB, "apps/*.yaml"):
            found = verdicts(renewed.run("verify", "--history", "3", path))
            assert found == ["no manifests", "ok", f"{DB}:1 needs key {OLD} (prod)"], path

    def test_a_path(self, renewed: Desk) -> None:
        seal(renewed, "other/x.yaml", name="x")
        commit(renewed)
        found = verdicts(renewed.run("verify", "other", "--history"))
        assert found == ["ok", "no manifests", "no manifests"]

    def test_from_a_folder_below(self, renewed: Desk) -> None:
        seal(renewed, "other/x.yaml", name="x")
        commit(renewed)
        below = Desk(renewed.folder / "apps", renewed.keys_folder, renewed.environment)
        result = below.run("verify", "--history", "--format", "json")
        assert rules(result) == [("SK308", "db.yaml")]
        assert [one["manifests"] for one in result.json["commits"]] == [1, 1, 1]
        assert rules(below.run("verify", "--history", "--format", "json", "..")) == [
            ("SK308", "db.yaml")
        ]

    def test_in_a_worktree(self, renewed: Desk, tmp_path: Path) -> None:
        git(renewed, "worktree", "add", "-q", tmp_path / "other")
        other = Desk(tmp_path / "other", renewed.keys_folder, renewed.environment)
        assert verdicts(other.run("verify", "--history")) == [
            "ok",
            f"{DB}:1 needs key {OLD} (prod)",
        ]

    def test_a_shallow_clone_says_so(self, renewed: Desk, tmp_path: Path) -> None:
        url = f"file://{renewed.folder}"
        git(renewed, "clone", "-q", "--depth", "1", url, tmp_path / "shallow")
        shallow = Desk(tmp_path / "shallow", renewed.keys_folder, renewed.environment)
        result = shallow.ok("verify", "--history", "5")
        assert verdicts(result) == ["ok"]
        assert result.err.startswith("sealkit: note: a shallow clone has only its last commits")
        assert "shallow" not in shallow.ok("verify", "--history", "1").err
        assert "shallow" in shallow.ok("verify", "--history").err

    def test_several_manifests_of_a_file(self, repository: Desk) -> None:
        other = repository.ok("seal", stdin=secret_text("other")).out
        repository.write(DB, f"{repository.read(DB)}---\nkind: Other\n---\n{other}")
        commit(repository)
        renew(repository)
        result = repository.run("verify", "--history", "1", "--format", "json")
        (problem,) = result.json["commits"][0]["problems"]
        assert problem["manifests"] == [f"{DB}:1", f"{DB}:3"]
        assert [one["document"] for one in result.json["findings"]] == [1, 3]

    def test_names_of_strangers_do_nothing_to_a_terminal(self, repository: Desk) -> None:
        commit(repository, "a\x1b[31mb")
        assert "\x1b" not in repository.ok("verify", "--history").out

    def test_many_at_once_and_in_processes(
        self, renewed: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sealkit.cli.verify_history._AT_ONCE", 50_000)
        for number in range(30):
            seal(renewed, f"apps/{number}.yaml", name=f"db{number}")
        commit(renewed)
        result = renewed.run("verify", "--history", "--jobs", "2", "--format", "json")
        assert [one["manifests"] for one in result.json["commits"]] == [31, 1, 1]


class TestUnreadable:
    """Manifests that are none today."""

    def test_of_an_older_format(self, repository: Desk) -> None:
        good = repository.read(DB)
        repository.write(DB, good.replace("suite: X1", "suite: X0"))
        commit(repository, "As it was once")
        repository.write(DB, good)
        commit(repository)
        result = repository.run("verify", "--history")
        assert result.code == 3
        assert verdicts(result) == ["ok", f"{DB}:1 cannot be read", "ok"]
        assert "warning SK309: shop/db: in commit" in result.out
        assert "is not a suite this version knows" in result.out
        assert "2 of 3 commits can be rolled back to, all since" in result.err

    def test_no_yaml(self, repository: Desk) -> None:
        repository.write("t.yaml", TEMPLATE)
        commit(repository)
        found = repository.run("verify", "--history", "--format", "json")
        assert rules(found) == [("SK309", "t.yaml")]
        assert found.json["commits"][0]["problems"][0]["rule"] == "SK309"

    def test_no_yaml_and_allowed(self, repository: Desk) -> None:
        repository.write("t.yaml", f"# sealkit:allow SK201 a template\n{TEMPLATE}")
        commit(repository)
        assert verdicts(repository.ok("verify", "--history")) == ["ok", "ok"]

    def test_files_that_are_none_of_ours(self, repository: Desk) -> None:
        repository.write("t.yaml", TEMPLATE.replace("sealkit.dev", "bitnami.com"))
        repository.write("readme.md", TEMPLATE)
        repository.write("c.yaml", "a: sealkit.dev SealedSecret\n")
        commit(repository)
        assert verdicts(repository.ok("verify", "--history")) == ["ok", "ok"]

    def test_a_value_in_the_wrong_place_is_not_quoted(self, repository: Desk) -> None:
        text = repository.read(DB)
        start = text.index("    PASSWORD: ") + len("    PASSWORD: ")
        repository.write(DB, text[:start] + CANARY + "\n")
        commit(repository)
        result = repository.run("verify", "--history", "--format", "json")
        assert rules(result) == [("SK309", DB)]
        assert CANARY not in result.out + result.err


class TestWithKey:
    """Really opened."""

    def run(self, desk: Desk, *arguments: str | Path, form: str = "json") -> Result:
        result = desk.run("verify", "--history", "--format", form, "--with-key", *arguments)
        encoded = base64.b64encode(CANARY.encode()).decode()
        for text in (CANARY, encoded, CANARY.encode().hex()):
            assert text not in result.out + result.err
        return result

    @pytest.mark.parametrize("form", FORMATS)
    def test_the_old_key_opens_the_old_ones(self, renewed: Desk, form: str) -> None:
        keys = renewed.key_file("prod", "prod-2")
        assert self.run(renewed, keys, form=form).code == 0

    def test_which_key_it_takes(self, renewed: Desk) -> None:
        result = self.run(renewed, renewed.key_file("prod-2"))
        either = sorted([OLD, key_of("staging").kid])
        (problem,) = result.json["commits"][1]["problems"]
        assert (problem["cluster"], problem["keys"]) == ("", either)
        assert f"needs key {' or '.join(either)}" in result.json["findings"][0]["message"]

    def test_the_configuration_does_not_matter(self, renewed: Desk) -> None:
        (renewed.folder / NAME).unlink()
        assert self.run(renewed, renewed.key_file("staging")).code == 0

    def test_one_that_was_changed_by_hand(self, repository: Desk) -> None:
        text = repository.read(DB)
        repository.write(DB, text.replace("name: db", "name: bd"))
        commit(repository)
        repository.write(DB, text)
        commit(repository)
        result = self.run(repository, repository.key_file("prod"), form="text")
        assert verdicts(result) == ["ok", f"{DB}:1 does not open", "ok"]
        assert "error SK208: shop/bd: in commit" in result.out
        assert repository.ok("verify", "--history").code == 0

    def test_keys_from_standard_input(self, renewed: Desk) -> None:
        keys = renewed.key_file("staging").read_text()
        result = renewed.ok("verify", "--history", "--with-key", "-", stdin=keys)
        assert verdicts(result) == ["ok", "ok"]


class TestMistakes:
    def test_no_repository(self, desk: Desk) -> None:
        desk.environment |= {**ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(desk.folder.parent)}
        refused(desk.run("verify", "--history"), 2, "this folder is in no git repository")

    def test_no_commit(self, desk: Desk) -> None:
        desk.environment |= ENVIRONMENT
        git(desk, "init", "-q")
        refused(desk.run("verify", "--history"), 2, "there is no commit yet")

    def test_a_path_that_never_was(self, repository: Desk) -> None:
        refused(repository.run("verify", "none", "--history"), 2, "none: is neither here nor in ")

    def test_standard_input(self, repository: Desk) -> None:
        refused(repository.run("verify", "-", "--history"), 2, "standard input has no history")

    def test_no_number(self, repository: Desk) -> None:
        refused(repository.run("verify", "--history", "apps"), 2, "invalid value for '--history'")

    def test_no_configuration(self, repository: Desk) -> None:
        (repository.folder / NAME).unlink()
        result = repository.run("verify", "--history")
        refused(result, 2, f"{DB}: there is no {NAME} above the file")
        assert "hint: pass --with-key" in result.err

    def test_a_blob_that_is_missing(self, repository: Desk) -> None:
        blob = git(repository, "rev-parse", f"HEAD:{DB}")
        (repository.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        result = repository.run("verify", "--history")
        refused(result, 1, f"git object {blob[:12]} is missing")


def test_nothing_is_changed(renewed: Desk) -> None:
    before = renewed.files()
    actions: list[Callable[[], Any]] = [
        lambda: renewed.run("verify", "--history"),
        lambda: renewed.run("verify", "--history", "--with-key", renewed.key_file("prod")),
    ]
    for act in actions:
        act()
    assert renewed.files() == before
