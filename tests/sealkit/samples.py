"""Two clusters, a Secret, its manifest, and ways to edit a parsed document."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.secret import Secret
from sealkit.references.template import from_raw
from sealkit.sealing import seal
from sealkit.sensitive import Sensitive

KEYS: Final = tuple(PrivateKey(Sensitive(bytes([number]) * 32)) for number in range(1, 4))
KEY, OTHER, THIRD = KEYS
REMOVED: Final = object()

Path = tuple[str, ...]


def ring(*keys: PrivateKey) -> dict[Kid, PrivateKey]:
    return {key.kid: key for key in keys}


def in_lines(references: Mapping[str, Any]) -> dict[str, object]:
    """Return the references of a manifest, which are fields there, as people spell them."""
    read = {key: from_raw(raw) for key, raw in references.items()}
    assert references == {key: one.to_dict() for key, one in read.items()}
    return {key: one.to_raw() for key, one in read.items()}


def sensitive(values: Mapping[str, bytes]) -> dict[str, Sensitive]:
    return {key: Sensitive(value) for key, value in values.items()}


def revealed(secret: Secret) -> dict[str, bytes]:
    return {key: value.reveal() for key, value in secret.data.items()}


def a_secret(values: Mapping[str, bytes] | None = None, name: str = "db") -> Secret:
    data = {"password": b"hunter2", "user": b"shop"} if values is None else values
    return Secret(name, "shop", sensitive(data))


def a_manifest(
    values: Mapping[str, bytes] | None = None,
    scope: Scope = Scope.STRICT,
    keys: Iterable[PrivateKey] = (KEY, OTHER),
    name: str = "db",
) -> SealedSecret:
    return seal(a_secret(values, name), [key.public for key in keys], scope, os.urandom)


def edited(raw: Mapping[str, object], path: Path, value: object) -> dict[str, Any]:
    """A deep copy of `raw` with one field set, or taken out if `value` is REMOVED."""
    whole: dict[str, Any] = copy.deepcopy(dict(raw))
    parent = whole
    for name in path[:-1]:
        parent = parent[name]
    if value is REMOVED:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return whole
