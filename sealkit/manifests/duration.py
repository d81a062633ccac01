"""Lengths of time as Kubernetes manifests write them. Pure."""

from __future__ import annotations

import re
from typing import Final

from sealkit import fields
from sealkit.errors import ManifestError

_DURATION: Final = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def seconds(text: str, field: str, shortest: int, longest: int) -> int:
    """Return the seconds in a text such as `90s`, `15m`, `1h30m`: Go's durations, whole seconds.

    Raises:
        ManifestError: another form, or not from `shortest` to `longest` seconds.
    """
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise ManifestError("is not a duration such as 90s, 15m or 1h30m", field=field)
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + rest
    if not shortest <= total <= longest:
        raise ManifestError(f"is not from {shortest}s to {longest // 3600}h", field=field)
    return total


def duration(raw: object, field: str, shortest: int, longest: int) -> str:
    """Return the text of a duration as it is written, checked.

    Raises:
        ManifestError: see `seconds`, or it is no text.
    """
    text = fields.text(raw, field)
    seconds(text, field, shortest, longest)
    return text
