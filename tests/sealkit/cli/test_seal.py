"""`sealkit seal`: what goes in, what comes out, and every refusal."""

from __future__ import annotations

import json
import os

import pytest
import yaml

from tests.sealkit.cli.desk import CANARY, TODAY, Desk, Result, key_of, only_sealed, secret_text

MIXED = """\
# the shop
apiVersion: v1
kind: ConfigMap   # plain
metadata: {name: settings}
data:
  colour:   "blue"
---
# its password
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
stringData:
  PASSWORD: hunter2
---
# the end
kind: Service
"""
VALUES = {"PASSWORD": b"hunter2", "USER": b"app"}


def refused(result: Result, code: int, start: str) -> None:
    """A refusal: its exit code, one line that starts so, and nothing on standard output."""
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def test_from_stdin_to_stdout_for_every_cluster(desk: Desk) -> None:
    result = desk.ok("seal", stdin=secret_text())
    assert result.err == "sealed shop/db: 2 values for prod, staging (strict)\n"
    for cluster in ("prod", "staging"):
        assert desk.values(result.out, cluster) == VALUES


def test_a_file_is_read_and_stays_as_it_is(desk: Desk) -> None:
    desk.write("secret.yaml", secret_text())
    before = desk.files()
    assert desk.values(desk.ok("seal", "secret.yaml").out) == VALUES
    assert desk.files() == before


def test_minus_means_standard_input(desk: Desk) -> None:
    assert desk.values(desk.ok("seal", "-", stdin=secret_text()).out) == VALUES


def test_other_documents_keep_every_byte(desk: Desk) -> None:
    out = desk.ok("seal", stdin=MIXED).out
    first, _, rest = MIXED.partition("---\n")
    assert out.startswith(f"{first}---\n# its password\n")
    assert out.endswith(rest[rest.index("---") :])
    assert desk.values(out) == {"PASSWORD": b"hunter2"}


def test_windows_line_ends_stay(desk: Desk) -> None:
    out = desk.ok("seal", stdin=MIXED.replace("\n", "\r\n")).out
    assert out.count("\n") == out.count("\r\n") > 10
    assert desk.values(out) == {"PASSWORD": b"hunter2"}


def test_json_stays_json(desk: Desk) -> None:
    raw = yaml.safe_load(secret_text())
    out = desk.ok("seal", stdin=json.dumps(raw)).out
    assert json.loads(out)["kind"] == "SealedSecret"
    assert desk.values(out) == VALUES


def test_items_of_a_list_are_sealed_one_by_one(desk: Desk) -> None:
    items = [{"apiVersion": "v1", "kind": "ConfigMap"}, yaml.safe_load(secret_text())]
    raw = {"apiVersion": "v1", "kind": "List", "items": items}
    out = yaml.safe_load(desk.ok("seal", stdin=yaml.safe_dump(raw)).out)
    assert [item["kind"] for item in out["items"]] == ["ConfigMap", "SealedSecret"]


def test_items_of_a_secret_list_need_not_repeat_their_kind(desk: Desk) -> None:
    secret = {"metadata": {"name": "db", "namespace": "shop"}, "stringData": {"A": CANARY}}
    inner = {"apiVersion": "v1", "kind": "SecretList", "items": [secret]}
    for raw in (inner, {"apiVersion": "v1", "kind": "List", "items": [inner]}):
        out = desk.ok("seal", stdin=json.dumps(raw)).out
        assert CANARY not in out
        assert "sealed:" in out


def test_sealed_input_passes_through_unchanged(desk: Desk) -> None:
    sealed = desk.ok("seal", stdin=MIXED).out
    result = desk.ok("seal", stdin=sealed)
    assert (result.out, result.err) == (sealed, "")


def test_text_without_a_secret_passes_through_with_a_note(desk: Desk) -> None:
    text = "kind: ConfigMap\n"
    result = desk.ok("seal", stdin=text)
    assert result.out == text
    assert result.err == "sealkit: note: there is no Secret in stdin\n"


