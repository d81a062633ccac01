"""A stored object: its bytes, and the little of it that selecting and collecting needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sealkit_controller.sandbox.objects.status import JsonObject

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Key(NamedTuple):
    """The identity of an object; cluster-scoped objects have no namespace."""

    storage: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """One version of one object. `body` is its JSON, and never changes."""

    key: Key
    uid: str
    version: int
    body: bytes
    labels: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()

    def document(self) -> JsonObject:
        """Return the object, freshly parsed: the caller may change it."""
        document: JsonObject = json.loads(self.body)
        return document


def to_json(value: Any) -> bytes:
    """Return compact JSON."""
    return _encode(value).encode()


def to_record(
    key: Key, document: JsonObject, version: int, selectable: frozenset[str] = frozenset()
) -> Record:
    """Return the record of `document`, whose `resourceVersion` becomes `version`."""
    metadata = document["metadata"]
    metadata["resourceVersion"] = str(version)
    fields = {"metadata.name": key.name, "metadata.namespace": key.namespace}
    fields.update((path, _text_at(document, path)) for path in selectable)
    owners = tuple(owner["uid"] for owner in metadata.get("ownerReferences") or ())
    labels = metadata.get("labels") or {}
    return Record(key, metadata["uid"], version, to_json(document), labels, fields, owners)


def _text_at(document: JsonObject, path: str) -> str:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value)
