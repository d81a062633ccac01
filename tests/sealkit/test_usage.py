from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.usage import KeyUse, Wraps, key_usage, wraps_of
from tests.sealkit.samples import KEY, OTHER, a_manifest


def wraps(*envelopes: str) -> Wraps:
    """Return envelopes of keys with one letter each."""
    return frozenset(frozenset(envelope) for envelope in envelopes)


def test_the_wraps_of_a_manifest_are_its_key_ids() -> None:
    assert wraps_of(a_manifest().to_dict()) == frozenset({frozenset({KEY.kid, OTHER.kid})})


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"spec": None},
        {"spec": {"envelopes": []}},
        {"spec": {"envelopes": {"e": None}}},
        {"spec": {"envelopes": {"e": {"wraps": "x"}}}},
    ],
    ids=str,
)
def test_what_is_no_manifest_has_none(raw: Mapping[str, object]) -> None:
    assert wraps_of(raw) == frozenset()


@pytest.mark.parametrize(
    ("manifests", "kids", "expected"),
    [
        ({}, "a", {"a": (0, 0)}),
        ({wraps("a"): 3}, "a", {"a": (3, 3)}),
        ({wraps("ab"): 2}, "ab", {"a": (2, 0), "b": (2, 0)}),
        ({wraps("ax"): 2}, "ab", {"a": (2, 2), "b": (0, 0)}),  # x is the key of another cluster
        ({wraps("a", "ab"): 1}, "ab", {"a": (1, 1), "b": (1, 0)}),
        ({wraps("a", "b"): 1}, "ab", {"a": (1, 1), "b": (1, 1)}),
        ({wraps("x"): 1}, "a", {"a": (0, 0)}),
        ({wraps("a"): 1, wraps("ab"): 1}, "ab", {"a": (2, 1), "b": (1, 0)}),
    ],
)
def test_what_depends_on_a_key(
    manifests: Mapping[Wraps, int], kids: str, expected: Mapping[str, tuple[int, int]]
) -> None:
    assert key_usage(manifests, kids) == {kid: KeyUse(*use) for kid, use in expected.items()}


envelopes = st.frozensets(st.frozensets(st.sampled_from("abx")), max_size=3)


@given(st.dictionaries(envelopes, st.integers(1, 3), max_size=4))
def test_only_is_what_stops_to_open_without_the_key(manifests: dict[Wraps, int]) -> None:
    def opening(kids: set[str]) -> int:
        return sum(n for one, n in manifests.items() if all(e & kids for e in one))

    found = key_usage(manifests, "ab")
    for kid in "ab":
        rest = {"a", "b"} - {kid}
        lost = opening({"a", "b"}) - opening(rest)
        assert found[kid].only >= lost  # what does not open even now depends on it as well
        assert found[kid].only <= found[kid].manifests
