"""The Secret that comes of the values of a manifest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.assembly import assemble, no_salt, render_values
from sealkit.builders import parse_builders
from sealkit.errors import ManifestError, TemplateError
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.template import MergePolicy, Template
from sealkit.references.failures import Failed, Failure
from sealkit.references.reference import Reference
from sealkit.references.template import Template as ValueTemplate
from sealkit.sensitive import Sensitive

ONE, TWO = Reference("kv/a", "one"), Reference("kv/a", "two")
USERS = {"htpasswd": {"users": [{"username": "user", "password": "password"}]}}
CANARY = "canary-never-shown"


def manifest(
    references: dict[str, tuple[str | Reference, ...]] | None = None, **template: Any
) -> SealedSecret:
    """A manifest with these references and this template; its sealed values are elsewhere."""
    return SealedSecret(
        name="db",
        namespace="shop",
        scope=Scope.STRICT,
        envelopes={},
        encrypted_data={},
        template=Template(**template),
        references={key: ValueTemplate(parts) for key, parts in (references or {}).items()},
    )


def made(sealed: SealedSecret, **values: str | bytes) -> dict[str, bytes]:
    boxed = {
        key: Sensitive(one.encode() if isinstance(one, str) else one) for key, one in values.items()
    }
    found = assemble(sealed, boxed, lambda _: bytes(16))
    return {key: one.reveal() for key, one in found.data.items()}


class TestRendering:
    """The values of `spec.references`."""

    def test_each_entry_is_rendered(self) -> None:
        sealed = manifest({"A": (ONE,), "B": ("x", TWO, "y")})
        outcomes = {ONE: Sensitive(b"1"), TWO: Sensitive(b"2")}
        assert render_values(sealed, outcomes) == {"A": Sensitive(b"1"), "B": Sensitive(b"x2y")}

    def test_what_is_optional_and_absent_is_left_out(self) -> None:
        sealed = manifest({"A": (ONE,), "B": (TWO,)})
        assert render_values(sealed, {ONE: None, TWO: Sensitive(b"2")}) == {"B": Sensitive(b"2")}

    def test_the_first_failure_is_that_of_the_whole(self) -> None:
        sealed = manifest({"A": (ONE,), "B": (TWO,)})
        outcomes = {
            ONE: Failed(Failure.KEY_NOT_FOUND, "kv/a#one"),
            TWO: Failed(Failure.PATH_NOT_FOUND),
        }
        assert render_values(sealed, outcomes) == Failed(Failure.KEY_NOT_FOUND, "A: kv/a#one")
        outcomes[ONE] = Failed(Failure.PATH_NOT_FOUND)
        assert render_values(sealed, outcomes) == Failed(Failure.PATH_NOT_FOUND, "A")

    def test_every_outcome_must_be_there(self) -> None:
        with pytest.raises(KeyError):
            render_values(manifest({"A": (ONE,)}), {})

    def test_without_references_there_is_nothing(self) -> None:
        assert render_values(manifest(), {}) == {}

    @given(st.binary(max_size=20))
    def test_a_value_is_never_read_again(self, value: bytes) -> None:
        spelled = b"${vault:kv/a#two}" + value + b"<path:kv/a#two>"
        sealed = manifest({"A": ("x ", ONE)})
        assert render_values(sealed, {ONE: Sensitive(spelled)}) == {"A": Sensitive(b"x " + spelled)}


class TestMaking:
    """Builders, texts, and the policy of merging."""

    def test_without_a_template_the_values_are_the_data(self) -> None:
        assert made(manifest(), b="2", a="1") == {"a": b"1", "b": b"2"}
        assert list(made(manifest(), b="2", a="1")) == ["a", "b"]

    def test_a_text_beside_the_values(self) -> None:
        sealed = manifest(data={"app.ini": "p={{ .password }}"})
        assert made(sealed, password="x") == {"app.ini": b"p=x", "password": b"x"}

    def test_a_text_in_place_of_the_values(self) -> None:
        sealed = manifest(data={"app.ini": "{{ .p }}"}, merge_policy=MergePolicy.REPLACE)
        assert made(sealed, p="x") == {"app.ini": b"x"}

    def test_a_text_in_place_of_the_value_of_the_same_name(self) -> None:
        assert made(manifest(data={"p": "<{{ .p }}>"}), p="x") == {"p": b"<x>"}

    def test_other_delimiters(self) -> None:
        sealed = manifest(data={"a": "{{ <% .p %>"}, delimiters=("<%", "%>"))
        assert made(sealed, p="x")["a"] == b"{{ x"

    def test_a_builder_with_its_salt(self) -> None:
        sealed = manifest(build=parse_builders(USERS, "spec.template.build"))
        found = made(sealed, user="ann", password="x")
        assert found["auth"].startswith(b"ann:$2y$10$")
        assert found == made(sealed, user="ann", password="x")

    def test_neither_sees_what_the_other_made(self) -> None:
        sealed = manifest(
            build=parse_builders(USERS, "spec.template.build"), data={"a": "{{ .auth }}"}
        )
        with pytest.raises(TemplateError):
            made(sealed, user="ann", password="x")

    @given(st.text(st.sampled_from("{}. p<%>$"), max_size=12))
    def test_a_value_is_never_read_as_a_template(self, value: str) -> None:
        assert made(manifest(data={"a": "{{ .p }}"}), p=value)["a"] == value.encode()

    def test_bytes_stay_bytes(self) -> None:
        assert made(manifest(), a=bytes(range(256))) == {"a": bytes(range(256))}

    def test_the_shape_of_the_secret(self) -> None:
        labels = {"app": "db", "argocd.argoproj.io/instance": "x"}
        sealed = manifest(type="example.com/x", immutable=True, labels=labels, annotations=labels)
        secret = assemble(sealed, {"a": Sensitive(b"1")})
        assert (secret.name, secret.namespace) == ("db", "shop")
        assert (secret.type, secret.immutable) == ("example.com/x", True)
        assert secret.labels == secret.annotations == {"app": "db"}


class TestRefusals:
    """A Secret that the API server would not take, or that cannot be made."""

    def test_a_rule_of_the_type(self) -> None:
        sealed = manifest(type="kubernetes.io/dockerconfigjson")
        with pytest.raises(ManifestError) as refusal:
            made(sealed, **{".dockerconfigjson": CANARY})
        assert refusal.value.field == "data..dockerconfigjson"
        assert CANARY not in str(refusal.value)
        assert made(sealed, **{".dockerconfigjson": "{}"}) == {".dockerconfigjson": b"{}"}

    def test_a_key_that_the_type_needs_and_that_was_absent(self) -> None:
        with pytest.raises(ManifestError, match="is missing"):
            made(manifest(type="kubernetes.io/ssh-auth"), other="x")

    def test_more_than_a_secret_holds(self) -> None:
        with pytest.raises(ManifestError, match="more than 1 MiB"):
            made(manifest(), a=bytes(1 << 19), b=bytes((1 << 19) + 1))

    def test_a_builder_without_its_value(self) -> None:
        sealed = manifest(build=parse_builders(USERS, "spec.template.build"))
        with pytest.raises(TemplateError, match="value 'password' is not there"):
            made(sealed, user="ann")

    def test_a_text_without_its_value(self) -> None:
        with pytest.raises(TemplateError):
            made(manifest(data={"a": "{{ .missing }}"}), p="x")

    def test_a_salt_where_there_is_none(self) -> None:
        with pytest.raises(TemplateError, match="needs a salt"):
            no_salt(b"")
        sealed = manifest(build=parse_builders(USERS, "spec.template.build"))
        values = {"user": Sensitive(b"ann"), "password": Sensitive(b"x")}
        with pytest.raises(TemplateError, match="needs a salt"):
            assemble(sealed, values)

    def test_a_bad_key(self) -> None:
        with pytest.raises(ManifestError, match="is not a data key"):
            made(manifest(), **{"a b": "x"})
