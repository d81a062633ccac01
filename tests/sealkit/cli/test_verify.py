"""`sealkit verify`: what it finds, where, and how it ends."""

from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any

import pytest

from sealkit.config import NAME
from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import CANARY, Desk, Result, key_of, only_sealed, secret_text

FILE = "apps/db.yaml"
CONFIG = {"apiVersion": "sealkit.dev/config/v1"}
RULE = {"paths": ["apps/**"], "clusters": ["prod"], "scopes": ["strict"]}
REFERENCE = "vault:kv/shop/db#password"


def sealed(desk: Desk, file: str = FILE, *arguments: str, text: str = "") -> None:
    desk.write(file, "")
    desk.ok("seal", "-o", file, *arguments, stdin=text or secret_text())


def edit(desk: Desk, old: str, new: str, file: str = FILE) -> None:
    assert old in desk.read(file)
    desk.write(file, desk.read(file).replace(old, new))


def findings(desk: Desk, *arguments: str, **world: Any) -> list[tuple[str, str, str]]:
    """Return rule, place and field of what is found."""
    result = desk.run("verify", "--format", "json", *arguments, **world)
    assert result.code in {0, 3}, result.err
    return [
        (one["rule"], f"{one['file']}:{one['line']}", one["field"])
        for one in result.json["findings"]
    ]


def rule_ids(desk: Desk, *arguments: str, **world: Any) -> list[str]:
    return [rule for rule, *_ in findings(desk, *arguments, **world)]


@pytest.fixture
def tree(desk: Desk) -> Desk:
    sealed(desk)
    return desk


class TestEnd:
    """Exit codes, summary, output."""

    def test_clean(self, tree: Desk) -> None:
        result = tree.run("verify")
        assert result == Result(0, "", "sealkit: 1 manifest: no findings\n")

    def test_findings(self, tree: Desk) -> None:
        edit(tree, "scope: strict", "scope: wide")
        result = tree.run("verify")
        assert result.code == 3
        assert result.out.startswith(f"{FILE}:7:3: error SK202: shop/db: spec.scope: is not one of")
        assert result.err == "sealkit: 1 manifest: 1 error\n"

    @pytest.mark.parametrize(("threshold", "code"), [("error", 0), ("warning", 3), ("note", 3)])
    def test_fail_on(self, bare: Desk, threshold: str, code: int) -> None:
        bare.ok("seal", "-o", "a.yaml", "--recipient", bare.recipient("lab"), stdin=secret_text())
        assert bare.run("verify", "--fail-on", threshold).code == code

    def test_notes_do_not_fail(self, desk: Desk) -> None:
        sealed(desk, text=secret_text(A=REFERENCE))
        result = desk.run("verify")
        assert result.code == 0
        assert result.err == "sealkit: 1 manifest: 2 notes\n"
        assert desk.run("verify", "--fail-on", "note").code == 3

    def test_nothing_to_verify(self, desk: Desk) -> None:
        assert desk.run("verify").err == "sealkit: 0 manifests: no findings\n"

    def test_a_path_that_is_not_there(self, tree: Desk) -> None:
        result = tree.run("verify", "none.yaml")
        assert (result.code, result.out) == (2, "")

    def test_a_file_that_cannot_be_read_stops_no_other(self, tree: Desk) -> None:
        edit(tree, "scope: strict", "scope: wide")
        (tree.folder / "apps" / "x.yaml").symlink_to("nowhere")
        result = tree.run("verify")
        assert result.code == 1
        assert "SK202" in result.out
        assert result.err.startswith("sealkit: error: apps/x.yaml: cannot be read")

    def test_a_broken_configuration_is_misuse(self, tree: Desk) -> None:
        tree.write("apps/.sealkit.yaml", "apiVersion: sealkit.dev/config/v2\n")
        result = tree.run("verify")
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("sealkit: error: apps/.sealkit.yaml:")

    def test_into_a_file(self, tree: Desk) -> None:
        edit(tree, "scope: strict", "scope: wide")
        before = tree.files()
        result = tree.run("verify", "--format", "sarif", "-o", "out.sarif")
        assert (result.code, result.out) == (3, "")
        assert json.loads(tree.read("out.sarif"))["version"] == "2.1.0"
        assert {**tree.files()} == {**before, "out.sarif": tree.files()["out.sarif"]}

    def test_standard_input(self, tree: Desk) -> None:
        text = tree.read(FILE)
        assert tree.run("verify", "-", stdin=text).code == 0
        wrong = text.replace("scope: strict", "scope: wide")
        assert tree.run("verify", "-", stdin=wrong).out.startswith("stdin:7:3: error SK202")

    def test_standard_input_is_one_thing(self, tree: Desk) -> None:
        result = tree.run("verify", "-", "--with-key", "-", stdin=tree.read(FILE))
        assert (result.code, result.out) == (2, "")

    def test_an_absolute_path_is_shown_from_here(self, tree: Desk) -> None:
        edit(tree, "scope: strict", "scope: wide")
        assert findings(tree, str(tree.folder / FILE))[0][1] == f"{FILE}:7"

    @pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github", "gitlab"])
    def test_names_of_strangers_do_nothing_to_a_terminal(self, tree: Desk, form: str) -> None:
        edit(tree, "scope: strict", '"sc\\e[31mope": strict')
        result = tree.run("verify", "--format", form)
        assert result.code == 3
        assert "\x1b" not in result.out + result.err


