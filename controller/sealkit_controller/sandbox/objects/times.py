"""Timestamps: RFC 3339 with whole seconds (`Time`) or six fractional digits (`MicroTime`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(
    r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)"
    r"(\.\d+)?(Z|[+-]\d\d:\d\d)",
    re.IGNORECASE,
)
_MICRO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")


def to_time(moment: datetime) -> str:
    """Return `moment` as the API server writes most times: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_time(text: str) -> datetime:
    """Return the moment that an RFC 3339 text names.

    Raises:
        ValueError: it is not RFC 3339.
    """
    return datetime.fromisoformat(text.upper())


def is_rfc3339(text: str) -> bool:
    """Return whether `text` is an RFC 3339 date and time with a zone."""
    return _RFC3339.fullmatch(text) is not None


def is_micro_time(text: str) -> bool:
    """Return whether `text` has the exactly six fractional digits that `MicroTime` needs."""
    return _MICRO.fullmatch(text) is not None


def duration(seconds: float) -> str:
    """Return an age as kubectl tables show it: at most two units, coarser with age."""
    total = int(seconds)
    if total < 0:
        return "<invalid>" if total < -1 else "0s"
    minutes, hours, days = total // 60, total // 3600, total // 86400
    steps = (
        (120, f"{total}s"),
        (600, _pair(minutes, "m", total % 60, "s")),
        (3 * 3600, f"{minutes}m"),
        (8 * 3600, _pair(hours, "h", minutes % 60, "m")),
        (48 * 3600, f"{hours}h"),
        (8 * 86400, _pair(days, "d", hours % 24, "h")),
        (2 * 365 * 86400, f"{days}d"),
        (8 * 365 * 86400, _pair(days // 365, "y", days % 365, "d")),
    )
    return next((text for limit, text in steps if total < limit), f"{days // 365}y")


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}" + (f"{small}{small_unit}" if small else "")
