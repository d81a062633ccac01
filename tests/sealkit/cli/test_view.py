"""`sealkit view`: values for a person to read, or one value byte for byte."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import CANARY, Desk, Result, secret_text

FILE: Final = "db.yaml"
REFERENCE: Final = "vault:kv/shop/db#password"


class Screen(io.BytesIO):
    """Standard output with a person in front of it."""

    def isatty(self) -> bool:
        return True


class Raw(io.BytesIO):
    """Standard output for bytes that are no text, which a desk cannot show."""

    written = b""

    def write(self, content: Any) -> int:
        self.written += content
        return len(content)


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def sealed(desk: Desk, **values: bytes | str) -> Path:
    """Seal values and return the file with the key."""
    raw = {
        key: value.encode() if isinstance(value, str) else value for key, value in values.items()
    }
    data = {key: base64.b64encode(value).decode() for key, value in raw.items()}
    metadata = {"name": "db", "namespace": "shop"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    desk.ok("seal", "-o", FILE, "--no-references", stdin=emit_yaml(secret))
    return desk.key_file("prod")


def with_template(desk: Desk, template: object) -> None:
    raw = yaml.safe_load(desk.read(FILE))
    raw["spec"]["template"] = template
    desk.write(FILE, emit_yaml(raw))


class TestAll:
    def test_every_value_by_name(self, desk: Desk) -> None:
        key = sealed(desk, USER="app", PASSWORD="hunter2")
        result = desk.ok("view", FILE, "--key", key)
        expected = ["# shop/db in db.yaml:1, type Opaque", "PASSWORD: hunter2", "USER: app"]
        assert result.out.splitlines() == expected
        assert result.err == ""

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("", 'A: ""'),
            ("é ñ\tx", "A: é ñ\tx"),
            ("one\ntwo\n", "A: |\n  one\n  two"),
            ("one\n\n two", "A: |-\n  one\n  \n   two"),
            ("one\n", "A: |\n  one"),
            (" one", 'A: " one"'),
            ("one\n\n", 'A: "one\\n\\n"'),
            ("one\r\ntwo", 'A: "one\\r\\ntwo"'),
            ("\x1b[31m", 'A: "\\u001b[31m"'),
            ("a\u202eb", 'A: "a\\u202eb"'),
            (bytes(256), "A: <binary, 256 bytes>"),
            (b"\xff", "A: <binary, 1 byte>"),
        ],
    )
    def test_a_value(self, desk: Desk, value: bytes | str, shown: str) -> None:
        key = sealed(desk, A=value)
        assert desk.ok("view", FILE, "--key", key).out.split("\n", 1)[1] == f"{shown}\n"

    def test_several_manifests(self, desk: Desk) -> None:
        key = sealed(desk, A="one")
        other = desk.ok("seal", stdin=secret_text("other", A="two")).out
        desk.write(FILE, f"{desk.read(FILE)}---\n{other}")
        assert desk.ok("view", FILE, "--key", key).out == (
            "# shop/db in db.yaml:1, type Opaque\nA: one\n"
            "\n# shop/other in db.yaml:2, type Opaque\nA: two\n"
        )
        only = desk.ok("view", FILE, "--key", key, "--name", "other").out
        assert only == "# shop/other in db.yaml:2, type Opaque\nA: two\n"

    def test_standard_input_and_no_namespace(self, desk: Desk) -> None:
        text = desk.ok(
            "seal", "--scope", "cluster-wide", stdin=secret_text(namespace="", A="x")
        ).out
        result = desk.ok("view", "-", "--key", desk.key_file("staging"), stdin=text)
        assert result.out == "# db in stdin:1, type Opaque\nA: x\n"

    def test_what_is_made_of_values(self, desk: Desk) -> None:
        key = sealed(desk, A="one")
        template = {"type": "mine", "mergePolicy": "Replace", "data": {"url": "db:{{ .A }}"}}
        with_template(desk, template)
        out = desk.ok("view", FILE, "--key", key).out
        assert out == "# shop/db in db.yaml:1, type mine\nurl: db:one\n"

    def test_what_is_in_vault(self, desk: Desk) -> None:
        desk.ok("seal", "-o", FILE, stdin=secret_text(A="one", B=REFERENCE))
        with_template(desk, {"type": "Opaque", "data": {"A": "x{{ .A }}", "url": "{{ .B }}"}})
        assert desk.ok("view", FILE, "--key", desk.key_file("prod")).out.splitlines() == [
            "# shop/db in db.yaml:1, type Opaque",
            f'B: <refers to "{REFERENCE}">',
            "A: <made of values in Vault>",
            "url: <made of values in Vault>",
        ]


class TestOneValue:
    @pytest.mark.parametrize("value", [b"", b"hunter2", b"line\n", bytes(range(256))])
    def test_its_bytes_and_nothing_else(self, desk: Desk, value: bytes) -> None:
        key = sealed(desk, A=value, B="other")
        out = Raw()
        desk.ok("view", FILE, "A", "--key", key, stdout=out)
        assert out.written == value

    def test_several(self, desk: Desk) -> None:
        key = sealed(desk, A="one", B="two\n", C="three")
        assert desk.ok("view", FILE, "B", "A", "B", "--key", key).out == "B: |\n  two\nA: one\n"

    def test_of_one_manifest_in_many(self, desk: Desk) -> None:
        key = sealed(desk, A="one")
        other = desk.ok("seal", stdin=secret_text("other", A="two")).out
        desk.write(FILE, f"{desk.read(FILE)}---\n{other}")
        assert desk.ok("view", FILE, "A", "--key", key, "--name", "other").out == "two"
        refused(
            desk.run("view", FILE, "A", "--key", key), 2, "db.yaml: holds several: 'db', 'other'"
        )

    def test_a_terminal_gets_text_only(self, desk: Desk) -> None:
        key = sealed(desk, A="one\n", B="\x1b[31m", C=b"\xff")
        assert desk.run("view", FILE, "A", "--key", key, stdout=Screen()).out == "one\n"
        for name in ("B", "C"):
            result = desk.run("view", FILE, name, "--key", key, stdout=Screen())
            refused(result, 2, f"{name}: holds bytes that are no text for a terminal")

    def test_one_that_is_not_there(self, desk: Desk) -> None:
        key = sealed(desk, A="one", B="two")
        refused(
            desk.run("view", FILE, "C", "--key", key),
            2,
            "db.yaml:1: there is no value 'C', but A, B",
        )

    def test_one_that_is_in_vault(self, desk: Desk) -> None:
        desk.ok("seal", "-o", FILE, stdin=secret_text(B=REFERENCE))
        with_template(desk, {"type": "Opaque", "data": {"url": "{{ .B }}"}})
        for name in ("B", "url"):
            result = desk.run("view", FILE, name, "--key", desk.key_file("prod"))
            refused(result, 2, f"db.yaml:1: {name}: comes from Vault, it is not here")
        result = desk.run("view", FILE, "C", "--key", desk.key_file("prod"))
        refused(result, 2, "db.yaml:1: there is no value 'C', but none")


class TestMistakes:
    """Nothing of a value is told when something is wrong."""

    @pytest.fixture
    def key(self, desk: Desk) -> Path:
        return sealed(desk, PASSWORD=CANARY)

    @pytest.mark.usefixtures("key")
    def test_no_key_fits(self, desk: Desk) -> None:
        refused(desk.run("view", FILE, "--key", desk.key_file("lab")), 4, "db.yaml:1: no key here")

    def test_moved_by_hand(self, desk: Desk, key: Path) -> None:
        desk.write(FILE, desk.read(FILE).replace("name: db", "name: cache"))
        refused(desk.run("view", FILE, "--key", key), 5, "db.yaml:1: ")

    def test_one_bad_manifest_and_nothing_is_shown(self, desk: Desk, key: Path) -> None:
        text = desk.read(FILE)
        desk.write(FILE, f"{text}---\n{text.replace('name: db', 'name: cache')}")
        result = desk.run("view", FILE, "--key", key)
        refused(result, 5, "db.yaml:2: ")
        assert CANARY not in result.err

    def test_what_cannot_be_made_of_it(self, desk: Desk, key: Path) -> None:
        with_template(desk, {"type": "Opaque", "data": {"n": "{{ .PASSWORD | mustFromJson }}"}})
        result = desk.run("view", FILE, "--key", key)
        refused(result, 1, "db.yaml:1: ")
        assert CANARY not in result.err

    def test_nothing_sealed(self, desk: Desk, key: Path) -> None:
        refused(desk.run("view", key, "--key", key), 2, f"{key}: holds no SealedSecret")
        result = desk.run("view", FILE, "--key", key, "--name", "other")
        refused(result, 2, "db.yaml: holds no SealedSecret named 'other'")

    @pytest.mark.usefixtures("key")
    def test_no_key(self, desk: Desk) -> None:
        refused(desk.run("view", FILE), 2, "missing option '--key'")

    def test_standard_input_is_one_thing_only(self, desk: Desk) -> None:
        refused(desk.run("view", "-", "--key", "-"), 2, "standard input can be only one of them")