class TestFiles:
    """Which files are looked into."""

    def test_files_that_are_none_of_ours_are_not_read_as_yaml(self, tree: Desk) -> None:
        tree.write("chart/a.yaml", "a: {{ .x }}\n  - b")
        tree.write("apps/health.yaml", "x: &a sealkit.dev/other\n")
        tree.write("apps/other.yaml", "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n")
        assert findings(tree) == []

    def test_one_that_is_ours_and_cannot_be_read(self, tree: Desk) -> None:
        text = "kind: Other\n---\napiVersion: sealkit.dev/v1alpha1\nkind: SealedSecret\na: &x 1\n"
        tree.write("apps/a.yaml", text)
        ((rule, place, _),) = findings(tree)
        assert (rule, place) == ("SK201", "apps/a.yaml:5")

    def test_one_that_is_no_text(self, tree: Desk) -> None:
        tree.write("apps/a.yaml", b"# sealkit.dev SealedSecret \xff\n")
        assert findings(tree) == [("SK201", "apps/a.yaml:1", "")]

    def test_documents_lists_and_json(self, tree: Desk) -> None:
        raw = only_sealed(tree.read(FILE))
        raw["spec"]["scope"] = 3
        nested = {"apiVersion": "v1", "kind": "List", "items": [{"kind": "X"}, raw]}
        tree.write("apps/list.yaml", f"a: 1\n---\n{emit_yaml(nested)}")
        tree.write("apps/x.json", json.dumps(raw))
        found = findings(tree)
        assert [one[0] for one in found] == ["SK202", "SK202"]
        assert found[0][1:] == ("apps/list.yaml:13", "items[1].spec.scope")
        assert found[1][1:] == ("apps/x.json:1", "spec.scope")

    def test_a_glob(self, tree: Desk) -> None:
        assert tree.run("verify", "apps/*.yaml").err.startswith("sealkit: 1 manifest: ")


