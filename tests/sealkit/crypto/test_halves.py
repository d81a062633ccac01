"""The halves of a key are those that the public constructors of `cryptography` make."""

from __future__ import annotations

from hashlib import shake_256
from types import SimpleNamespace

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from sealkit.crypto import halves

SEED = shake_256(b"seed").digest(64)
SCALAR = shake_256(b"scalar").digest(32)
PUBLIC = mlkem.MLKEM768PrivateKey.from_seed_bytes(SEED).public_key().public_bytes_raw()
POINT = x25519.X25519PrivateKey.from_private_bytes(SCALAR).public_key().public_bytes_raw()


@pytest.fixture(params=["direct", "public"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to a key: a version of `cryptography` may have no other than the public one."""
    if request.param == "public":
        monkeypatch.setattr(halves, "openssl", SimpleNamespace())


@pytest.mark.usefixtures("_way")
def test_the_keys_are_those_of_the_library() -> None:
    assert halves.mlkem_public(PUBLIC).public_bytes_raw() == PUBLIC
    assert halves.mlkem_private(SEED).public_key().public_bytes_raw() == PUBLIC
    assert halves.x25519_public(POINT).public_bytes_raw() == POINT
    assert halves.x25519_private(SCALAR).public_key().public_bytes_raw() == POINT


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize(
    ("make", "raw"),
    [
        pytest.param(halves.mlkem_public, PUBLIC[1:], id="mlkem-short"),
        pytest.param(halves.mlkem_public, b"\xff" * 1184, id="mlkem-not-canonical"),
        pytest.param(halves.mlkem_private, SEED[1:], id="seed-short"),
        pytest.param(halves.x25519_public, POINT[1:], id="point-short"),
        pytest.param(halves.x25519_private, SCALAR[1:], id="scalar-short"),
        # Points of low order, also in spellings that are not reduced (RFC 7748 section 6.1).
        *(
            pytest.param(halves.x25519_public, bytes.fromhex(point), id=point[:8])
            for point in (
                "00" * 32,
                "01" + "00" * 31,
                "ecff" + "ff" * 29 + "7f",
                "edff" + "ff" * 29 + "7f",
                "eeff" + "ff" * 29 + "7f",
                "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            )
        ),
    ],
)
def test_what_is_no_key_is_refused(make, raw: bytes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r".*"):
        make(raw)


def test_without_mlkem_the_public_constructor_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(_raw: bytes) -> None:
        raise UnsupportedAlgorithm("no ML-KEM")

    monkeypatch.setattr(halves, "openssl", SimpleNamespace())
    monkeypatch.setattr(mlkem.MLKEM768PublicKey, "from_public_bytes", unsupported)
    with pytest.raises(UnsupportedAlgorithm):
        halves.mlkem_public(PUBLIC)
