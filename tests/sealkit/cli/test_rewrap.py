"""`sealkit rewrap`: a whole tree follows the configuration, and no value is touched."""

from __future__ import annotations

import io
import json
import os
from datetime import date
from pathlib import Path

import pytest
import yaml

from sealkit.cli.app import App
from sealkit.cli.main import run
from sealkit.manifests.emit import emit_json, emit_yaml
from tests.sealkit.cli.desk import CANARY, NAMES, TODAY, Desk, key_of, secret_text

ALL = {"paths": ["**"], "clusters": ["prod", "staging"], "scopes": ["strict"]}
PROD = ALL | {"clusters": ["prod"]}
NOTE = (
    "sealkit: note: {} no longer opens {}, but its holders knew the values, and Git's history"
    " still opens for them: change the values, unless the key was only renewed\n"
)


@pytest.fixture
def tree(desk: Desk) -> Desk:
    """Two manifests for `prod`, in a repository that wants `staging` to read them as well."""
    desk.config(rules=[PROD])
    desk.ok("seal", "-o", "a.yaml", stdin=secret_text("a", PASSWORD="hunter2"))
    (desk.folder / "apps").mkdir()
    desk.ok("seal", "-o", "apps/b.yaml", stdin=secret_text("b", PASSWORD="hunter2"))
    desk.config(rules=[ALL])
    return desk


def envelopes(text: str) -> list[dict[str, object]]:
    """The envelopes of all manifests in a text, and what is in them, read by a stranger."""
    found = []
    for document in yaml.safe_load_all(text):
        for item in document.get("items", [document]):
            found += [one["wraps"] for one in item.get("spec", {}).get("envelopes", {}).values()]
    return found