class TestManifest:
    """SK2: the manifest by itself."""

    def test_an_unknown_field(self, tree: Desk) -> None:
        edit(tree, "  scope: strict", "  scope: strict\n  scpoe: x")
        assert findings(tree) == [("SK202", f"{FILE}:8", "spec.scpoe")]

    def test_a_missing_field_is_told_where_it_should_be(self, tree: Desk) -> None:
        edit(tree, "  scope: strict\n", "")
        assert findings(tree) == [("SK202", f"{FILE}:6", "spec.scope")]

    def test_a_name_that_is_none(self, tree: Desk) -> None:
        edit(tree, "metadata:\n  name: db\n  namespace: shop\n", "metadata: []\n")
        assert rule_ids(tree) == ["SK202"]

    def test_a_bad_reference(self, desk: Desk) -> None:
        sealed(desk, text=secret_text(A=REFERENCE, PASSWORD="x"))
        edit(desk, "path: kv/shop/db", "path: kv/../db")
        ((rule, place, field),) = findings(desk)
        assert (rule, field.startswith("spec.references.A")) == ("SK203", True)
        assert place.startswith(f"{FILE}:")

    def test_no_namespace(self, tree: Desk) -> None:
        edit(tree, "  namespace: shop\n", "")
        assert findings(tree) == [("SK204", f"{FILE}:3", "metadata.namespace")]

    def test_references_only(self, desk: Desk) -> None:
        sealed(desk, text=secret_text(A=REFERENCE, B=REFERENCE))
        assert rule_ids(desk) == ["SK210", "SK306"]


class TestPolicy:
    """SK1: who is to read it."""

    def wraps(self, desk: Desk, key: str = "") -> str:
        eid = next(iter(only_sealed(desk.read(FILE))["spec"]["envelopes"]))
        return f"spec.envelopes.{eid}.wraps" + (f".{key_of(key).kid}" if key else "")

    def test_a_cluster_too_many(self, tree: Desk) -> None:
        tree.config([RULE])
        ((rule, _, field),) = findings(tree)
        assert (rule, field) == ("SK103", self.wraps(tree, "staging"))

    def test_a_cluster_that_is_missing(self, desk: Desk) -> None:
        sealed(desk, FILE, "-c", "prod")
        assert findings(desk) == [("SK102", f"{FILE}:11", self.wraps(desk))]

    def test_a_key_that_nobody_knows(self, tree: Desk) -> None:
        tree.config(clusters={"prod": tree.entry("prod")})
        ((rule, _, field),) = findings(tree)
        assert (rule, field) == ("SK104", self.wraps(tree, "staging"))

    def test_a_file_that_no_rule_covers(self, tree: Desk) -> None:
        tree.config([{**RULE, "paths": ["prod/**"]}])
        assert findings(tree) == [("SK101", f"{FILE}:1", "")]

    def test_a_scope_that_is_not_allowed(self, desk: Desk) -> None:
        sealed(desk, FILE, "-c", "prod", "--scope", "namespace-wide")
        desk.config([RULE])
        assert findings(desk) == [("SK105", f"{FILE}:7", "spec.scope")]

    def test_the_rule_of_the_nearest_configuration(self, tree: Desk) -> None:
        entries = {"prod": tree.entry("prod", recipient="../.sealkit/prod.pub")}
        tree.write(f"apps/{NAME}", emit_yaml({**CONFIG, "clusters": entries}))
        assert rule_ids(tree) == ["SK104"]

    def test_no_configuration(self, tree: Desk) -> None:
        (tree.folder / NAME).unlink()
        assert findings(tree) == [("SK106", f"{FILE}:1", "")]

    def test_rules_do_not_cover_standard_input(self, tree: Desk) -> None:
        text = tree.read(FILE)
        tree.config([RULE])
        assert rule_ids(tree, "-", stdin=text) == []

    def test_references_need_no_recipients(self, desk: Desk) -> None:
        sealed(desk, text=secret_text(A=REFERENCE))
        desk.config([RULE])
        assert rule_ids(desk) == ["SK210", "SK306"]


