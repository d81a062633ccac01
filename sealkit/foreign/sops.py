"""Files that sops encrypted, recognised: what in them is encrypted, and for whom. Pure.

sops itself decrypts: nothing here does. Its format: https://getsops.io/docs/ .
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sealkit.foreign.context import Raw
from sealkit.lines import printable

METADATA: Final = "sops"

_VALUE: Final = re.compile(r"ENC\[AES256_GCM,data:[^\]]*\]")
_COMMENT: Final = re.compile(r"^[ \t]*#ENC\[AES256_GCM,[^\n]*\n?", re.MULTILINE)
_MARK: Final = re.compile(rb"""(?:sops_mac=|\bmac["']?[ \t]*[:=][ \t]*["']?)ENC\[""")
_DOTENV: Final = re.compile(rb"^sops_mac=ENC\[", re.MULTILINE)
_INI: Final = re.compile(rb"^\[sops\]", re.MULTILINE)
# Each kind of key that can open a file, with the field that tells one from another.
_KEYS: Final = {
    "age": "recipient",
    "pgp": "fp",
    "kms": "arn",
    "gcp_kms": "resource_id",
    "azure_kv": "vault_url",
    "hc_vault": "vault_address",
}


def is_metadata(value: object) -> bool:
    """Tell whether the field `sops` of a document is what sops puts there."""
    return isinstance(value, Mapping) and "mac" in value and "lastmodified" in value


def is_encrypted(value: object) -> bool:
    """Tell whether a value is one that sops encrypted."""
    return isinstance(value, str) and _VALUE.fullmatch(value) is not None


def is_encrypted_file(raw: bytes) -> bool:
    """Tell whether a file, of any of its formats, is one that sops encrypted."""
    return _MARK.search(raw) is not None


def flat_format(raw: bytes) -> str:
    """Return `dotenv` or `ini` for such a file that sops encrypted, else nothing."""
    if not is_encrypted_file(raw):
        return ""
    return "dotenv" if _DOTENV.search(raw) else "ini" if _INI.search(raw) else ""


def without_metadata(raw: Raw) -> dict[str, object]:
    """Return a document without what sops added to it."""
    return {name: value for name, value in raw.items() if name != METADATA}


def encrypted_fields(value: object, path: str = "") -> Iterator[str]:
    """Yield the paths of all values that are encrypted, below a value that is at `path`."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from encrypted_fields(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from encrypted_fields(inner, f"{path}[{index}]")
    elif is_encrypted(value):
        yield path


def plain_values(raw: Raw) -> list[str]:
    """Return the paths of the values of a Secret that stood in the file as they are.

    A rule such as encrypted_regex or unencrypted_suffix passed them over; sops leaves empty ones.
    """
    return [
        f"{name}.{key}"
        for name in ("data", "stringData")
        if isinstance(entries := raw.get(name), Mapping)
        for key, value in entries.items()
        if value not in {"", None} and not is_encrypted(value)
    ]


def keys_of(metadata: object) -> list[str]:
    """Return the keys that a file is encrypted for, as a hint names them."""
    if not isinstance(metadata, Mapping):
        return []
    groups = metadata.get("key_groups")
    places = [metadata, *(groups if isinstance(groups, list) else [])]
    return [
        printable(f"{kind} {entry[field]}")
        for place in places
        if isinstance(place, Mapping)
        for kind, field in _KEYS.items()
        if isinstance(entries := place.get(kind), list)
        for entry in entries
        if isinstance(entry, Mapping) and isinstance(entry.get(field), str)
    ]


def without_comments(text: str) -> str:
    """Take out the lines with comments that sops encrypted: nobody can read them any more."""
    return _COMMENT.sub("", text)
