"""Typed access to the fields of a builder. No error quotes what it refuses.

Somebody may have written a password where the name of a value belongs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sealkit import fields as documents
from sealkit.errors import ManifestError


def fields(
    raw: object, path: str, required: Collection[str], optional: Collection[str] = ()
) -> Mapping[str, object]:
    """Return `raw` as a mapping with these fields and no others.

    Raises:
        ManifestError: it is no mapping, or a field is unknown or missing.
    """
    given = documents.mapping(raw, path)
    documents.only(given, (*required, *optional), path)
    for name in required:
        if name not in given:
            raise ManifestError("is missing", field=f"{path}.{name}")
    return given


def text(raw: object, path: str) -> str:
    """Return `raw` as a text that is not empty.

    Raises:
        ManifestError: it is something else.
    """
    given = documents.text(raw, path)
    if not given:
        raise ManifestError("is empty", field=path)
    if any("\ud800" <= character <= "\udfff" for character in given):
        raise ManifestError("holds half of a surrogate pair, which is no text", field=path)
    return given


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
    if not documents.is_data_key(key):
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
