"""The scheme of Bitnami: what their programs made opens, what we make has their form."""

from __future__ import annotations

import base64
import os
from datetime import date, timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from sealkit.crypto import bitnami
from sealkit.crypto.bitnami import Certificate, Ring, label, parse_item, parse_private_keys, seal
from sealkit.errors import ConfigError, ManifestError, UnsealError
from sealkit.sensitive import Sensitive
from tests.vectors import bitnami as theirs
from tests.vectors.bitnami.keys import PKCS1, PKCS8, certificate, elliptic, key, pem

OPENING: Final = tuple(name for name in theirs.NAMES if name not in theirs.REFUSED)
LAST_DAY: Final = date(2036, 11, 20)
VALUE: Final = Sensitive(b"hunter2")
PLACE: Final = label("shop", "db")


def item(value: Sensitive = VALUE, place: bytes = PLACE, name: str = "ours") -> bytes:
    return parse_item(seal(value, key(name).public_key(), place, os.urandom), "")


def bound_to(name: str) -> bytes:
    """What their manifest is bound to, by its outer metadata."""
    metadata = theirs.sealed(name)["metadata"]
    annotations = metadata.get("annotations", {})
    if "sealedsecrets.bitnami.com/cluster-wide" in annotations:
        return label("", "")
    wide = "sealedsecrets.bitnami.com/namespace-wide" in annotations
    return label(metadata["namespace"], "" if wide else metadata["name"])


class TestTheirs:
    """What was recorded from kubeseal and from their controller."""

    def test_there_is_something(self) -> None:
        assert len(theirs.REFUSED) == 3
        assert {"strict", "namespace-wide", "cluster-wide"} < set(OPENING)

    @pytest.mark.parametrize("name", OPENING)
    def test_every_value_opens(self, name: str) -> None:
        ring, place = theirs.ring(), bound_to(name)
        data = theirs.expected(name).get("data", {})
        items = theirs.sealed(name)["spec"]["encryptedData"]
        for entry, text in items.items():
            value = ring.open(parse_item(text, entry), place).reveal()
            if entry in data:
                assert value == base64.b64decode(data[entry])

    @pytest.mark.parametrize("name", ["strict", "namespace-wide"])
    @pytest.mark.parametrize("place", [b"", b"fixtures", b"fixtures/other", b"other/strict"])
    def test_and_only_in_its_place(self, name: str, place: bytes) -> None:
        if place == bound_to(name):
            return
        (text, *_) = theirs.sealed(name)["spec"]["encryptedData"].values()
        with pytest.raises(UnsealError):
            theirs.ring().open(parse_item(text, ""), place)

    def test_a_renamed_manifest(self) -> None:
        for text in theirs.sealed("err-renamed")["spec"]["encryptedData"].values():
            with pytest.raises(UnsealError):
                theirs.ring().open(parse_item(text, ""), bound_to("err-renamed"))

    def test_a_corrupt_value(self) -> None:
        text = theirs.sealed("err-corrupt-item")["spec"]["encryptedData"]["user"]
        with pytest.raises(UnsealError):
            theirs.ring().open(parse_item(text, ""), bound_to("err-corrupt-item"))

    def test_what_is_not_base64(self) -> None:
        text = theirs.sealed("err-base64")["spec"]["encryptedData"]["user"]
        with pytest.raises(ManifestError) as caught:
            parse_item(text, "spec.encryptedData.user")
        assert caught.value.field == "spec.encryptedData.user"

    def test_their_certificate_is_read_although_its_extensions_cannot_be(self) -> None:
        raw = theirs.CERTIFICATE.read_bytes()
        with pytest.raises(ValueError, match="encipher_only"):
            _ = x509.load_pem_x509_certificate(raw).extensions
        read = Certificate.parse(raw)
        assert (read.not_after, read.key.key_size) == (LAST_DAY, 4096)

    def test_a_value_sealed_to_it_opens(self) -> None:
        public = Certificate.parse(theirs.CERTIFICATE.read_bytes()).key
        text = seal(Sensitive(b""), public, PLACE, os.urandom)
        assert len(text) == 708
        assert text[:2] == "Ag"
        assert theirs.ring().open(parse_item(text, ""), PLACE).reveal() == b""


class TestForm:
    """The bytes of an item, taken apart by hand."""

    def test_an_item(self) -> None:
        raw = item()
        assert int.from_bytes(raw[:2], "big") == 256
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"shop/db")
        session_key = key().decrypt(raw[2:258], oaep)
        assert len(session_key) == 32
        assert AESGCM(session_key).decrypt(bytes(12), raw[258:], None) == b"hunter2"

    def test_each_item_has_its_own_session_key(self) -> None:
        asked: list[int] = []

        def random(size: int) -> bytes:
            asked.append(size)
            return os.urandom(size)

        items = [seal(VALUE, key().public_key(), PLACE, random) for _ in range(2)]
        assert asked == [32, 32]
        assert items[0][-20:] != items[1][-20:]

    @pytest.mark.parametrize(
        ("place", "bound"),
        [(("shop", "db"), b"shop/db"), (("shop", ""), b"shop"), (("", ""), b"")],
        ids=["strict", "namespace-wide", "cluster-wide"],
    )
    def test_labels(self, place: tuple[str, str], bound: bytes) -> None:
        assert label(*place) == bound

    @given(st.binary(max_size=300))
    def test_round_trip(self, value: bytes) -> None:
        assert Ring([key()]).open(item(Sensitive(value)), PLACE).reveal() == value

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_line_breaks_are_none(self, end: str) -> None:
        assert parse_item(end.join(("aGVs", "bG8=", "")), "") == b"hello"

    @pytest.mark.parametrize("text", ["aGVsbG8", "aGVsbG8==", "aGV sbG8=", "aGVsbG-_", "é", "AA="])
    def test_but_nothing_else_is(self, text: str) -> None:
        with pytest.raises(ManifestError):
            parse_item(text, "")

    def test_nothing_is_an_item_that_does_not_open(self) -> None:
        with pytest.raises(UnsealError):
            Ring([key()]).open(parse_item("", ""), PLACE)


