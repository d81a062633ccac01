"""Canonical text for bytes: base64 (RFC 4648 section 4), base32 (section 6) without padding, UUIDs.

Every byte string has exactly one accepted spelling, so equal content is equal text.
"""

from __future__ import annotations

import base64
import binascii

from sealkit.errors import ManifestError


def to_base64(raw: bytes) -> str:
    """Return standard base64 with padding and without line breaks."""
    return base64.b64encode(raw).decode("ascii")


def from_base64(text: str, field: str = "") -> bytes:
    """Return the bytes of canonical standard base64.

    Raises:
        ManifestError: other alphabets, white space, missing or extra padding, non-zero spare bits.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = None
    if raw is None or to_base64(raw) != text:
        raise ManifestError("not canonical base64", field=field)
    return raw


def to_base32(raw: bytes) -> str:
    """Return lower-case base32 without padding: 16 bytes become 26 characters."""
    return base64.b32encode(raw).decode("ascii").rstrip("=").lower()


def from_base32(text: str, length: int, field: str = "") -> bytes:
    """Return the `length` bytes of canonical lower-case base32 without padding.

    Raises:
        ManifestError: another alphabet or length, upper case, padding, non-zero spare bits.
    """
    try:
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != length or to_base32(raw) != text:
        raise ManifestError(f"not the lower-case base32 of {length} bytes", field=field)
    return raw


def to_uuid(raw: bytes) -> str:
    """Return 16 bytes in the notation of UUIDs (RFC 9562 section 4): 36 characters."""
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def from_uuid(text: str, field: str = "") -> bytes:
    """Return the 16 bytes of the notation of UUIDs, in lower case; any bytes, of any version.

    Raises:
        ManifestError: another length, upper case, hyphens missing or elsewhere.
    """
    try:
        raw = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        raw = b""
    if len(raw) != 16 or to_uuid(raw) != text:
        raise ManifestError("not a UUID in lower case", field=field)
    return raw
