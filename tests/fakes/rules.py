"""The rules of an API server that concern one object: merging, preconditions, immutability."""

import base64
import copy
from collections.abc import Mapping
from datetime import UTC, datetime

from sealkit_controller.cluster import ApiError, Selection, Target
from sealkit_controller.objects import (
    SECRETS,
    JsonObject,
    ObjectKey,
    Resource,
    child,
    children,
    strings,
    text,
)

_METADATA_ONLY = ("apiVersion", "kind", "metadata")


def key_of(raw: Mapping[str, object]) -> ObjectKey:
    metadata = child(raw, "metadata")
    return ObjectKey(text(metadata, "namespace"), text(metadata, "name"))


def place_of(target: Target) -> ObjectKey:
    return ObjectKey(target.namespace, target.name)


def timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bookmark(version: int) -> JsonObject:
    return {"metadata": {"resourceVersion": str(version)}}


def metadata_of(raw: JsonObject) -> JsonObject:
    return {name: copy.deepcopy(raw[name]) for name in _METADATA_ONLY}


def seen(selection: Selection, raw: JsonObject) -> JsonObject:
    if selection.metadata_only:
        return metadata_of(raw)
    return copy.deepcopy(raw)


def matches(selection: Selection, raw: JsonObject) -> bool:
    if selection.namespace and key_of(raw).namespace != selection.namespace:
        return False
    labels = strings(child(raw, "metadata"), "labels")
    name, equals, value = selection.labels.partition("=")
    return not name or (name in labels and (not equals or labels[name] == value))


def merged(old: Mapping[str, object], change: Mapping[str, object]) -> JsonObject:
    """Merge as RFC 7396 does."""
    new = copy.deepcopy(dict(old))
    for name, value in change.items():
        if value is None:
            new.pop(name, None)
        elif isinstance(value, Mapping):
            new[name] = merged(child(new, name), value)
        else:
            new[name] = copy.deepcopy(value)
    return new


def without_dropped(
    raw: JsonObject, before: Mapping[str, object], after: Mapping[str, object]
) -> JsonObject:
    """Remove the data that an earlier apply set, the present one does not, and nobody changed."""
    data = child(raw, "data")
    earlier = child(before, "data")
    dropped = {name for name in earlier if data.get(name) == earlier[name]} - {
        *child(after, "data")
    }
    return {**raw, "data": {n: v for n, v in data.items() if n not in dropped}} if dropped else raw


def without_version(raw: Mapping[str, object]) -> JsonObject:
    ignored = ("resourceVersion", "managedFields")
    metadata = {k: v for k, v in child(raw, "metadata").items() if k not in ignored}
    return {**raw, "metadata": metadata}


def check_preconditions(old: JsonObject, wanted: Mapping[str, object]) -> None:
    metadata = child(old, "metadata")
    for name in ("uid", "resourceVersion"):
        if wanted.get(name) not in {None, metadata[name]}:
            raise ApiError(409, "Conflict")


def check_immutable(resource: Resource, new: JsonObject, old: JsonObject) -> None:
    if resource != SECRETS:
        return
    for raw in strings(new, "data").values():
        base64.b64decode(raw, validate=True)
    locked = old.get("immutable") is True and (
        new.get("immutable") is not True or child(new, "data") != child(old, "data")
    )
    controllers = [
        owner
        for owner in children(child(new, "metadata"), "ownerReferences")
        if owner.get("controller") is True
    ]
    if locked or new.get("type") != old.get("type") or len(controllers) > 1:
        raise ApiError(422, "Invalid")


def managed(metadata: Mapping[str, object], manager: str) -> list[JsonObject]:
    """Note which labels and annotations a manager has set some time, all operations in one."""
    entries = {text(entry, "manager"): entry for entry in children(metadata, "managedFields")}
    known = child(child(entries.get(manager, {}), "fieldsV1"), "f:metadata")
    others = {
        f"f:{kind}": {
            name
            for other, entry in entries.items()
            if other != manager
            for name in child(child(child(entry, "fieldsV1"), "f:metadata"), f"f:{kind}")
        }
        for kind in ("labels", "annotations")
    }
    fields: dict[str, object] = {
        f"f:{kind}": {
            name: {}
            for name in {f"f:{entry}" for entry in strings(metadata, kind)}
            if name not in others[f"f:{kind}"] or name in child(known, f"f:{kind}")
        }
        for kind in ("labels", "annotations")
    }
    entry: JsonObject = {"manager": manager, "fieldsV1": {"f:metadata": fields}}
    return [*(e for name, e in entries.items() if name != manager), entry]  # type: ignore[list-item]
