"""Scopes: what a value is bound to, and what must be there for it."""

from __future__ import annotations

import pytest

from sealkit.errors import ManifestError
from sealkit.manifests.scope import Scope


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        pytest.param(Scope.STRICT, ("shop", "db"), id="strict"),
        pytest.param(Scope.NAMESPACE, ("shop", ""), id="namespace-wide"),
        pytest.param(Scope.CLUSTER, ("", ""), id="cluster-wide"),
    ],
)
def test_a_scope_keeps_what_it_binds_and_empties_the_rest(
    scope: Scope, place: tuple[str, str]
) -> None:
    assert scope.place("shop", "db") == place


def test_the_names_of_the_scopes_are_those_of_the_format() -> None:
    assert [*Scope] == ["strict", "namespace-wide", "cluster-wide"]


@pytest.mark.parametrize(
    ("scope", "namespace", "name", "field"),
    [
        pytest.param(Scope.STRICT, "", "db", "metadata.namespace", id="strict-no-namespace"),
        pytest.param(Scope.STRICT, "shop", "", "metadata.name", id="strict-no-name"),
        pytest.param(Scope.NAMESPACE, "", "db", "metadata.namespace", id="namespace-wide"),
    ],
)
def test_a_part_that_the_scope_binds_must_be_there(
    scope: Scope, namespace: str, name: str, field: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        scope.place(namespace, name)
    assert caught.value.field == field


def test_what_a_scope_leaves_free_may_be_missing() -> None:
    assert Scope.NAMESPACE.place("shop", "") == ("shop", "")
    assert Scope.CLUSTER.place("", "") == ("", "")