class TestRepository:
    """SK3: all files together."""

    def test_two_for_one_secret(self, tree: Desk) -> None:
        tree.write("apps/z.yaml", tree.read(FILE))
        result = tree.run("verify")
        assert result.out.startswith("apps/z.yaml:4:3: error SK301: shop/db: metadata.name: makes")
        assert f"as {FILE}:4:3\n" in result.out

    def test_two_for_two_clusters_are_none_too_many(self, desk: Desk) -> None:
        sealed(desk, "prod/db.yaml", "-c", "prod")
        sealed(desk, "staging/db.yaml", "-c", "staging")
        rules = [{"paths": [f"{name}/**"], "clusters": [name]} for name in ("prod", "staging")]
        desk.config(rules)
        assert findings(desk) == []

    def test_two_of_references_for_two_clusters(self, desk: Desk) -> None:
        for name in ("prod", "staging"):
            sealed(desk, f"{name}/db.yaml", text=secret_text(A=REFERENCE))
        assert "SK301" in rule_ids(desk)
        desk.config([{"paths": [f"{name}/**"], "clusters": [name]} for name in ("prod", "staging")])
        assert "SK301" not in rule_ids(desk)

    @pytest.mark.parametrize(
        ("today", "expected"),
        [(date(2026, 11, 30), []), (date(2026, 12, 2), ["SK305"]), (date(2027, 1, 1), ["SK304"])],
    )
    def test_a_key_that_expires(self, tree: Desk, today: date, expected: list[str]) -> None:
        tree.recipient("prod", not_after=date(2026, 12, 31))
        assert rule_ids(tree, today=today) == expected

    def test_the_finding_is_in_the_configuration(self, tree: Desk) -> None:
        (tree.folder / ".sealkit" / "staging.pub").unlink()
        assert findings(tree) == [("SK302", f"{NAME}:6", "clusters.staging")]

    def test_a_damaged_recipient_file(self, tree: Desk) -> None:
        tree.write(".sealkit/prod.pub", "nothing")
        assert rule_ids(tree) == ["SK302"]

    def test_a_recipient_file_with_another_key(self, tree: Desk) -> None:
        tree.recipient("prod", key="mallory")
        assert rule_ids(tree) == ["SK303"]

    def test_a_folder_without_manifests_still_has_a_configuration(self, desk: Desk) -> None:
        desk.recipient("prod", key="mallory")
        assert rule_ids(desk) == ["SK303"]

    def test_stores(self, desk: Desk) -> None:
        sealed(desk, text=secret_text(A=REFERENCE, PASSWORD="x"))
        assert rule_ids(desk) == ["SK306"]
        store: dict[str, Any] = {"apiVersion": "sealkit.dev/v1alpha1", "kind": "VaultStore"}
        desk.write("stores.yaml", emit_yaml({**store, "metadata": {"name": "default"}}))
        assert rule_ids(desk) == ["SK306"]
        metadata = {"name": "default", "namespace": "shop"}
        desk.write("stores.yaml", emit_yaml({**store, "metadata": metadata}))
        assert rule_ids(desk) == []

    def test_a_store_of_the_cluster(self, desk: Desk) -> None:
        text = secret_text(A=REFERENCE, PASSWORD="x")
        sealed(desk, FILE, "--cluster-store", "main", text=text)
        head = "apiVersion: sealkit.dev/v1alpha1\nkind: ClusterVaultStore\n"
        desk.write("stores.yaml", f"{head}---\n{head}metadata: {{name: _}}\n")
        assert rule_ids(desk) == ["SK306"]
        desk.write("stores.yaml", f"{head}metadata: {{name: main}}\n")
        assert rule_ids(desk) == []

    def test_a_kustomization_that_renames(self, tree: Desk) -> None:
        text = "# here\n---\nresources: [db.yaml]\nnamePrefix: pre-\nnamespace: other\n"
        tree.write("apps/kustomization.yaml", text)
        assert findings(tree) == [
            ("SK307", f"{FILE}:4", "metadata.name"),
            ("SK307", f"{FILE}:4", "metadata.namespace"),
        ]

    @pytest.mark.parametrize("text", ["", "- a\n", "a: [\n"])
    def test_a_kustomization_that_says_nothing(self, tree: Desk, text: str) -> None:
        tree.write("apps/kustomization.yaml", text)
        assert findings(tree) == []


