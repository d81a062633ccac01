"""`envFile`, read back by a real shell."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sealkit.builders.samples import CANARY, built, field_refused, parsed, value_refused

# Few characters, and among them all that a shell or a dotenv library gives a meaning to.
SPECIAL = "a1 '\"\\$`\n\r\t#=!{}()~*;&|<>%ü€😀\u2028"
texts = st.text(SPECIAL, max_size=8) | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8
)
variables = st.from_regex(r"[Xx_][A-Za-z0-9_]{1,5}", fullmatch=True)  # none a shell needs


def env_of(raw: object, values: dict[str, str]) -> str:
    encoded = {name: value.encode() for name, value in values.items()}
    return built("envFile", raw, encoded)[".env"].decode()


def read_by_shell(file: Path) -> dict[str, str]:
    script = 'set -a; . "$0"; exec /usr/bin/env -0'
    command = ["/bin/sh", "-c", script, str(file)]
    result = subprocess.run(command, env={}, capture_output=True, check=True)
    assert not result.stderr
    pairs = [entry.partition("=") for entry in result.stdout.decode().split("\x00") if entry]
    return {name: value for name, _, value in pairs}


@given(values=st.dictionaries(variables, texts, min_size=1, max_size=5))
def test_a_shell_reads_the_very_values_back(
    values: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "read-back.env"
    file.write_bytes(env_of({}, values).encode())
    read = read_by_shell(file)
    assert {name: read.get(name) for name in values} == values


# What docker compose and python-dotenv were seen to read as the value, too; the last four are the
# exceptions that the module names.
@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("", "''"),
        ("a b#c", "'a b#c'"),
        ('say "$HOME" `id`', "'say \"$HOME\" `id`'"),
        ("C:\\new\\$x", "'C:\\new\\$x'"),
        ("two\nlines", "'two\nlines'"),
        ("it's", '"it\'s"'),
        ("'\"", '"\'\\""'),
        ("'\\n", '"\'\\\\n"'),
        ("\\\\host", '"\\\\\\\\host"'),
        ("${x}", "'${x}'"),
        ("end\\", '"end\\\\"'),
        ("'$x", '"\'\\$x"'),
        ("'`id`", '"\'\\`id\\`"'),
    ],
)
def test_a_value_has_the_spelling_that_most_readers_share(value: str, spelling: str) -> None:
    assert env_of({}, {"A": value}) == f"A={spelling}\n"


def test_without_keys_all_values_are_written_sorted() -> None:
    builder = parsed("envFile", {})
    assert (builder.needs, builder.needs_all, builder.to_dict()) == (frozenset(), True, {})
    assert env_of({}, {"B": "2", "A": "1"}) == "A='1'\nB='2'\n"


def test_keys_choose_values() -> None:
    builder = parsed("envFile", {"keys": ["B", "A"]})
    assert builder.needs == {"A", "B"}
    assert not builder.needs_all
    assert env_of({"keys": ["B", "A"]}, {"A": "1", "B": "2", "c-d": "3"}) == "A='1'\nB='2'\n"


def test_keys_rename_values() -> None:
    assert env_of({"keys": {"DB_PASS": "db.pass"}}, {"db.pass": "x"}) == "DB_PASS='x'\n"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ({"file": ".env"}, {}),
        ({"keys": ["B", "A"]}, {"keys": ["A", "B"]}),
        ({"keys": {"B": "B", "A": "A"}}, {"keys": ["A", "B"]}),
        ({"keys": {"B": "x", "A": "A"}}, {"keys": {"A": "A", "B": "x"}}),
    ],
    ids=["default file", "list", "mapping to itself", "mapping"],
)
def test_there_is_one_canonical_form(written: dict[str, Any], canonical: dict[str, Any]) -> None:
    builder = parsed("envFile", written)
    assert builder.to_dict() == canonical
    assert parsed("envFile", canonical) == builder


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        pytest.param([], "", id="no list"),
        pytest.param({}, "", id="no mapping"),
        pytest.param("A", "", id="text"),
        pytest.param(["A", "B", "A"], "[2]", id="twice"),
        pytest.param(["A", "b.c"], "[1]", id="dot"),
        pytest.param(["1A"], "[0]", id="digit"),
        pytest.param(["A\n"], "[0]", id="line break"),
        pytest.param([7], "[0]", id="number"),
        pytest.param({"A-B": CANARY}, ".A-B", id="hyphen"),
        pytest.param({"A": ""}, ".A", id="empty"),
        pytest.param({"A": 7}, ".A", id="number for a value"),
        pytest.param({7: CANARY}, "", id="number for a name"),
        pytest.param({f"A{number}": "a" for number in range(1025)}, "", id="many"),
    ],
)
def test_keys_that_cannot_be_are_refused(keys: object, field: str) -> None:
    assert field_refused({"envFile": {"keys": keys}}) == f".envFile.keys{field}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("db.pass", CANARY.encode()), ("A", b"canary\x00"), ("A", b"canary\xff")],
    ids=["name", "NUL", "bytes"],
)
def test_what_no_variable_can_be_is_refused(name: str, value: bytes) -> None:
    assert value_refused("envFile", {}, {name: value}) == name
