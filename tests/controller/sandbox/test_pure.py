"""The pure rules for one object that no request of the contract suite reaches."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit_controller.sandbox.objects import apply, fieldsets
from sealkit_controller.sandbox.objects.jsonpath import find
from sealkit_controller.sandbox.objects.schema import prune, set_defaults
from sealkit_controller.sandbox.objects.times import duration, is_micro_time, is_rfc3339
from sealkit_controller.sandbox.objects.validation import validate

AGES = {
    "0s": {"seconds": 0},
    "119s": {"seconds": 119},
    "2m": {"minutes": 2},
    "9m59s": {"minutes": 9, "seconds": 59},
    "10m": {"minutes": 10, "seconds": 5},
    "3h": {"hours": 3},
    "7h59m": {"hours": 7, "minutes": 59},
    "47h": {"hours": 47, "minutes": 59},
    "2d": {"hours": 48},
    "2d3h": {"days": 2, "hours": 3},
    "8d": {"days": 8, "hours": 3},
    "729d": {"days": 729},
    "2y5d": {"days": 735},
    "9y": {"days": 365 * 9 + 5},
}


@pytest.mark.parametrize(("text", "age"), AGES.items(), ids=AGES)
def test_ages_are_rounded_as_kubectl_rounds_them(text: str, age: dict[str, int]) -> None:
    assert duration(timedelta(**age).total_seconds()) == text


def test_an_age_in_the_future_is_invalid() -> None:
    assert duration(-60) == "<invalid>"


@pytest.mark.parametrize(
    ("text", "plain", "micro"),
    [
        ("2024-01-02T03:04:05Z", True, False),
        ("2024-01-02T03:04:05.123456Z", True, True),
        ("2024-01-02T03:04:05.123456+02:00", True, True),
        ("2024-01-02T03:04:05.1234567Z", True, False),
        ("2024-13-02T03:04:05Z", False, False),
        ("2024-01-02 03:04:05", False, False),
    ],
)
def test_times_are_told_apart(text: str, plain: Any, micro: Any) -> None:
    assert (is_rfc3339(text), is_micro_time(text)) == (plain, micro)


DOCUMENT = {
    "spec": {"list": [{"n": 1, "t": "a"}, {"n": 2, "t": "b"}], "map": {"x": 1, "y": 2}},
    "dotted": {"a.b/c": "found"},
    "flags": [{"on": True, "name": "yes"}, {"on": False, "name": "no"}],
}
PATHS: dict[str, list[Any]] = {
    ".spec.list[0].n": [1],
    ".spec.list[-1].n": [2],
    ".spec.list[9].n": [],
    ".spec.list[*].t": ["a", "b"],
    ".spec.map.*": [1, 2],
    '.spec.list[?(@.t=="b")].n': [2],
    ".spec.list[?(@.t!='b')].n": [1],
    ".spec.list[?(@.n==2)].t": ["b"],
    ".flags[?(@.on==true)].name": ["yes"],
    r".dotted.a\.b/c": ["found"],
    ".dotted['a.b/c']": ["found"],
    ".nothing.here": [],
    ".spec.map[?(@.x==1)]": [],
}


@pytest.mark.parametrize(("path", "expected"), PATHS.items(), ids=PATHS)
def test_paths_lead_to_values(path: str, expected: list[Any]) -> None:
    assert find(DOCUMENT, path) == expected


@pytest.mark.parametrize("path", ["spec", ".spec[", ".spec[?(@.a>1)]", ".a["])
def test_a_path_that_is_not_understood_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="JSONPath"):
        find(DOCUMENT, path)


RULES: dict[str, tuple[Any, dict[str, Any]]] = {
    "multiple": (5, {"type": "integer", "multipleOf": 2}),
    "exclusive-maximum": (5, {"type": "integer", "maximum": 5, "exclusiveMaximum": True}),
    "exclusive-minimum": (5, {"type": "integer", "minimum": 5, "exclusiveMinimum": True}),
    "min-items": ([], {"type": "array", "minItems": 1}),
    "all": (5, {"type": "integer", "allOf": [{"maximum": 4}]}),
    "any": (5, {"type": "integer", "anyOf": [{"maximum": 4}, {"minimum": 6}]}),
    "one": (5, {"type": "integer", "oneOf": [{"minimum": 4}, {"maximum": 6}]}),
    "not": (5, {"type": "integer", "not": {"minimum": 4}}),
    "int-or-string": (1.5, {"x-kubernetes-int-or-string": True}),
    "null": (None, {"type": "string"}),
    "embedded": ({}, {"type": "object", "x-kubernetes-embedded-resource": True}),
}


@pytest.mark.parametrize(("value", "schema"), RULES.values(), ids=RULES)
def test_a_broken_rule_is_found(value: Any, schema: dict[str, Any]) -> None:
    assert list(validate(value, schema, "spec.x"))


def test_what_fits_is_accepted() -> None:
    schema = {
        "type": "object",
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        "properties": {"a": {"type": "integer", "multipleOf": 2, "not": {"minimum": 10}}},
    }
    assert list(validate({"a": 4}, schema)) == []


def test_embedded_objects_keep_their_kind() -> None:
    schema = {"properties": {"inner": {"type": "object", "x-kubernetes-embedded-resource": True}}}
    value: dict[str, Any] = {"inner": {"apiVersion": "v1", "kind": "X", "metadata": {}, "other": 1}}
    assert list(prune(value, schema)) == ["inner.other"]
    assert value == {"inner": {"apiVersion": "v1", "kind": "X", "metadata": {}}}


def test_defaults_are_never_shared() -> None:
    schema = {"properties": {"a": {"type": "object", "default": {"l": []}}}}
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    set_defaults(first, schema)
    first["a"]["l"].append(1)
    set_defaults(second, schema)
    assert second == {"a": {"l": []}}


names = st.text("ab.", min_size=1, max_size=2)  # so few that paths overlap, and dots are awkward
elements = st.builds("f:{}".format, names) | st.builds('k:{{"name":"{}"}}'.format, names)
field_sets = st.frozensets(st.lists(elements, min_size=1, max_size=3).map(tuple), max_size=6)


@given(field_sets)
def test_field_sets_survive_being_written(fields: fieldsets.FieldSet) -> None:
    assert fieldsets.decode(fieldsets.encode(fields)) == fields


values = st.recursive(
    st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.dictionaries(names, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=6,
)
documents = st.dictionaries(names, values, max_size=3)


@given(documents, documents)
def test_merging_sets_everything_that_was_asked_for(
    live: dict[str, Any], config: dict[str, Any]
) -> None:
    merged = apply.merge(live, config, {})
    assert fieldsets.fields_of(config, {}) <= fieldsets.fields_of(merged, {})
    assert apply.merge(merged, config, {}) == merged


@given(documents)
def test_nothing_changes_between_equals(document: dict[str, Any]) -> None:
    difference = fieldsets.compare(document, document, {})
    assert difference == fieldsets.Comparison(frozenset(), frozenset())


@given(documents, documents)
def test_an_applier_that_drops_everything_leaves_what_others_own(
    mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    owned = fieldsets.fields_of(theirs, {})
    merged = apply.merge(mine, theirs, {})
    left = apply.drop_abandoned(merged, {}, fieldsets.fields_of(mine, {}), owned)
    assert fieldsets.fields_of(theirs, {}) <= fieldsets.fields_of(left, {})
    assert set(left) <= set(theirs) | set(mine)
    assert {name for name in mine if name not in theirs}.isdisjoint(left)
