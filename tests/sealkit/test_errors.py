"""Errors: one root, an exit code for each family, and the place they are about."""

from __future__ import annotations

from typing import Any

import pytest

from sealkit import errors
from sealkit.errors import ManifestError, NoKeyError, SealkitError, UnsealError

EXIT_CODES = {
    "SealkitError": 1,
    "UsageError": 2,
    "ConfigError": 2,
    "ManifestError": 1,
    "ReferenceSyntaxError": 1,
    "TemplateError": 1,
    "PolicyError": 6,
    "UnsealError": 5,
    "NoKeyError": 4,
    "VaultError": 1,
}


def families() -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }


def test_every_family_has_its_exit_code_and_the_one_root() -> None:
    assert {name: family.exit_code for name, family in families().items()} == EXIT_CODES
    assert all(issubclass(family, SealkitError) for family in families().values())


def test_a_missing_key_is_a_failure_to_unseal() -> None:
    assert issubclass(NoKeyError, UnsealError)


@pytest.mark.parametrize(
    ("file", "document", "field", "text"),
    [
        pytest.param("", 0, "", "is wrong", id="nothing"),
        pytest.param("", 0, "spec.scope", "spec.scope: is wrong", id="field"),
        pytest.param("a.yaml", 0, "", "a.yaml: is wrong", id="file"),
        pytest.param("a.yaml", 2, "kind", "a.yaml:2: kind: is wrong", id="all"),
    ],
)
def test_the_text_names_what_is_known_of_the_place(
    file: str, document: int, field: str, text: str
) -> None:
    assert str(ManifestError("is wrong", field=field).located(file=file, document=document)) == text


def test_a_place_that_is_known_stays() -> None:
    error = ManifestError("is wrong").located(file="a.yaml", document=2)
    assert error.located(file="b.yaml", document=3) is error
    assert (error.file, error.document) == ("a.yaml", 2)


def test_a_place_may_come_in_parts() -> None:
    error = ManifestError("is wrong").located(document=2).located(file="a.yaml")
    assert str(error) == "a.yaml:2: is wrong"


def test_the_hint_is_kept_beside_the_text() -> None:
    error = ManifestError("is wrong", hint="mend it")
    assert error.hint == "mend it"
    assert "mend it" not in str(error)
