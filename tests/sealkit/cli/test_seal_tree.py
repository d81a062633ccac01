"""`sealkit seal --in-place` of many files and folders: which, all or nothing, --check."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

import pytest

from sealkit.cli import batch
from sealkit.cli.app import App
from sealkit.manifests.sealed import SealedSecret
from tests.sealkit.cli.desk import CANARY, Chancy, Desk, only_sealed, secret_text


@pytest.fixture
def tree(desk: Desk) -> Desk:
    """A folder with Secrets, and with what is none of our business."""
    desk.write("apps/a.yaml", f"# by hand\n{secret_text('a', PASSWORD=CANARY)}")
    desk.write("apps/b/two.yaml", f"{secret_text('x')}---\n{secret_text('y')}")
    desk.write("apps/config.yaml", "kind: ConfigMap\ndata: {a: b}\n")
    desk.write("apps/chart/values.yaml", "{{ not: yaml\n")
    desk.write("apps/uses.yaml", "kind: Pod\nspec: {kind: Secret-ish}\n")
    desk.write("apps/notes.txt", secret_text("no"))
    return desk


def secrets(desk: Desk) -> set[str]:
    """The files that still hold a plain Secret."""
    return {name for name, raw in desk.files().items() if b"kind: Secret\n" in raw}


def test_a_folder(tree: Desk) -> None:
    before = tree.files()
    result = tree.ok("seal", "-i", "apps")
    assert result.err.splitlines() == [
        "sealed shop/a: 1 value for prod, staging (strict)",
        "sealed shop/x: 2 values for prod, staging (strict)",
        "sealed shop/y: 2 values for prod, staging (strict)",
        "sealed 3 Secrets in 2 files",
    ]
    assert tree.read("apps/a.yaml").startswith("# by hand\napiVersion: sealkit.dev")
    assert secrets(tree) == {"apps/notes.txt"}
    changed = {name for name, raw in tree.files().items() if before.get(name) != raw}
    assert changed == {"apps/a.yaml", "apps/b/two.yaml"}
    assert CANARY not in result.err
    again = tree.ok("seal", "-i", "apps")
    assert (again.err, tree.read("apps/a.yaml")) == ("", tree.read("apps/a.yaml"))


def test_a_glob(tree: Desk) -> None:
    tree.ok("seal", "-i", "apps/*.yaml")
    assert secrets(tree) == {"apps/b/two.yaml", "apps/notes.txt"}


def test_in_processes(desk: Desk) -> None:
    desk = Chancy(desk.folder, desk.keys_folder)
    names = [f"s{number:02}" for number in range(40)]
    for name in names:
        desk.write(f"apps/{name}.yaml", secret_text(name, KEY=CANARY))
    result = desk.ok("seal", "-i", "apps", "--jobs", "2")
    assert secrets(desk) == set()
    assert [line.split()[1] for line in result.err.splitlines()[:-1]] == [
        f"shop/{name}:" for name in names
    ]
    # What is forked shares no stream of random bytes: ours, that of HPKE, that of the items.
    made = [SealedSecret.from_dict(only_sealed(desk.read(f"apps/{n}.yaml"))) for n in names]
    assert len({eid for sealed in made for eid in sealed.envelopes}) == 40
    wraps = [w for sealed in made for e in sealed.envelopes.values() for w in e.wraps.values()]
    assert len({wrap[1088:1120] for wrap in wraps}) == len(wraps) == 80
    assert len({value.item[:24] for s in made for value in s.encrypted_data.values()}) == 40


def test_each_file_follows_its_own_rule(desk: Desk) -> None:
    for place in ("apps/prod", "apps/staging"):
        desk.write(f"{place}/a.yaml", secret_text("a"))
    rules = [{"paths": [f"apps/{name}/**"], "clusters": [name]} for name in ("prod", "staging")]
    desk.config(rules=rules)
    desk.ok("seal", "-i", "apps")
    assert desk.opens_in(desk.read("apps/prod/a.yaml")) == {"prod"}
    assert desk.opens_in(desk.read("apps/staging/a.yaml")) == {"staging"}


def test_what_git_ignores_is_left_out_unless_named(tree: Desk) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tree.folder, check=True)
    tree.write(".gitignore", "apps/a.yaml\n")
    tree.ok("seal", "-i", "apps")
    assert secrets(tree) == {"apps/a.yaml", "apps/notes.txt"}
    tree.ok("seal", "-i", "apps/a.yaml")
    assert secrets(tree) == {"apps/notes.txt"}


def test_check_tells_and_writes_nothing(tree: Desk) -> None:
    before = tree.files()
    result = tree.run("seal", "--check", "apps")
    assert (result.code, tree.files()) == (10, before)
    assert result.out.splitlines()[0] == (
        "would have sealed shop/a: 1 value for prod, staging (strict)"
    )
    assert result.err.splitlines() == ["would seal 3 Secrets in 2 files"]
    tree.ok("seal", "-i", "apps")
    assert tree.ok("seal", "--check", "apps").out == ""


def test_check_as_json(tree: Desk) -> None:
    result = tree.run("seal", "--check", "--json", "apps")
    assert [line["name"] for line in result.json] == ["a", "x", "y"]
    assert (result.code, result.err) == (10, "")


def test_every_error_is_told_and_nothing_written(tree: Desk) -> None:
    tree.write("apps/c.yaml", "kind: Secret\napiVersion: v1\nmetadata: {name: c}\ndata: {a: 5}\n")
    tree.write("apps/d.yaml", "kind: Secret\na: b: c\n")
    before = tree.files()
    result = tree.run("seal", "-i", "apps")
    assert (result.code, tree.files()) == (1, before)
    errors = [line for line in result.err.splitlines() if "error" in line]
    assert [line.split(":")[2].strip() for line in errors] == ["apps/c.yaml", "apps/d.yaml"]
    assert "sealed" not in result.err


def test_a_named_file_without_a_secret_gets_a_note(tree: Desk) -> None:
    result = tree.ok("seal", "-i", "apps/config.yaml", "apps/a.yaml")
    assert result.err.splitlines()[0] == "sealkit: note: there is no Secret in apps/config.yaml"


def test_text_around_references_is_told_of(desk: Desk) -> None:
    desk.write("apps/a.yaml", secret_text("a", URL="pg://${vault:kv/db#user}@db"))
    result = desk.ok("seal", "-i", "apps")
    assert "URL: the text around its references is public now" in result.err


def test_a_file_that_changes_meanwhile(tree: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all = batch.write_all

    def late(app: App, changes: Mapping[str, batch.Change]) -> None:
        tree.write("apps/b/two.yaml", secret_text("new"))
        write_all(app, changes)

    monkeypatch.setattr(batch, "write_all", late)
    result = tree.run("seal", "-i", "apps")
    assert result.code == 1
    assert "apps/b/two.yaml: was changed meanwhile, nothing was written" in result.err
    assert secrets(tree) == {"apps/a.yaml", "apps/b/two.yaml", "apps/notes.txt"}


@pytest.mark.parametrize(
    "arguments",
    [["--check"], ["--check", "apps", "-o", "x"], ["--check", "apps", "--as", "x"], ["-i", "none"]],
    ids=" ".join,
)
def test_misuse(tree: Desk, arguments: list[str]) -> None:
    before = tree.files()
    result = tree.run("seal", *arguments)
    assert (result.code, tree.files()) == (2, before)
