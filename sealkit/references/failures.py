"""Why a reference has no value: the typed failures that status, events and metrics name."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from sealkit.sensitive import Sensitive


class Failure(StrEnum):
    """A reason, in the stable words that users write rules and alerts against."""

    PATH_NOT_FOUND = "PathNotFound"
    KEY_NOT_FOUND = "KeyNotFound"
    NULL_VALUE = "NullValue"
    VERSION_DELETED = "VersionDeleted"
    VERSION_DESTROYED = "VersionDestroyed"
    PERMISSION_DENIED = "PermissionDenied"
    AUTH_FAILED = "AuthFailed"
    VAULT_UNAVAILABLE = "VaultUnavailable"
    RATE_LIMITED = "RateLimited"
    INVALID_REFERENCE = "InvalidReference"
    PATH_NOT_ALLOWED = "PathNotAllowed"
    TEMPLATE_ERROR = "TemplateError"
    TARGET_TOO_LARGE = "TargetTooLarge"


# What `default` and `optional` stand in for. A deleted version is none of these: somebody took a
# secret away that was there, and the last good Secret is kept until somebody decides.
ABSENT: Final = frozenset({Failure.PATH_NOT_FOUND, Failure.KEY_NOT_FOUND, Failure.NULL_VALUE})


class Failed(NamedTuple):
    """A reason, and one line in lower case on it that may name path and key, never a value."""

    reason: Failure
    detail: str = ""

    def __str__(self) -> str:
        """`<reason>: <detail>`, as conditions show it."""
        return f"{self.reason}: {self.detail}" if self.detail else self.reason.value


Outcome: TypeAlias = Sensitive | Failed
