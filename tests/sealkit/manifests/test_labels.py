"""Labels and annotations: what the API server would refuse is refused before it is sealed."""

from __future__ import annotations

import pytest

from sealkit import fields
from sealkit.errors import ManifestError
from sealkit.manifests.template import Template

KEYS = ["app", "app.kubernetes.io/name", "A_b-c.d", "x" * 63, f"{'a' * 63}.example/x"]
BAD_KEYS = ["", "-a", "a-", "x" * 64, "/a", "a/b/c", "Upper.example/a", "spa ce", "a/", "é"]
BAD_VALUES = ["-a", "a-", "x" * 64, "spa ce", "a/b", "é"]


@pytest.mark.parametrize("key", KEYS)
def test_a_qualified_name_is_accepted(key: str) -> None:
    assert fields.label_map({key: "v"}, "metadata.labels") == {key: "v"}


@pytest.mark.parametrize("key", BAD_KEYS)
def test_any_other_key_is_refused_and_named(key: str) -> None:
    with pytest.raises(ManifestError) as caught:
        fields.annotation_map({key: "v"}, "metadata.annotations")
    assert caught.value.field == f"metadata.annotations.{key}"


@pytest.mark.parametrize("value", ["", "a", "A.b_c-d", "x" * 63])
def test_a_label_value_is_accepted(value: str) -> None:
    assert fields.label_map({"a": value}, "metadata.labels") == {"a": value}


@pytest.mark.parametrize("value", BAD_VALUES)
def test_any_other_label_value_is_refused_but_fine_in_an_annotation(value: str) -> None:
    with pytest.raises(ManifestError) as caught:
        fields.label_map({"a": value}, "metadata.labels")
    assert caught.value.field == "metadata.labels.a"
    assert fields.annotation_map({"a": value}, "metadata.annotations") == {"a": value}


@pytest.mark.parametrize(
    ("template", "field"),
    [
        (Template(type="x" * 254), "spec.template.type"),
        (Template(labels={f"l{n}": "" for n in range(65)}), "spec.template.metadata.labels"),
        (
            Template(annotations={f"a{n}": "" for n in range(65)}),
            "spec.template.metadata.annotations",
        ),
    ],
    ids=["type", "labels", "annotations"],
)
def test_what_exceeds_the_bounds_of_the_crd_is_refused(template: Template, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        template.check()
    assert caught.value.field == field
