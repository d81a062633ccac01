"""The structured spelling: a mapping, for all that does not fit into one line.

Our own names, and the words of External Secrets and of the Vault Secrets Operator for the same
things: `property` for `key`, `v2` or `kv-v2` for a version of the key-value engine, `Base64URL`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from sealkit.errors import ReferenceSyntaxError
from sealkit.references import jsontree
from sealkit.references.checks import under
from sealkit.references.jsontree import MAX_DEPTH, Tree
from sealkit.references.modifiers import MAX_MODIFIERS, Modifier, parse_modifier
from sealkit.references.reference import (
    Decode,
    JsonObject,
    Kv,
    Method,
    Reference,
    Store,
    StoreKind,
    json_object,
)

MAX_INTEGER_BITS: Final = 1024  # Python does not write integers of over 4,300 digits

_Closed = TypeVar("_Closed", bound=StrEnum)

_FIELDS: Final = (
    *("store", "namespace", "mount", "path", "key", "property", "kv", "version", "method", "body"),
    *("decode", "modifiers", "default", "optional"),
)
_KV: Final[Mapping[object, Kv]] = {
    **{kv.value: kv for kv in Kv},
    **dict.fromkeys((1, "1", "kv-v1"), Kv.V1),
    **dict.fromkeys((2, "2", "kv-v2"), Kv.V2),
}


def from_dict(raw: object, path: str = "") -> Reference:
    """Parse the structured form; `path` is where it stands, for errors. Null means absent.

    Raises:
        ReferenceSyntaxError: a field is unknown, missing, of the wrong type, or as `Reference`
            says.
    """
    with under(path):
        return _reference(_present(raw, "", _FIELDS))


def _reference(given: Mapping[str, object]) -> Reference:
    if "path" not in given:
        hint = (
            "what External Secrets calls remoteRef.key is the path here, and its property the key"
        )
        raise ReferenceSyntaxError("is missing", field="path", hint=hint)
    if "key" in given and "property" in given:
        raise ReferenceSyntaxError("is the same as key, and both are there", field="property")
    return Reference(
        path=_text(given["path"], "path"),
        key=_text(given.get("key", given.get("property", "")), "key"),
        mount=_text(given.get("mount", ""), "mount"),
        store=store_from_raw(given["store"]) if "store" in given else None,
        namespace=_text(given.get("namespace", ""), "namespace"),
        kv=_kv(given.get("kv", Kv.AUTO.value)),
        version=parse_version(given["version"]) if "version" in given else None,
        method=_one_of(Method, given.get("method", Method.GET.value), "method"),
        body=_body(given.get("body", "")),
        decode=_decode(given.get("decode", Decode.NONE.value)),
        modifiers=_modifiers(given.get("modifiers", [])),
        default=_text(given["default"], "default") if "default" in given else None,
        optional=_flag(given.get("optional", False), "optional"),
    )


def parse_version(raw: object) -> int:
    """Return the version of a secret, as a number or as its digits.

    Raises:
        ReferenceSyntaxError: it is something else; a word such as `latest` is, too.
    """
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) <= 10:
        return int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    hint = "leave it out for the newest version"
    raise ReferenceSyntaxError("is not a positive number", field="version", hint=hint)


def _present(raw: object, field: str, known: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(raw, Mapping):
        raise ReferenceSyntaxError("is neither text nor a mapping", field=field)
    for name in raw:
        if name not in known:
            hint = f"known fields: {', '.join(sorted(known))}"
            where = ".".join(part for part in (field, name) if part and isinstance(part, str))
            raise ReferenceSyntaxError("is not a field that exists here", field=where, hint=hint)
    return {name: value for name, value in raw.items() if value is not None}


def _text(raw: object, field: str) -> str:
    if not isinstance(raw, str):
        raise ReferenceSyntaxError("is not a string, quote it", field=field)
    return raw


def _flag(raw: object, field: str) -> bool:
    if not isinstance(raw, bool):
        raise ReferenceSyntaxError("is neither true nor false", field=field)
    return raw


def _one_of(family: type[_Closed], raw: object, field: str) -> _Closed:
    for member in family:
        if raw == member.value:
            return member
    known = ", ".join(member.value for member in family)
    raise ReferenceSyntaxError(f"is not one of {known}", field=field)


def store_from_raw(raw: object) -> Store:
    """Read a store: its name, or `{name, kind}`.

    Raises:
        ReferenceSyntaxError: it is something else; the field begins with `store`.
    """
    if isinstance(raw, str):
        return Store(raw)
    given = _present(raw, "store", ("name", "kind"))
    kind = _one_of(StoreKind, given.get("kind", StoreKind.NAMESPACED.value), "store.kind")
    return Store(_text(given.get("name", ""), "store.name"), kind)


def _kv(raw: object) -> Kv:
    kv = _KV.get(raw) if isinstance(raw, str | int) and not isinstance(raw, bool) else None
    if kv is None:
        raise ReferenceSyntaxError("is not one of auto, v1, v2, raw", field="kv")
    return kv


def _decode(raw: object) -> Decode:
    return _one_of(Decode, _text(raw, "decode").lower(), "decode")


def _modifiers(raw: object) -> tuple[Modifier, ...]:
    if not isinstance(raw, list | tuple):
        raise ReferenceSyntaxError("is not a list", field="modifiers")
    if len(raw) > MAX_MODIFIERS:
        raise ReferenceSyntaxError(f"are more than {MAX_MODIFIERS}", field="modifiers")
    return tuple(parse_modifier(_text(one, "modifiers")) for one in raw)


def _body(raw: object) -> JsonObject:
    if isinstance(raw, str):
        return json_object(raw) if raw else JsonObject("")
    return json_object(jsontree.write(_tree(raw, MAX_DEPTH)))


def _tree(raw: object, depth: int) -> Tree:
    """Take a parsed YAML or JSON value as a tree; nothing else can be in a body."""
    if depth and isinstance(raw, Mapping) and all(isinstance(name, str) for name in raw):
        return {name: _tree(value, depth - 1) for name, value in raw.items()}
    if depth and isinstance(raw, list | tuple):
        return [_tree(item, depth - 1) for item in raw]
    if raw is None or isinstance(raw, bool | float | str):
        return raw
    if isinstance(raw, int) and raw.bit_length() <= MAX_INTEGER_BITS:
        return raw
    raise ReferenceSyntaxError("is not a JSON object", field="body")
