"""Events: one stored object, two versions. Strict rules for `events.k8s.io/v1`, few for `v1`.

Stored in the shape of `v1`. Rules: Kubernetes pkg/apis/core/validation/events.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sealkit_controller.sandbox.objects.metadata import immutable, qualified_name
from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    invalid_value,
    required_value,
)

_NEW_TO_STORED: Final = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_STORED_TO_NEW: Final = {stored: new for new, stored in _NEW_TO_STORED.items()}
_LIMITS: Final = {"reportingInstance": 128, "action": 128, "reason": 128}
_FIXED: Final = (
    *("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp"),
    *("count", "type", "eventTime", "action", "related", "reportingInstance"),
)


def prepare(event: JsonObject, _old: JsonObject | None) -> None:
    """Write the fields of a `v1` Event that are shown even where they say nothing."""
    shown: JsonObject = {
        "firstTimestamp": None,
        "lastTimestamp": None,
        "source": {},
        "eventTime": None,
    }
    for name, value in (shown | {"reportingComponent": "", "reportingInstance": ""}).items():
        event.setdefault(name, value)


def prepare_new(event: JsonObject, _old: JsonObject | None) -> None:
    """Write the fields of an `events.k8s.io/v1` Event that are shown even where empty."""
    shown: JsonObject = {"deprecatedFirstTimestamp": None, "deprecatedLastTimestamp": None}
    for name, value in (shown | {"deprecatedSource": {}}).items():
        event.setdefault(name, value)


def stored_field(path: str) -> str:
    """Return how a selectable field of `events.k8s.io/v1` is called in the stored shape."""
    first, dot, rest = path.partition(".")
    return _NEW_TO_STORED.get(first, first) + dot + rest


def to_storage(event: JsonObject) -> JsonObject:
    """Return an `events.k8s.io/v1` Event in the shape it is stored in."""
    renamed = {_NEW_TO_STORED.get(name, name): value for name, value in event.items()}
    return renamed | {"apiVersion": "v1"}


def from_storage(event: JsonObject) -> JsonObject:
    """Return a stored Event in the shape of `events.k8s.io/v1`."""
    renamed = {_STORED_TO_NEW.get(name, name): value for name, value in event.items()}
    return renamed | {"apiVersion": "events.k8s.io/v1"}


def check_core(new: JsonObject, _old: JsonObject | None) -> Iterator[Cause]:
    """Yield what is wrong with an Event sent as `v1`."""
    yield from _check_any(new, "reportingComponent")


def check(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """Yield what is wrong with an Event sent as `events.k8s.io/v1` (both already as stored)."""
    yield from _check_any(new, "reportingController")
    if old is None:
        yield from _check_new(new)
        return
    if new.get("series") != old.get("series"):
        yield from _check_series(new)
    for field in _FIXED:
        if new.get(field) != old.get(field):
            yield immutable(field, new.get(field))
    if new.get("reportingComponent") != old.get("reportingComponent"):
        yield immutable("reportingController", new.get("reportingComponent"))


def _check_new(new: JsonObject) -> Iterator[Cause]:
    yield from _check_series(new)
    if not new.get("eventTime"):
        yield required_value("eventTime")
    if new.get("type") not in {"Normal", "Warning"}:
        yield invalid_value("type", "", f"has invalid value: {new.get('type', '')}")
    for field in ("firstTimestamp", "lastTimestamp", "count"):
        if new.get(field):
            yield invalid_value(field, "", "needs to be unset")
    if any((new.get("source") or {}).values()):
        yield invalid_value("source", "", "needs to be unset")


def _check_series(new: JsonObject) -> Iterator[Cause]:
    series = new.get("series")
    if series is None:
        return
    if series.get("count", 0) < 2:
        yield invalid_value("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required_value("series.lastObservedTime")


def _check_any(new: JsonObject, controller_field: str) -> Iterator[Cause]:
    yield from _check_namespace(new)
    if not new.get("eventTime"):
        return
    controller = new.get("reportingComponent", "")
    if not controller:
        yield required_value(controller_field)
    for problem in qualified_name(controller):
        yield invalid_value(controller_field, controller, problem)
    for field, limit in _LIMITS.items():
        if not new.get(field):
            yield required_value(field)
        elif len(new[field]) > limit:
            yield invalid_value(field, "", f"can have at most {limit} characters")
    if len(new.get("message", "")) > 1024:
        yield invalid_value("message", "", "can have at most 1024 characters")


def _check_namespace(new: JsonObject) -> Iterator[Cause]:
    own = new["metadata"].get("namespace", "")
    other = (new.get("involvedObject") or {}).get("namespace", "")
    fits = own == other if other and not new.get("eventTime") else bool(other)
    homes = {"default", "kube-system"} if new.get("eventTime") else {"default", ""}
    if not (fits or (not other and own in homes)):
        yield invalid_value("involvedObject.namespace", other, "does not match event.namespace")
