"""Suite X1: known answers, one public error, and keys that cannot be shown."""

from __future__ import annotations

import os
import pickle
from hashlib import sha256

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given
from hypothesis import strategies as st

from sealkit.crypto.context import Binding, context
from sealkit.crypto.x1 import (
    PUBLIC_KEY_BYTES,
    WRAP_BYTES,
    Envelope,
    PrivateKey,
    PublicKey,
    _mlkem_needed,
    unwrap,
    wrap,
)
from sealkit.errors import ConfigError, SealkitError, UnsealError
from sealkit.sensitive import Sensitive

KEY = PrivateKey(Sensitive(bytes(range(32))))
OTHER = PrivateKey(Sensitive(bytes(32)))
PLACE = Binding("strict", "shop", "db")
ENVELOPE_ID = bytes(16)
DEK = Sensitive(bytes(range(32, 64)))

fields = st.lists(st.text("a-\0", max_size=3), max_size=3)


def test_the_known_seed_gives_the_known_key() -> None:
    assert sha256(KEY.public.raw).hexdigest().startswith("c9a3565ffde4f72b51661be391ee13e4")
    assert KEY.kid == "ugjqmgt57w3v74anzqcmrveowu"


@given(fields, fields)
def test_different_fields_never_give_the_same_context(one: list[str], two: list[str]) -> None:
    assert (context("wrap", *one) == context("wrap", *two)) == (one == two)


def test_the_label_is_part_of_the_context() -> None:
    assert context("wrap", "a") != context("value", "a")


def test_a_wrap_opens_where_it_was_made_for() -> None:
    wrapped = wrap(DEK, KEY.public, PLACE, ENVELOPE_ID)
    assert len(wrapped) == WRAP_BYTES
    assert unwrap(wrapped, KEY, PLACE, ENVELOPE_ID) == DEK


@pytest.mark.parametrize(
    ("key", "place", "envelope"),
    [
        pytest.param(OTHER, PLACE, ENVELOPE_ID, id="other-key"),
        pytest.param(KEY, Binding("namespace-wide", "shop", "db"), ENVELOPE_ID, id="other-scope"),
        pytest.param(KEY, Binding("strict", "stage", "db"), ENVELOPE_ID, id="other-namespace"),
        pytest.param(KEY, Binding("strict", "shop", "cache"), ENVELOPE_ID, id="other-name"),
        pytest.param(KEY, PLACE, bytes(15) + b"\1", id="other-envelope"),
    ],
)
def test_a_wrap_opens_nowhere_else(key: PrivateKey, place: Binding, envelope: bytes) -> None:
    wrapped = wrap(DEK, KEY.public, PLACE, ENVELOPE_ID)
    with pytest.raises(UnsealError):
        unwrap(wrapped, key, place, envelope)


def test_every_changed_byte_of_a_wrap_is_refused() -> None:
    wrapped = wrap(DEK, KEY.public, PLACE, ENVELOPE_ID)
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises(UnsealError):
            unwrap(bytes(changed), KEY, PLACE, ENVELOPE_ID)


@pytest.mark.parametrize("length", [0, 1, WRAP_BYTES - 1, WRAP_BYTES + 1])
def test_a_wrap_of_another_length_is_refused(length: int) -> None:
    wrapped = wrap(DEK, KEY.public, PLACE, ENVELOPE_ID) + b"\0"
    with pytest.raises(UnsealError):
        unwrap(wrapped[:length], KEY, PLACE, ENVELOPE_ID)


def test_every_changed_byte_of_an_item_is_refused() -> None:
    envelope = Envelope(DEK, PLACE, ENVELOPE_ID)
    item = envelope.seal("password", Sensitive(b"hunter2"))
    for position in range(len(item)):
        changed = bytearray(item)
        changed[position] ^= 0x80
        with pytest.raises(UnsealError):
            envelope.open("password", bytes(changed))


@pytest.mark.parametrize("cut", range(0, 136, 8))
def test_a_truncated_item_is_refused(cut: int) -> None:
    envelope = Envelope(DEK, PLACE, ENVELOPE_ID)
    item = envelope.seal("password", Sensitive(b"hunter2"))
    with pytest.raises(UnsealError):
        envelope.open("password", item[:cut])


def test_an_item_opens_only_under_its_own_data_key() -> None:
    envelope = Envelope(DEK, PLACE, ENVELOPE_ID)
    item = envelope.seal("password", Sensitive(b"hunter2"))
    with pytest.raises(UnsealError):
        envelope.open("Password", item)


@given(st.binary(max_size=5000))
def test_any_value_comes_back(value: bytes) -> None:
    envelope = Envelope(DEK, PLACE, ENVELOPE_ID)
    assert envelope.open("key", envelope.seal("key", Sensitive(value))).reveal() == value


def test_a_key_that_was_generated_has_the_seed_it_was_given() -> None:
    assert PrivateKey.generate(lambda size: bytes(range(size))).kid == KEY.kid


def low_order(raw: bytes) -> bytes:
    return raw[:1184] + bytes(32)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(KEY.public.raw[:-1], id="short"),
        pytest.param(KEY.public.raw + b"\0", id="long"),
        pytest.param(b"\xff" * PUBLIC_KEY_BYTES, id="mlkem-not-canonical"),
        pytest.param(low_order(KEY.public.raw), id="x25519-low-order"),
    ],
)
def test_an_unusable_public_key_is_refused(raw: bytes) -> None:
    with pytest.raises(ConfigError):
        PublicKey(raw)


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(ConfigError):
        PrivateKey(Sensitive(bytes(31)))


def test_a_build_without_mlkem_is_an_error_with_a_way_out() -> None:
    with pytest.raises(SealkitError) as caught, _mlkem_needed():
        raise UnsupportedAlgorithm("no ML-KEM")
    assert "ML-KEM" in caught.value.problem
    assert caught.value.hint


def test_a_private_key_shows_its_id_only_and_does_not_pickle() -> None:
    key = PrivateKey.generate(os.urandom)
    assert repr(key) == f"PrivateKey({key.kid})"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_public_keys_are_equal_by_their_bytes() -> None:
    assert PublicKey(KEY.public.raw) == KEY.public
    assert len({PublicKey(KEY.public.raw), KEY.public, OTHER.public}) == 2
    assert repr(KEY.public) == f"PublicKey({KEY.kid})"
