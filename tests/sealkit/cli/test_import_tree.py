"""`sealkit import` of whole trees and of plain Secrets: which files, the report, all or nothing."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sealkit.cli import import_tree
from sealkit.cli.app import App
from sealkit.cli.import_report import Imported, Result
from sealkit.errors import SealkitError
from tests.sealkit.cli.desk import CANARY, TODAY, Desk, only_sealed, secret_text
from tests.sealkit.cli.test_import import STORE

EXTERNAL = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: NAME, namespace: shop}
spec:
  secretStoreRef: {name: vault}
  syncWindows: {kind: allow}
  data:
  - {secretKey: PASSWORD, remoteRef: {key: shop/db, property: password}}
"""
CHART = "{{ if .Values.on }}\napiVersion: v1\nkind: Secret\n{{ end }}\n"
QUOTED = secret_text("db", PASSWORD="{{ .Values.password }}")
TOKEN = "apiVersion: v1\nkind: Secret\nmetadata: {name: t}\n"


def git(desk: Desk, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=desk.folder, check=True, capture_output=True)


@pytest.fixture
def tree(desk: Desk) -> Desk:
    """A repository with something of each sort."""
    desk.write("stores/vault.yaml", STORE)
    for name in ("a", "b", "c"):
        desk.write(f"apps/{name}.yaml", EXTERNAL.replace("NAME", name))
    desk.write("apps/plain.yaml", f"# by hand\n{secret_text('plain', PASSWORD=CANARY)}")
    desk.write("apps/two.yaml", f"{secret_text('x')}---\n{secret_text('y')}")
    desk.write("chart/templates/secret.yaml", CHART)
    desk.write("apps/deployment.yaml", "kind: Deployment\nspec: {}\n")
    return desk


def test_a_tree_is_converted_at_once(tree: Desk) -> None:
    before = tree.files()
    result = tree.ok("import", "-i", ".")
    changed = {name for name, content in tree.files().items() if content != before[name]}
    assert changed == {"stores/vault.yaml", *(f"apps/{name}.yaml" for name in "abc")}
    made = yaml.safe_load(tree.read("apps/a.yaml"))
    assert made["spec"]["references"]["PASSWORD"]["mount"] == "kv"
    assert result.err == (
        "imported ExternalSecret shop/a in apps/a.yaml: SealedSecret shop/a\n"
        "imported ExternalSecret shop/b in apps/b.yaml: SealedSecret shop/b\n"
        "imported ExternalSecret shop/c in apps/c.yaml: SealedSecret shop/c\n"
        "imported SecretStore shop/vault in stores/vault.yaml: VaultStore shop/vault\n"
        "sealkit: note: apps/a.yaml:1 and 2 more places: spec.syncWindows (mapping of 1): there are"
        " no windows: Vault is asked whenever the interval is over\n"
        "sealkit: note: 3 Secrets are left in plain text, which --secrets seals: apps/plain.yaml,"
        " apps/two.yaml\n"
        "sealkit: note: left alone, being no YAML or JSON that is safe:"
        " chart/templates/secret.yaml\n"
        "imported 3 ExternalSecrets, 1 SecretStore: 4 of 8 files changed\n"
    )


def test_plain_secrets_are_sealed_if_that_is_asked_for(tree: Desk) -> None:
    result = tree.ok("import", "-i", ".", "--secrets")
    text = tree.read("apps/plain.yaml")
    assert tree.values(text) == {"PASSWORD": CANARY.encode()}
    assert text.startswith("# by hand\napiVersion: sealkit.dev/")
    assert "imported Secret shop/plain in apps/plain.yaml: SealedSecret shop/plain\n" in result.err
    assert "left in plain text" not in result.err
    assert "sealkit: note: the plaintext stays in Git's history: change these" in result.err
    assert "sealkit scan --history" in result.err
    assert "imported 3 ExternalSecrets, 3 Secrets (plain), 1 SecretStore: 6 of 8" in result.err
    assert CANARY not in result.out + result.err


def test_a_second_run_changes_nothing(tree: Desk) -> None:
    tree.ok("import", "-i", ".", "--secrets")
    before = tree.files()
    result = tree.ok("import", "-i", ".", "--secrets", "--check")
    assert result.out == ""
    assert "sealkit: note: left alone" in result.err
    tree.ok("import", "-i", ".", "--secrets")
    assert tree.files() == before


def test_check_writes_nothing_and_ends_with_10(tree: Desk) -> None:
    before = tree.files()
    result = tree.run("import", ".", "--check")
    assert result.code == 10
    assert result.out.splitlines()[0] == (
        "would import ExternalSecret shop/a in apps/a.yaml: SealedSecret shop/a"
    )
    assert result.err.endswith(
        "would import 3 ExternalSecrets, 1 SecretStore: 4 of 8 files would change\n"
    )
    assert tree.files() == before
    plain = tree.run("import", "apps/plain.yaml", "--check", "--secrets")
    assert (plain.code, plain.out) == (
        10,
        "would import Secret shop/plain: SealedSecret shop/plain\n",
    )
    assert "history" not in plain.err
    assert CANARY not in plain.out + plain.err


