"""The one box for plaintext, tokens and private keys outside the key types.

Printing, formatting, pickling or hashing it never shows the content; `reveal` is the only way out.
"""

from __future__ import annotations

from typing import NoReturn


class Sensitive:
    """Bytes that must not be shown. Holds them; does not promise to wipe them from memory."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """Return the bytes. Every call is a place where a secret could leak: keep it grep-able."""
        return self._value

    def __repr__(self) -> str:
        """Show that something is here, not what nor how long it is."""
        return "Sensitive(…)"

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, and only with another `Sensitive`."""
        from hmac import compare_digest  # noqa: PLC0415 (cold start: it loads OpenSSL)

        return isinstance(other, Sensitive) and compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a hash in a dict is an equality oracle

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied into another process."""
        raise TypeError("a Sensitive cannot be pickled")
