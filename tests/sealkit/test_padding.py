"""Padding: one form for each value, few lengths for many values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import UnsealError
from sealkit.padding import is_padded_length, pad, padded_length, unpad


@pytest.mark.parametrize(
    ("length", "padded"),
    [(0, 64), (60, 64), (61, 128), (1020, 1024), (1021, 1088), (2044, 2048), (10_000, 10_240)],
)
def test_lengths_fall_into_classes(length: int, padded: int) -> None:
    assert len(pad(bytes(length))) == padded


@given(st.integers(1, 3 << 20))
def test_padding_costs_at_most_an_eighth_above_one_kib(content: int) -> None:
    padded = padded_length(content)
    assert content <= padded
    assert padded - content < max(64, content * 0.125)
    assert is_padded_length(padded)


@given(st.binary(max_size=3000))
def test_a_value_comes_back(value: bytes) -> None:
    assert unpad(pad(value)) == value


@given(st.binary(max_size=300), st.data())
def test_any_other_padding_is_refused_or_that_of_another_value(
    value: bytes, data: st.DataObject
) -> None:
    """A changed length may turn padding into zeros of the value; changed padding never passes."""
    padded = bytearray(pad(value))
    position = data.draw(st.integers(0, len(padded) - 1))
    padded[position] ^= data.draw(st.integers(1, 255))
    try:
        opened = unpad(bytes(padded))
    except UnsealError:
        return
    assert position < 4 + len(value)
    assert opened != value
    assert pad(opened) == padded


@pytest.mark.parametrize("text", [b"", b"\0\0\0", bytes(128), bytes(63), b"\xff" * 64])
def test_what_is_not_padding_is_refused(text: bytes) -> None:
    with pytest.raises(UnsealError):
        unpad(text)
