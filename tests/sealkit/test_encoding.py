"""Canonical text: every byte string has one accepted spelling."""

from __future__ import annotations

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.encoding import from_base32, from_base64, from_uuid, to_base32, to_base64, to_uuid
from sealkit.errors import ManifestError


@given(st.binary(max_size=100))
def test_base64_comes_back(raw: bytes) -> None:
    assert from_base64(to_base64(raw)) == raw


@given(st.binary(max_size=40))
def test_base32_comes_back(raw: bytes) -> None:
    assert from_base32(to_base32(raw), len(raw)) == raw


NOT_BASE64 = {
    "spare-bits": "QR==",
    "spare-bits-3": "QUJ=",
    "no-padding": "QQ",
    "half-padding": "QQ=",
    "extra-padding": "QQ===",
    "padding-only": "====",
    "padding-inside": "QQ==QQ==",
    "line-break": "QUJD\nQUJD",
    "final-line-break": "QUJD\n",
    "space": " QUJD",
    "url-safe": "-_-_",
    "one-character": "Q",
    "not-ascii": "QUJé",
    "full-width": "\uff31\uff35\uff2a\uff24",
    "surrogate": "QUJ\ud800",
    "nul": "QUJD\0",
}


@pytest.mark.parametrize("text", NOT_BASE64.values(), ids=list(NOT_BASE64))
def test_any_other_base64_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(ManifestError) as caught:
        from_base64(text, "spec.x")
    assert caught.value.field == "spec.x"


@given(st.text("ABQRgw+/=", max_size=8))
def test_what_base64_accepts_it_writes_back(text: str) -> None:
    try:
        raw = from_base64(text)
    except ManifestError:
        return
    assert to_base64(raw) == text


ZEROS = "a" * 26
NOT_BASE32 = {
    "empty": "",
    "short": ZEROS[1:],
    "long": ZEROS + "a",
    "longer-by-a-byte": "a" * 28,
    "padding": ZEROS + "======",
    "spare-bits": ZEROS[1:] + "b",
    "upper-case": ZEROS.upper(),
    "one-upper-case": "A" + ZEROS[1:],
    "digit-0": "0" + ZEROS[1:],
    "digit-1": "1" + ZEROS[1:],
    "not-ascii": "é" + ZEROS[1:],
    "dotless-i": "\u0131" + ZEROS[1:],
    "long-s": "\u017f" + ZEROS[1:],
    "space": " " + ZEROS[1:],
}


def test_the_refusals_below_are_about_a_good_id() -> None:
    assert from_base32(ZEROS, 16) == bytes(16)


@pytest.mark.parametrize("text", NOT_BASE32.values(), ids=list(NOT_BASE32))
def test_any_other_base32_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(ManifestError) as caught:
        from_base32(text, 16, "spec.x")
    assert caught.value.field == "spec.x"


@given(st.text("abz27AB=", max_size=10), st.integers(0, 6))
def test_what_base32_accepts_it_writes_back(text: str, length: int) -> None:
    try:
        raw = from_base32(text, length)
    except ManifestError:
        return
    assert to_base32(raw) == text


@given(st.binary(max_size=40))
def test_base32_is_that_of_the_rfc(raw: bytes) -> None:
    assert to_base32(raw) == base64.b32encode(raw).decode().strip("=").lower()


NIL = "00000000-0000-0000-0000-000000000000"
NOT_A_UUID = {
    "empty": "",
    "short": NIL[1:],
    "long": NIL + "0",
    "upper-case": NIL[:-1] + "A",
    "without-hyphens": NIL.replace("-", ""),
    "hyphen-elsewhere": "0-000000" + NIL[8:].replace("-", "", 1) + "0",
    "spaces": NIL.replace("-", " "),
    "braces": f"{{{NIL}}}",
    "urn": f"urn:uuid:{NIL}",
    "other-digit": NIL[:-1] + "\u0661",
    "not-hexadecimal": NIL[:-1] + "g",
}


def test_the_refusals_below_are_about_a_good_uuid() -> None:
    assert from_uuid(NIL) == bytes(16)


@pytest.mark.parametrize("text", NOT_A_UUID.values(), ids=list(NOT_A_UUID))
def test_any_other_uuid_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(ManifestError) as caught:
        from_uuid(text, "spec.x")
    assert caught.value.field == "spec.x"


@given(st.binary(min_size=16, max_size=16))
def test_a_uuid_is_that_of_the_rfc(raw: bytes) -> None:
    assert to_uuid(raw) == str(UUID(bytes=raw))
    assert from_uuid(to_uuid(raw)) == raw