def test_output_goes_to_a_file(desk: Desk) -> None:
    result = desk.ok("seal", "-o", "db.sealed.yaml", stdin=secret_text())
    assert result.out == ""
    assert desk.values(desk.read("db.sealed.yaml")) == VALUES
    assert (desk.folder / "db.sealed.yaml").stat().st_mode & 0o777 == 0o644 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_report_can_be_json(desk: Desk) -> None:
    result = desk.ok("seal", "-o", "db.yaml", "--json", stdin=secret_text())
    line = {"document": 1, "file": "stdin", "namespace": "shop", "name": "db", "keys": 2}
    assert result.json == [{**line, "scope": "strict", "clusters": ["prod", "staging"]}]
    assert result.err == ""


def test_several_files_are_sealed_in_place(desk: Desk) -> None:
    for name in ("a", "b"):
        desk.write(f"{name}.yaml", secret_text(name))
    result = desk.ok("seal", "-i", "a.yaml", "b.yaml")
    for name in ("a", "b"):
        assert desk.values(desk.read(f"{name}.yaml")) == VALUES
    assert [line.split()[1] for line in result.err.splitlines()] == ["shop/a:", "shop/b:"]


def test_a_sealed_file_is_not_written_again(desk: Desk) -> None:
    path = desk.write("a.yaml", secret_text())
    desk.ok("seal", "-i", "a.yaml")
    before = path.stat()
    desk.ok("seal", "-i", "a.yaml")
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_an_error_in_one_file_leaves_all_as_they_were(desk: Desk) -> None:
    desk.write("good.yaml", secret_text())
    desk.write("bad.yaml", MIXED.replace("name: db", "name: Not_A_Name"))
    before = desk.files()
    result = desk.run("seal", "-i", "good.yaml", "bad.yaml")
    refused(result, 1, "bad.yaml:2: metadata.name: ")
    assert desk.files() == before


@pytest.mark.parametrize("scope", ["strict", "namespace-wide", "cluster-wide"])
def test_each_scope(desk: Desk, scope: str) -> None:
    out = desk.ok("seal", "--scope", scope, stdin=secret_text()).out
    assert only_sealed(out)["spec"]["scope"] == scope
    assert desk.values(out) == VALUES


def test_a_cluster_wide_value_needs_no_namespace(desk: Desk) -> None:
    out = desk.ok("seal", "--scope", "cluster-wide", stdin=secret_text(namespace="")).out
    assert desk.values(out) == VALUES


def test_a_strict_value_needs_a_namespace(desk: Desk) -> None:
    refused(desk.run("seal", stdin=secret_text(namespace="")), 1, "stdin:1: metadata.namespace: ")


def test_namespace_fills_in_where_there_is_none(desk: Desk) -> None:
    out = desk.ok("seal", "-n", "shop", stdin=secret_text(namespace="")).out
    assert only_sealed(out)["metadata"]["namespace"] == "shop"


def test_namespace_must_not_contradict_the_secret(desk: Desk) -> None:
    result = desk.run("seal", "-n", "stage", stdin=secret_text())
    refused(result, 1, "stdin:1: metadata.namespace: ")


def test_name_replaces_the_name_of_the_one_secret(desk: Desk) -> None:
    out = desk.ok("seal", "--name", "other", stdin=secret_text()).out
    assert only_sealed(out)["metadata"]["name"] == "other"


def test_name_needs_exactly_one_secret(desk: Desk) -> None:
    text = f"{secret_text('a')}---\n{secret_text('b')}"
    refused(desk.run("seal", "--name", "other", stdin=text), 2, "stdin: ")


def test_raw_takes_the_input_as_one_value(desk: Desk) -> None:
    arguments = ("--raw", "KEY", "--name", "db", "-n", "shop")
    result = desk.ok("seal", *arguments, stdin=bytes(range(256)))
    assert desk.values(result.out) == {"KEY": bytes(range(256))}
    assert result.err == "sealed shop/db: 1 value for prod, staging (strict)\n"


