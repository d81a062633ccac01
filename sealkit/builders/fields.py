"""Typed access to the fields of a builder. No error quotes what it refuses.

Somebody may have written a password where the name of a value belongs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from sealkit.errors import ManifestError

_DATA_KEY: Final = re.compile(r"(?!\.\.|\.\Z)[-._a-zA-Z0-9]{1,253}")  # as the API server has it


def mapping(raw: object, path: str) -> Mapping[str, object]:
    """Return `raw` as a mapping with string keys.

    Raises:
        ManifestError: it is something else, or one of its keys is not a string.
    """
    if not isinstance(raw, Mapping):
        raise ManifestError("is not a mapping", field=path)
    if not all(isinstance(key, str) for key in raw):
        raise ManifestError("has a key that is not a string, quote it", field=path)
    return raw


def fields(
    raw: object, path: str, required: Collection[str], optional: Collection[str] = ()
) -> Mapping[str, object]:
    """Return `raw` as a mapping with these fields and no others.

    Raises:
        ManifestError: it is no mapping, or a field is unknown or missing.
    """
    given = mapping(raw, path)
    known = (*required, *optional)
    for name in given:
        if name not in known:
            hint = f"known fields: {', '.join(sorted(known))}"
            what = "is not a field that exists here"
            raise ManifestError(what, field=f"{path}.{name}", hint=hint)
    for name in required:
        if name not in given:
            raise ManifestError("is missing", field=f"{path}.{name}")
    return given


def text(raw: object, path: str) -> str:
    """Return `raw` as a text that is not empty.

    Raises:
        ManifestError: it is something else.
    """
    if not isinstance(raw, str):
        raise ManifestError("is not a string, quote it", field=path)
    if not raw:
        raise ManifestError("is empty", field=path)
    if any("\ud800" <= character <= "\udfff" for character in raw):
        raise ManifestError("holds half of a surrogate pair, which is no text", field=path)
    return raw


def value_name(given: Mapping[str, object], field: str, path: str) -> str:
    """Return the name of a value in a field that may be missing, the empty text if it is.

    Raises:
        ManifestError: the field is there and holds no name.
    """
    return text(given[field], f"{path}.{field}") if field in given else ""


def data_key(given: Mapping[str, object], field: str, path: str, default: str) -> str:
    """Return the data key in a field that may be missing.

    Raises:
        ManifestError: it is no key that a Secret can have.
    """
    key = text(given.get(field, default), f"{path}.{field}")
    if not _DATA_KEY.fullmatch(key):
        what = "is not a data key, expected letters, digits, '-', '_' and '.'"
        raise ManifestError(what, field=f"{path}.{field}")
    return key


def entries(raw: object, path: str, limit: int) -> Iterator[tuple[object, str]]:
    """Return the entries of a list of 1 to `limit`, each with its own path.

    Raises:
        ManifestError: it is no list, empty or too long.
    """
    if not isinstance(raw, list):
        raise ManifestError("is not a list", field=path)
    if not raw:
        raise ManifestError("is empty", field=path)
    if len(raw) > limit:
        raise ManifestError(f"has more than {limit} entries", field=path)
    return ((one, f"{path}[{number}]") for number, one in enumerate(raw))
