"""Typed access to the fields of a parsed document: the door through which untyped data comes in.

Every function takes the dotted path of what it reads, so that an error can name the field; none
quotes the value it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from sealkit.errors import ManifestError

_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DATA_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_Closed = TypeVar("_Closed", bound=StrEnum)


def mapping(value: object, field: str) -> Mapping[str, object]:
    """Return `value` as a mapping with string keys.

    Raises:
        ManifestError: it is something else, or one of its keys is not a string.
    """
    if not isinstance(value, Mapping):
        raise ManifestError("is not a mapping", field=field)
    if not all(isinstance(key, str) for key in value):
        raise ManifestError("has a key that is not a string, quote it", field=field)
    return value


def only(value: Mapping[str, object], known: Collection[str], field: str) -> None:
    """Refuse fields that are not in `known`: a typo must not silently do nothing.

    Raises:
        ManifestError: naming the first unknown field, and what it may have been meant for.
    """
    for name in value:
        if name not in known:
            path = f"{field}.{name}" if field else name
            raise ManifestError(
                "is not a field that exists here",
                field=path,
                hint=f"known fields: {', '.join(sorted(known))}",
            )


def text(value: object, field: str) -> str:
    """Return `value` as a string.

    Raises:
        ManifestError: it is something else, such as a number that was not quoted.
    """
    if not isinstance(value, str):
        raise ManifestError("is not a string, quote it", field=field)
    return value


def flag(value: object, field: str) -> bool:
    """Return `value` as a boolean.

    Raises:
        ManifestError: it is something else.
    """
    if not isinstance(value, bool):
        raise ManifestError("is neither true nor false", field=field)
    return value


def one_of(family: type[_Closed], value: object, field: str) -> _Closed:
    """Return the member of `family` that `value` names.

    Raises:
        ManifestError: there is none.
    """
    for member in family:
        if value == member.value:
            return member
    known = ", ".join(member.value for member in family)
    raise ManifestError(f"is not one of {known}", field=field)


def string_map(value: object, field: str) -> dict[str, str]:
    """Return `value` as a mapping of strings, sorted by key.

    Raises:
        ManifestError: it is something else, or holds something else than strings.
    """
    entries = mapping(value, field)
    return {key: text(entries[key], f"{field}.{key}") for key in sorted(entries)}


def label_map(value: object, field: str) -> dict[str, str]:
    """Return `value` as labels, sorted by key.

    Raises:
        ManifestError: as `annotation_map`, or a value is not at most 63 letters, digits, `-`, `_`
            and `.` with a letter or digit at both ends.
    """
    entries = annotation_map(value, field)
    for key, label in entries.items():
        if label and not _LABEL_VALUE.fullmatch(label):
            raise ManifestError("is not a value that a label can have", field=f"{field}.{key}")
    return entries


def annotation_map(value: object, field: str) -> dict[str, str]:
    """Return `value` as annotations, sorted by key.

    Raises:
        ManifestError: it is no mapping of strings, or a key is not a qualified name: at most 63
            letters, digits, `-`, `_` and `.`, with or without `<DNS subdomain>/` before it.
    """
    entries = string_map(value, field)
    for key in entries:
        prefix, slash, name = key.rpartition("/")
        if not _LABEL_VALUE.fullmatch(name) or (slash and not _is_subdomain(prefix)):
            what = "is not a name that a label or annotation can have"
            raise ManifestError(what, field=f"{field}.{key}")
    return entries


def is_data_key(key: str) -> bool:
    """Tell whether a Secret can have a data key.

    1 to 253 letters, digits, `-`, `_` and `.`, but not `.`, `..`, or `..` in front.
    """
    return _DATA_KEY.fullmatch(key) is not None and key != "." and not key.startswith("..")


def object_name(value: object, field: str = "metadata.name") -> str:
    """Return `value` as the name of an object: a DNS-1123 subdomain of at most 253 characters.

    Raises:
        ManifestError: it is something else.
    """
    name = text(value, field)
    if not _is_subdomain(name):
        raise ManifestError("is not a name Kubernetes accepts (RFC 1123 subdomain)", field=field)
    return name


def namespace_name(value: object, field: str = "metadata.namespace") -> str:
    """Return `value` as the name of a namespace: a DNS-1123 label of at most 63 characters.

    Raises:
        ManifestError: it is something else.
    """
    name = text(value, field)
    if not _LABEL.fullmatch(name):
        raise ManifestError("is not a name Kubernetes accepts (RFC 1123 label)", field=field)
    return name


def namespace_or_none(value: object, field: str = "metadata.namespace") -> str:
    """Return `value` as the name of a namespace, or the empty string, which means none is given.

    Raises:
        ManifestError: it is something else.
    """
    return "" if value == "" else namespace_name(value, field)


def _is_subdomain(name: str) -> bool:
    return len(name) <= 253 and _SUBDOMAIN.fullmatch(name) is not None
