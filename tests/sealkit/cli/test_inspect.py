"""`sealkit inspect`: what a manifest says, without any key."""

from __future__ import annotations

import pytest

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
