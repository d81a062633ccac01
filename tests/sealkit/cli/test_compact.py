"""`sealkit compact`: several envelopes become one."""

from __future__ import annotations

import base64
import os
import re

import pytest

from tests.sealkit.cli.desk import CANARY, NAMES, Desk, only_sealed, secret_text

FILE = "db.yaml"
VALUES = {"A": b"1", "B": b"2", "C": b"3"}


@pytest.fixture(autouse=True)
def really_random(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no two commands make the same envelope, as those of the desk do."""
    monkeypatch.setattr(Desk, "_random", staticmethod(lambda: os.urandom))


@pytest.fixture
def changed(desk: Desk) -> Desk:
    """A manifest of three envelopes, beside one of a single envelope."""
    desk.ok("seal", "-o", FILE, stdin=secret_text(A="1"))
    for key, value in (("B", "2"), ("C", "3")):
        desk.ok("set", FILE, key, stdin=value)
    desk.ok("seal", "-o", "one.yaml", stdin=secret_text("one"))
    return desk


def test_one_envelope_is_left_and_the_file_is_smaller(changed: Desk) -> None:
    before, one = changed.read(FILE), changed.read("one.yaml")
    result = changed.ok("compact", ".", "--key", changed.key_file("prod"))
    after = changed.read(FILE)
    assert result.err == (
        "compacted shop/db in db.yaml: 3 envelopes become one\n"
        f"compacted 1 of 2 manifests, saved {len(before) - len(after):,} bytes\n"
    )
    assert len(after) < len(before) - 2 * 1168
    assert len(only_sealed(after)["spec"]["envelopes"]) == 1
    assert changed.values(after) == changed.values(after, "staging") == VALUES
    assert changed.read("one.yaml") == one


def test_a_second_time_nothing_is_left_to_do(changed: Desk) -> None:
    changed.ok("compact", ".", "--key", changed.key_file("prod"))
    before = changed.files()
    result = changed.ok("compact", ".", "--key", changed.key_file("prod"))
    assert (result.err, changed.files()) == ("compacted 0 of 2 manifests\n", before)


def test_comments_stay(changed: Desk) -> None:
    text = f"# ours\n{changed.read(FILE)}".replace(
        "  encryptedData:", "  # values\n  encryptedData:"
    )
    changed.write(FILE, text)
    changed.ok("compact", FILE, "--key", changed.key_file("prod"))
    assert changed.read(FILE).startswith("# ours\n")
    assert "  # values\n  encryptedData:" in changed.read(FILE)


def test_check_needs_no_key_and_writes_nothing(changed: Desk) -> None:
    before = changed.files()
    result = changed.run("compact", ".", "--check")
    assert (result.code, changed.files()) == (10, before)
    assert result.out == "would compact shop/db in db.yaml: 3 envelopes become one\n"
    assert result.err == "would compact 1 of 2 manifests\n"


def test_the_report_can_be_json(changed: Desk) -> None:
    result = changed.ok("compact", ".", "--json", "--key", changed.key_file("prod"))
    (line,) = result.json["changed"]
    assert (line["envelopes"], line["values"], line["clusters"]) == (3, 3, list(NAMES))
    assert result.json["savedBytes"] > 2000
    assert result.err == ""


class TestRefuses:
    """Mistakes, each of which leaves the file as it was."""

    def test_no_key(self, changed: Desk) -> None:
        before = changed.files()
        result = changed.run("compact", ".")
        assert (result.code, changed.files()) == (2, before)
        assert result.err.startswith("sealkit: error: a private key is needed: --key FILE\n")

    def test_a_manifest_that_opens_for_others(self, changed: Desk) -> None:
        changed.config(clusters={"prod": changed.entry("prod")})
        before = changed.files()
        result = changed.run("compact", ".", "--key", changed.key_file("prod"))
        assert (result.code, changed.files()) == (6, before)
        assert re.search(r"error: db.yaml:1: spec.envelopes\.[-\w]+\.wraps: opens with", result.err)
        assert "sealkit: hint: sealkit rewrap FILE --key KEYS\n" in result.err

    @pytest.mark.parametrize("file", [FILE, "one.yaml"])
    def test_a_scope_that_is_not_allowed(self, changed: Desk, file: str) -> None:
        rule = {"paths": ["**"], "clusters": list(NAMES), "scopes": ["namespace-wide"]}
        changed.config(rules=[rule])
        result = changed.run("compact", file, "--key", changed.key_file("prod"))
        assert result.code == 6
        assert f"{file}:1: spec.scope: strict is not allowed here" in result.err
        assert "hint: sealkit reseal FILE --key KEYS --scope namespace-wide" in result.err

    def test_a_value_that_was_moved(self, changed: Desk) -> None:
        changed.write(FILE, changed.read(FILE).replace("    B: ", "    D: "))
        before = changed.files()
        result = changed.run("compact", FILE, "--key", changed.key_file("prod"))
        assert (result.code, changed.files()) == (5, before)


@pytest.mark.parametrize("key", [*NAMES, "lab"])
@pytest.mark.parametrize("change", ["", "name: db", "B: sealed", "wraps"])
def test_a_value_shows_nowhere(desk: Desk, key: str, change: str) -> None:
    desk.ok("seal", "-o", FILE, stdin=secret_text(A=CANARY))
    desk.ok("set", FILE, "B", stdin=CANARY)
    text = desk.read(FILE)
    desk.write(FILE, text.replace(change, f"{change}-x") if change else text)
    result = desk.run("compact", ".", "--key", desk.key_file(key), "--report", "r.json", "--json")
    assert "internal error" not in result.err
    written = "".join(content.decode() for content in desk.files().values())
    for spelling in (CANARY, base64.b64encode(CANARY.encode()).decode(), CANARY.encode().hex()):
        assert spelling not in result.out + result.err + written
