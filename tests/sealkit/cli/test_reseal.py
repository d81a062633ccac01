"""`sealkit reseal`: everything is encrypted anew."""

from __future__ import annotations

import base64
import json
import os

import pytest
import yaml

from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from tests.sealkit.cli.desk import CANARY, NAMES, Desk, key_of, only_sealed, secret_text
from tests.sealkit.samples import in_lines

FILE = "db.yaml"
VALUES = {"PASSWORD": b"hunter2", "USER": b"app"}


@pytest.fixture(autouse=True)
def really_random(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no two commands make the same envelope, as those of the desk do."""
    monkeypatch.setattr(Desk, "_random", staticmethod(lambda: os.urandom))


@pytest.fixture
def sealed(desk: Desk) -> Desk:
    """A manifest for `prod` alone, of several envelopes and a reference; `staging` comes later."""
    desk.config(clusters={"prod": desk.entry("prod")})
    desk.ok("seal", "-o", FILE, stdin=f"# ours\n{secret_text()}---\nkind: ConfigMap # stays\n")
    desk.ok("set", FILE, "PASSWORD", stdin="hunter2")
    desk.config()
    return desk


class TestReseal:
    """New data keys."""

    def test_nothing_of_the_old_encryption_is_left(self, sealed: Desk) -> None:
        before = only_sealed_in(sealed)
        result = sealed.ok("reseal", FILE, "--key", sealed.key_file("prod"))
        assert result.err == (
            "resealed shop/db in db.yaml: 2 values for prod, staging (strict)\n"
            "resealed 1 of 1 manifests\n"
        )
        after = only_sealed_in(sealed)
        assert len(after["spec"]["envelopes"]) == 1
        assert not after["spec"]["envelopes"].keys() & before["spec"]["envelopes"].keys()
        for key, text in after["spec"]["encryptedData"].items():
            assert text != before["spec"]["encryptedData"][key]
        assert sealed.values(first(sealed), "staging") == VALUES

    def test_all_else_stays(self, sealed: Desk) -> None:
        before = sealed.read(FILE).splitlines()
        sealed.ok("reseal", FILE, "--key", sealed.key_file("prod"))
        after = sealed.read(FILE).splitlines()
        kept = [line for line in before if "sealed:" not in line and len(line) < 200]
        kept = [line for line in kept if not line.endswith(("suite: X1", "wraps:"))]
        ids = [f"    {eid}:" for eid in only_sealed(first(sealed))["spec"]["envelopes"]]
        assert [line for line in kept if line not in after and len(line) != len(ids[0])] == []
        assert after[0] == "# ours"
        assert after[-1] == "kind: ConfigMap # stays"

    def test_a_cluster_that_went_is_told(self, sealed: Desk) -> None:
        sealed.config(clusters={"staging": sealed.entry("staging")})
        result = sealed.ok("reseal", FILE, "--key", sealed.key_file("prod"))
        assert f"note: key {key_of('prod').kid[:8]}… no longer opens 1 manifest" in result.err
        assert sealed.opens_in(first(sealed)) == {"staging"}

    def test_another_scope(self, sealed: Desk) -> None:
        options = ("--key", sealed.key_file("prod"), "--scope", "cluster-wide")
        result = sealed.ok("reseal", FILE, *options)
        assert "2 values for prod, staging (cluster-wide)" in result.err
        manifest = SealedSecret.from_dict(only_sealed(first(sealed)))
        assert manifest.scope is Scope.CLUSTER
        assert manifest._replace(name="other").scope is Scope.CLUSTER
        assert sealed.values(first(sealed).replace("name: db", "name: other")) == VALUES

    def test_references_stay_and_need_no_key(self, sealed: Desk) -> None:
        sealed.ok("seal", "-o", "r.yaml", stdin=secret_text("r", A="vault:kv/a#b"))
        before = sealed.read("r.yaml")
        result = sealed.ok("reseal", "r.yaml", "--key", sealed.key_file("prod"))
        assert result.err == "resealed 0 of 1 manifests\n"
        options = ("--key", sealed.key_file("prod"), "--scope", "namespace-wide")
        result = sealed.ok("reseal", "r.yaml", *options)
        assert "resealed shop/r in r.yaml: 0 values (namespace-wide)" in result.err
        assert sealed.read("r.yaml") == before.replace("strict", "namespace-wide")

    def test_references_beside_values_stay(self, sealed: Desk) -> None:
        sealed.ok("rewrap", FILE, "--key", sealed.key_file("prod"))
        sealed.ok("set", FILE, "--reference", "A=vault:kv/a#b")
        sealed.ok("reseal", FILE, "--key", sealed.key_file("prod"))
        assert in_lines(only_sealed(first(sealed))["spec"]["references"]) == {"A": "vault:kv/a#b"}

    def test_check_writes_nothing(self, sealed: Desk) -> None:
        before = sealed.files()
        result = sealed.run("reseal", ".", "--check")
        assert (result.code, sealed.files()) == (10, before)
        assert result.out.startswith("would reseal shop/db in db.yaml: 2 values for prod, staging")


class TestRefuses:
    """Mistakes, each of which leaves the file as it was."""

    @pytest.mark.parametrize(
        ("arguments", "code", "what"),
        [
            ([], 2, "a private key is needed: --key FILE"),
            (["--key", "lab"], 4, "db.yaml:1: no key here for kid"),
            (["--key", "prod", "--scope", "namespace-wide"], 6, "db.yaml:1: spec.scope: namespace"),
            (["--key", "prod", "--scope", "wide"], 2, "invalid value for '--scope'"),
        ],
    )
    def test_mistakes(self, sealed: Desk, arguments: list[str], code: int, what: str) -> None:
        sealed.config(rules=[{"paths": ["**"], "clusters": ["prod"], "scopes": ["strict"]}])
        before = sealed.files()
        given = [str(sealed.key_file(one)) if one in {"lab", "prod"} else one for one in arguments]
        result = sealed.run("reseal", FILE, *given)
        assert (result.code, sealed.files()) == (code, before)
        assert result.err.startswith(f"sealkit: error: {what}")

    def test_a_scope_that_needs_a_namespace(self, sealed: Desk) -> None:
        text = secret_text("wide", namespace="")
        sealed.ok("seal", "--scope", "cluster-wide", "-o", "w.yaml", stdin=text)
        options = ("--key", sealed.key_file("prod"), "--scope", "strict")
        result = sealed.run("reseal", "w.yaml", *options)
        assert result.code == 1
        assert "w.yaml:1: metadata.namespace: is missing" in result.err
        result = sealed.ok("reseal", "w.yaml", "--key", sealed.key_file("prod"))
        assert "resealed wide in w.yaml" in result.err

    def test_a_file_that_changed_meanwhile_is_left_as_it_is(
        self, sealed: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interfering(size: int) -> bytes:
            sealed.write(FILE, "kind: Other\n")
            return os.urandom(size)

        monkeypatch.setattr(Desk, "_random", staticmethod(lambda: interfering))
        result = sealed.run("reseal", FILE, "--key", sealed.key_file("prod"))
        assert (result.code, sealed.read(FILE)) == (1, "kind: Other\n")
        assert result.err.startswith(
            "sealkit: error: db.yaml: was changed meanwhile, and is left as it is\n"
        )


def test_an_interruption_leaves_a_report(sealed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed.write("other.yaml", first(sealed))
    before, numbers = sealed.read("other.yaml"), iter(range(3))

    def interrupted(size: int) -> bytes:
        if next(numbers) == 2:  # of the second file: a manifest takes an id and a data key
            raise KeyboardInterrupt
        return os.urandom(size)

    monkeypatch.setattr(Desk, "_random", staticmethod(lambda: interrupted))
    result = sealed.run("reseal", ".", "--key", sealed.key_file("prod"), "--report", "r.txt")
    assert (result.code, sealed.read("other.yaml")) == (130, before)
    assert json.loads(sealed.read("r.txt"))["done"] == [FILE]
    assert sealed.opens_in(first(sealed)) == {"prod", "staging"}


@pytest.mark.parametrize("key", NAMES)
@pytest.mark.parametrize(
    "change",
    ["", "name: db", "type: Opaque", "PASSWORD: sealed", "wraps", "type: kubernetes.io/ssh-auth"],
)
def test_a_value_shows_nowhere(desk: Desk, key: str, change: str) -> None:
    desk.config(clusters={"prod": desk.entry("prod")})
    desk.ok("seal", "-o", FILE, stdin=secret_text(PASSWORD=CANARY))
    text = desk.read(FILE)
    desk.write(FILE, text.replace(change, f"{change}-x") if change else text)
    result = desk.run("reseal", ".", "--key", desk.key_file(key), "--report", "r.json", "--json")
    assert "internal error" not in result.err
    written = "".join(content.decode() for content in desk.files().values())
    for spelling in (CANARY, base64.b64encode(CANARY.encode()).decode(), CANARY.encode().hex()):
        assert spelling not in result.out + result.err + written


def first(desk: Desk) -> str:
    return desk.read(FILE).partition("---\n")[0]


def only_sealed_in(desk: Desk) -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(first(desk))
    return found