class TestOpening:
    """One error, whatever was wrong."""

    @pytest.mark.parametrize("position", [0, 1, 2, 100, 257, 258, 264, -1])
    def test_a_changed_byte(self, position: int) -> None:
        raw = bytearray(item())
        raw[position] ^= 1
        with pytest.raises(UnsealError):
            Ring([key()]).open(bytes(raw), PLACE)

    @pytest.mark.parametrize("length", [0, 1, 2, 100, 258, 273, 280])
    def test_a_cut(self, length: int) -> None:
        with pytest.raises(UnsealError):
            Ring([key()]).open(item()[:length], PLACE)

    def test_a_session_key_of_another_length(self) -> None:
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), PLACE)
        wrapped = key().public_key().encrypt(bytes(5), oaep)
        with pytest.raises(UnsealError):
            Ring([key()]).open(b"\x01\x00" + wrapped + bytes(20), PLACE)

    def test_no_key_and_other_keys(self) -> None:
        for ring in (Ring([]), Ring([key("other"), key("large", 3072)])):
            with pytest.raises(UnsealError):
                ring.open(item(), PLACE)

    def test_all_errors_are_one(self) -> None:
        told = set()
        for raw, place in ((item(), b"x"), (b"", PLACE), (item(name="other"), PLACE)):
            with pytest.raises(UnsealError) as caught:
                Ring([key()]).open(raw, place)
            told.add((str(caught.value), caught.value.hint))
        assert len(told) == 1

    def test_the_key_that_fitted_is_tried_first_then(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tried: list[rsa.RSAPrivateKey] = []
        opened = bitnami._opened

        def watched(one: rsa.RSAPrivateKey, *rest: Any) -> Sensitive | None:
            tried.append(one)
            return opened(one, *rest)

        monkeypatch.setattr(bitnami, "_opened", watched)
        ring = Ring([key("other"), key("large", 3072), key()])
        for _ in range(2):
            assert ring.open(item(), PLACE) == VALUE
        assert tried == [key("other"), key("large", 3072), key(), key()]


class TestPrivateKeys:
    @pytest.mark.parametrize("form", [PKCS1, PKCS8], ids=["pkcs1", "pkcs8"])
    def test_both_forms(self, form: serialization.PrivateFormat) -> None:
        (found,) = parse_private_keys(Sensitive(pem(key(), form)))
        assert Ring([found]).open(item(), PLACE) == VALUE

    def test_several_with_something_around(self) -> None:
        text = b"# a backup\n" + pem(key("other")) + certificate(key()) + pem(key(), PKCS8)
        assert Ring(parse_private_keys(Sensitive(text))).open(item(), PLACE) == VALUE

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (b"", "holds no private key in PEM"),
            (certificate(key()), "holds no private key in PEM"),
            (pem(elliptic()), "holds a private key that is not RSA"),
            (pem(elliptic(), PKCS8), "holds a private key that is not RSA"),
            (pem(key(), PKCS8, b"secret"), "holds a private key that is damaged or encrypted"),
            (
                pem(key()).replace(b"MII", b"AII"),
                "holds a private key that is damaged or encrypted",
            ),
        ],
        ids=["nothing", "certificate", "ec", "ec-pkcs8", "encrypted", "damaged"],
    )
    def test_what_is_none(self, text: bytes, problem: str) -> None:
        with pytest.raises(ConfigError) as caught:
            parse_private_keys(Sensitive(text))
        assert caught.value.problem == problem
        assert caught.value.__context__ is None


class TestCertificates:
    def test_the_first_one_counts(self) -> None:
        text = b"a chain:\n" + certificate(key()) + certificate(key("other"))
        numbers = Certificate.parse(text).key.public_numbers()
        assert numbers == key().public_key().public_numbers()

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (b"", "holds no certificate"),
            (pem(key()), "holds a private key, and the certificate is needed"),
            (certificate(key()).replace(b"MII", b"AII"), "holds a damaged certificate"),
            (certificate(elliptic()), "has a key that is not RSA, as Bitnami needs it"),
            (
                certificate(key("small", 1024)),
                "has an RSA key of 1024 bits, expected at least 2048",
            ),
        ],
        ids=["nothing", "private-key", "damaged", "ec", "short"],
    )
    def test_what_is_none(self, text: bytes, problem: str) -> None:
        with pytest.raises(ConfigError) as caught:
            Certificate.parse(text)
        assert caught.value.problem == problem
        assert "kubeseal --fetch-cert" in caught.value.hint

    def test_its_last_day(self) -> None:
        read = Certificate.parse(certificate(key()))
        read.check_usable(LAST_DAY)
        with pytest.raises(ConfigError, match="expired on 2036-11-20"):
            read.check_usable(LAST_DAY + timedelta(days=1))
