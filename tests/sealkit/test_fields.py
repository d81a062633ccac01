"""Typed access: the wrong kind is an error that names the field and quotes no value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sealkit import fields
from sealkit.errors import ManifestError

READERS: dict[str, tuple[Callable[[object, str], object], object]] = {
    "mapping": (fields.mapping, {"a": 1}),
    "text": (fields.text, "a"),
    "flag": (fields.flag, True),
    "string_map": (fields.string_map, {"a": "b"}),
    "object_name": (fields.object_name, "a.b-c"),
    "namespace_name": (fields.namespace_name, "a-b"),
    "namespace_or_none": (fields.namespace_or_none, "a-b"),
}
WRONG: list[object] = [None, 0, 1, 1.5, [], ["x-value"], {1: "x-value"}, {"a": 7}]
WRONG += ["X-Value", b"x-value", False]
ACCEPTED = {("text", "X-Value"), ("flag", False), ("mapping", "{'a': 7}")}


@pytest.mark.parametrize(("reader", "value"), READERS.values(), ids=list(READERS))
def test_the_right_kind_is_returned(reader: Callable[[object, str], object], value: object) -> None:
    assert reader(value, "spec.x") == value


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("name", READERS)
def test_any_other_kind_is_refused(name: str, value: object) -> None:
    reader, _ = READERS[name]
    if (name, value if isinstance(value, str | bool) else str(value)) in ACCEPTED:
        assert reader(value, "spec.x") == value
        return
    with pytest.raises(ManifestError) as caught:
        reader(value, "spec.x")
    assert caught.value.field.startswith("spec.x")
    assert "value" not in str(caught.value).lower()


def test_a_string_map_is_sorted_and_names_the_entry_it_refuses() -> None:
    assert list(fields.string_map({"b": "1", "a": "2"}, "spec.x")) == ["a", "b"]
    with pytest.raises(ManifestError) as caught:
        fields.string_map({"b": "1", "a": 2}, "spec.x")
    assert caught.value.field == "spec.x.a"


@pytest.mark.parametrize(("parent", "path"), [("", "tpye"), ("spec", "spec.tpye")])
def test_an_unknown_field_is_named_with_what_is_known(parent: str, path: str) -> None:
    with pytest.raises(ManifestError) as caught:
        fields.only({"type": 1, "tpye": 2}, ("type", "kind"), parent)
    assert caught.value.field == path
    assert caught.value.hint == "known fields: kind, type"


@pytest.mark.parametrize(
    ("name", "is_object", "is_namespace"),
    [
        pytest.param("a", True, True, id="one-letter"),
        pytest.param("0", True, True, id="one-digit"),
        pytest.param("a" * 63, True, True, id="longest-label"),
        pytest.param("a" * 64, True, False, id="longer-than-a-label"),
        pytest.param("a" * 253, True, False, id="longest"),
        pytest.param("a" * 254, False, False, id="too-long"),
        pytest.param("a.b", True, False, id="dot"),
        pytest.param("a..b", False, False, id="two-dots"),
        pytest.param(".a", False, False, id="dot-first"),
        pytest.param("a-", False, False, id="hyphen-last"),
        pytest.param("-a", False, False, id="hyphen-first"),
        pytest.param("A", False, False, id="upper-case"),
        pytest.param("a_b", False, False, id="underscore"),
        pytest.param("a\n", False, False, id="line-break"),
        pytest.param("a/b", False, False, id="slash"),
        pytest.param("é", False, False, id="not-ascii"),
    ],
)
def test_names_are_those_that_kubernetes_accepts(
    name: str, *, is_object: bool, is_namespace: bool
) -> None:
    def accepts(reader: Callable[[object], str]) -> bool:
        try:
            return reader(name) == name
        except ManifestError:
            return False

    assert accepts(fields.object_name) is is_object
    assert accepts(fields.namespace_name) is is_namespace


def test_no_namespace_is_an_empty_one() -> None:
    assert fields.namespace_or_none("") == ""
