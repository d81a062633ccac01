"""Files in the age format: opened here what the stock age wrote, and every refusal."""

from __future__ import annotations

import base64

import pytest

from sealkit import agefile
from sealkit.errors import ConfigError, NoKeyError, UnsealError, UsageError
from sealkit.sensitive import Sensitive

# Both written by age 1.3.2 of filippo.io/age, with an identity of age-keygen and a passphrase.
PLAIN = b"what people keep\n"
IDENTITY = "AGE-SECRET-KEY-1NDGMLF2DC85ZED5V6Y803V7JUPW4UNRG2HU788F6562R4SSRXAAQ5YF5K6"
RECIPIENT = "age16ufv5vlrlg04hpxlmtulh8na0af4qdg2a8x3eaphgfxn36svae0qd40jlx"
BY_AGE = b"""\
-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBWUDJZUU9OQVhsbWwyZ2la
czBlRTluVlU1NmhQWHRGR0o2QVdLUG8zT0Q0ClhxcDJCa1dwdEdwd3ptblhaSmdy
bjk4UVdnRTJlVWRkUlJ0QmR3OFhZWDQKLS0tIEl1TjlrZkNFWWs4Qnk4ZXZrN3p5
d05xVktvMEhaMkRWTElTVFRXNmdPcVkKU9yObLCAK7t6G0tIAy3rfYR8FbQYvryN
R9YlgkO8L21fOVHBteNrjr4VrNVLCeR7zg==
-----END AGE ENCRYPTED FILE-----
"""
PASSPHRASE = Sensitive(b"correct horse")
BY_AGE_WITH_PASSPHRASE = b"""\
-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBvK1VqY0JHb2YwRUNsMXZK
TXM3ZFZnIDE4CkhFd0JqczVDYjAzNitoQmUrK1F3UlcvUTFHdndwN1E2aEtBbW9m
SjljQmsKLS0tIFk5L1NrZjRmVEt5VGxuTjdINGlPQzFBSWkyYTU2VTNlSzZpMnJV
NFdkR3MKPlfSDj01w/m1j1zc/X3tBNCj9hvu+6yWwwrmYSdToEsFo1BrKKKmXwpU
hPM9VOdOqw==
-----END AGE ENCRYPTED FILE-----
"""
KEYS = agefile.parse_identities(IDENTITY.encode())
OTHER_RECIPIENT = "age18nnlz98370079fcrzgl0yfz9d25n7rywkcwlmvywfmmvq2zt4uzs3pwx8t"
OTHER_KEYS = agefile.parse_identities(
    b"AGE-SECRET-KEY-128DEULMSKPN9W46KFVA352AT5PUTLDM7VUWRSDHRT9WM9AWM639SSFVXMD"
)


def without_armor(raw: bytes) -> bytes:
    return base64.b64decode(b"".join(raw.strip().splitlines()[1:-1]))


OTHER_FILE = f"""\
# created: 2026-11-26T00:00:00Z
# public key: {RECIPIENT}

  {IDENTITY}\r
"""


@pytest.mark.parametrize("raw", [BY_AGE, without_armor(BY_AGE), BY_AGE.replace(b"\n", b"\r\n")])
def test_what_the_stock_age_encrypted_to_a_recipient_opens(raw: bytes) -> None:
    assert agefile.is_age(raw)
    assert not agefile.takes_passphrase(raw)
    assert agefile.unlock(raw, KEYS).reveal() == PLAIN


@pytest.mark.parametrize("raw", [BY_AGE_WITH_PASSPHRASE, without_armor(BY_AGE_WITH_PASSPHRASE)])
def test_what_the_stock_age_encrypted_with_a_passphrase_opens(raw: bytes) -> None:
    assert agefile.is_age(raw)
    assert agefile.takes_passphrase(raw)
    assert agefile.unlock_with(raw, PASSPHRASE).reveal() == PLAIN


def test_any_of_several_recipients_opens_it() -> None:
    one, two = agefile.parse_recipients(f"{RECIPIENT}\n".encode()), [OTHER_RECIPIENT]
    raw = agefile.lock_to(Sensitive(PLAIN), [*one, *two])
    assert raw.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert PLAIN not in raw
    assert agefile.unlock(raw, KEYS).reveal() == PLAIN
    assert agefile.unlock(raw, [*OTHER_KEYS, *KEYS]).reveal() == PLAIN
    with pytest.raises(NoKeyError, match="no identity given opens it"):
        agefile.unlock(agefile.lock_to(Sensitive(PLAIN), two), KEYS)


def test_a_passphrase_opens_what_it_encrypted_and_no_other_does() -> None:
    raw = agefile.lock_with(Sensitive(PLAIN), PASSPHRASE)
    assert agefile.takes_passphrase(raw)
    assert agefile.unlock_with(raw, PASSPHRASE).reveal() == PLAIN
    with pytest.raises(UnsealError, match="another passphrase"):
        agefile.unlock_with(raw, Sensitive(b"correct horse "))


@pytest.mark.parametrize("passphrase", [b"", b"\xff"])
def test_a_passphrase_that_is_none(passphrase: bytes) -> None:
    with pytest.raises(UsageError, match="passphrase: is empty, or is not UTF-8"):
        agefile.lock_with(Sensitive(PLAIN), Sensitive(passphrase))
    with pytest.raises(UsageError):
        agefile.unlock_with(BY_AGE_WITH_PASSPHRASE, Sensitive(passphrase))


def test_a_changed_file_does_not_open() -> None:
    raw = without_armor(BY_AGE)
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1
        with pytest.raises(UnsealError):
            agefile.unlock(bytes(changed), KEYS)
    for end in range(len(raw)):
        with pytest.raises(UnsealError):
            agefile.unlock(raw[:end], KEYS)


def test_other_files_are_no_age_files() -> None:
    for raw in (b"", b"apiVersion: v1\n", b"age-encryption.org/v2\n", BY_AGE[1:]):
        assert not agefile.is_age(raw)
        assert not agefile.takes_passphrase(raw)
    for armored in (b"-----BEGIN AGE ENCRYPTED FILE-----", BY_AGE[:35] + b"\n*\n"):
        assert agefile.is_age(armored)
        assert not agefile.takes_passphrase(armored)


def test_identities_as_age_keygen_writes_them() -> None:
    assert agefile.parse_identities(OTHER_FILE.encode()) == KEYS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no identity"),
        ("# nothing\n", "holds no identity"),
        (f"{IDENTITY}\n{RECIPIENT}\n", "identity 2 is no X25519 identity of age"),
        (IDENTITY[:-1], "identity 1 is no X25519 identity of age"),
        ("é", "identity 1 is no X25519 identity of age"),
        (BY_AGE.decode(), "is encrypted itself"),
    ],
)
def test_what_is_no_identity(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        agefile.parse_identities(text.encode())
    assert str(caught.value) == problem
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no recipient"),
        (f"# nobody\n\n{RECIPIENT[:-1]}\n", "line 3 is no X25519 recipient of age"),
        (IDENTITY, "line 1 is no X25519 recipient of age"),
        ("age1pq1qqqq", "line 1 is no X25519 recipient of age"),
        ("ssh-ed25519 AAAA", "line 1 is no X25519 recipient of age"),
        ("é", "line 1 is no X25519 recipient of age"),
    ],
)
def test_what_is_no_recipient(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        agefile.parse_recipients(text.encode())
    assert str(caught.value) == problem
    assert ("-pq" in caught.value.hint) is text.startswith("age1pq1")
