"""`sealkit seal`: what goes in, what comes out, and every refusal."""

from __future__ import annotations

import json
import os

import pytest
import yaml

from tests.sealkit.cli.desk import CANARY, Desk, Result, only_sealed, secret_text

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
    line = {"document": 1, "file": "stdin", "namespace": "shop", "name": "db", "scope": "strict"}
    counts = {"keys": 2, "references": 0}
    assert result.json == [{**line, **counts, "clusters": ["prod", "staging"]}]
    assert result.err == ""


def test_several_files_are_sealed_in_place(desk: Desk) -> None:
    for name in ("a", "b"):
        desk.write(f"{name}.yaml", secret_text(name))
    result = desk.ok("seal", "-i", "a.yaml", "b.yaml")
    for name in ("a", "b"):
        assert desk.values(desk.read(f"{name}.yaml")) == VALUES
    *lines, summary = result.err.splitlines()
    assert [line.split()[1] for line in lines] == ["shop/a:", "shop/b:"]
    assert summary == "sealed 2 Secrets in 2 files"


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
