"""Length hiding: every value is padded to a length class before it is sealed.

`pad(m) = u32be(len m) || m || 00…`, to a multiple of 64 bytes while `len + 4 <= 1024`, above to
the next Padmé length (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PETS 2019:
at most 12 % overhead, O(log log n) bits told). A padded text has exactly one accepted form.
"""

from __future__ import annotations

from sealkit.errors import UnsealError

_HEADER = 4  # u32be: the length of the value
_BLOCK = 64
_BLOCKS_UP_TO = 1024


def padded_length(content: int) -> int:
    """Return the padded length in bytes of `content` bytes, header included in both."""
    if content <= _BLOCKS_UP_TO:
        return -(-content // _BLOCK) * _BLOCK
    exponent = content.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << free_bits) - 1
    return (content + mask) & ~mask


def is_padded_length(length: int) -> bool:
    """Tell whether some value pads to exactly `length` bytes."""
    return length >= _BLOCK and padded_length(length) == length


def pad(value: bytes) -> bytes:
    """Return `value` with its length in front and zero bytes behind."""
    content = len(value).to_bytes(_HEADER, "big") + value
    return content.ljust(padded_length(len(content)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Return the value inside a padded text.

    Raises:
        UnsealError: the text is not what `pad` makes of any value.
    """
    length = int.from_bytes(padded[:_HEADER], "big")
    value = padded[_HEADER : _HEADER + length]
    if pad(value) != padded:
        raise UnsealError("a value could not be opened")
    return value
