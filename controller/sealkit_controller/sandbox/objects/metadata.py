"""The rules for `metadata`: names, labels, annotations, owners, finalizers, what an update keeps.

Rules and wording: Kubernetes `ValidateObjectMeta` and `ValidateObjectMetaUpdate`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    forbidden_value,
    invalid_value,
    required_value,
    too_long,
)

NameRule = Callable[[str], list[str]]

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_ENDS = "and must start and end with an alphanumeric character"
_ANNOTATIONS_BYTES: Final = 256 * 1024
_IMMUTABLE = "field is immutable"

# The shape of every object's metadata, in the terms of a structural schema.
SCHEMA: Final[JsonObject] = {
    "type": "object",
    "properties": {
        **{
            name: {"type": "string"}
            for name in (
                *("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"),
                *("creationTimestamp", "deletionTimestamp"),
            )
        },
        "generation": {"type": "integer"},
        "deletionGracePeriodSeconds": {"type": "integer"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "finalizers": {
            "type": "array",
            "x-kubernetes-list-type": "set",
            "items": {"type": "string"},
        },
        "managedFields": {
            "type": "array",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
        "ownerReferences": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "items": {
                "type": "object",
                "x-kubernetes-map-type": "atomic",
                "properties": {
                    **{name: {"type": "string"} for name in ("apiVersion", "kind", "name", "uid")},
                    "controller": {"type": "boolean"},
                    "blockOwnerDeletion": {"type": "boolean"},
                },
            },
        },
    },
}


def _shape(message: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def subdomain_name(name: str) -> list[str]:
    """Return what is wrong with a DNS-1123 subdomain, the rule for most names."""
    if len(name) > 253:
        return ["must be no more than 253 characters"]
    if re.fullmatch(_SUBDOMAIN, name):
        return []
    text = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    return [_shape(f"{text}'-' or '.', {_ENDS}", _SUBDOMAIN, "example.com")]


def label_name(name: str) -> list[str]:
    """Return what is wrong with a DNS-1123 label, the rule for namespaces."""
    if len(name) > 63:
        return ["must be no more than 63 characters"]
    if re.fullmatch(_LABEL, name):
        return []
    text = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    return [_shape(text + _ENDS, _LABEL, "my-name", "123-abc")]


def path_segment_name(name: str) -> list[str]:
    """Return what is wrong with a name that only has to fit into a URL, the rule for RBAC."""
    if name in {".", ".."}:
        return [f"may not be '{name}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in name]


def qualified_name(key: str) -> list[str]:
    """Return what is wrong with a label key: a name, optionally after a DNS prefix and `/`."""
    text = f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"
    shape = _shape(text, _QUALIFIED, "MyName", "my.name", "123-abc")
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        tail = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {shape}{tail}"]
    wrong = []
    if slash:
        problems = subdomain_name(prefix) if prefix else ["must be non-empty"]
        wrong = [f"prefix part {problem}" for problem in problems]
    if not name:
        wrong.append("name part must be non-empty")
    elif len(name) > 63:
        wrong.append("name part must be no more than 63 characters")
    if not re.fullmatch(_QUALIFIED, name):
        wrong.append(f"name part {shape}")
    return wrong


def label_value(value: str) -> list[str]:
    """Return what is wrong with the value of a label."""
    if len(value) > 63:
        return ["must be no more than 63 characters"]
    if re.fullmatch(f"({_QUALIFIED})?", value):
        return []
    text = "a valid label must be an empty string or consist of alphanumeric characters, "
    pattern = f"({_QUALIFIED})?"
    return [_shape(f"{text}'-', '_' or '.', {_ENDS}", pattern, "MyValue", "my_value", "12345")]


def check(metadata: JsonObject, name_rule: NameRule, *, namespaced: bool) -> Iterator[Cause]:
    """Yield what is wrong with the metadata of an object that is about to be stored."""
    name = metadata.get("name", "")
    if not name:
        yield required_value("metadata.name", "name or generateName is required")
    for problem in name_rule(name) if name else ():
        yield invalid_value("metadata.name", name, problem)
    if not namespaced and metadata.get("namespace"):
        yield forbidden_value("metadata.namespace", "not allowed on this type")
    yield from _labels(metadata.get("labels") or {})
    yield from _annotations(metadata.get("annotations") or {})
    yield from _owners(metadata.get("ownerReferences") or [])
    for finalizer in metadata.get("finalizers") or ():
        for problem in qualified_name(finalizer):
            yield invalid_value("metadata.finalizers", finalizer, problem)


def _labels(labels: dict[str, str]) -> Iterator[Cause]:
    for key, value in labels.items():
        for problem in qualified_name(key):
            yield invalid_value("metadata.labels", key, problem)
        for problem in label_value(value):
            yield invalid_value("metadata.labels", value, problem)


def _annotations(annotations: dict[str, str]) -> Iterator[Cause]:
    for key in annotations:
        for problem in qualified_name(key.lower()):
            yield invalid_value("metadata.annotations", key, problem)
    if sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items()) > _ANNOTATIONS_BYTES:
        yield too_long("metadata.annotations", _ANNOTATIONS_BYTES)


def _owners(owners: list[JsonObject]) -> Iterator[Cause]:
    controllers = []
    for owner in owners:
        for field in ("apiVersion", "kind", "name", "uid"):
            what = "version must not be empty" if field == "apiVersion" else "must not be empty"
            if not owner.get(field):
                yield invalid_value(f"metadata.ownerReferences.{field}", "", what)
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind')}/{owner.get('name')}")
    for extra in controllers[1:]:
        text = 'Only one reference can have Controller set to true. Found "true" in references for '
        detail = f"{text}{controllers[0]} and {extra}"
        yield invalid_value("metadata.ownerReferences", owners, detail)


def check_update(new: JsonObject, old: JsonObject) -> Iterator[Cause]:
    """Yield what an update must not have changed in the metadata."""
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if new.get(field, "") != old.get(field, ""):
            yield invalid_value(f"metadata.{field}", new.get(field, ""), _IMMUTABLE)
    if old.get("deletionTimestamp"):
        extra = set(new.get("finalizers") or ()) - set(old.get("finalizers") or ())
        if extra:
            names = ", ".join(f'"{name}"' for name in sorted(extra))
            text = "no new finalizers can be added if the object is being deleted, found new "
            yield forbidden_value("metadata.finalizers", f"{text}finalizers []string{{{names}}}")


def immutable(path: str, value: Any) -> Cause:
    """Return the cause for a field that an update must not change."""
    return invalid_value(path, value, _IMMUTABLE)
