"""A manifest stays small, and so does the difference that a change makes to it."""

from __future__ import annotations

import os
from difflib import unified_diff

import pytest

from sealkit.manifests.emit import emit_yaml
from sealkit.sealing import set_values, unset_values
from tests.sealkit.samples import KEYS, a_manifest, sensitive


def text_of(keys: int, clusters: int) -> str:
    values = {f"k{number}": os.urandom(24) for number in range(keys)}
    return emit_yaml(a_manifest(values, keys=KEYS[:clusters]).to_dict())


@pytest.mark.parametrize(
    ("keys", "clusters", "limit"),
    [(1, 1, 2200), (5, 1, 3100), (5, 3, 6250), (50, 3, 17_000)],
)
def test_the_size_of_a_manifest(keys: int, clusters: int, limit: int) -> None:
    """Values of 24 bytes. The figures are those of docs/format.md, "Sizes"."""
    assert len(text_of(keys, clusters)) <= limit


def test_the_size_does_not_tell_the_length_of_a_short_value() -> None:
    values = [a_manifest({"key": bytes(length)}).encrypted_data["key"] for length in range(62)]
    assert {len(str(value)) for value in values[:61]} == {228}
    assert len(str(values[61])) > 228


FIVE = a_manifest({f"key{number}": b"x" * 24 for number in range(5)}, keys=KEYS)
PUBLIC = [key.public for key in KEYS]


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came."""
    lines = [*unified_diff(before.splitlines(), after.splitlines(), n=0)][2:]
    gone = [line[1:] for line in lines if line.startswith("-")]
    return gone, [line[1:] for line in lines if line.startswith("+")]


def test_one_changed_value_is_one_changed_line_and_one_new_envelope() -> None:
    after = set_values(FIVE, sensitive({"key2": b"new"}), PUBLIC, os.urandom)
    gone, came = changed_lines(emit_yaml(FIVE.to_dict()), emit_yaml(after.to_dict()))
    (eid,) = set(after.envelopes) - set(FIVE.envelopes)
    assert [line.split(":")[0] for line in gone] == ["    key2"]
    assert [line.split(":")[0].strip() for line in came] == [
        eid,
        "suite",
        "wraps",
        *sorted(key.kid for key in KEYS),
        "key2",
    ]


def test_one_value_taken_out_is_one_line_less() -> None:
    after = unset_values(FIVE, ["key2"])
    gone, came = changed_lines(emit_yaml(FIVE.to_dict()), emit_yaml(after.to_dict()))
    assert [line.split(":")[0] for line in gone] == ["    key2"]
    assert came == []


def test_one_more_cluster_would_be_one_more_line() -> None:
    two = a_manifest({"key": b""}, keys=KEYS[:2])
    three = a_manifest({"key": b""}, keys=KEYS)
    lines = [emit_yaml(sealed.to_dict()).count("\n") for sealed in (two, three)]
    assert lines[1] - lines[0] == 1
