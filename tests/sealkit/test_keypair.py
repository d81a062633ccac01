"""A key pair as a Secret: it comes back, and nothing mixed up is trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.encoding import to_base64
from sealkit.errors import ConfigError, ManifestError, SealkitError
from sealkit.keypair import KeyPair, KeyState
from tests.sealkit.samples import KEY, OTHER, REMOVED, Path, edited

SINCE = datetime(2026, 11, 24, 8, 30, 15, tzinfo=UTC)
PAIR = KeyPair(KEY, KeyState.ACTIVE, SINCE)
RAW = PAIR.to_secret("sealkit-key-1", "sealkit-system")


def test_the_layout_of_the_secret() -> None:
    expected = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "sealkit-key-1",
            "namespace": "sealkit-system",
            "labels": {"sealkit.dev/key": "active", "sealkit.dev/kid": KEY.kid},
        },
        "type": "sealkit.dev/key",
        "immutable": True,
        "data": {
            "kid": to_base64(KEY.kid.encode()),
            "notBefore": to_base64(b"2026-11-24T08:30:15+00:00"),
            "seed": to_base64(bytes([1]) * 32),
            "suite": to_base64(b"X1"),
        },
    }
    assert expected == RAW


zones = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


def same(one: KeyPair, two: KeyPair) -> bool:
    """Private keys have no equality."""
    return (one.key.seed, one.state, one.not_before) == (two.key.seed, two.state, two.not_before)


@given(
    st.sampled_from(KeyState),
    st.datetimes(
        datetime(2000, 1, 2),  # noqa: DTZ001  # hypothesis wants naive bounds
        datetime(9999, 12, 30),  # noqa: DTZ001  # as above
        timezones=zones,
    ),
)
def test_a_key_pair_comes_back(state: KeyState, not_before: datetime) -> None:
    pair = KeyPair(KEY, state, not_before.replace(microsecond=0))
    assert same(KeyPair.from_secret(pair.to_secret("k", "sealkit-system")), pair)


def test_what_the_api_server_adds_is_left_alone() -> None:
    metadata = {"uid": "1", "managedFields": [], "resourceVersion": "7", "creationTimestamp": "…"}
    raw = edited(RAW, ("metadata",), {**RAW["metadata"], **metadata})  # type: ignore[dict-item]  # it is a dict
    assert same(KeyPair.from_secret(raw | {"status": {}}), PAIR)


def test_an_item_of_a_list_names_no_kind() -> None:
    raw = edited(edited(RAW, ("kind",), REMOVED), ("apiVersion",), REMOVED)
    assert same(KeyPair.from_secret(raw), PAIR)


def text(value: str | bytes) -> str:
    return to_base64(value.encode() if isinstance(value, str) else value)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        pytest.param(("type",), "Opaque", "type", id="type"),
        pytest.param(("data", "suite"), text("X2"), "data.suite", id="suite"),
        pytest.param(("data", "suite"), REMOVED, "data.suite", id="no-suite"),
        pytest.param(("data", "suite"), text(b"\xff"), "data.suite", id="suite-not-ascii"),
        pytest.param(("data", "kid"), text(OTHER.kid), "data.kid", id="kid-of-another-key"),
        pytest.param(("data", "kid"), text(KEY.kid.upper()), "data.kid", id="kid-upper-case"),
        pytest.param(("data", "kid"), REMOVED, "data.kid", id="no-kid"),
        pytest.param(("data", "seed"), text(bytes(32)), "data.kid", id="another-seed"),
        pytest.param(("data", "seed"), text(bytes(31)), "", id="short-seed"),
        pytest.param(("data", "seed"), REMOVED, "", id="no-seed"),
        pytest.param(("data", "notBefore"), REMOVED, "data.notBefore", id="no-time"),
        pytest.param(("data", "notBefore"), text("soon"), "data.notBefore", id="not-a-time"),
        pytest.param(
            ("data", "notBefore"), text("2026-11-24T08:30:15"), "data.notBefore", id="no-zone"
        ),
        pytest.param(("data", "notBefore"), text("2026-11-24"), "data.notBefore", id="date-only"),
        pytest.param(
            ("data", "notBefore"),
            text("0001-01-01T00:00:00+01:00"),
            "data.notBefore",
            id="before-all-time",
        ),
        pytest.param(("metadata", "labels"), {}, "metadata.labels.sealkit.dev/key", id="no-label"),
        pytest.param(
            ("metadata", "labels", "sealkit.dev/key"),
            "lost",
            "metadata.labels.sealkit.dev/key",
            id="unknown-state",
        ),
    ],
)
def test_a_damaged_or_mixed_up_key_is_refused(path: Path, value: Any, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        KeyPair.from_secret(edited(RAW, path, value))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        pytest.param(("data", "seed"), "!", "data.seed", id="not-base64"),
        pytest.param(("metadata", "name"), "A", "metadata.name", id="name"),
        pytest.param(("data",), [], "data", id="not-a-mapping"),
        pytest.param(("kind",), "ConfigMap", "kind", id="kind"),
    ],
)
def test_what_is_no_secret_is_refused(path: Path, value: Any, field: str) -> None:
    with pytest.raises(ManifestError) as caught:
        KeyPair.from_secret(edited(RAW, path, value))
    assert caught.value.field == field


@given(st.sampled_from(sorted(RAW["data"])), st.binary(max_size=40))  # type: ignore[call-overload]  # it is a dict
def test_any_other_content_of_a_field_is_refused_or_means_the_same(name: str, value: bytes) -> None:
    try:
        pair = KeyPair.from_secret(edited(RAW, ("data", name), to_base64(value)))
    except SealkitError:
        return
    assert pair.key.kid == KEY.kid