def test_raw_reads_a_file(desk: Desk) -> None:
    desk.write("value", "x")
    arguments = ("--raw", "KEY", "--name", "db", "-n", "shop", "-o", "out.yaml", "--json")
    result = desk.ok("seal", *arguments, "value")
    assert result.json[0]["file"] == "value"
    assert desk.values(desk.read("out.yaml")) == {"KEY": b"x"}


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        pytest.param(["-i"], "--in-place", id="in-place-of-stdin"),
        pytest.param(["-i", "a.yaml", "-o", "b.yaml"], "--in-place", id="in-place-and-output"),
        pytest.param(["-i", "a.yaml", "--as", "b.yaml"], "--in-place", id="in-place-and-as"),
        pytest.param(["a.yaml", "b.yaml"], "several files", id="several-to-stdout"),
        pytest.param(["--json"], "--json", id="json-and-manifest-on-stdout"),
        pytest.param(["--raw", "K"], "--raw", id="raw-without-name"),
        pytest.param(
            ["--raw", "K", "--name", "x", "-i", "a.yaml"], "--in-place", id="raw-in-place"
        ),
        pytest.param(["--raw", "K", "--name", "X!", "-n", "a"], "--name: ", id="bad-name"),
        pytest.param(["--name", "X!"], "--name: ", id="bad-new-name"),
        pytest.param(["-n", "X!"], "--namespace: ", id="bad-namespace"),
        pytest.param(["--scope", "wide"], "invalid value for '--scope'", id="unknown-scope"),
        pytest.param(["--value", "x"], "no such option", id="no-value-option"),
    ],
)
def test_misuse(desk: Desk, arguments: list[str], start: str) -> None:
    desk.write("a.yaml", secret_text())
    refused(desk.run("seal", *arguments, stdin=secret_text()), 2, start)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        pytest.param("kind: [\n", "stdin:1: ", id="not-yaml"),
        pytest.param("{a: 1, a: 2}\n", "stdin:1: ", id="duplicate-key"),
        pytest.param(b"\xff\xfe", "stdin: not UTF-8", id="not-text"),
        pytest.param(secret_text() + "datta: {}\n", "stdin:1: datta: ", id="unknown-field"),
        pytest.param(
            secret_text().replace("stringData", "data"), "stdin:1: data.PASSWORD: ", id="not-base64"
        ),
        pytest.param(
            secret_text() + "type: kubernetes.io/tls\n", "stdin:1: data.tls.crt: ", id="type-rule"
        ),
        pytest.param(
            secret_text() + "type: kubernetes.io/service-account-token\n",
            "stdin:1: type: ",
            id="refused-type",
        ),
    ],
)
def test_a_bad_manifest(desk: Desk, text: str | bytes, start: str) -> None:
    refused(desk.run("seal", stdin=text), 1, start)


def test_a_missing_file(desk: Desk) -> None:
    refused(desk.run("seal", "none.yaml"), 1, "none.yaml: cannot be read: no such file")


def test_too_much_input(desk: Desk) -> None:
    refused(desk.run("seal", stdin=b"#" * (2**24 + 1)), 2, "stdin: is larger than 16 MiB")


def test_nowhere_to_write(desk: Desk) -> None:
    result = desk.run("seal", "-o", "none/db.yaml", stdin=secret_text())
    refused(result, 1, "none/db.yaml: cannot be written: no such file")