class TestRewrap:
    """Clusters that come and go."""

    def test_a_cluster_that_was_added(self, tree: Desk) -> None:
        before = yaml.safe_load(tree.read("a.yaml"))["spec"]["encryptedData"]
        result = tree.ok("rewrap", ".", "--key", tree.key_file("prod"))
        assert result.err == (
            "rewrapped shop/a in a.yaml: for staging\n"
            "rewrapped shop/b in apps/b.yaml: for staging\n"
            "rewrapped 2 of 2 manifests\n"
        )
        assert result.out == ""
        assert yaml.safe_load(tree.read("a.yaml"))["spec"]["encryptedData"] == before
        for file in ("a.yaml", "apps/b.yaml"):
            assert tree.opens_in(tree.read(file)) == {"prod", "staging"}
            assert tree.values(tree.read(file), "staging") == {"PASSWORD": b"hunter2"}

    def test_a_cluster_that_was_removed_needs_no_key(self, tree: Desk) -> None:
        tree.ok("rewrap", ".", "--key", tree.key_file("prod"))
        tree.config(rules=[PROD])
        result = tree.ok("rewrap", ".")
        assert "rewrapped shop/a in a.yaml: not for staging\n" in result.err
        assert NOTE.format("staging", "2 manifests") in result.err
        assert tree.opens_in(tree.read("a.yaml")) == {"prod"}

    def test_a_key_that_was_renewed(self, tree: Desk) -> None:
        path = tree.recipient("prod", key="lab")
        tree.config(clusters={"prod": tree.entry("prod", kid=key_of("lab").kid)})
        result = tree.ok("rewrap", "a.yaml", "--key", tree.key_file("prod"))
        old = f"key {key_of('prod').kid[:8]}…"
        assert f"rewrapped shop/a in a.yaml: for prod, not for {old}\n" in result.err
        assert NOTE.format(old, "1 manifest") in result.err
        assert tree.opens_in(tree.read("a.yaml")) == {"lab"}
        assert path.exists()

    def test_what_follows_the_configuration_is_not_touched(self, tree: Desk) -> None:
        tree.ok("rewrap", ".", "--key", tree.key_file("prod"))
        before = {path: path.stat().st_ino for path in tree.folder.rglob("*.yaml")}
        result = tree.ok("rewrap", ".", "--key", tree.key_file("prod"))
        assert result.err == "rewrapped 0 of 2 manifests\n"
        assert {path: path.stat().st_ino for path in tree.folder.rglob("*.yaml")} == before

    def test_all_that_is_no_wrap_stays(self, tree: Desk) -> None:
        text = tree.read("a.yaml").replace("  template:", "  # ours\n\n  template:   # why")
        text = f"# owner\r\n{text}---\n{{kind: ConfigMap,  data: {{a: b}}}} # stays"
        tree.write("a.yaml", text)
        tree.ok("rewrap", "a.yaml", "--key", tree.key_file("prod"))
        after = tree.read("a.yaml")
        added = f"{key_of('staging').kid}:"
        left = [line for line in after.split("\n") if added not in line]
        assert left == text.split("\n")
        assert len(left) == len(after.split("\n")) - 1

    def test_several_documents_and_lists(self, tree: Desk) -> None:
        items = [yaml.safe_load(tree.read(file)) for file in ("a.yaml", "apps/b.yaml")]
        of_list = emit_yaml({"apiVersion": "v1", "kind": "List", "items": items})
        tree.write("a.yaml", f"{of_list}---\n{tree.read('a.yaml')}---\n# empty\n")
        result = tree.ok("rewrap", "a.yaml", "--key", tree.key_file("prod"))
        assert result.err.endswith("rewrapped 3 of 3 manifests\n")
        found = envelopes(tree.read("a.yaml").replace("---\n# empty\n", ""))
        assert len(found) == 3
        assert all(set(one) == {key_of(name).kid for name in NAMES} for one in found)

    def test_json(self, tree: Desk) -> None:
        tree.write("a.json", emit_json(yaml.safe_load(tree.read("a.yaml"))))
        tree.ok("rewrap", "a.json", "--key", tree.key_file("prod"))
        assert len(json.loads(tree.read("a.json"))["spec"]["envelopes"]) == 1
        assert tree.opens_in(tree.read("a.json")) == {"prod", "staging"}

    def test_references_alone_need_neither_key_nor_change(self, tree: Desk) -> None:
        tree.ok("seal", "-o", "r.yaml", stdin=secret_text("r", A="vault:kv/a#b"))
        assert tree.ok("rewrap", "r.yaml").err == "rewrapped 0 of 1 manifests\n"

    def test_a_tree_is_full_of_other_things(self, tree: Desk) -> None:
        tree.write("chart/templates/a.yaml", "{{ if .Values.x }}\n")
        tree.write("other.yaml", "kind: ConfigMap\nmetadata: {name: sealkit.dev}\n")
        tree.write("empty.json", "")
        result = tree.ok("rewrap", ".", "--key", tree.key_file("prod"))
        assert result.err.endswith("rewrapped 2 of 2 manifests\n")

    def test_nothing_to_do_at_all(self, tree: Desk) -> None:
        tree.write("other.yaml", "kind: ConfigMap\n")
        result = tree.ok("rewrap", "other.yaml")
        assert result.err == "sealkit: note: there is no SealedSecret in other.yaml\n"

    def test_the_nearest_configuration_decides(self, tree: Desk) -> None:
        entry = tree.entry("prod", recipient="../.sealkit/prod.pub")
        tree.write(
            "apps/.sealkit.yaml",
            emit_yaml({"apiVersion": "sealkit.dev/config/v1", "clusters": {"prod": entry}}),
        )
        result = tree.ok("rewrap", ".", "--key", tree.key_file("prod"))
        assert result.err.endswith("rewrapped 1 of 2 manifests\n")
        assert tree.opens_in(tree.read("apps/b.yaml")) == {"prod"}

    def test_many_files_at_once(self, tree: Desk) -> None:
        text = tree.read("a.yaml")
        for index in range(60):
            tree.write(f"many/{index}.yaml", text)
        result = tree.ok("rewrap", "many", "--jobs", "2", "--key", tree.key_file("prod"))
        assert result.err.endswith("rewrapped 60 of 60 manifests\n")
        for index in range(60):
            assert len(envelopes(tree.read(f"many/{index}.yaml"))[0]) == 2

    def test_the_report_can_be_json(self, tree: Desk) -> None:
        tree.config(rules=[ALL | {"clusters": ["staging"], "paths": ["a.yaml"]}])
        result = tree.run("rewrap", ".", "--json", "--key", tree.key_file("prod"))
        report = result.json
        assert result.code == 6
        (line,) = report.pop("changed")
        (failed,) = report.pop("failed")
        counts = {"files": 2, "skipped": 0, "manifests": 1, "savedBytes": 0}
        assert report == {"verb": "rewrap", "check": False} | counts
        assert (line["added"], line["removed"]) == (["staging"], {key_of("prod").kid: "prod"})
        assert (failed["file"], failed["exitCode"]) == ("apps/b.yaml", 6)