def test_the_report_for_programs(tree: Desk) -> None:
    result = tree.ok("import", "-i", ".", "--json")
    found = {(one["file"], one["result"], one["origin"]) for one in result.json}
    assert ("apps/a.yaml", "converted", "") in found
    assert ("apps/plain.yaml", "plain", "plain") in found
    assert "3 Secrets are left in plain text" in result.err
    assert CANARY not in result.out + result.err


def test_what_is_left_plain_is_told_for_one_file_as_well(tree: Desk) -> None:
    note = "note: 1 Secret is left in plain text, which --secrets seals: apps/plain.yaml\n"
    assert note in tree.ok("import", "-i", "apps/plain.yaml").err


def test_an_error_anywhere_writes_nothing(tree: Desk) -> None:
    tree.write("apps/z.yaml", EXTERNAL.replace("shop/db", "../sys"))
    tree.write("apps/y.yaml", EXTERNAL.replace("key: shop/db", "key: 1"))
    before = tree.files()
    result = tree.run("import", "-i", ".", "--secrets")
    assert (result.code, result.out) == (1, "")
    assert [line.split(": ")[2] for line in result.err.splitlines()] == [
        "apps/y.yaml:1",
        "apps/z.yaml:1",
    ]
    assert tree.files() == before


def test_a_file_that_no_rule_covers_stops_all(tree: Desk) -> None:
    tree.config([{"paths": ["apps/p*.yaml"], "clusters": ["prod"]}])
    before = tree.files()
    result = tree.run("import", "-i", ".", "--secrets")
    assert result.code == 6
    assert "apps/two.yaml: no rule in .sealkit.yaml covers it" in result.err
    assert tree.files() == before


def test_many_files_are_worked_on_in_processes(desk: Desk) -> None:
    for number in range(30):
        desk.write(f"{number:02}.yaml", secret_text(f"db-{number}"))
    result = desk.ok("import", "-i", ".", "--secrets", "--jobs", "2")
    assert "imported 30 Secrets (plain): 30 of 30 files changed\n" in result.err
    assert desk.values(desk.read("17.yaml")) == {"PASSWORD": b"hunter2", "USER": b"app"}


def test_globs(tree: Desk) -> None:
    tree.ok("import", "-i", "**/[ab].yaml")
    assert "sealkit.dev" in tree.read("apps/b.yaml")
    assert "sealkit.dev" not in tree.read("apps/c.yaml")


def test_a_tree_with_nothing_to_do(desk: Desk) -> None:
    desk.write("a.yaml", "kind: Secretary\n")
    desk.write("b.yaml", "a: 1\n")
    result = desk.ok("import", "-i", ".")
    assert result.err == "sealkit: note: there is nothing to import in .\n"


class TestIgnoredFiles:
    """What Git ignores is left out, unless it is named."""

    @pytest.fixture
    def ignoring(self, tree: Desk) -> Desk:
        git(tree, "init", "-q")
        tree.write(".gitignore", "plain.yaml\n/scratch/\n")
        tree.write("scratch/s.yaml", secret_text("s"))
        return tree

    @pytest.mark.parametrize("path", [".", "apps", "apps/*", "**/p*.yaml"])
    def test_in_folders_and_globs(self, ignoring: Desk, path: str) -> None:
        ignoring.write("apps/private.yaml", secret_text("p"))
        ignoring.ok("import", "-i", path, "--secrets")
        assert only_sealed(ignoring.read("apps/private.yaml"))
        assert CANARY in ignoring.read("apps/plain.yaml")

    def test_named(self, ignoring: Desk) -> None:
        ignoring.ok("import", "-i", "apps", "apps/plain.yaml", "scratch", "--secrets")
        assert only_sealed(ignoring.read("apps/plain.yaml"))
        assert only_sealed(ignoring.read("scratch/s.yaml"))

    def test_tracked_all_the_same(self, ignoring: Desk) -> None:
        git(ignoring, "add", "-f", "apps/plain.yaml")
        ignoring.ok("import", "-i", ".", "--secrets")
        assert only_sealed(ignoring.read("apps/plain.yaml"))

    def test_outside_of_the_repository(self, ignoring: Desk) -> None:
        """Nobody ignores it there."""
        (ignoring.keys_folder / "o.yaml").write_text(secret_text("o"))
        ignoring.write("apps/o.yaml", secret_text("o"))
        ignoring.write("scratch/o.yaml", secret_text("o"))
        result = ignoring.ok("import", "--check", "../*/**/o.yaml")
        found = "which --secrets seals: ../keys/o.yaml, ../repository/apps/o.yaml\n"
        assert found in result.err


