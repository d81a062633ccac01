"""The Reference: where a value is in Vault, and what to make of it.

Every spelling is read into this one value. It holds only what was said: which KV version a mount
has, and where in a path the mount ends, is found out when it is resolved, never guessed here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NewType

from sealkit.errors import ReferenceSyntaxError
from sealkit.references import jsontree
from sealkit.references.checks import (
    MAX_KEY,
    MAX_PATH,
    check_encodable,
    check_not_cubbyhole,
    check_path,
    check_visible,
)
from sealkit.references.escapes import escape
from sealkit.references.jsonpath import JsonPath
from sealkit.references.modifiers import MAX_MODIFIERS, Modifier
from sealkit.references.store import Method as Method  # noqa: PLC0414  (part of this module, too)
from sealkit.references.store import Store as Store  # noqa: PLC0414  (same)
from sealkit.references.store import StoreKind as StoreKind  # noqa: PLC0414  (same)
from sealkit.references.store import store_to_raw

MAX_BODY: Final = 1 << 20  # characters of JSON; a ciphertext of a whole Secret is in one
MAX_DEFAULT: Final = 1 << 16  # characters
MAX_VERSION: Final = (1 << 31) - 1

# What makes a text that begins with `vault:` ambiguous.
OTHER_REFERENCES: Final = re.compile(r"\$\{(?:>>)?vault:|<path:")

# A JSON object as `jsontree.write` writes it, or nothing for an empty one.
JsonObject = NewType("JsonObject", str)


class Kv(StrEnum):
    """What was said of the key-value version; AUTO is nothing, RAW is no key-value mount."""

    AUTO = "auto"
    V1 = "v1"
    V2 = "v2"
    RAW = "raw"


class Decode(StrEnum):
    """What the value is an encoding of.

    AUTO decodes whatever looks like base64, `1234` among it; for what External Secrets did.
    """

    NONE = "none"
    BASE64 = "base64"
    BASE64_URL = "base64url"
    AUTO = "auto"


@dataclass(frozen=True)
class Reference:
    r"""A pointer to one value in Vault. Equal references mean the same.

    Without a `store` the default of the manifest is meant, without a `namespace` (of Vault) that
    of the store. With a `mount`, `path` is below it and has no `data/` in front unless the secret
    is really called so; without, `path` begins with the mount and may hold `data/` as the HTTP API
    does. `key` is a name in the secret or else a dotted path into it (`a.b.0`, `\.` for a dot);
    empty, it takes the whole secret as JSON. Without a `version` the newest is meant. `body` is a
    JSON object for POST and PUT. `decode` comes first, then the `modifiers` from left to right;
    `default` is taken as it is where path, key or value are absent, and with `optional` the place
    is left out there.

    Raises:
        ReferenceSyntaxError: a field is wrong in itself (see `checks`), or two exclude each other:
            a version and KV version 1, RAW or a method that is not GET; a KV version and such a
            method; a body and GET or LIST; `default` and `optional`.
    """

    path: str
    key: str = ""
    mount: str = ""
    store: Store | None = None
    namespace: str = ""
    kv: Kv = Kv.AUTO
    version: int | None = None
    method: Method = Method.GET
    body: JsonObject = JsonObject("")
    decode: Decode = Decode.NONE
    modifiers: tuple[Modifier, ...] = ()
    default: str | None = None
    optional: bool = False

    def __post_init__(self) -> None:
        self._check_place()
        self._check_request()
        check_visible(self.key, "key", MAX_KEY)
        if len(self.modifiers) > MAX_MODIFIERS:
            raise ReferenceSyntaxError(f"are more than {MAX_MODIFIERS}", field="modifiers")
        if self.default is not None:
            check_encodable(self.default, "default", MAX_DEFAULT)
            if self.optional:
                what = "stands beside a default, and only one of them can be"
                raise ReferenceSyntaxError(what, field="optional")

    def _check_place(self) -> None:
        check_path(self.path, "path")
        for field, value in (("mount", self.mount), ("namespace", self.namespace)):
            if value:
                check_path(value, field)
        if len(self.location) > MAX_PATH:
            what = f"is longer than {MAX_PATH} characters with the mount"
            raise ReferenceSyntaxError(what, field="path")
        check_not_cubbyhole(self.mount, self.path)

    def _check_request(self) -> None:
        if self.version is not None:
            _check_version(self.version, self.kv, self.method)
        if self.method is not Method.GET and self.kv in {Kv.V1, Kv.V2}:
            raise ReferenceSyntaxError(f"cannot be with method {self.method}", field="kv")
        if self.body:
            _check_body(self.body, self.method)

    @property
    def location(self) -> str:
        """Mount and path together, for messages; `data/` is in it only where somebody wrote it."""
        return f"{self.mount}/{self.path}" if self.mount else self.path

    @property
    def asking(self) -> Reference:
        """The same reference without what is done with the answer: equal ones need one request."""
        return replace(self, key="", decode=Decode.NONE, modifiers=(), default=None, optional=False)

    def spelled(self) -> str | None:
        """Return the `vault:` spelling, or None where it cannot say all of this reference."""
        if not self._is_sayable():
            return None
        text = (">>" if self.method is Method.PUT else "") + "vault:" + self._fields()
        return None if OTHER_REFERENCES.search(text) else text

    def _is_sayable(self) -> bool:
        """Tell whether no field is used that the spelling has no place for."""
        elsewhere = (self.store, self.namespace, self.mount, self.optional)
        kept = (self.kv, self.decode, self.default) == (Kv.AUTO, Decode.NONE, None)
        said = self.key == self.key.strip() != "" and self.method in {Method.GET, Method.PUT}
        return kept and said and not any(elsewhere)

    def _fields(self) -> str:
        third = self.body or ("" if self.version is None else str(self.version))
        head = "#".join((escape(self.path), escape(self.key), *([third] if third else [])))
        return " | ".join((head, *(_spelled_modifier(one) for one in self.modifiers)))

    def to_dict(self) -> dict[str, object]:
        """Return the structured form: fixed field order, defaults left out."""
        modifiers = [str(one) for one in self.modifiers]
        raw: dict[str, object] = {
            "store": store_to_raw(self.store) if self.store else None,
            "namespace": self.namespace or None,
            "mount": self.mount or None,
            "path": self.path,
            "key": self.key or None,
            "kv": self.kv.value if self.kv is not Kv.AUTO else None,
            "version": self.version,
            "method": self.method.value if self.method is not Method.GET else None,
            "body": self.body or None,
            "decode": self.decode.value if self.decode is not Decode.NONE else None,
            "modifiers": modifiers or None,
            "default": self.default,
            "optional": self.optional or None,
        }
        return {name: value for name, value in raw.items() if value is not None}

    def to_raw(self) -> str | dict[str, object]:
        """Return the form for people: the `vault:` spelling, or the structured form."""
        return self.spelled() or self.to_dict()

    def __str__(self) -> str:
        """The `vault:` spelling, or for people the structured form as JSON, which is not parsed."""
        return self.spelled() or json.dumps(self.to_dict(), ensure_ascii=False)


def _check_version(version: int, kv: Kv, method: Method) -> None:
    if not 0 < version <= MAX_VERSION:
        hint = "leave it out for the newest version"
        raise ReferenceSyntaxError("is not a positive number", field="version", hint=hint)
    if kv in {Kv.V1, Kv.RAW} or method is not Method.GET:
        what = "cannot be here: only KV version 2 has versions, and only of what is read"
        raise ReferenceSyntaxError(what, field="version")


def _check_body(body: JsonObject, method: Method) -> None:
    if method not in {Method.POST, Method.PUT}:
        raise ReferenceSyntaxError(f"cannot be with method {method}", field="body")
    if json_object(body) != body:
        raise ReferenceSyntaxError("is not canonical JSON", field="body")


def json_object(text: str) -> JsonObject:
    """Return the canonical spelling of a JSON object, empty for an empty one.

    Raises:
        ReferenceSyntaxError: it is no JSON object, longer than `MAX_BODY`, nested deeper than 64
            levels, or no text.
    """
    check_encodable(text, "body", MAX_BODY)
    found = jsontree.read(text)
    if not found or not isinstance(found.tree, dict):
        raise ReferenceSyntaxError("is not a JSON object", field="body")
    canonical = jsontree.write(found.tree) if found.tree else ""
    check_encodable(canonical, "body", MAX_BODY)
    return JsonObject(canonical)


def _spelled_modifier(modifier: Modifier) -> str:
    if isinstance(modifier, JsonPath):
        return f"jsonPath {{{escape(modifier.expression)}}}"
    return str(modifier)