class TestCheck:
    """Nothing is written, and CI hears of it."""

    @pytest.mark.parametrize("with_key", [False, True])
    def test_what_would_change_is_listed(self, tree: Desk, with_key: bool) -> None:  # noqa: FBT001 (a column)
        before = tree.files()
        key = ["--key", str(tree.key_file("prod"))] if with_key else []
        result = tree.run("rewrap", ".", "--check", *key)
        assert (result.code, tree.files()) == (10, before)
        assert result.out == (
            "would rewrap shop/a in a.yaml: for staging\n"
            "would rewrap shop/b in apps/b.yaml: for staging\n"
        )
        assert result.err == "would rewrap 2 of 2 manifests\n"

    def test_with_a_key_it_tells_whether_that_opens_them(self, tree: Desk) -> None:
        assert tree.run("rewrap", ".", "--check", "--key", tree.key_file("lab")).code == 4

    def test_nothing_would_change(self, tree: Desk) -> None:
        tree.config(rules=[PROD])
        result = tree.ok("rewrap", ".", "--check")
        assert (result.out, result.err) == ("", "would rewrap 0 of 2 manifests\n")

    def test_an_error_weighs_more(self, tree: Desk) -> None:
        tree.config(rules=[ALL | {"paths": ["a.yaml"]}])
        result = tree.run("rewrap", ".", "--check")
        assert (result.code, result.out) == (6, "would rewrap shop/a in a.yaml: for staging\n")


class TestRefuses:
    """An error in one file stops no other, and nothing of that file is written."""

    def test_one_bad_document_leaves_its_file_alone(self, tree: Desk) -> None:
        bad = f"{tree.read('a.yaml')}---\n{tree.read('a.yaml').replace('suite: X1', 'suite: X2')}"
        tree.write("a.yaml", bad)
        result = tree.run("rewrap", ".", "--key", tree.key_file("prod"))
        assert (result.code, tree.read("a.yaml")) == (1, bad)
        assert "sealkit: error: a.yaml:2: spec.envelopes." in result.err
        assert result.err.endswith("rewrapped 1 of 1 manifests, 1 file failed\n")
        assert tree.opens_in(tree.read("apps/b.yaml")) == {"prod", "staging"}

    def test_the_code_is_that_of_the_worst(self, tree: Desk) -> None:
        tree.write("c.yaml", "sealkit.dev: [\n")
        tree.config(rules=[ALL | {"paths": ["a.yaml", "c.yaml"]}])
        result = tree.run("rewrap", ".", "--key", tree.key_file("lab"))
        assert result.code == 6
        errors = [line for line in result.err.splitlines() if "error:" in line]
        assert [line.split(":")[2].strip() for line in errors] == [
            "a.yaml",
            "c.yaml",
            "apps/b.yaml",
        ]
        assert result.err.endswith("3 files failed\n")

    def test_a_file_that_no_rule_covers(self, tree: Desk) -> None:
        tree.config(rules=[ALL | {"paths": ["none/**"]}])
        before = tree.files()
        result = tree.run("rewrap", "a.yaml", "--key", tree.key_file("prod"))
        assert (result.code, tree.files()) == (6, before)
        assert "a.yaml: no rule in .sealkit.yaml covers it" in result.err

    def test_a_scope_that_is_not_allowed(self, tree: Desk) -> None:
        tree.config(rules=[ALL | {"scopes": ["cluster-wide"]}])
        result = tree.run("rewrap", "a.yaml", "--key", tree.key_file("prod"))
        assert result.code == 6
        assert "a.yaml:1: spec.scope: strict is not allowed here" in result.err
        assert "hint: sealkit reseal FILE --key KEYS --scope cluster-wide" in result.err

    def test_an_expired_recipient_is_told_once(self, tree: Desk) -> None:
        tree.recipient("staging", not_after=date(2026, 1, 1))
        result = tree.run("rewrap", ".", "--key", tree.key_file("prod"))
        assert result.code == 2
        assert result.err.count("the key expired on 2026-01-01") == 1
        assert result.err.endswith("2 files failed\n")

    def test_no_configuration(self, tree: Desk) -> None:
        (tree.folder / ".sealkit.yaml").unlink()
        result = tree.run("rewrap", ".", "--key", tree.key_file("prod"))
        assert result.code == 2
        assert "there is no .sealkit.yaml here or above" in result.err

    def test_no_key_and_the_wrong_one(self, tree: Desk) -> None:
        before = tree.files()
        for key in ([], ["--key", str(tree.key_file("lab"))]):
            result = tree.run("rewrap", "a.yaml", *key)
            assert (result.code, tree.files()) == (4, before)
            assert f"a.yaml:1: no key here for kid {key_of('prod').kid}" in result.err
            assert "hint: pass the private key of one of them: --key FILE" in result.err

    def test_a_moved_manifest(self, tree: Desk) -> None:
        tree.write("a.yaml", tree.read("a.yaml").replace("name: a", "name: moved"))
        assert tree.run("rewrap", "a.yaml", "--key", tree.key_file("prod")).code == 5

    @pytest.mark.parametrize(
        "arguments",
        [["-"], ["none.yaml"], [], [".", "--check", "--report", "r.json"], [".", "--jobs", "0"]],
        ids=str,
    )
    def test_misuse(self, tree: Desk, arguments: list[str]) -> None:
        before = tree.files()
        result = tree.run("rewrap", *arguments, "--key", tree.key_file("prod"))
        assert (result.code, tree.files()) == (2, before)

    def test_a_link_out_of_the_repository_is_not_covered(self, tree: Desk, tmp_path: Path) -> None:
        outside = tmp_path / "outside.yaml"
        outside.write_text(tree.read("a.yaml"))
        (tree.folder / "link.yaml").symlink_to(outside)
        assert tree.run("rewrap", "link.yaml", "--key", tree.key_file("prod")).code == 2
        assert tree.opens_in(outside.read_text()) == {"prod"}