class TestAudience:
    """Who can open the result."""

    def test_only_the_cluster_asked_for(self, desk: Desk) -> None:
        out = desk.ok("seal", "-c", "prod", stdin=secret_text()).out
        assert desk.opens_in(out) == {"prod"}

    def test_a_cluster_asked_for_twice_counts_once(self, desk: Desk) -> None:
        result = desk.ok("seal", "-c", "prod", "-c", "prod", stdin=secret_text())
        assert result.err.endswith("for prod (strict)\n")

    def test_an_unknown_cluster(self, desk: Desk) -> None:
        result = desk.run("seal", "-c", "dev", stdin=secret_text())
        refused(result, 2, "there is no cluster 'dev' in .sealkit.yaml, expected prod, staging")

    def test_recipient_files_serve_where_there_is_no_configuration(self, bare: Desk) -> None:
        path = bare.recipient("lab")
        result = bare.ok("seal", "--recipient", path, stdin=secret_text())
        assert result.err == "sealed shop/db: 2 values for lab (strict)\n"
        assert bare.opens_in(result.out) == {"lab"}

    def test_neither_configuration_nor_recipient(self, bare: Desk) -> None:
        result = bare.run("seal", stdin=secret_text())
        refused(result, 2, "there is no .sealkit.yaml here or above\nsealkit: hint: sealkit init")

    def test_a_configuration_without_clusters(self, bare: Desk) -> None:
        bare.ok("init")
        refused(bare.run("seal", stdin=secret_text()), 2, "there is no cluster in .sealkit.yaml")

    def test_an_expired_recipient_file_without_configuration(self, bare: Desk) -> None:
        path = bare.recipient("lab", not_after=TODAY.replace(day=1, month=1))
        result = bare.run("seal", "--recipient", path, stdin=secret_text())
        refused(result, 2, ".sealkit/lab.pub: the key expired on 2026-01-01")

    def test_a_pinned_recipient_file_stands_for_its_cluster(self, desk: Desk) -> None:
        path = desk.folder / ".sealkit" / "staging.pub"
        out = desk.ok("seal", "--recipient", path, stdin=secret_text()).out
        assert desk.opens_in(out) == {"staging"}

    def test_a_recipient_file_that_is_not_pinned(self, desk: Desk) -> None:
        path = desk.recipient("lab")
        result = desk.run("seal", "--recipient", path, stdin=secret_text())
        refused(result, 6, ".sealkit/lab.pub: key ")

    def test_a_recipient_file_does_not_get_round_a_rule(self, desk: Desk) -> None:
        desk.config(rules=[{"paths": ["prod/**"], "clusters": ["prod"]}])
        path = desk.folder / ".sealkit" / "staging.pub"
        result = desk.run("seal", "--recipient", path, "--as", "prod/a.yaml", stdin=secret_text())
        refused(result, 6, "prod/a.yaml: is to be sealed for prod, not for staging")

    def test_an_expired_key(self, desk: Desk) -> None:
        desk.recipient("prod", not_after=TODAY)
        desk.ok("seal", stdin=secret_text())
        result = desk.run("seal", stdin=secret_text(), today=TODAY.replace(day=2))
        refused(result, 2, ".sealkit/prod.pub: the key expired on 2026-11-01")

    def test_the_configuration_may_end_a_key_earlier(self, desk: Desk) -> None:
        desk.config(clusters={"prod": desk.entry("prod", notAfter="2026-10-31")})
        refused(desk.run("seal", stdin=secret_text()), 2, ".sealkit/prod.pub: the key expired")

    def test_a_recipient_file_with_another_key_than_the_pinned_one(self, desk: Desk) -> None:
        desk.recipient("prod", key="attacker")
        result = desk.run("seal", stdin=secret_text())
        refused(result, 2, f".sealkit/prod.pub: holds key {key_of('attacker').kid}")

    def test_a_recipient_file_that_is_missing(self, desk: Desk) -> None:
        (desk.folder / ".sealkit" / "prod.pub").unlink()
        refused(desk.run("seal", stdin=secret_text()), 1, ".sealkit/prod.pub: cannot be read")


RULES = [
    {"paths": ["apps/*/prod/**"], "clusters": ["prod"], "scopes": ["strict"]},
    {"paths": ["apps/**"], "clusters": ["staging"]},
]


