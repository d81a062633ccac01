"""`sealkit inspect`: what a manifest says, without any key."""

from __future__ import annotations

import json

import pytest
import yaml

from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import Desk, key_of, only_sealed, secret_text

FILE = "db.yaml"


@pytest.fixture
def sealed(desk: Desk) -> Desk:
    desk.ok("seal", "-o", FILE, stdin=f"kind: Other\n---\n{secret_text()}")
    return desk


def test_as_text(sealed: Desk) -> None:
    eid = next(iter(only_sealed(sealed.read(FILE))["spec"]["envelopes"]))
    names = sorted(("prod", "staging"), key=lambda name: key_of(name).kid)
    assert sealed.ok("inspect", FILE).out.splitlines() == [
        "db.yaml:2: shop/db, scope strict, type Opaque",
        f"  envelope {eid} (X1) opens in:",
        *(f"    {key_of(name).kid}  {name}" for name in names),
        "    values: PASSWORD (136 bytes sealed), USER (136 bytes sealed)",
    ]


def test_as_json(sealed: Desk) -> None:
    (found,) = sealed.ok("inspect", "--json", FILE).json
    assert (found["file"], found["document"], found["scope"]) == (FILE, 2, "strict")
    assert found["keys"] == {"PASSWORD": 136, "USER": 136}
    (envelope,) = found["envelopes"]
    assert envelope["values"] == ["PASSWORD", "USER"]
    assert {reader["kid"]: reader["cluster"] for reader in envelope["readers"]} == {
        key_of(name).kid: name for name in ("prod", "staging")
    }


def test_several_files_and_standard_input(sealed: Desk) -> None:
    text = sealed.read(FILE)
    out = sealed.ok("inspect", FILE, "-", stdin=text).out
    assert [line.split(":")[0] for line in out.splitlines() if "scope" in line] == [FILE, "stdin"]
    assert sealed.ok("inspect", stdin=text).out.startswith("stdin:2: ")


def test_no_configuration_no_names(sealed: Desk) -> None:
    (sealed.folder / ".sealkit.yaml").unlink()
    out = sealed.ok("inspect", FILE).out
    assert out.count("(not in the configuration)") == 2


def test_any_namespace_is_said(desk: Desk) -> None:
    out = desk.ok("seal", "--scope", "cluster-wide", stdin=secret_text(namespace="")).out
    assert "(any namespace)/db, scope cluster-wide" in desk.ok("inspect", stdin=out).out


def test_escape_sequences_of_a_stranger_do_nothing(sealed: Desk) -> None:
    text = sealed.read(FILE).replace("type: Opaque", 'type: "\\e[31mred\\nline"')
    out = sealed.ok("inspect", stdin=text).out
    assert "\x1b" not in out
    assert "type \\x1b[31mred\\nline" in out


def test_a_bad_manifest(sealed: Desk) -> None:
    sealed.write(FILE, sealed.read(FILE).replace("scope: strict", "scope: wide"))
    result = sealed.run("inspect", FILE)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("sealkit: error: db.yaml:2: spec.scope: ")


def test_nothing_sealed(sealed: Desk) -> None:
    result = sealed.run("inspect", stdin=secret_text())
    assert result.code == 2
    assert result.err.startswith("sealkit: error: stdin: holds no SealedSecret")


STRUCTURED = {"store": {"name": "main", "kind": "ClusterVaultStore"}, "path": "kv/x"}
SPEC = {
    "references": {
        "A": "vault:kv/shop/db#password",
        "B": STRUCTURED,
        "C": "${vault:kv/a#b}@${vault:kv/a#c}",
    },
    "vault": {"store": "own"},
    "template": {
        "type": "Opaque",
        "build": {"basicAuth": {"username": "A", "password": "C"}},
        "data": {"app.ini": "p={{ .A }}"},
    },
    "rolloutRestart": [
        {"kind": "Deployment", "name": "web"},
        {"kind": "StatefulSet", "matchLabels": {"app": "db"}},
    ],
}


class TestVault:
    """What a manifest says of Vault, and what it makes."""

    @pytest.fixture
    def referring(self, desk: Desk) -> Desk:
        raw = yaml.safe_load(desk.ok("seal", stdin=secret_text()).out)
        raw["spec"] |= SPEC
        desk.write(FILE, emit_yaml(raw))
        return desk

    def test_as_text(self, referring: Desk) -> None:
        lines = referring.ok("inspect", FILE).out.splitlines()
        assert lines[5:] == [
            "  A refers to vault:kv/shop/db#password (VaultStore own)",
            f"  B refers to {json.dumps(STRUCTURED)} (ClusterVaultStore main)",
            "  C refers to ${vault:kv/a#b}@${vault:kv/a#c} (VaultStore own)",
            "  basicAuth makes password, username",
            "  app.ini is made of a text template",
            "  a change restarts Deployment web",
            "  a change restarts StatefulSet with app=db",
        ]

    def test_as_json(self, referring: Desk) -> None:
        (found,) = referring.ok("inspect", "--json", FILE).json
        assert found["references"]["A"] == {
            "stores": ["VaultStore own"],
            "reference": "vault:kv/shop/db#password",
        }
        assert found["references"]["B"]["reference"] == STRUCTURED
        assert found["builders"] == {"basicAuth": ["password", "username"]}
        assert found["texts"] == ["app.ini"]
        assert found["restarts"] == ["Deployment web", "StatefulSet with app=db"]