class TestPlainSecrets:
    """Which of them are sealed, and which are left."""

    def test_with_references_and_values(self, desk: Desk) -> None:
        desk.write("db.yaml", secret_text(A="vault:kv/data/a#b", B=CANARY))
        result = desk.ok(
            "import", "-i", "db.yaml", "--secrets", "--store-kind", "ClusterVaultStore"
        )
        made = only_sealed(desk.read("db.yaml"))["spec"]
        assert made["references"].keys() == {"A"}
        assert made["encryptedData"].keys() == {"B"}
        assert made["vault"]["store"]["kind"] == "ClusterVaultStore"
        assert CANARY not in result.err + desk.read("db.yaml")

    def test_without_values_there_is_nothing_to_seal(self, desk: Desk) -> None:
        text = f"{TOKEN}type: kubernetes.io/service-account-token\n"
        desk.write("t.yaml", text)
        result = desk.ok("import", "-i", "t.yaml", "--secrets")
        assert result.err == "sealkit: note: there is nothing to import in t.yaml\n"
        assert desk.read("t.yaml") == text

    def test_what_is_wrong_in_itself_is_left_in_a_tree(self, desk: Desk) -> None:
        desk.write("apps/bad.yaml", f"{TOKEN}data: {{a: 1}}\n")
        assert "left in plain text" in desk.ok("import", "-i", "apps").err
        for arguments in (["apps", "--secrets"], ["apps/bad.yaml"]):
            result = desk.run("import", "-i", *arguments)
            assert result.code == 1
            assert result.err.startswith("sealkit: error: apps/bad.yaml:1: data.a: ")

    @pytest.mark.parametrize("secrets", [True, False], ids=["asked", "not-asked"])
    def test_a_template_that_reads_as_yaml(self, desk: Desk, *, secrets: bool) -> None:
        desk.write("chart/s.yaml", QUOTED)
        result = desk.ok("import", "-i", "chart", *(["--secrets"] if secrets else []))
        assert desk.read("chart/s.yaml") == QUOTED
        assert "left in plain text, which --secrets seals: chart/s.yaml" in result.err
        assert ("chart/s.yaml:1: has {{ in it" in result.err) is secrets

    def test_a_template_that_is_named(self, desk: Desk) -> None:
        desk.write("chart/s.yaml", QUOTED)
        desk.ok("import", "-i", "chart/s.yaml", "--secrets")
        assert desk.values(desk.read("chart/s.yaml")) == {"PASSWORD": b"{{ .Values.password }}"}

    def test_a_template_that_is_no_yaml_and_named(self, tree: Desk) -> None:
        result = tree.run("import", "-i", "chart/templates/secret.yaml")
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("sealkit: error: chart/templates/secret.yaml:1: ")


def test_many_unread_files_are_counted(desk: Desk) -> None:
    for number in range(7):
        desk.write(f"t{number}.yaml", CHART)
    result = desk.ok("import", "-i", ".")
    assert "safe: t0.yaml, t1.yaml, t2.yaml, t3.yaml, t4.yaml and 2 more\n" in result.err


def test_a_broken_file_with_relatives_is_told_once(desk: Desk) -> None:
    desk.write("a.yaml", f"{STORE}\n{{{{ if }}}}\n")
    assert "left alone" in desk.ok("import", "-i", ".").err
    result = desk.run("import", "-i", "a.yaml")
    assert (result.code, result.err.count("sealkit: error: ")) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--check"], "--check goes with files"),
        (["--check", "a", "-o", "b"], "--check goes with files"),
        (["."], "several files need --in-place"),
        (["*.yaml"], "several files need --in-place"),
        (["-i", ".", "-n", "A B"], "--namespace: is not a name Kubernetes accepts"),
        (["-i", "nowhere"], "nowhere: there is no such file or folder"),
        (["nowhere"], "nowhere: there is no such file or folder"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, list) else "",
)
def test_misuse(tree: Desk, arguments: list[str], problem: str) -> None:
    before = tree.files()
    result = tree.run("import", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"sealkit: error: {problem}")
    assert tree.files() == before


def world(folder: Path) -> App:
    unused: Any = None
    return App(
        stdin=io.BytesIO(),
        stdout=io.BytesIO(),
        stderr=io.StringIO(),
        folder=str(folder),
        environment={},
        random=os.urandom,
        today=lambda: TODAY,
        ask=unused,
    )


def test_a_file_that_was_changed_meanwhile_stops_all(desk: Desk) -> None:
    line = Imported("a.yaml", 1, "", ("Secret", "db"), ("SealedSecret", "db"), goes=False, notes=())
    for name in ("a.yaml", "b.yaml"):
        desk.write(name, "old")
    results = [
        Result("a.yaml", "a.yaml", is_named=True, old=b"old", text="new", lines=(line,)),
        Result("b.yaml", "b.yaml", is_named=True, old=b"older", text="new", lines=(line,)),
    ]
    with pytest.raises(SealkitError) as caught:
        import_tree.write_all(world(desk.folder), results)
    assert (caught.value.file, caught.value.hint) == ("b.yaml", "run the command again")
    assert desk.read("a.yaml") == "old"
    import_tree.write_all(world(desk.folder), results[:1])
    assert desk.read("a.yaml") == "new"
