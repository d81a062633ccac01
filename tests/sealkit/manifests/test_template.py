"""The template of a Secret: what is made of its values, checked before there are any."""

from __future__ import annotations

from typing import Any

import pytest

from sealkit.assembly import assemble
from sealkit.errors import ManifestError, TemplateError
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.template import parse_template
from sealkit.sensitive import Sensitive

VALUES = {"user": b"shop", "pass": b"hunter2"}
BASIC = {"basicAuth": {"username": "user", "password": "pass"}}


def manifest(template: dict[str, Any], references: dict[str, Any] | None = None) -> SealedSecret:
    given = {name: f"vault:kv/a#{name}" for name in VALUES} if references is None else references
    return SealedSecret.from_dict(
        {
            "apiVersion": "sealkit.dev/v1alpha1",
            "kind": "SealedSecret",
            "metadata": {"name": "db", "namespace": "shop"},
            "spec": {"scope": "strict", "references": given, "template": template},
        }
    )


def made(template: dict[str, Any]) -> dict[str, bytes]:
    values = {name: Sensitive(value) for name, value in VALUES.items()}
    secret = assemble(manifest(template), values)
    return {key: value.reveal() for key, value in secret.data.items()}


def test_values_stay_beside_what_is_made_of_them() -> None:
    assert made({"data": {"url": "{{ .user }}:{{ .pass }}@db"}}) == {
        **VALUES,
        "url": b"shop:hunter2@db",
    }


def test_or_make_way_for_it() -> None:
    template = {"mergePolicy": "Replace", "data": {"url": "{{ .user }}"}}
    assert made(template) == {"url": b"shop"}


def test_a_text_takes_the_place_of_a_value_of_its_name() -> None:
    assert made({"data": {"pass": "<{{ .pass }}>"}}) == {"user": b"shop", "pass": b"<hunter2>"}


def test_builders_and_texts_see_the_values_only() -> None:
    template = {"build": BASIC, "data": {"login": "{{ .user }}"}, "mergePolicy": "Replace"}
    assert made(template) == {"username": b"shop", "password": b"hunter2", "login": b"shop"}


def test_other_delimiters() -> None:
    assert made({"data": {"a": "{{ x }} [[ .user ]]"}, "delimiters": ["[[", "]]"]})["a"] == (
        b"{{ x }} shop"
    )


def test_what_the_type_needs_may_be_made() -> None:
    template = {"type": "kubernetes.io/basic-auth", "build": BASIC}
    assert made(template)["username"] == b"shop"
    with pytest.raises(ManifestError) as caught:
        manifest({"type": "kubernetes.io/basic-auth"})
    assert caught.value.field == "spec"


def test_an_optional_value_that_is_absent_fails_where_it_is_named() -> None:
    sealed = manifest({"data": {"a": "{{ .user }}"}})
    with pytest.raises(TemplateError):
        assemble(sealed, {})


def test_what_needs_a_salt_says_so() -> None:
    users = [{"username": "user", "password": "pass"}]
    with pytest.raises(TemplateError, match="salt"):
        made({"build": {"htpasswd": {"users": users}}})


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ({"data": {"a": "{{ .other }}"}}, "spec.template.data.a"),
        ({"data": {"a": "{{ .user"}}, "spec.template.data.a"),
        ({"data": {"a b": "x"}}, "spec.template.data.a b"),
        ({"data": {"a": 5}}, "spec.template.data.a"),
        ({"data": {f"k{n}": "x" for n in range(257)}}, "spec.template.data"),
        ({"data": {"username": "x"}, "build": BASIC}, "spec.template.data.username"),
        (
            {"build": {"basicAuth": {"username": "user", "password": "other"}}},
            "spec.template.build.basicAuth",
        ),
        ({"build": {"nothing": {}}}, "spec.template.build.nothing"),
        ({"mergePolicy": "Replace"}, "spec.template.mergePolicy"),
        ({"mergePolicy": "merge"}, "spec.template.mergePolicy"),
        ({"delimiters": "[["}, "spec.template.delimiters"),
        ({"delimiters": ["[["]}, "spec.template.delimiters"),
        ({"delimiters": ["[[", 5]}, "spec.template.delimiters"),
        ({"data": {"a": "x"}, "delimiters": ["", "]]"]}, "spec.template.data.a"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_there_are_values(
    template: dict[str, Any], field: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        manifest(template)
    assert caught.value.field == field


def test_what_was_named_is_not_shown_but_what_could_be() -> None:
    with pytest.raises(ManifestError) as caught:
        manifest({"build": {"basicAuth": {"username": "user", "password": "hunter2"}}})
    assert "hunter2" not in str(caught.value)
    assert caught.value.hint == "values here: pass, user"


def test_the_canonical_form() -> None:
    raw = {
        "type": "Opaque",
        "mergePolicy": "Replace",
        "build": BASIC,
        "data": {"a": "[[ .user ]]", "b": "x"},
        "delimiters": ["[[", "]]"],
    }
    template = parse_template({name: raw[name] for name in sorted(raw)})
    assert list(template.to_dict()) == list(raw)
    assert template.to_dict() == raw
    assert parse_template(template.to_dict()) == template