class TestAllowed:
    """Findings that comments allow."""

    @pytest.fixture
    def lax(self, tree: Desk) -> Desk:
        tree.config([{**RULE, "paths": ["prod/**"]}])
        tree.write(FILE, f"# sealkit:allow SK101 a test\n{tree.read(FILE)}")
        return tree

    def test_it_is_counted_and_not_shown(self, lax: Desk) -> None:
        result = lax.run("verify")
        assert result == Result(0, "", "sealkit: 1 manifest: no findings; 1 finding allowed\n")

    def test_it_is_shown_when_asked_for(self, lax: Desk) -> None:
        result = lax.ok("verify", "--show-allowed")
        assert result.out == (
            f"{FILE}:2:1: allowed SK101: shop/db: no rule covers the file (a test)\n"
        )

    def test_without_a_reason(self, lax: Desk) -> None:
        edit(lax, " a test", "")
        assert rule_ids(lax) == ["SK001", "SK101"]

    def test_in_the_configuration(self, tree: Desk) -> None:
        (tree.folder / ".sealkit" / "staging.pub").unlink()
        edit(tree, "  staging:", "  # sealkit:allow SK302 comes tomorrow\n  staging:", NAME)
        assert rule_ids(tree) == []

    def test_in_a_file_that_cannot_be_read(self, tree: Desk) -> None:
        head = "# sealkit:allow SK201 a template\n"
        tree.write(
            "a.yaml", f"{head}apiVersion: sealkit.dev/v1\nkind: SealedSecret\na: {{{{ x }}}}\n"
        )
        assert rule_ids(tree) == []


class TestWithKey:
    """Opening every value, and showing none."""

    SECRET = secret_text(PASSWORD=CANARY)

    @pytest.fixture
    def marked(self, desk: Desk) -> Desk:
        sealed(desk, text=self.SECRET)
        return desk

    def verify(self, desk: Desk, *keys: str, form: str = "json") -> Result:
        result = desk.run("verify", "--with-key", desk.key_file(*keys), "--format", form)
        encoded = base64.b64encode(CANARY.encode()).decode()
        for text in (CANARY, encoded, CANARY.encode().hex()):
            assert text not in result.out + result.err
        return result

    @pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github", "gitlab"])
    def test_it_opens(self, marked: Desk, form: str) -> None:
        assert self.verify(marked, "prod", form=form).code == 0

    @pytest.mark.parametrize(
        ("old", "new"),
        [("name: db", "name: bd"), ("namespace: shop", "namespace: shap"), ("PASSWORD: ", "P: ")],
    )
    def test_it_does_not_open(self, marked: Desk, old: str, new: str) -> None:
        assert findings(marked) == []
        edit(marked, old, new)
        assert findings(marked) == []
        result = self.verify(marked, "prod")
        assert [one["rule"] for one in result.json["findings"]] == ["SK208"]

    def test_no_key_is_for_it(self, marked: Desk) -> None:
        result = self.verify(marked, "lab")
        assert [one["rule"] for one in result.json["findings"]] == ["SK209"]
        assert result.code == 3

    def test_it_needs_a_namespace(self, marked: Desk) -> None:
        edit(marked, "  namespace: shop\n", "")
        result = self.verify(marked, "prod")
        assert [one["rule"] for one in result.json["findings"]] == ["SK204", "SK208"]

    def test_references_need_no_key(self, desk: Desk) -> None:
        sealed(desk, text=secret_text(A=REFERENCE))
        assert self.verify(desk, "lab").code == 0

    def test_a_key_file_that_is_none(self, marked: Desk) -> None:
        result = marked.run("verify", "--with-key", FILE)
        assert (result.code, result.out) == (2, "")

    def test_a_plain_secret_in_the_wrong_place_is_not_quoted(self, marked: Desk) -> None:
        text = marked.read(FILE)
        start = text.index("    PASSWORD: ") + len("    PASSWORD: ")
        marked.write(FILE, text[:start] + CANARY + text[text.index("\n", start) :])
        result = self.verify(marked, "prod")
        assert [one["rule"] for one in result.json["findings"]] == ["SK202"]
