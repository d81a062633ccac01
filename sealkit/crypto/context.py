"""What a ciphertext is bound to: injective byte strings for HPKE `info` and AEAD contexts.

Every field carries its length, so no two different lists of fields give the same bytes
(docs/format.md, "Contexts"; plain concatenation confuses "a" + "bc" with "ab" + "c").
"""

from __future__ import annotations

from typing import NamedTuple

_DOMAIN = b"sealkit.dev/v1"


class Binding(NamedTuple):
    """The place a value is sealed for; parts that the scope leaves free are empty strings."""

    scope: str
    namespace: str
    name: str


def context(label: str, *fields: str | bytes) -> bytes:
    """Return `"sealkit.dev/v1" 00 label 00 (u32be(len f) f)*`; text is UTF-8."""
    return extended(b"".join((_DOMAIN, b"\0", label.encode(), b"\0")), *fields)


def extended(start: bytes, *fields: str | bytes) -> bytes:
    """Return a context with more fields at its end."""
    parts = [start]
    for field in fields:
        raw = field.encode() if isinstance(field, str) else field
        parts += (len(raw).to_bytes(4, "big"), raw)
    return b"".join(parts)
