"""`sealkit seal` with references to Vault: what moves in the open, and what does not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import CANARY, Desk, Result, only_sealed, secret_text
from tests.sealkit.samples import in_lines

REFERENCE = "vault:kv/shop/db#password"
ANNOTATED = {"avp.kubernetes.io/path": "kv/data/shop/db", "team": "shop"}


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def spec_of(text: str) -> dict[str, Any]:
    return dict(only_sealed(text)["spec"])


def secret(
    annotations: dict[str, str] | None = None, kind: str = "Opaque", **fields: dict[str, str]
) -> str:
    metadata: dict[str, Any] = {"name": "db", "namespace": "shop"}
    if annotations:
        metadata["annotations"] = annotations
    raw = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind}
    return emit_yaml({**raw, **fields})


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLACES: dict[str, tuple[str, object]] = {
    "text": (secret(stringData={"A": REFERENCE}), REFERENCE),
    "in-text": (
        secret(stringData={"A": f"x ${{{REFERENCE}}} y"}),
        f"x ${{{REFERENCE}}} y",
    ),
    "argocd": (
        secret(stringData={"A": "<path:kv/data/shop/db#password#3>"}),
        "vault:kv/data/shop/db#password#3",
    ),
    "annotated": (
        secret(ANNOTATED, stringData={"A": "<password>"}),
        "vault:kv/data/shop/db#password",
    ),
    "data-as-base64": (secret(data={"A": encoded(REFERENCE)}), REFERENCE),
    "data-as-text": (
        secret(data={"A": "<path:kv/data/shop/db#password | base64encode>"}),
        "vault:kv/data/shop/db#password",
    ),
    "what-is-base64-in-vault": (secret(data={"A": REFERENCE}), f"{REFERENCE} | base64decode"),
}


class TestMoving:
    """References are not encrypted."""

    @pytest.mark.parametrize(("text", "reference"), PLACES.values(), ids=PLACES.keys())
    def test_each_spelling_in_each_place(self, desk: Desk, text: str, reference: object) -> None:
        spec = spec_of(desk.ok("seal", stdin=text).out)
        assert in_lines(spec["references"]) == {"A": reference}
        assert (spec["envelopes"], spec["encryptedData"]) == ({}, {})

    def test_a_mixture(self, desk: Desk) -> None:
        result = desk.ok("seal", stdin=secret_text(A=REFERENCE, B="plain", C="<path:kv/a#b>"))
        assert desk.values(result.out) == {"B": b"plain"}
        spec = spec_of(result.out)
        assert in_lines(spec["references"]) == {"A": REFERENCE, "C": "vault:kv/a#b"}
        assert list(spec) == ["scope", "envelopes", "encryptedData", "references", "template"]
        assert result.err == "sealed shop/db: 1 value for prod, staging, 2 references (strict)\n"

    def test_the_report_counts_both(self, desk: Desk) -> None:
        arguments = ("seal", "-o", "db.yaml", "--json")
        (line,) = desk.ok(*arguments, stdin=secret_text(A=REFERENCE, B="plain")).json
        assert (line["keys"], line["references"]) == (1, 1)
        (line,) = desk.ok(*arguments, stdin=secret_text(A=REFERENCE)).json
        assert (line["keys"], line["references"], line["clusters"]) == (0, 1, [])

    def test_both_count_for_the_type(self, desk: Desk) -> None:
        values = {"tls.crt": "certificate", "tls.key": REFERENCE}
        out = desk.ok("seal", stdin=secret(kind="kubernetes.io/tls", stringData=values)).out
        assert in_lines(spec_of(out)["references"]) == {"tls.key": REFERENCE}
        del values["tls.crt"]
        result = desk.run("seal", stdin=secret(kind="kubernetes.io/tls", stringData=values))
        refused(result, 1, "stdin:1: data.tls.crt: is missing")

    @pytest.mark.parametrize("where", ["stringData", "data"])
    def test_a_reference_need_not_be_what_its_value_is(self, desk: Desk, where: str) -> None:
        """Docker configuration must be JSON; what is in Vault is looked at later."""
        text = REFERENCE if where == "stringData" else encoded(REFERENCE)
        values = {where: {".dockerconfigjson": text}}
        out = desk.ok("seal", stdin=secret(kind="kubernetes.io/dockerconfigjson", **values)).out
        assert in_lines(spec_of(out)["references"]) == {".dockerconfigjson": REFERENCE}

    def test_the_annotations_of_peers_go_with_the_references(self, desk: Desk) -> None:
        out = desk.ok("seal", stdin=secret(ANNOTATED, stringData={"A": "<password>"})).out
        assert spec_of(out)["template"]["metadata"]["annotations"] == {"team": "shop"}
        out = desk.ok("seal", stdin=secret(ANNOTATED, stringData={"A": "plain"})).out
        assert spec_of(out)["template"]["metadata"]["annotations"] == ANNOTATED

    def test_text_around_references_is_told(self, desk: Desk) -> None:
        text = secret_text(A=REFERENCE, URL=f"db://app:${{{REFERENCE}}}@host")
        result = desk.ok("seal", stdin=f"kind: Other\n---\n{text}")
        assert result.err.splitlines()[0] == (
            "sealkit: note: stdin:2: URL: the text around its references is public now"
        )
        assert "note: " not in desk.ok("seal", stdin=secret_text(A=REFERENCE)).err

    def test_items_of_a_list(self, desk: Desk) -> None:
        items = [yaml.safe_load(secret_text(A=REFERENCE))]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        assert in_lines(spec_of(desk.ok("seal", stdin=text).out)["references"]) == {"A": REFERENCE}

    def test_sealing_the_result_again_changes_nothing(self, desk: Desk) -> None:
        out = desk.ok("seal", stdin=secret_text(A=REFERENCE, B="plain")).out
        assert desk.ok("seal", stdin=out).out == out


class TestLiterally:
    """What reads as a reference, and shall not be one."""

    def test_everything_is_encrypted(self, desk: Desk) -> None:
        out = desk.ok("seal", "--no-references", stdin=secret_text(A=REFERENCE, B="vault:x")).out
        assert desk.values(out) == {"A": REFERENCE.encode(), "B": b"vault:x"}
        assert "references" not in spec_of(out)

    def test_raw_input_is_never_a_reference(self, desk: Desk) -> None:
        arguments = ("seal", "--raw", "A", "--name", "db", "-n", "shop")
        assert desk.values(desk.ok(*arguments, stdin=REFERENCE).out) == {"A": REFERENCE.encode()}


class TestStore:
    """Where references are looked up."""

    def test_a_store_of_the_namespace(self, desk: Desk) -> None:
        out = desk.ok("seal", "--store", "main", stdin=secret_text(A=REFERENCE)).out
        assert spec_of(out)["vault"] == {"store": "main"}

    def test_a_store_of_the_cluster(self, desk: Desk) -> None:
        out = desk.ok("seal", "--cluster-store", "main", stdin=secret_text(A=REFERENCE)).out
        assert spec_of(out)["vault"] == {"store": {"name": "main", "kind": "ClusterVaultStore"}}

    def test_only_where_there_is_a_reference(self, desk: Desk) -> None:
        text = f"{secret_text('a')}---\n{secret_text('b', A=REFERENCE)}"
        first, second = yaml.safe_load_all(desk.ok("seal", "--store", "main", stdin=text).out)
        assert "vault" not in first["spec"]
        assert second["spec"]["vault"] == {"store": "main"}

    @pytest.mark.parametrize(
        ("arguments", "start"),
        [
            (["--store", "a", "--cluster-store", "b"], "--store and --cluster-store exclude"),
            (["--store", "A_B"], "--store: is not a name"),
            (["--cluster-store", "A_B"], "--cluster-store: is not a name"),
            (["--store", "a", "--no-references"], "--store and --cluster-store are for references"),
            (["--store", "a", "--raw", "A", "--name", "b"], "--store and --cluster-store are for"),
        ],
    )
    def test_misuse(self, desk: Desk, arguments: list[str], start: str) -> None:
        refused(desk.run("seal", *arguments, stdin=secret_text(A=REFERENCE)), 2, start)


class TestRecipients:
    """References alone need no key; the rules of the repository count all the same."""

    def test_without_a_configuration(self, bare: Desk) -> None:
        result = bare.ok("seal", stdin=secret_text(A=REFERENCE, B="<path:kv/a#b>"))
        assert result.err == "sealed shop/db: 2 references (strict)\n"
        assert spec_of(result.out)["envelopes"] == {}

    def test_without_a_cluster(self, bare: Desk) -> None:
        bare.ok("init")
        bare.ok("seal", stdin=secret_text(A=REFERENCE))

    def test_with_a_key_that_is_expired(self, desk: Desk) -> None:
        desk.config(clusters={"prod": desk.entry("prod", notAfter="2026-01-01")})
        desk.ok("seal", stdin=secret_text(A=REFERENCE))
        refused(desk.run("seal", stdin=secret_text(A="x")), 2, ".sealkit/prod.pub: the key expired")

    def test_one_sealed_value_needs_them(self, bare: Desk) -> None:
        result = bare.run("seal", stdin=secret_text(A=REFERENCE, B="plain"))
        refused(result, 2, "there is no .sealkit.yaml here or above")

    def test_an_empty_secret_needs_them(self, bare: Desk) -> None:
        refused(bare.run("seal", stdin=secret(data={})), 2, "there is no .sealkit.yaml")

    def test_where_it_is_not_known_where_it_goes(self, desk: Desk) -> None:
        rules = [{"paths": [f"{name}/**"], "clusters": [name]} for name in ("prod", "staging")]
        desk.config(rules=rules)
        desk.ok("seal", stdin=secret_text(A=REFERENCE))
        refused(desk.run("seal", stdin=secret_text(A="x")), 2, "the rules depend on where")

    def test_a_rule_decides_the_scope(self, desk: Desk) -> None:
        rule = {"paths": ["prod/**"], "clusters": ["prod"], "scopes": ["namespace-wide"]}
        desk.config(rules=[rule])
        arguments = ("seal", "--as", "prod/db.yaml")
        out = desk.ok(*arguments, stdin=secret_text(A=REFERENCE)).out
        assert spec_of(out)["scope"] == "namespace-wide"
        result = desk.run(*arguments, "--scope", "strict", stdin=secret_text(A=REFERENCE))
        refused(result, 6, "prod/db.yaml: spec.scope: ")
        result = desk.run("seal", "--as", "other.yaml", stdin=secret_text(A=REFERENCE))
        refused(result, 6, "other.yaml: no rule")


class TestMistakes:
    """What begins as a reference and is none."""

    @pytest.mark.parametrize(
        ("text", "field"),
        [
            (secret(stringData={"A": f"vault:{CANARY}"}), "stringData.A.key"),
            (secret(data={"A": f"<path:{CANARY}#a"}), "data.A"),
            (secret(data={"A": encoded(f"<path:{CANARY}")}), "data.A"),
            (secret(stringData={"A": f"${{vault:kv/a#b | {CANARY}}}"}), "stringData.A.modifiers"),
            (
                secret({"avp.kubernetes.io/kv-version": CANARY}, stringData={"A": "x"}),
                "metadata.annotations.avp.kubernetes.io/kv-version",
            ),
        ],
        ids=["text", "data", "base64", "modifier", "annotation"],
    )
    def test_it_is_located_and_not_quoted(self, desk: Desk, text: str, field: str) -> None:
        result = desk.run("seal", stdin=f"kind: Other\n---\n{text}")
        refused(result, 1, f"stdin:2: {field}: ")
        assert "sealkit: hint: " in result.err
        assert CANARY not in result.err

    def test_in_an_item_of_a_list(self, desk: Desk) -> None:
        item = yaml.safe_load(secret_text(A=f"vault:{CANARY}"))
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [{"kind": "Other"}, item]})
        refused(desk.run("seal", stdin=text), 1, "stdin:1: items[1].stringData.A.key: ")

    def test_the_hint_says_how_to_encrypt_it(self, desk: Desk) -> None:
        result = desk.run("seal", stdin=secret_text(A="vault:of-gold"))
        assert result.err.endswith("hint: if it is no reference to Vault: --no-references\n")

    def test_base64_around_a_reference(self, desk: Desk) -> None:
        result = desk.run("seal", stdin=secret(data={"A": "YWJj${vault:kv/a#b}"}))
        refused(result, 1, "stdin:1: data.A: mixes references and base64")
        assert "hint: put the text under stringData" in result.err
