"""`set` and `unset` with --file: the same change in many manifests, in all or in none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sealkit.cli import batch
from sealkit.manifests.splice import Update, rewrite
from tests.sealkit.cli.desk import CANARY, Desk, Result, secret_text
from tests.sealkit.samples import in_lines

A, B, OTHER = "apps/a.yaml", "apps/b.yaml", "apps/other.yaml"
REFERENCE = "vault:kv/shop/db#password"


@pytest.fixture
def tree(desk: Desk) -> Desk:
    """Two manifests with a PASSWORD, one without, and what is none."""
    desk.write("apps/README.yaml", "kind: ConfigMap\n")
    for file in (A, B):
        desk.ok("seal", "-o", file, stdin=f"# {file}\n{secret_text(Path(file).stem)}")
    desk.ok("seal", "-o", OTHER, stdin=secret_text("other", TOKEN="t"))
    return desk


def passwords(desk: Desk) -> dict[str, bytes | None]:
    return {file: desk.values(desk.read(file)).get("PASSWORD") for file in (A, B, OTHER)}


def refused(desk: Desk, *arguments: str | Path, code: int, start: str, **world: Any) -> Result:
    """A refusal that left every file as it was."""
    before = desk.files()
    result = desk.run(*arguments, **world)
    assert (result.code, result.out) == (code, ""), result.err
    assert f"sealkit: error: {start}" in result.err
    assert desk.files() == before
    return result


class TestSet:
    """The same value in many manifests."""

    def test_those_that_have_the_key_change_and_no_others(self, tree: Desk) -> None:
        other = tree.read(OTHER)
        result = tree.ok("set", "-f", "apps", "PASSWORD", stdin="new")
        assert result.err.splitlines() == [
            "set PASSWORD in apps/a.yaml for prod, staging",
            "set PASSWORD in apps/b.yaml for prod, staging",
            "changed 2 of 3 manifests",
        ]
        assert passwords(tree) == {A: b"new", B: b"new", OTHER: None}
        assert tree.read(OTHER) == other
        assert tree.read(A).startswith("# apps/a.yaml\n")

    def test_add_gives_the_key_to_all(self, tree: Desk) -> None:
        result = tree.ok("set", "--file", A, "-f", "apps/o*.yaml", "--add", "NEW", stdin="n")
        assert result.err.endswith("changed 2 of 2 manifests\n")
        assert tree.values(tree.read(A))["NEW"] == b"n"
        assert tree.values(tree.read(OTHER)) == {"NEW": b"n", "TOKEN": b"t"}

    def test_the_value_is_asked_for_once(self, tree: Desk) -> None:
        tree.ok("set", "-f", "apps", "PASSWORD", answer="typed")
        assert tree.asked == ["PASSWORD: "]
        assert passwords(tree) == {A: b"typed", B: b"typed", OTHER: None}

    def test_each_key_goes_where_it_is_already(self, tree: Desk) -> None:
        tree.ok("set", "-f", "apps", "PASSWORD", "TOKEN", answer=lambda prompt: prompt)
        assert passwords(tree)[A] == b"PASSWORD: "
        assert tree.values(tree.read(OTHER)) == {"TOKEN": b"TOKEN: "}

    def test_name_chooses_among_manifests(self, tree: Desk) -> None:
        result = tree.ok("set", "-f", "apps", "--name", "b", "PASSWORD", stdin="new")
        assert result.err.endswith("changed 1 of 1 manifest\n")
        assert passwords(tree) == {A: b"hunter2", B: b"new", OTHER: None}

    def test_several_manifests_in_one_file(self, desk: Desk) -> None:
        texts = [secret_text("a"), secret_text("b", TOKEN="t"), secret_text("c")]
        desk.ok("seal", "-o", "all.yaml", stdin="---\n".join(texts))
        result = desk.ok("set", "-f", "all.yaml", "PASSWORD", stdin="new")
        assert result.err.splitlines() == [
            "set PASSWORD in all.yaml for prod, staging",
            "set PASSWORD in all.yaml for prod, staging (document 3, c)",
            "changed 2 of 3 manifests",
        ]
        parts = desk.read("all.yaml").split("---\n")
        assert [desk.values(part).get("PASSWORD") for part in parts] == [b"new", None, b"new"]

    def test_every_manifest_follows_its_own_rule(self, desk: Desk) -> None:
        rules = [
            {"paths": ["apps/a.yaml"], "clusters": ["prod"]},
            {"paths": ["**"], "clusters": ["staging"]},
        ]
        desk.config(rules=rules)
        for file in (A, B):
            desk.write(file, secret_text(Path(file).stem))
        desk.ok("seal", "-i", A, B)
        desk.ok("set", "-f", "apps", "PASSWORD", stdin="new")
        assert (desk.opens_in(desk.read(A)), desk.opens_in(desk.read(B))) == (
            {"prod"},
            {"staging"},
        )
        assert desk.values(desk.read(B), "staging")["PASSWORD"] == b"new"

    def test_many_files_are_done_in_processes(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batch, "_FEW", 1)
        files = [f"apps/{number}.yaml" for number in range(4)]
        for file in files:
            desk.write(file, secret_text(f"n{Path(file).stem}"))
        desk.ok("seal", "-i", *files)
        desk.ok("set", "-f", "apps", "--jobs", "2", "PASSWORD", stdin="new")
        assert {desk.values(desk.read(file))["PASSWORD"] for file in files} == {b"new"}

    def test_references_need_no_values(self, tree: Desk) -> None:
        arguments = ("set", "-f", "apps", "--reference", f"PASSWORD={REFERENCE}")
        tree.ok(*arguments)
        for file in (A, B):
            spec = yaml.safe_load(tree.read(file))["spec"]
            assert in_lines(spec["references"]) == {"PASSWORD": REFERENCE}
            assert list(spec["encryptedData"]) == ["USER"]
        before = tree.files()
        assert tree.ok(*arguments).err == "changed 0 of 3 manifests\n"
        assert tree.files() == before

    def test_where_all_is_in_vault_there_need_be_no_clusters(self, bare: Desk) -> None:
        (bare.folder / "apps").mkdir()
        bare.ok("seal", "-o", A, stdin=secret_text(PASSWORD=REFERENCE, USER=REFERENCE))
        result = bare.ok("set", "-f", "apps", "--reference", "USER=vault:kv/a#b")
        assert result.err == "set USER in apps/a.yaml\nchanged 1 of 1 manifest\n"
        bare.ok("unset", "-f", "apps", "USER")
        assert in_lines(yaml.safe_load(bare.read(A))["spec"]["references"]) == {
            "PASSWORD": REFERENCE
        }
        start = f"{A}:1: there is no .sealkit.yaml here or above"
        refused(bare, "set", "-f", "apps", "--add", "N", code=2, start=start, answer="x")
        assert bare.asked == []

    def test_the_report_can_be_json(self, tree: Desk) -> None:
        report = tree.ok("set", "-f", "apps", "PASSWORD", "--json", stdin="new").json
        assert [line["file"] for line in report["changed"]] == [A, B]
        assert {key: report[key] for key in ("verb", "check", "files", "manifests", "failed")} == {
            "verb": "set",
            "check": False,
            "files": 4,
            "manifests": 3,
            "failed": [],
        }

    def test_without_configuration_the_recipients_are_given(self, bare: Desk) -> None:
        path = bare.recipient("prod")
        (bare.folder / "apps").mkdir()
        bare.ok("seal", "--recipient", path, "-o", A, stdin=secret_text())
        bare.ok("set", "-f", "apps", "--recipient", path, "PASSWORD", stdin="new")
        assert bare.values(bare.read(A))["PASSWORD"] == b"new"


class TestCheck:
    """What would change, without a value."""

    def test_nothing_is_written_and_nobody_asked(self, tree: Desk) -> None:
        before = tree.files()
        result = tree.run("set", "-f", "apps", "--check", "PASSWORD", answer="x")
        assert (result.code, tree.asked, tree.files()) == (10, [], before)
        assert result.out.splitlines() == [
            "would set PASSWORD in apps/a.yaml for prod, staging",
            "would set PASSWORD in apps/b.yaml for prod, staging",
        ]
        assert result.err == "would change 2 of 3 manifests\n"

    def test_nothing_to_do_is_0(self, tree: Desk) -> None:
        arguments = ("set", "-f", "apps", "--reference", f"PASSWORD={REFERENCE}")
        assert tree.run(*arguments, "--check", "--json").code == 10
        tree.ok(*arguments)
        assert tree.ok(*arguments, "--check", "--json").json["changed"] == []

    def test_unset(self, tree: Desk) -> None:
        result = tree.run("unset", "-f", "apps", "--check", "TOKEN")
        assert (result.code, result.out) == (10, "would remove TOKEN from apps/other.yaml\n")


class TestUnset:
    """The same key removed from many manifests."""

    def test_it_goes_where_it_is(self, tree: Desk) -> None:
        result = tree.ok("unset", "-f", "apps", "USER", "USER")
        assert result.err.splitlines() == [
            "removed USER from apps/a.yaml",
            "removed USER from apps/b.yaml",
            "changed 2 of 3 manifests",
        ]
        assert tree.values(tree.read(A)) == {"PASSWORD": b"hunter2"}

    def test_a_key_that_is_nowhere(self, tree: Desk) -> None:
        result = refused(
            tree, "unset", "-f", "apps", "USER", "NONE", code=2, start="NONE: is in no manifest"
        )
        assert "hint" not in result.err


class TestAllOrNone:
    """One manifest that cannot be changed: none is."""

    def test_drift_names_the_command_that_mends_it(self, tree: Desk) -> None:
        tree.config(clusters={"prod": tree.entry("prod")})
        tree.ok("rewrap", A, "--key", tree.key_file("prod"))
        start = f"{B}:1: spec.envelopes."
        result = refused(tree, "set", "-f", "apps", "PASSWORD", code=6, start=start, stdin=CANARY)
        assert f"sealkit: hint: sealkit rewrap {B} --key KEYS\n" in result.err
        assert result.err.endswith("1 file failed, nothing was written\n")
        # The manifest without the key has drifted as well, but is nobody's business here.
        assert OTHER not in result.err

    def test_a_scope_that_is_not_allowed(self, tree: Desk) -> None:
        rule = {"paths": ["**"], "clusters": ["prod", "staging"], "scopes": ["cluster-wide"]}
        tree.config(rules=[rule])
        result = refused(
            tree, "unset", "-f", A, "USER", code=6, start=f"{A}:1: spec.scope: ", stdin=""
        )
        assert f"hint: sealkit reseal {A} --key KEYS --scope cluster-wide" in result.err

    def test_a_reference_is_in_the_way(self, tree: Desk) -> None:
        tree.ok("set", B, "--reference", f"PASSWORD={REFERENCE}")
        start = f"{B}:1: spec.references.PASSWORD: is a reference to Vault"
        refused(tree, "set", "-f", "apps", "PASSWORD", code=2, start=start, answer=CANARY)
        assert tree.asked == []

    def test_a_value_that_breaks_a_rule_of_one_type(self, tree: Desk) -> None:
        text = secret_text(**{".dockerconfigjson": "{}"}) + "type: kubernetes.io/dockerconfigjson\n"
        tree.ok("seal", "-o", "apps/z.yaml", stdin=text)
        start = "apps/z.yaml:1: "
        arguments = ("set", "-f", "apps", "--add", ".dockerconfigjson")
        result = refused(tree, *arguments, code=1, start=start, stdin=CANARY)
        assert CANARY not in result.err

    def test_a_key_that_one_type_needs(self, tree: Desk) -> None:
        text = (
            secret_text(**{"ssh-privatekey": "k", "USER": "u"}) + "type: kubernetes.io/ssh-auth\n"
        )
        tree.ok("seal", "-o", "apps/z.yaml", stdin=text)
        tree.ok("set", A, "ssh-privatekey", stdin="k")
        start = "apps/z.yaml:1: spec.encryptedData.ssh-privatekey: is missing"
        refused(tree, "unset", "-f", "apps", "ssh-privatekey", code=1, start=start)

    def test_every_broken_file_is_told(self, tree: Desk) -> None:
        broken = "apiVersion: sealkit.dev/v1alpha1\nkind: SealedSecret\nspec: ["
        for name in ("apps/x.yaml", "apps/y.yaml"):
            tree.write(name, broken)
        result = refused(tree, "set", "-f", "apps", "PASSWORD", code=1, start="apps/x.yaml")
        assert "sealkit: error: apps/y.yaml" in result.err
        assert result.err.endswith("2 files failed, nothing was written\n")

    def test_failures_as_json(self, tree: Desk) -> None:
        tree.config(clusters={"prod": tree.entry("prod")})
        result = tree.run("set", "-f", A, "PASSWORD", "--json", stdin=CANARY)
        assert (result.code, result.json["changed"]) == (6, [])
        assert result.json["failed"][0]["exitCode"] == 6

    def test_a_key_that_is_not_the_pinned_one(self, tree: Desk) -> None:
        tree.recipient("prod", key="lab")
        refused(tree, "set", "-f", "apps", "PASSWORD", code=2, start=".sealkit/prod.pub", stdin="x")

    def test_a_path_that_is_not_there(self, tree: Desk) -> None:
        start = "none: there is no such file or folder"
        refused(tree, "set", "-f", A, "-f", "none", "PASSWORD", code=2, start=start, stdin="x")

    def test_a_comment_that_is_written_while_a_value_is_typed_stays(self, tree: Desk) -> None:
        late = f"{tree.read(B)}# late\n"

        def typing(_: str) -> str:
            tree.write(B, late)
            return "new"

        tree.ok("set", "-f", "apps", "PASSWORD", answer=typing)
        assert tree.read(B).endswith("# late\n")
        assert passwords(tree)[B] == b"new"

    def test_a_file_that_changes_before_it_is_written(
        self, tree: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = tree.files()

        def meanwhile(text: str, changes: list[Update]) -> str:
            tree.write(B, "# late\n")
            return rewrite(text, changes)

        monkeypatch.setattr("sealkit.cli.change_many.rewrite", meanwhile)
        monkeypatch.setattr(batch, "iter_files", lambda *_: [B, A])
        result = tree.run("set", "-f", "apps", "PASSWORD", stdin="new")
        assert (result.code, tree.files()) == (1, before | {B: b"# late\n"})
        assert f"error: {B}: was changed meanwhile, nothing was written" in result.err

    def test_a_disk_that_is_full_at_once(self, tree: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sealkit.files.os.fsync", _full_at(1))
        start = f"{A}: cannot be written: no space left"
        result = refused(tree, "set", "-f", "apps", "PASSWORD", code=1, start=start, stdin="new")
        assert "hint" not in result.err

    def test_a_disk_that_is_full_in_the_middle(
        self, tree: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = tree.read(B)
        monkeypatch.setattr("sealkit.files.os.fsync", _full_at(2))
        result = tree.run("set", "-f", "apps", "PASSWORD", stdin="new")
        assert (result.code, tree.read(B)) == (1, before)
        assert f"error: {B}: cannot be written: no space left" in result.err
        assert "hint: 1 of 2 files were written; run the command again" in result.err
        assert passwords(tree)[A] == b"new"


def _full_at(number: int) -> object:
    calls = iter(range(1, 100))

    def fsync(_: int) -> None:
        if next(calls) == number:
            raise OSError(28, "No space left on device")

    return fsync


class TestMisuse:
    """What cannot be meant."""

    @pytest.mark.parametrize(
        ("arguments", "start"),
        [
            (["set", "-f", "apps"], "there is no key to set"),
            (["unset", "-f", "apps"], "there is no key to remove"),
            (["set"], "missing argument 'FILE'"),
            (["unset"], "missing argument 'FILE'"),
            (["set", "-f", A, ""], "KEY number 1 is not a data key"),
            (["unset", A, ""], "KEY number 1 is not a data key"),
            (["set", A, "USER", "--add"], "--add goes with --file"),
            (["set", A, "USER", "--check"], "--check goes with --file"),
            (["unset", A, "USER", "--jobs", "2"], "--jobs goes with --file"),
            (["set", "-f", A, "USER", "-o", "x.yaml"], "--output goes with one FILE"),
            (["set", "-f", "-", "USER"], "--file takes files, folders and globs"),
            (["set", "-f", A, B, "USER"], f"{B}: is a file, expected a key"),
            (["set", "-f", A, "apps/c.yaml", "USER"], "KEY number 1 is not a data key"),
            (["set", A, B, "USER"], f"{B}: is a file, expected a key"),
            (["set", "-f", A, f"USER={CANARY}"], "a value on the command line"),
            (["set", "-f", "apps", "NONE"], "NONE: is in no manifest in apps"),
            (["set", "-f", "apps", "--name", "x", "USER"], "there is no SealedSecret named 'x' in"),
            (["set", "-f", "apps/README.yaml", "USER"], "there is no SealedSecret in apps/README"),
            (["set", "-f", "apps/*.json", "USER"], "apps/*.json: matches no"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_it_is_refused(self, tree: Desk, arguments: list[str], start: str) -> None:
        result = refused(tree, *arguments, code=2, start=start, answer="x")
        assert CANARY not in result.err
        assert tree.asked == []

    def test_what_a_shell_makes_of_a_glob(self, desk: Desk) -> None:
        for file in ("a.yaml", "b.yaml"):
            desk.ok("seal", "-o", file, stdin=secret_text())
        start = "b.yaml: is in no manifest in a.yaml\n"
        arguments = ("set", "-f", "a.yaml", "b.yaml", "USER")
        result = refused(desk, *arguments, code=2, start=start, answer="x")
        assert "sealkit: hint: --file takes one path: repeat it, or put a glob in" in result.err

    def test_a_key_that_is_nowhere_has_a_way_out(self, tree: Desk) -> None:
        result = tree.run("set", "-f", "apps", "NONE", stdin="x")
        assert "sealkit: hint: --add sets it in all of them" in result.err


class TestManyValues:
    """Whole files of values."""

    ENV = f"# the shop\nPASSWORD='a b'\nexport TOKEN={CANARY}\n"

    def test_an_env_file(self, tree: Desk) -> None:
        tree.ok("set", A, "--from-env-file", "-", stdin=self.ENV)
        expected = {"PASSWORD": b"a b", "TOKEN": CANARY.encode(), "USER": b"app"}
        assert tree.values(tree.read(A)) == expected

    def test_a_json_object(self, tree: Desk) -> None:
        path = tree.keys_folder / "values.json"
        path.write_text('\ufeff{"PASSWORD": "\\u00fc\\n", "TOKEN": ""}')
        tree.ok("set", A, "--from-json", str(path))
        expected = {"PASSWORD": "ü\n".encode(), "TOKEN": b"", "USER": b"app"}
        assert tree.values(tree.read(A)) == expected

    def test_in_many_manifests_each_key_goes_where_it_is(self, tree: Desk) -> None:
        result = tree.ok("set", "-f", "apps", "--from-env-file", "-", stdin=self.ENV)
        assert "set TOKEN in apps/other.yaml for prod, staging" in result.err
        assert passwords(tree) == {A: b"a b", B: b"a b", OTHER: None}
        assert tree.values(tree.read(OTHER)) == {"TOKEN": CANARY.encode()}

    def test_beside_keys_and_references(self, tree: Desk) -> None:
        path = tree.keys_folder / "values.env"
        path.write_text("B=b\n")
        arguments = ("USER", "--from-env-file", path, "--reference", f"C={REFERENCE}")
        tree.ok("set", A, *arguments, stdin="u")
        spec = yaml.safe_load(tree.read(A))["spec"]
        assert list(spec["encryptedData"]) == ["B", "PASSWORD", "USER"]
        assert list(spec["references"]) == ["C"]

    @pytest.mark.parametrize(
        ("option", "text", "start"),
        [
            ("--from-env-file", f"A={CANARY}\nA=2\n", "stdin: A: is given twice (line 2)"),
            ("--from-env-file", f"USER={CANARY}\n", "USER: is given twice"),
            ("--from-env-file", CANARY, "stdin: is not NAME=value"),
            ("--from-env-file", "# nothing\n", "there is no key to set"),
            ("--from-json", f'["{CANARY}"]', "stdin: is not one JSON object of strings"),
            ("--from-json", f'{{"A": ["{CANARY}"]}}', "stdin: A: is not a string"),
            ("--from-json", f'{{"A": 5, "B": "{CANARY}"}}', "stdin: A: is not a string"),
            ("--from-json", f'{{"{CANARY}!": ""}}', "stdin: entry number 1 has no data key"),
            ("--from-json", f'{{"A": "{CANARY}', "stdin: "),
            ("--from-json", f'{{"A": "", "A": "{CANARY}"}}', "stdin: "),
            ("--from-json", "[" * 5000, "stdin: "),
            ("--from-json", b"{\xff" + CANARY.encode(), "stdin: is not UTF-8 text"),
            ("--from-json", "{}", "there is no key to set"),
        ],
    )
    def test_mistakes_are_not_quoted(
        self, tree: Desk, option: str, text: str | bytes, start: str
    ) -> None:
        before = tree.files()
        keys = ["--from-file", "USER=x"] if "USER" in str(text) else []
        result = tree.run("set", A, *keys, option, "-", stdin=text)
        assert result.err.startswith(f"sealkit: error: {start}"), result.err
        assert (result.code in {1, 2}, tree.files()) == (True, before)
        assert CANARY not in result.err

    @pytest.mark.parametrize(
        "arguments",
        [
            ["USER", "--from-env-file", "-"],
            ["--from-json", "-", "--from-env-file", "-"],
            ["--from-file", "USER=-", "--from-json", "-"],
        ],
    )
    def test_standard_input_holds_one_thing(self, tree: Desk, arguments: list[str]) -> None:
        start = "standard input holds one of these only"
        refused(tree, "set", A, *arguments, code=2, start=start, stdin="B=1\n")

    def test_the_manifest_is_on_standard_input(self, tree: Desk) -> None:
        start = "standard input holds one of these only"
        arguments = ("set", "-", "--from-env-file", "-")
        refused(tree, *arguments, code=2, start=start, stdin=tree.read(A))
