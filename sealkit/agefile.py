"""Files in the age format, for what people keep: the stock `age` opens them in a disaster.

Format: C2SP age, version 1 (https://c2sp.org/age); written with ASCII armor, read with or without.
pyrage draws the randomness itself.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Final

from sealkit.errors import ConfigError, NoKeyError, UnsealError, UsageError
from sealkit.sensitive import Sensitive

_ARMOR: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"
_HEADER: Final = b"age-encryption.org/v1\n"
_WITH_PASSPHRASE: Final = _HEADER + b"-> scrypt "  # always the only stanza of its file
_POST_QUANTUM: Final = b"age1pq1"  # a recipient type of age 1.3 that pyrage does not know
_NO_MATCH: Final = "No matching keys found"  # how pyrage says that every stanza is for others


def is_age(raw: bytes) -> bool:
    """Tell whether this is a file in the age format."""
    return raw.lstrip().startswith(_ARMOR) or raw.startswith(_HEADER)


def takes_passphrase(raw: bytes) -> bool:
    """Tell whether an age file opens with a passphrase, not with an identity."""
    return _beginning(raw).startswith(_WITH_PASSPHRASE)


def _beginning(raw: bytes) -> bytes:
    lines = raw.lstrip().split(b"\n", 2)
    if lines[0].strip() != _ARMOR or len(lines) < 2:
        return raw
    try:
        return binascii.a2b_base64(lines[1])
    except binascii.Error:
        return b""


def parse_recipients(raw: bytes) -> list[str]:
    """Return the X25519 recipients in a text, `age1…`, one a line, comments left out.

    Raises:
        ConfigError: there is none, or a line is another thing. It is not quoted: it may be secret.
    """
    from pyrage import RecipientError, x25519  # type: ignore[import-untyped]  # noqa: PLC0415 (rare)

    found = []
    for number, line in _lines(raw):
        try:
            found.append(str(x25519.Recipient.from_str(line.decode("ascii"))))
        except (RecipientError, UnicodeDecodeError):
            what = f"line {number} is no X25519 recipient of age"
            hint = "the line `# public key:` of a file that age-keygen wrote has one, age1…"
            if line.startswith(_POST_QUANTUM):
                hint = "those of age-keygen -pq cannot be written here yet; a passphrase can"
            raise ConfigError(what, hint=hint) from None
    if not found:
        raise ConfigError("holds no recipient")
    return found


def parse_identities(raw: bytes) -> list[Sensitive]:
    """Return the X25519 identities in a text, `AGE-SECRET-KEY-1…`, as age-keygen writes them.

    Raises:
        ConfigError: there is none, or a line is another thing.
    """
    if is_age(raw):
        raise ConfigError("is encrypted itself", hint="age -d FILE | sealkit … --identity -")
    found = [Sensitive(line) for _, line in _lines(raw)]
    for number, identity in enumerate(found, start=1):
        if not _is_identity(identity):
            raise ConfigError(f"identity {number} is no X25519 identity of age")
    if not found:
        raise ConfigError("holds no identity")
    return found


def _lines(raw: bytes) -> list[tuple[int, bytes]]:
    lines = enumerate((line.strip() for line in raw.splitlines()), start=1)
    return [(number, line) for number, line in lines if line and not line.startswith(b"#")]


def _is_identity(secret: Sensitive) -> bool:
    from pyrage import IdentityError, x25519  # noqa: PLC0415 (rare: cold start)

    try:
        x25519.Identity.from_str(secret.reveal().decode("ascii"))
    except (IdentityError, UnicodeDecodeError):
        return False
    return True


def lock_to(content: Sensitive, recipients: Sequence[str]) -> bytes:
    """Encrypt to recipients, as `parse_recipients` returns them; any of them opens it."""
    from pyrage import encrypt, x25519  # noqa: PLC0415 (rare: cold start)

    keys = [x25519.Recipient.from_str(one) for one in recipients]
    return bytes(encrypt(content.reveal(), keys, armored=True))


def lock_with(content: Sensitive, passphrase: Sensitive) -> bytes:
    """Encrypt with a passphrase; takes seconds on purpose (scrypt).

    Raises:
        UsageError: the passphrase is empty, or is not UTF-8.
    """
    from pyrage import passphrase as scrypt  # noqa: PLC0415 (rare: cold start)

    return bytes(scrypt.encrypt(content.reveal(), _text(passphrase), armored=True))


def unlock(raw: bytes, identities: Sequence[Sensitive]) -> Sensitive:
    """Open a file with whichever identity fits, as `parse_identities` returns them.

    Raises:
        NoKeyError: the file is for others.
        UnsealError: it is damaged.
    """
    from pyrage import DecryptError, decrypt, x25519  # noqa: PLC0415 (rare: cold start)

    keys = [x25519.Identity.from_str(one.reveal().decode("ascii")) for one in identities]
    try:
        return Sensitive(decrypt(raw, keys))
    except DecryptError as error:
        if str(error) == _NO_MATCH:
            raise NoKeyError("no identity given opens it") from None
        raise UnsealError("does not open: it is damaged") from None


def unlock_with(raw: bytes, passphrase: Sensitive) -> Sensitive:
    """Open a file with its passphrase; takes seconds on purpose.

    Raises:
        UsageError: the passphrase is empty, or is not UTF-8.
        UnsealError: another passphrase, or a damaged file.
    """
    from pyrage import DecryptError  # noqa: PLC0415 (rare: cold start)
    from pyrage import passphrase as scrypt  # noqa: PLC0415 (same)

    try:
        return Sensitive(scrypt.decrypt(raw, _text(passphrase)))
    except DecryptError:
        what = "does not open: another passphrase, or it is damaged"
        raise UnsealError(what) from None


def _text(passphrase: Sensitive) -> str:
    try:
        text = passphrase.reveal().decode()
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise UsageError("is empty, or is not UTF-8", field="passphrase")
    return text
