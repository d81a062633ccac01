"""The JSON Schema of `.sealkit.yaml`. Pure. A test holds it to what `sealkit.config` accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sealkit.config import API_VERSION, NAME
from sealkit.manifests.scope import Scope

ID: Final = "https://sealkit.dev/config/v1/schema.json"

# One piece of a path: not empty, not `.` or `..`, and of characters that are no unknown wildcards.
_PIECE: Final = r"(?!\.{1,2}(?:/|$))[^/\[\]{}!\\]+"
_GLOB: Final = rf"^{_PIECE}(?:/{_PIECE})*$"
_KID: Final = "^[a-z2-7]{25}[aeimquy4]$"  # base32 of 16 bytes: the last character has 3 bits only
_NAME_PIECE: Final = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_CLUSTER_NAME: Final = rf"^{_NAME_PIECE}(?:\.{_NAME_PIECE})*$"


def schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of a configuration.

    It accepts what `load_config` accepts and more in one point: it cannot see whether the clusters
    of a rule exist.
    """
    clusters = {
        "type": ["object", "null"],
        "description": "The clusters that there are, by name; `sealkit clusters add` writes them.",
        "propertyNames": {"maxLength": 253, "pattern": _CLUSTER_NAME},
        "additionalProperties": _cluster_schema(),
    }
    rules = {
        "type": ["array", "null"],
        "description": "Who may read what: the first rule that matches a file decides.",
        "items": _rule_schema(),
    }
    fields = {"apiVersion": {"const": API_VERSION}, "clusters": clusters, "rules": rules}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": NAME,
        "description": "Which clusters a repository seals for, and who may read which manifest.",
    }
    return head | _object(fields, required=["apiVersion"])


def _cluster_schema() -> dict[str, object]:
    fields = {
        "kid": _text("The key id that is pinned.", pattern=_KID),
        "recipient": _text("The recipient file, relative to this one.", minLength=1),
        "notAfter": {
            "type": ["string", "null"],
            "description": "Last day to seal for it.",
            "format": "date",
            "pattern": r"^\d{4}-\d{2}-\d{2}$",
        },
    }
    return _object(fields, required=["kid", "recipient"])


def _rule_schema() -> dict[str, object]:
    paths = "Globs relative to the folder of this file, with *, ** and ?."
    scopes = "The scopes that are allowed, the first by default; all if left out."
    fields = {
        "paths": _list(paths, {"type": "string", "pattern": _GLOB}),
        "clusters": _list("The clusters that may open these files.", {"type": "string"}),
        "scopes": _list(scopes, {"enum": [scope.value for scope in Scope]}, "null"),
    }
    return _object(fields, required=["paths", "clusters"])


def _object(fields: Mapping[str, object], required: Sequence[str]) -> dict[str, object]:
    closed = {"additionalProperties": False, "required": required, "properties": fields}
    return {"type": "object", **closed}


def _text(description: str, **more: object) -> dict[str, object]:
    return {"type": "string", "description": description, **more}


def _list(description: str, items: dict[str, object], *also: str) -> dict[str, object]:
    kind = ["array", *also] if also else "array"
    rest = {"description": description, "minItems": 1, "uniqueItems": True, "items": items}
    return {"type": kind, **rest}
