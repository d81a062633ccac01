"""`sealkit diff`: two states of a repository, compared without any key."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.sealkit.cli.desk import CANARY, Desk, Result, key_of, secret_text
from tests.sealkit.test_git import ENVIRONMENT

FILE: Final = "db.yaml"
PROD, STAGING = (key_of(name).kid for name in ("prod", "staging"))


def git(desk: Desk, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=desk.folder,
        env=dict(ENVIRONMENT),
        check=True,
        capture_output=True,
    )
    return done.stdout.decode().strip()


def commit(desk: Desk) -> str:
    git(desk, "add", "--all")
    git(desk, "commit", "-q", "--allow-empty", "-m", "x")
    return git(desk, "rev-parse", "HEAD")


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def lines(desk: Desk, *arguments: str | Path) -> list[str]:
    return desk.ok("diff", *arguments).out.splitlines()


def replace(desk: Desk, old: str, new: str, name: str = FILE) -> None:
    text = desk.read(name)
    assert old in text
    desk.write(name, text.replace(old, new))


@pytest.fixture
def repository(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    # Each command of a desk draws the same numbers, and here no two envelopes may be the same.
    monkeypatch.setattr(desk, "_random", lambda: os.urandom)
    desk.environment |= ENVIRONMENT
    git(desk, "init", "-q", "-b", "main")
    desk.ok("seal", "-o", FILE, stdin=secret_text(A="one", B="two", C="vault:kv/a#b"))
    commit(desk)
    return desk


class TestOneManifest:
    def test_nothing_changed(self, repository: Desk) -> None:
        replace(repository, "kind: SealedSecret", "kind:   SealedSecret # looks different")
        assert lines(repository) == []

    def test_values_and_references(self, repository: Desk) -> None:
        repository.ok("set", FILE, "B", "--reference", "D=vault:kv/a#d", stdin="new")
        repository.ok("set", FILE, "--reference", "C=vault:kv/a#c")
        repository.ok("set", FILE, "E", stdin="new")
        repository.ok("unset", FILE, "A")
        assert lines(repository) == [
            "changed shop/db in db.yaml",
            "  + value E",
            "  - value A",
            "  ~ value B",
            "  ~ reference C: vault:kv/a#b → vault:kv/a#c",
            "  + reference D: vault:kv/a#d",
            "  ~ envelopes: 1 → 2",
        ]

    def test_fields(self, repository: Desk) -> None:
        more = "    type: mine\n    metadata:\n      labels: {b: c}\n  suspend: true\n"
        replace(repository, "    type: Opaque\n", more)
        replace(repository, "scope: strict", "scope: namespace-wide")
        assert lines(repository) == [
            "changed shop/db in db.yaml",
            "  ~ spec.scope: strict → namespace-wide",
            "  ~ spec.template.type: Opaque → mine",
            "  + spec.template.metadata.labels.b: c",
            "  + spec.suspend: true",
        ]
        commit(repository)
        replace(repository, "  suspend: true\n", "")
        assert lines(repository)[1:] == ["  - spec.suspend: true"]

    def test_a_long_text_and_one_with_control_characters(self, repository: Desk) -> None:
        data = f'    data: {{long: "{"x" * 200}", odd: "\\e[31m"}}\n'
        replace(repository, "    type: Opaque\n", f"    type: Opaque\n{data}")
        expected = ["  + spec.template.data.long", '  + spec.template.data.odd: "\\u001b[31m"']
        assert lines(repository)[1:] == expected

    def test_a_recipient_more_and_one_less(self, repository: Desk) -> None:
        text = secret_text(A="one", B="two", C="vault:kv/a#b")
        repository.config(clusters={"prod": repository.entry("prod")})
        repository.ok("seal", "-o", FILE, stdin=text)
        expected = ["  ~ value A", "  ~ value B", f"  - recipient {STAGING} staging"]
        assert lines(repository)[1:] == expected
        commit(repository)
        lab = repository.recipient("lab", "staging")
        repository.ok("clusters", "add", "lab", lab)
        repository.ok("seal", "-o", FILE, stdin=text)
        assert lines(repository)[-1] == f"  + recipient {STAGING} lab"

    def test_recipients_of_some_values(self, repository: Desk) -> None:
        repository.config(clusters={"prod": repository.entry("prod")})
        one = repository.ok("seal", stdin=secret_text(A="one")).out
        repository.ok("seal", "-o", FILE, stdin=secret_text(A="one", B="two"))
        commit(repository)
        item = next(line for line in one.splitlines() if line.startswith("    A: sealed:"))
        text = repository.read(FILE)
        old = next(line for line in text.splitlines() if line.startswith("    A: sealed:"))
        envelope = one[one.index("  envelopes:\n") + 13 : one.index("  encryptedData:")]
        envelope = envelope.replace(PROD, key_of("lab").kid)
        text = text.replace(old, item).replace("  envelopes:\n", f"  envelopes:\n{envelope}")
        repository.write(FILE, text)
        assert set(lines(repository)) == {
            "changed shop/db in db.yaml",
            "  ~ value A",
            f"  + recipient {key_of('lab').kid} (not in the configuration)",
            f"  ~ recipient {PROD} prod: no longer opens A",
            "  ~ envelopes: 1 → 2",
        }
        commit(repository)
        back = f"  ~ recipient {PROD} prod: opens A now"
        assert back in lines(repository, "HEAD..HEAD~1")

    def test_wrapped_anew(self, repository: Desk) -> None:
        text = repository.read(FILE)
        old = next(line for line in text.splitlines() if PROD in line)
        replace(repository, old, f"{old[:60]}AAAA{old[64:]}")
        assert lines(repository)[1:] == [f"  ~ recipient {PROD} prod: wrapped anew"]


class TestWhichManifest:
    def test_added_before_git_knows_it(self, repository: Desk) -> None:
        repository.write(".gitignore", "ignored.yaml\n")
        for name in ("new.yaml", "ignored.yaml", "new.txt"):
            repository.ok("seal", "-o", name, stdin=secret_text("new", A="one"))
        expected = [
            "added shop/new in new.yaml",
            "  + value A",
            *(f"  + recipient {key_of(name).kid} {name}" for name in ("prod", "staging")),
            "  + spec.scope: strict",
            "  + spec.template.type: Opaque",
        ]
        assert sorted(lines(repository)) == sorted(expected)
        git(repository, "add", "new.yaml")
        assert sorted(lines(repository)) == sorted(expected)

    def test_removed(self, repository: Desk) -> None:
        (repository.folder / FILE).unlink()
        assert lines(repository) == ["removed shop/db in db.yaml"]
        assert lines(repository, FILE) == ["removed shop/db in db.yaml"]

    def test_moved(self, repository: Desk) -> None:
        (repository.folder / FILE).rename(repository.folder / "moved.yaml")
        assert lines(repository) == ["moved shop/db in db.yaml → moved.yaml"]

    def test_renamed(self, repository: Desk) -> None:
        replace(repository, "name: db", "name: cache")
        assert lines(repository) == ["renamed shop/db → shop/cache in db.yaml"]

    def test_without_a_namespace(self, repository: Desk) -> None:
        replace(repository, "  namespace: shop\n", "")
        assert lines(repository)[0] == "renamed shop/db → db in db.yaml"

    def test_a_link_is_no_manifest(self, repository: Desk) -> None:
        (repository.folder / "link.yaml").symlink_to(FILE)
        assert lines(repository) == []

    def test_items_of_lists_and_other_documents(self, repository: Desk) -> None:
        text = repository.ok("seal", stdin=f"kind: Other\n---\n{secret_text('a')}").out
        repository.write("many.yaml", f"{text}---\n- a list\n")
        repository.write("other.yaml", "sealkit.dev: x\n")
        assert lines(repository)[0] == "added shop/a in many.yaml"


class TestStates:
    def test_two_revisions(self, repository: Desk) -> None:
        repository.ok("unset", FILE, "A")
        new = commit(repository)
        repository.ok("unset", FILE, "B")
        expected = ["changed shop/db in db.yaml", "  - value A"]
        for span in (f"HEAD~1..{new}", "HEAD~1..", "HEAD~1..HEAD", "main~1...main"):
            assert lines(repository, span) == expected
        assert lines(repository, "..HEAD~1")[1] == "  + value A"
        assert lines(repository, "HEAD~1")[1:3] == ["  - value A", "  - value B"]

    def test_what_a_branch_changed(self, repository: Desk) -> None:
        git(repository, "switch", "-q", "-c", "branch")
        repository.ok("unset", FILE, "A")
        commit(repository)
        git(repository, "switch", "-q", "main")
        repository.ok("unset", FILE, "B")
        commit(repository)
        assert lines(repository, "main...branch")[1:] == ["  - value A"]
        assert lines(repository, "main..branch")[1:] == ["  + value B", "  - value A"]

    def test_paths(self, repository: Desk) -> None:
        (repository.folder / "sub").mkdir()
        repository.ok("seal", "-o", "sub/new.yaml", stdin=secret_text("new", A="one"))
        repository.ok("unset", FILE, "A")
        changed, added = "changed shop/db in db.yaml", "added shop/new in sub/new.yaml"
        assert lines(repository, FILE) == [changed, "  - value A"]
        assert lines(repository, "HEAD", "sub")[0] == added
        assert lines(repository, "d*.yaml")[0] == changed
        assert lines(repository, "sub", FILE)[0] == changed

    def test_paths_are_shown_as_seen_from_here(self, repository: Desk) -> None:
        (repository.folder / "sub").mkdir()
        repository.ok("unset", FILE, "A")
        below = Desk(repository.folder / "sub", repository.keys_folder, repository.environment)
        assert lines(below) == ["changed shop/db in ../db.yaml", "  - value A"]
        assert lines(below, "HEAD", "../db.yaml")[1] == "  - value A"

    def test_configurations_below(self, repository: Desk) -> None:
        (repository.folder / ".sealkit.yaml").rename(repository.folder / "sealkit.yaml")
        repository.write("sub/.sealkit.yaml", repository.read("sealkit.yaml"))
        repository.write("sub/new.yaml", repository.read(FILE).replace("name: db", "name: new"))
        assert f"  + recipient {PROD} prod" in lines(repository, "sub")
        repository.write("new.yaml", repository.read(FILE).replace("name: db", "name: new"))
        unknown = f"  + recipient {PROD} (not in the configuration)"
        assert unknown in lines(repository, "new.yaml")

    @pytest.mark.parametrize(
        "old", ["[]", "clusters: [a]\n", "clusters: {a: b}\n", "a: b\n---\n{}"]
    )
    def test_an_old_configuration_that_was_none(self, repository: Desk, old: str) -> None:
        config = repository.read(".sealkit.yaml")
        repository.write(".sealkit.yaml", old)
        commit(repository)
        repository.write(".sealkit.yaml", config)
        repository.write("new.yaml", repository.read(FILE).replace("name: db", "name: new"))
        assert f"  + recipient {PROD} prod" in lines(repository)


class TestKeys:
    def test_sealed_anew(self, repository: Desk) -> None:
        repository.ok("set", FILE, "A", stdin="one")
        repository.ok("set", FILE, "B", stdin=CANARY)
        result = repository.ok("diff", "--key", repository.key_file("prod"))
        assert result.out.splitlines()[1:3] == [
            "  ~ value A (sealed anew, same value)",
            "  ~ value B",
        ]
        assert CANARY not in result.out + result.err

    def test_keys_that_do_not_open_it(self, repository: Desk) -> None:
        repository.ok("set", FILE, "A", stdin="one")
        keys = repository.key_file("lab").read_bytes()
        result = repository.ok("diff", "--key", "-", stdin=keys)
        assert result.out.splitlines()[1] == "  ~ value A (these keys do not open both)"

    def test_one_that_opens_nowhere(self, repository: Desk) -> None:
        repository.ok("set", FILE, "A", stdin="one")
        replace(repository, "  namespace: shop\n", "")
        result = repository.ok("diff", "--key", repository.key_file("prod"))
        assert result.out.splitlines()[1] == "  ~ value A (these keys do not open both)"

    def test_no_changed_value(self, repository: Desk) -> None:
        (repository.folder / FILE).unlink()
        (entry,) = repository.ok("diff", "--json", "--key", repository.key_file("prod")).json[
            "manifests"
        ]
        assert (entry["same"], entry["unknown"]) == ([], [])

    def test_a_wrong_key_file(self, repository: Desk) -> None:
        refused(repository.run("diff", "--key", FILE), 2, "db.yaml: holds no key of sealkit")


class TestForPrograms:
    def test_json(self, repository: Desk) -> None:
        repository.ok("unset", FILE, "A")
        repository.ok("set", FILE, "--reference", "C=vault:kv/a#c")
        raw = repository.ok("diff", "--json").json
        assert raw.pop("old") == git(repository, "rev-parse", "HEAD")
        place = {"file": FILE, "document": 1, "namespace": "shop", "name": "db"}
        entry = {
            "status": "changed",
            "before": place,
            "after": place,
            "values": {"added": [], "removed": ["A"], "changed": []},
            "references": [{"field": "C", "old": "vault:kv/a#b", "new": "vault:kv/a#c"}],
            "readers": [],
            "fields": [],
            "envelopes": [1, 1],
            "same": None,
            "unknown": None,
        }
        assert raw == {"new": None, "manifests": [entry], "unreadable": []}

    def test_json_of_a_new_one(self, repository: Desk) -> None:
        repository.write("new.yaml", repository.read(FILE).replace("name: db", "name: new"))
        old = commit(repository)
        raw = repository.ok("diff", "--json", "HEAD~1..").json
        assert raw["new"] == old
        (entry,) = raw["manifests"]
        assert (entry["status"], entry["before"]) == ("added", None)
        readers = {reader["kid"]: reader for reader in entry["readers"]}
        assert readers[PROD] == {
            "kid": PROD,
            "cluster": "prod",
            "added": True,
            "removed": False,
            "gained": [],
            "lost": [],
            "rewrapped": False,
        }

    def test_exit_codes(self, repository: Desk) -> None:
        assert repository.run("diff", "--exit-code").code == 0
        repository.ok("unset", FILE, "A")
        result = repository.run("diff", "--exit-code", "--json")
        assert result.code == 1
        assert len(result.json["manifests"]) == 1
        repository.write(FILE, "sealkit.dev: [")
        assert repository.run("diff", "--exit-code").code == 1


class TestUnreadable:
    """What was or is no good manifest is told, and stops nothing."""

    NOTE: Final = "sealkit: note: db.yaml:1: cannot be read in"

    def notes(self, desk: Desk, *arguments: str) -> list[str]:
        result = desk.ok("diff", *arguments)
        assert result.out == ""
        return result.err.splitlines()

    @pytest.mark.parametrize(
        ("broken", "problem"),
        [
            (lambda text: text.replace("strict", "narrow"), "spec.scope: is not one of"),
            (lambda text: text.replace("metadata:\n", "metadata: x\nextra:\n"), "extra: is not "),
        ],
        ids=["scope", "metadata"],
    )
    def test_a_manifest(self, repository: Desk, broken: Callable[[str], str], problem: str) -> None:
        good = repository.read(FILE)
        repository.write(FILE, broken(good))
        notes = self.notes(repository, FILE)
        assert notes[0].startswith(f"{self.NOTE} the working tree: {problem}"), notes
        commit(repository)
        repository.write(FILE, good)
        assert self.notes(repository)[0].startswith(f"{self.NOTE} HEAD: {problem}")

    @pytest.mark.parametrize("content", [b"sealkit.dev: [", b"sealkit.dev: \xff"])
    def test_a_file(self, repository: Desk, content: bytes) -> None:
        good = repository.read(FILE)
        repository.write(FILE, content)
        (note,) = self.notes(repository)
        assert note.startswith("sealkit: note: db.yaml: cannot be read in the working tree: ")
        commit(repository)
        repository.write(FILE, content + b" # still")
        (note,) = self.notes(repository)
        assert note.startswith("sealkit: note: db.yaml: cannot be read in HEAD: ")
        repository.write(FILE, good)
        (note,) = self.notes(repository)
        assert note.startswith("sealkit: note: db.yaml: cannot be read in HEAD: ")

    def test_only_what_may_be_the_same_is_kept_back(self, repository: Desk) -> None:
        old = repository.read(FILE)
        new = old.replace("name: db", "name: new")
        repository.write(FILE, f"{old.replace('strict', 'narrow')}---\n{new}")
        result = repository.ok("diff")
        assert result.out.startswith("added shop/new in db.yaml\n")
        assert result.err.startswith(f"{self.NOTE} the working tree")

    def test_a_file_that_may_not_be_read(self, repository: Desk) -> None:
        (repository.folder / FILE).write_bytes(b" " * (2**24 + 1))
        (note,) = self.notes(repository)
        assert note.endswith("cannot be read in the working tree: is larger than 16 MiB")

    def test_the_others_are_compared(self, repository: Desk) -> None:
        repository.write("bad.yaml", "sealkit.dev: [\n")
        repository.ok("unset", FILE, "A")
        result = repository.ok("diff")
        assert result.out.splitlines() == ["changed shop/db in db.yaml", "  - value A"]
        assert "bad.yaml: cannot be read in the working tree" in result.err
        (unread,) = repository.ok("diff", "--json").json["unreadable"]
        assert (unread["file"], unread["state"]) == ("bad.yaml", "the working tree")


class TestMistakes:
    def test_no_repository(self, desk: Desk) -> None:
        desk.environment["GIT_CEILING_DIRECTORIES"] = str(desk.folder.parent)
        refused(desk.run("diff"), 2, "this folder is in no git repository")

    def test_no_commit(self, desk: Desk) -> None:
        git(desk, "init", "-q")
        refused(desk.run("diff"), 2, "there is no commit yet that could be compared")
        refused(desk.run("diff", ".sealkit.yaml"), 2, "there is no commit yet")

    @pytest.mark.parametrize("span", ["nope", "nope..HEAD", "HEAD..nope", "HEAD...nope"])
    def test_an_unknown_revision(self, repository: Desk, span: str) -> None:
        result = repository.run("diff", span)
        refused(result, 2, f"{span!r} is neither a revision nor a path")
        assert "git fetch" in result.err

    def test_a_path_in_neither_state(self, repository: Desk) -> None:
        refused(repository.run("diff", "HEAD", "no.yaml"), 2, "no.yaml: is neither in HEAD nor in")
        refused(repository.run("diff", FILE, "no.yaml"), 2, "no.yaml: is neither in HEAD nor in")

    def test_both_a_revision_and_a_path(self, repository: Desk) -> None:
        repository.write("main", "")
        refused(repository.run("diff", "main"), 2, "'main' is both a revision and a path")
        assert lines(repository, "./main") == []

    def test_nothing_in_common(self, repository: Desk) -> None:
        git(repository, "switch", "-q", "--orphan", "other")
        commit(repository)
        refused(repository.run("diff", "main...other"), 2, "the two revisions have no commit in")

    def test_a_configuration_that_is_wrong(self, repository: Desk) -> None:
        repository.ok("unset", FILE, "A")
        repository.write(".sealkit.yaml", "clusters: []\n")
        refused(repository.run("diff"), 2, ".sealkit.yaml:")


def test_a_stranger_draws_nothing_on_the_terminal(repository: Desk) -> None:
    text = repository.read(FILE).replace("name: db", 'name: "x\\e[31m"')
    repository.write("new\x1b[31m.yaml", text)
    repository.write("other\x1b[31m.yaml", repository.read(FILE).replace("name: db", "name: new"))
    result = repository.ok("diff")
    assert "\x1b" not in result.out + result.err
    assert "other\\x1b[31m.yaml" in result.out


def test_nothing_is_written(repository: Desk) -> None:
    repository.ok("unset", FILE, "A")
    os.utime(repository.folder / FILE)
    before = repository.files()
    repository.ok("diff")
    repository.ok("diff", "HEAD..HEAD")
    assert repository.files() == before