class TestGoingOn:
    """A report of what is done, for the next run."""

    def test_what_is_done_is_skipped_and_what_failed_is_tried_again(self, tree: Desk) -> None:
        good = tree.read("a.yaml")
        tree.write("a.yaml", good.replace("name: a", "name: moved"))
        options = ("rewrap", ".", "--key", tree.key_file("prod"), "--report", "report.txt")
        assert tree.run(*options).code == 5
        report = json.loads(tree.read("report.txt"))
        assert (report["verb"], report["done"]) == ("rewrap", ["apps/b.yaml"])
        (failed,) = report["failed"]
        assert (failed["file"], failed["exitCode"]) == ("a.yaml", 5)
        tree.write("a.yaml", good)
        result = tree.ok(*options, "--resume", "report.txt")
        assert result.err.endswith("rewrapped 1 of 1 manifests, 1 file done before\n")
        assert json.loads(tree.read("report.txt"))["done"] == ["a.yaml", "apps/b.yaml"]
        result = tree.ok(*options, "--resume", "report.txt")
        assert result.err == "2 files done before\n"

    def test_a_report_that_cannot_be_written_stops_all_before_it_begins(self, tree: Desk) -> None:
        before = tree.files()
        result = tree.run("rewrap", ".", "--key", tree.key_file("prod"), "--report", "none/r.txt")
        assert (result.code, tree.files()) == (1, before)

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "{}", '{"verb": "rewrap", "done": 1}', '{"verb": "reseal", "done": []}'],
    )
    def test_what_is_no_report(self, tree: Desk, text: str) -> None:
        tree.write("r.txt", text)
        before = tree.files()
        result = tree.run("rewrap", ".", "--key", tree.key_file("prod"), "--resume", "r.txt")
        assert (result.code, tree.files()) == (2, before)
        assert result.err.startswith("sealkit: error: r.txt: is not a report")


def test_a_terminal_sees_the_progress(tree: Desk) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    stderr = Screen()
    app = App(
        stdin=io.BytesIO(),
        stdout=io.BytesIO(),
        stderr=stderr,
        folder=str(tree.folder),
        environment={},
        random=os.urandom,
        today=lambda: TODAY,
        ask=lambda _: "",
    )
    assert run(["rewrap", ".", "--key", str(tree.key_file("prod"))], app) == 0
    assert stderr.getvalue().startswith("\rrewrapping 1/2\rrewrapping 2/2\r")


@pytest.mark.parametrize("key", NAMES)
@pytest.mark.parametrize("change", ["", "name: db", "type: Opaque", "PASSWORD: sealed", "wraps"])
def test_a_value_shows_nowhere(desk: Desk, key: str, change: str) -> None:
    desk.config(rules=[PROD])
    desk.ok("seal", "-o", "db.yaml", stdin=secret_text(PASSWORD=CANARY))
    text = desk.read("db.yaml")
    desk.write("db.yaml", text.replace(change, f"{change}-x") if change else text)
    desk.config(rules=[ALL])
    result = desk.run("rewrap", ".", "--key", desk.key_file(key), "--report", "r.json", "--json")
    assert "internal error" not in result.err
    written = "".join(content.decode() for content in desk.files().values())
    assert CANARY not in result.out + result.err + written
