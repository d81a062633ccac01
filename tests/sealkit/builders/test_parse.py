"""`spec.template.build` as a whole: strictness, canonical form, what is made of what."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from sealkit.builders import builders_to_dict, parse_builders, type_of
from tests.sealkit.builders.samples import (
    CANARY,
    EXAMPLES,
    LOGIN,
    PATH,
    VALUES,
    built,
    examples,
    field_refused,
    parsed,
    value_refused,
)


@examples
def test_the_canonical_form_is_read_back_and_written_again(name: str) -> None:
    builder = parsed(name, EXAMPLES[name])
    assert builder.to_dict() == EXAMPLES[name]
    assert parsed(name, builder.to_dict()) == builder


@examples
def test_what_is_made_and_needed_is_known_before_there_are_values(name: str) -> None:
    builder = parsed(name, EXAMPLES[name])
    needed = {key: VALUES[key] for key in builder.needs}
    assert built(name, EXAMPLES[name], needed).keys() == builder.makes


@examples
def test_unchanged_values_make_unchanged_contents(name: str) -> None:
    assert built(name, EXAMPLES[name], VALUES) == built(name, EXAMPLES[name], VALUES)


@examples
def test_a_value_that_is_not_there_is_named(name: str) -> None:
    for missing in parsed(name, EXAMPLES[name]).needs:
        values = {key: value for key, value in VALUES.items() if key != missing}
        assert value_refused(name, EXAMPLES[name], values) == missing


@examples
def test_an_unknown_field_is_refused(name: str) -> None:
    assert field_refused({name: {**EXAMPLES[name], "extra": "x"}}) == f".{name}.extra"


@pytest.mark.parametrize("raw", [CANARY, None, [CANARY], {1: CANARY}], ids=repr)
@examples
def test_a_builder_is_a_mapping(name: str, raw: object) -> None:
    assert field_refused({name: raw}) == f".{name}"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        pytest.param(name, field, id=f"{name}.{field}")
        for name, fields in {
            "basicAuth": ["username", "password"],
            "dockerConfigJson": ["registries"],
            "htpasswd": ["users"],
            "sshAuth": ["privateKey"],
            "tls": ["certificate", "key"],
        }.items()
        for field in fields
    ],
)
def test_a_missing_field_is_refused(name: str, field: str) -> None:
    raw = {key: value for key, value in EXAMPLES[name].items() if key != field}
    assert field_refused({name: raw}) == f".{name}.{field}"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        pytest.param(name, field, id=f"{name}.{field}")
        for name, raw in EXAMPLES.items()
        for field in raw
    ],
)
@pytest.mark.parametrize("wrong", [7, "", None, True, "\ud800"], ids=repr)
def test_a_field_of_the_wrong_type_is_refused(name: str, field: str, wrong: object) -> None:
    assert field_refused({name: {**EXAMPLES[name], field: wrong}}) == f".{name}.{field}"


@pytest.mark.parametrize("file", [".", "..", "..data", "a/b", "a b", "ä", "a" * 254, "a\n"])
@pytest.mark.parametrize("name", ["envFile", "jsonFile", "htpasswd"])
def test_a_file_is_a_data_key(name: str, file: str) -> None:
    assert field_refused({name: {**EXAMPLES[name], "file": file}}) == f".{name}.file"


@pytest.mark.parametrize("raw", ["tls", None, [], {1: LOGIN}], ids=repr)
def test_builders_are_a_mapping(raw: object) -> None:
    assert not field_refused(raw)


def test_an_unknown_builder_is_refused() -> None:
    assert field_refused({"javaKeystore": {}}) == ".javaKeystore"


def test_builders_are_written_sorted() -> None:
    mixed = {name: EXAMPLES[name] for name in sorted(EXAMPLES, reverse=True)}
    written = builders_to_dict(parse_builders(mixed, PATH))
    assert list(written.items()) == list(EXAMPLES.items())


def test_no_builders_are_nothing() -> None:
    assert builders_to_dict(parse_builders({}, PATH)) == {}


@pytest.mark.parametrize(
    "raw",
    [
        {"basicAuth": LOGIN, "jsonFile": {"file": "password"}},
        {"envFile": {"file": "auth"}, "jsonFile": {"file": "auth"}},
        {"htpasswd": {"users": [LOGIN], "file": "config.json"}, "jsonFile": {}},
    ],
    ids=["fixed", "both free", "default"],
)
def test_one_data_key_is_made_once(raw: dict[str, Any]) -> None:
    assert field_refused(raw) == ".jsonFile"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["basicAuth"], "kubernetes.io/basic-auth"),
        (["dockerConfigJson"], "kubernetes.io/dockerconfigjson"),
        (["sshAuth"], "kubernetes.io/ssh-auth"),
        (["tls"], "kubernetes.io/tls"),
        (["tls", "envFile", "jsonFile"], "kubernetes.io/tls"),
        (["envFile", "htpasswd", "jsonFile"], ""),
        (["tls", "sshAuth"], ""),
    ],
    ids=str,
)
def test_the_type_is_that_of_the_only_builder_with_one(names: list[str], expected: str) -> None:
    assert type_of(parsed(name, EXAMPLES[name]) for name in names) == expected


def test_importing_the_builders_imports_neither_cryptography_nor_bcrypt() -> None:
    code = "import sys, sealkit.builders; print({'cryptography', 'bcrypt'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout == b"set()\n"
