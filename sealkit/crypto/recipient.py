"""Recipient files: a cluster's public key as a text that is committed to the repository.

One PEM-style block with headers (docs/format.md, "Recipient files"). The key id is recomputed on
reading, so a header cannot claim another key; the form is canonical, so equal files are equal keys.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

from sealkit.crypto.x1 import NAME, PublicKey
from sealkit.encoding import from_base64, to_base64
from sealkit.errors import ConfigError, ManifestError

_BEGIN: Final = "-----BEGIN SEALKIT RECIPIENT-----"
_END: Final = "-----END SEALKIT RECIPIENT-----"
_WIDTH: Final = 64  # columns, as in RFC 7468 section 2
_MAX_CHARACTERS: Final = 8192
_CLUSTER: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")


class _Recipient(NamedTuple):
    cluster: str
    key: PublicKey
    not_after: date | None


class Recipient(_Recipient):
    """A public key with the name of its cluster and, if it has one, its last day of use.

    `not_after` is advice to writers: sealing for an expired key is refused, opening is not.
    """

    __slots__ = ()

    def __new__(cls, cluster: str, key: PublicKey, not_after: date | None = None) -> Recipient:
        """Check the cluster name.

        Raises:
            ConfigError: it is not a DNS label with dots of at most 63 characters.
        """
        if not _CLUSTER.fullmatch(cluster):
            raise ConfigError("not a cluster name, expected lower-case letters, digits, - and .")
        return super().__new__(cls, cluster, key, not_after)

    def __str__(self) -> str:
        """Return the canonical text of the file, with a final newline."""
        headers = [f"Cluster: {self.cluster}", f"Kid: {self.key.kid}", f"Suite: {NAME}"]
        if self.not_after:
            headers.append(f"Not-After: {self.not_after.isoformat()}")
        body = to_base64(self.key.raw)
        lines = [body[start : start + _WIDTH] for start in range(0, len(body), _WIDTH)]
        return "\n".join([_BEGIN, *headers, "", *lines, _END, ""])

    @classmethod
    def parse(cls, text: str) -> Recipient:
        """Return the recipient a file names. White space around the block and CRLF are accepted.

        Raises:
            ConfigError: not exactly one canonical block, an unusable key, or a `Kid:` header that
                is not the id of the key below it.
        """
        block = text.replace("\r\n", "\n").strip() + "\n"
        if len(block) > _MAX_CHARACTERS or not block.startswith(_BEGIN):
            raise ConfigError("not a recipient file, expected one SEALKIT RECIPIENT block")
        headers, _, body = block.removeprefix(_BEGIN + "\n").partition("\n\n")
        recipient = _from_parts(_headers(headers), body)
        if str(recipient) != block:
            raise ConfigError("the recipient file is not in canonical form")
        return recipient


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in text.split("\n"))
    return {name: value for name, _, value in pairs}


def _from_parts(headers: dict[str, str], body: str) -> Recipient:
    if headers.get("Suite") != NAME:
        raise ConfigError(f"not a suite this version knows, expected {NAME}", field="Suite")
    try:
        raw = from_base64(body.removesuffix(_END + "\n").replace("\n", ""))
        day = headers.get("Not-After")
        not_after = date.fromisoformat(day) if day is not None else None
    except (ManifestError, ValueError):
        raise ConfigError("the recipient file is damaged") from None
    key = PublicKey(raw)
    if headers.get("Kid") != key.kid:
        raise ConfigError(f"is not the id of the key in this file, {key.kid}", field="Kid")
    return Recipient(headers.get("Cluster", ""), key, not_after)
