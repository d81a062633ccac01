"""`jsonFile`, read as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sealkit.builders.samples import built, field_refused, parsed, value_refused

texts = st.text(st.characters(codec="utf-8"), max_size=8)


@given(values=st.dictionaries(texts, texts, max_size=5))
def test_all_values_are_read_back_sorted(values: dict[str, str]) -> None:
    encoded = {name: value.encode() for name, value in values.items()}
    read = json.loads(built("jsonFile", {}, encoded)["config.json"])
    assert list(read.items()) == sorted(values.items())


def test_keys_choose_and_rename_values() -> None:
    raw = {"keys": {"db pass": "pass"}, "file": "a.json"}
    made = built("jsonFile", raw, {"pass": "ü".encode(), "user": b"x"})
    assert made == {"a.json": '{\n  "db pass": "ü"\n}\n'.encode()}
    assert parsed("jsonFile", raw).to_dict() == {"file": "a.json", "keys": {"db pass": "pass"}}


def test_without_keys_all_values_are_needed() -> None:
    assert parsed("jsonFile", {}).needs_all
    assert not parsed("jsonFile", {"keys": ["a"]}).needs_all


@pytest.mark.parametrize("name", ["", "\ud800"], ids=ascii)
def test_a_name_is_text(name: str) -> None:
    assert field_refused({"jsonFile": {"keys": {name: "canary"}}}) == f".jsonFile.keys.{name}"


def test_what_is_not_text_is_refused() -> None:
    assert value_refused("jsonFile", {}, {"a": b"canary\xff"}) == "a"
