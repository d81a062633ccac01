"""`sealkit import`: files, the report, every refusal. What becomes of what: tests of `foreign`."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.sealkit.cli.desk import CANARY, Desk, Result, secret_text
from tests.sealkit.foreign.documents import TEXTS

STORE = """\
# where Vault is
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: vault, namespace: shop}
spec:
  provider:
    vault:
      server: https://vault:8200
      path: kv
      auth: {tokenSecretRef: {name: token, key: token}}
"""
EXTERNAL = """\
# the password
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: shop}
spec:
  secretStoreRef: {name: vault}   # gone with the object
  data:
  - {secretKey: PASSWORD, remoteRef: {key: shop/db, property: password}}
# after it
"""
OTHER = """\
kind: ConfigMap   # plain
apiVersion: v1
data:
  colour:   "blue"
"""
BOTH = f"{STORE}---\n{OTHER}---\n{EXTERNAL}"
NOTED = EXTERNAL.replace("spec:", "spec:\n  syncWindows: {kind: allow}")
CONNECTION, AUTH = TEXTS["VaultConnection"].lstrip(), TEXTS["VaultAuth"].lstrip()


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def kinds(text: str) -> list[str]:
    return [one["kind"] for one in yaml.safe_load_all(text) if one]


def test_from_stdin_to_stdout(desk: Desk) -> None:
    result = desk.ok("import", stdin=BOTH)
    assert kinds(result.out) == ["VaultStore", "ConfigMap", "SealedSecret"]
    assert result.err == (
        "imported SecretStore shop/vault: VaultStore shop/vault\n"
        "imported ExternalSecret shop/db: SealedSecret shop/db\n"
    )


def test_everything_around_keeps_its_bytes(desk: Desk) -> None:
    out = desk.ok("import", stdin=BOTH).out
    assert out.startswith("# where Vault is\napiVersion: sealkit.dev/v1alpha1\nkind: VaultStore\n")
    assert f"---\n{OTHER}---\n# the password\napiVersion: sealkit.dev/" in out
    assert out.endswith("\n# after it\n")


def test_no_configuration_is_needed(bare: Desk) -> None:
    bare.ok("import", stdin=BOTH)


def test_to_a_file(desk: Desk) -> None:
    desk.write("old.yaml", EXTERNAL)
    result = desk.ok("import", "old.yaml", "-o", "new.yaml")
    assert result.out == ""
    assert kinds(desk.read("new.yaml")) == ["SealedSecret"]
    assert desk.read("old.yaml") == EXTERNAL


def test_files_in_place_know_of_each_other(desk: Desk) -> None:
    desk.write("stores.yaml", STORE)
    desk.write("db.yaml", EXTERNAL)
    desk.write("other.yaml", OTHER)
    result = desk.ok("import", "-i", "db.yaml", "stores.yaml", "other.yaml")
    (made,) = yaml.safe_load_all(desk.read("db.yaml"))
    assert made["spec"]["references"]["PASSWORD"]["mount"] == "kv"
    assert kinds(desk.read("stores.yaml")) == ["VaultStore"]
    assert desk.read("other.yaml") == OTHER
    assert "sealkit: note: there is nothing to import in other.yaml\n" in result.err


def test_json_and_items_of_lists(desk: Desk) -> None:
    items = [yaml.safe_load(text) for text in (OTHER, EXTERNAL)]
    raw = {"apiVersion": "v1", "kind": "List", "items": items}
    result = desk.ok("import", stdin=json.dumps(raw))
    assert [one["kind"] for one in json.loads(result.out)["items"]] == ["ConfigMap", "SealedSecret"]
    assert "sealkit: note: stdin:1: items[1]: spec.secretStoreRef (SecretStore vault)" in result.err


def test_the_report_for_programs(desk: Desk) -> None:
    desk.write("db.yaml", f"{STORE}---\n{NOTED}---\n{secret_text(A='vault:kv/a#b', B='c')}")
    report = desk.ok("import", "-i", "db.yaml", "--json").json
    assert [one["result"] for one in report] == ["converted", "converted", "unchanged"]
    assert report[1] == {
        "file": "db.yaml",
        "document": 2,
        "item": "",
        "kind": "ExternalSecret",
        "name": "shop/db",
        "origin": "",
        "result": "converted",
        "to": {"kind": "SealedSecret", "name": "shop/db"},
        "notes": [
            {
                "field": "spec.syncWindows",
                "found": "mapping of 1",
                "todo": report[1]["notes"][0]["todo"],
            }
        ],
    }
    assert report[2]["to"] is None


def test_a_connection_becomes_a_part_of_its_stores(desk: Desk) -> None:
    desk.write("vault.yaml", f"{OTHER}---\n# c\n{CONNECTION}---\n# a\n{AUTH}")
    result = desk.ok("import", "-i", "vault.yaml")
    text = desk.read("vault.yaml")
    assert kinds(text) == ["ConfigMap", "VaultStore"]
    assert text.startswith(f"{OTHER}---\n# a\napiVersion: sealkit.dev/")
    assert "imported VaultConnection vault/main: part of its stores\n" in result.err


def test_also_if_it_is_in_another_file(desk: Desk) -> None:
    desk.write("connection.yaml", CONNECTION)
    desk.write("auth.yaml", AUTH)
    desk.ok("import", "-i", "connection.yaml", "auth.yaml")
    assert desk.read("connection.yaml") == ""
    assert kinds(desk.read("auth.yaml")) == ["VaultStore"]


def test_in_a_list_it_stays(desk: Desk) -> None:
    items = [yaml.safe_load(text) for text in (CONNECTION, AUTH)]
    out = desk.ok("import", stdin=json.dumps({"kind": "List", "items": items})).out
    found = [one["kind"] for one in json.loads(out)["items"]]
    assert found == ["VaultConnection", "VaultStore"]


def test_options_for_what_documents_do_not_say(desk: Desk) -> None:
    text = TEXTS["VaultDynamicSecret"].partition("    transformation:")[0]
    arguments = ("import", "--keys", "username, password", "--store-kind", "ClusterVaultStore")
    made: Any = yaml.safe_load(desk.ok(*arguments, stdin=text).out)
    assert made["spec"]["references"].keys() == {"username", "password"}
    assert made["spec"]["vault"]["store"]["kind"] == "ClusterVaultStore"


def test_secrets_with_references_and_others(desk: Desk) -> None:
    text = f"{secret_text(A='<path:kv/data/a#b>')}---\n{secret_text('plain', B=CANARY)}"
    result = desk.ok("import", stdin=text)
    assert kinds(result.out) == ["SealedSecret", "Secret"]
    assert result.err == (
        "imported Secret shop/db: SealedSecret shop/db\n"
        "sealkit: note: 1 Secret is left in plain text, which --secrets seals: stdin\n"
    )


def test_a_secret_with_values_stays_as_it_is(desk: Desk) -> None:
    text = secret_text(A="vault:kv/data/a#b", B=CANARY)
    result = desk.ok("import", stdin=text)
    assert result.out == text
    assert result.err.startswith("left Secret shop/db as it is\nsealkit: note: stdin:1: (1 without")
    assert CANARY not in result.err


def test_strict_writes_nothing_if_there_is_a_note(desk: Desk) -> None:
    desk.write("db.yaml", f"{STORE}---\n{NOTED}")
    before = desk.files()
    result = desk.run("import", "-i", "db.yaml", "--strict")
    assert result.code == 1
    assert "sealkit: note: db.yaml:2: spec.syncWindows (mapping of 1): " in result.err
    last = "sealkit: error: nothing is written: --strict, and there is 1 note\n"
    assert result.err.endswith(last)
    assert desk.files() == before
    report = desk.run("import", "-i", "db.yaml", "--strict", "--json")
    assert (report.code, len(report.json)) == (1, 2)
    assert desk.run("import", "--strict", stdin=NOTED).out == ""


def test_strict_does_not_mind_what_has_no_notes(desk: Desk) -> None:
    assert kinds(desk.ok("import", "--strict", stdin=BOTH).out)[0] == "VaultStore"


def test_what_is_converted_is_converted_once(desk: Desk) -> None:
    out = desk.ok("import", stdin=BOTH).out
    again = desk.ok("import", stdin=out)
    assert again.out == out
    assert again.err == "sealkit: note: there is nothing to import in stdin\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-i"], "--in-place goes with files"),
        (["-i", "a", "-o", "b"], "--in-place goes with files"),
        (["a", "b"], "several files need --in-place"),
        (["--json"], "--json needs -o FILE or --in-place"),
        (["--keys", "a,,b"], "--keys: is not a data key"),
        (["--keys", "a b"], "--keys: is not a data key"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, list) else "",
)
def test_misuse(desk: Desk, arguments: list[str], problem: str) -> None:
    refused(desk.run("import", *arguments), 2, problem)


BAD_PATH = EXTERNAL.replace("shop/db", "../sys")
BAD_STORE = STORE.replace("path: kv", "version: v3")
BAD_CONNECTION = CONNECTION.replace("address: ", "x: ")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"{OTHER}---\n{BAD_PATH}", "stdin:2: spec.data[0].remoteRef.key: "),
        (secret_text(A="vault:no-key"), "stdin:1: stringData.A.key: "),
        (f"{AUTH}---\n{BAD_CONNECTION}", "stdin:2: spec.address: is missing"),
        (f"{EXTERNAL}---\n{BAD_STORE}", "stdin:2: spec.provider.vault.version: "),
        ("a: [", "stdin:1: "),
    ],
    ids=["path", "reference", "connection", "store", "yaml"],
)
def test_bad_input(desk: Desk, text: str, where: str) -> None:
    refused(desk.run("import", stdin=text), 1, where)


def test_one_bad_file_leaves_all_as_they_were(desk: Desk) -> None:
    desk.write("good.yaml", BOTH)
    desk.write("bad.yaml", EXTERNAL.replace("key: shop/db", "key: 1"))
    before = desk.files()
    refused(desk.run("import", "-i", "good.yaml", "bad.yaml"), 1, "bad.yaml:1: spec.data[0].")
    assert desk.files() == before


def test_names_in_the_report_do_nothing_to_a_terminal(desk: Desk) -> None:
    field = '"\\e[2J\\nimported": 1\n'
    result = desk.ok("import", stdin=EXTERNAL.replace("spec:\n", f"spec:\n  {field}"))
    assert "\x1b" not in result.err
    assert "spec.\\x1b[2J\\nimported (1): " in result.err


def test_values_show_nowhere(desk: Desk) -> None:
    """What was a value in a Secret, or stands where nobody looks, is in no message."""
    secret = secret_text(A="<path:kv/data/a#b>", B=CANARY)
    odd = EXTERNAL.replace("spec:\n", f"spec:\n  password: {CANARY}\n")
    headers = STORE.replace("path: kv", f"headers: {{X-Token: {CANARY}}}")
    desk.write("all.yaml", "---\n".join((secret, odd, headers)))
    for arguments in ([], ["--json"], ["--strict"]):
        result = desk.run("import", "all.yaml", "-o", "new.yaml", *arguments)
        assert CANARY not in result.out + result.err
    assert desk.read("new.yaml").count(CANARY) == 1  # in the Secret that stays as it was
