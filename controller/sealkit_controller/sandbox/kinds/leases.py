"""Leases and the times of microsecond precision that they and Events carry."""

from __future__ import annotations

from collections.abc import Iterator

from sealkit_controller.sandbox.objects.status import Cause, JsonObject, invalid_value


def check(new: JsonObject, _old: JsonObject | None) -> Iterator[Cause]:
    """Yield what is wrong with a Lease."""
    spec = new.get("spec") or {}
    duration = spec.get("leaseDurationSeconds")
    if duration is not None and duration <= 0:
        yield invalid_value("spec.leaseDurationSeconds", duration, "must be greater than 0")
    transitions = spec.get("leaseTransitions")
    if transitions is not None and transitions < 0:
        detail = "must be greater than or equal to 0"
        yield invalid_value("spec.leaseTransitions", transitions, detail)
