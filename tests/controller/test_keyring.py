from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.crypto.recipient import Recipient
from sealkit.keypair import KeyState
from sealkit_controller.keyring import KeyRing, next_key_name
from sealkit_controller.objects import JsonObject, child
from tests.controller.world import KEY, OTHER_KEY, key_secret, pair, ring


def test_the_newest_active_key_comes_first() -> None:
    both = ring(pair(KEY, day=1), pair(OTHER_KEY, day=2))
    assert [entry.key.kid for entry in both.active] == [OTHER_KEY.kid, KEY.kid]
    recipient = both.recipient("prod")
    assert recipient is not None
    assert recipient.key == OTHER_KEY.public


@pytest.mark.parametrize("state", [KeyState.RETIRED, KeyState.COMPROMISED])
def test_a_key_out_of_use_opens_but_is_not_published(state: KeyState) -> None:
    keys = ring(pair(KEY, state))
    assert keys.private_keys == {KEY.kid: KEY}
    assert keys.published("prod") == {}
    assert keys.recipient("prod") is None


def test_every_active_key_is_published_and_the_current_once_more() -> None:
    published = ring(pair(KEY, day=1), pair(OTHER_KEY, day=2)).published("prod")
    assert set(published) == {f"{KEY.kid}.pub", f"{OTHER_KEY.kid}.pub", "recipient", "keys"}
    assert Recipient.parse(published["recipient"]).key == OTHER_KEY.public
    assert Recipient.parse(published[f"{KEY.kid}.pub"]).cluster == "prod"


def test_all_keys_are_listed_the_newest_first() -> None:
    keys = ring(pair(KEY, KeyState.COMPROMISED, day=1), pair(OTHER_KEY, day=2))
    assert keys.published("prod")["keys"] == (
        f"{OTHER_KEY.kid} active 2026-01-02T00:00:00Z\n{KEY.kid} compromised 2026-01-01T00:00:00Z\n"
    )


MONTH = timedelta(days=30)


@pytest.mark.parametrize(
    ("keys", "day", "renewal", "due"),
    [
        (KeyRing(), 1, None, True),
        (ring(pair(state=KeyState.RETIRED)), 1, None, True),
        (ring(pair()), 365, None, False),
        (ring(pair()), 30, MONTH, False),
        (ring(pair()), 31, MONTH, True),
        (ring(pair(KEY, day=1), pair(OTHER_KEY, day=2)), 31, MONTH, False),
        (ring(pair(KEY, day=1), pair(OTHER_KEY, KeyState.RETIRED, day=2)), 31, MONTH, True),
        (ring(pair(day=9)), 1, MONTH, False),  # a clock that went back makes no keys
    ],
    ids=["none", "retired", "never", "young", "old", "one young", "young retired", "future"],
)
def test_when_a_new_key_is_due(
    keys: KeyRing,
    day: int,
    renewal: timedelta | None,
    due: bool,  # noqa: FBT001  (a column)
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day - 1)
    assert keys.is_due(now, renewal) is due


def test_a_stored_key_is_read_back() -> None:
    keys = KeyRing.of({"sealkit-key-1": key_secret(pair())})
    assert keys.pairs[KEY.kid].state is KeyState.ACTIVE
    assert keys.count_by_state()[KeyState.ACTIVE] == 1


def damaged(**data: str) -> JsonObject:
    raw = key_secret(pair())
    return raw | {"data": {**child(raw, "data"), **data}}


@pytest.mark.parametrize(
    "raw",
    [
        damaged(seed=""),
        damaged(kid="AAAA"),
        damaged(kid=str(child(key_secret(pair(OTHER_KEY)), "data")["kid"])),
        damaged(suite="WDI="),
        damaged(notBefore="bm93"),
        key_secret(pair()) | {"type": "Opaque"},
    ],
    ids=["seed", "kid", "kid of another", "suite", "time", "type"],
)
def test_a_damaged_key_is_named_and_does_not_harm_the_others(raw: JsonObject) -> None:
    keys = KeyRing.of({"bad": raw, "good": key_secret(pair(OTHER_KEY))})
    assert set(keys.pairs) == {OTHER_KEY.kid}
    assert set(keys.refused) == {"bad"}


def test_a_copy_of_a_key_cannot_hide_that_it_is_compromised() -> None:
    good, bad = key_secret(pair()), key_secret(pair(KEY, KeyState.COMPROMISED))
    for secrets in ({"a": good, "b": bad}, {"a": bad, "b": good}):
        assert KeyRing.of(secrets).pairs[KEY.kid].state is KeyState.COMPROMISED


def test_a_difference_is_a_key_a_state_or_a_damaged_secret() -> None:
    assert not ring().differs_from(ring(pair(day=2)))
    assert ring().differs_from(KeyRing())
    assert ring().differs_from(ring(pair(state=KeyState.RETIRED)))
    assert KeyRing(refused={"a": "b"}).differs_from(KeyRing())


@given(st.sets(st.integers(1, 40)))
def test_a_new_key_gets_the_number_after_the_highest(numbers: set[int]) -> None:
    names: dict[str, object] = {f"sealkit-key-{number}": {} for number in numbers}
    others: dict[str, object] = {"sealkit-key-x": {}, "sealkit-key-007": {}, "restored": {}}
    assert next_key_name(names | others) == f"sealkit-key-{max(numbers, default=0) + 1}"