class TestRules:
    """What the rules of the configuration make of a target."""

    @pytest.fixture
    def ruled(self, desk: Desk) -> Desk:
        desk.config(rules=RULES)
        return desk

    @pytest.mark.parametrize(
        ("target", "cluster"),
        [("apps/a/prod/db.yaml", "prod"), ("apps/a/x/db.yaml", "staging")],
    )
    def test_the_first_match_decides(self, ruled: Desk, target: str, cluster: str) -> None:
        out = ruled.ok("seal", "--as", target, stdin=secret_text()).out
        assert ruled.opens_in(out) == {cluster}

    def test_the_output_file_decides(self, ruled: Desk) -> None:
        (ruled.folder / "apps").mkdir()
        ruled.ok("seal", "-o", "apps/db.yaml", stdin=secret_text())
        assert ruled.opens_in(ruled.read("apps/db.yaml")) == {"staging"}

    def test_each_file_in_place_decides_for_itself(self, ruled: Desk) -> None:
        names = {"apps/a/prod/db.yaml": "prod", "apps/db.yaml": "staging"}
        for name in names:
            ruled.write(name, secret_text())
        ruled.ok("seal", "-i", *names)
        for name, cluster in names.items():
            assert ruled.opens_in(ruled.read(name)) == {cluster}

    def test_no_rule_covers_the_file(self, ruled: Desk) -> None:
        result = ruled.run("seal", "--as", "db.yaml", stdin=secret_text())
        refused(result, 6, "db.yaml: no rule in .sealkit.yaml covers it")

    def test_the_target_must_be_known(self, ruled: Desk) -> None:
        result = ruled.run("seal", stdin=secret_text())
        refused(result, 2, "the rules depend on where the manifest will be")
        assert "sealkit: hint: pass -o FILE or --as PATH" in result.err

    def test_with_a_cluster_it_need_not_be_known(self, ruled: Desk) -> None:
        out = ruled.ok("seal", "-c", "prod", stdin=secret_text()).out
        assert ruled.opens_in(out) == {"prod"}

    def test_a_cluster_must_not_contradict_the_rule(self, ruled: Desk) -> None:
        result = ruled.run("seal", "-c", "prod", "--as", "apps/db.yaml", stdin=secret_text())
        refused(result, 6, "apps/db.yaml: is to be sealed for staging, not for prod")

    def test_a_scope_that_the_rule_does_not_allow(self, ruled: Desk) -> None:
        arguments = ("--scope", "cluster-wide", "--as", "apps/a/prod/db.yaml")
        result = ruled.run("seal", *arguments, stdin=secret_text())
        refused(result, 6, "apps/a/prod/db.yaml: spec.scope: cluster-wide is not allowed here")

    def test_without_a_scope_the_first_allowed_one_is_taken(self, ruled: Desk) -> None:
        rule = {"paths": ["*"], "clusters": ["prod"], "scopes": ["namespace-wide", "strict"]}
        ruled.config(rules=[rule])
        out = ruled.ok("seal", "--as", "db.yaml", stdin=secret_text()).out
        assert only_sealed(out)["spec"]["scope"] == "namespace-wide"

    def test_the_configuration_nearest_to_the_target_rules(self, ruled: Desk) -> None:
        nested = ruled.read(".sealkit.yaml").replace("- staging", "- prod")
        nested = nested.replace(".sealkit/", "../.sealkit/")
        ruled.write("apps/.sealkit.yaml", nested.replace("apps/**", "**"))
        out = ruled.ok("seal", "--as", "apps/db.yaml", stdin=secret_text()).out
        assert ruled.opens_in(out) == {"prod"}

    def test_a_link_counts_where_it_points(self, ruled: Desk) -> None:
        ruled.write("apps/a/prod/db.yaml", secret_text())
        (ruled.folder / "apps" / "link.yaml").symlink_to("a/prod/db.yaml")
        ruled.ok("seal", "-i", "apps/link.yaml")
        assert ruled.opens_in(ruled.read("apps/a/prod/db.yaml")) == {"prod"}
