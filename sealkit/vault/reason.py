"""Why something from Vault could not be had: the stable words, and what a status means. Pure."""

from __future__ import annotations

from typing import Final

from sealkit.errors import VaultError
from sealkit.references.failures import Failure

# The reasons that status and metrics show. Those this package never gives are its users'.
Reason = Failure


# Every other status, redirects included, may be different next time: VaultUnavailable.
_BY_STATUS: Final = {
    400: Reason.INVALID_REFERENCE,
    401: Reason.PERMISSION_DENIED,
    403: Reason.PERMISSION_DENIED,
    404: Reason.PATH_NOT_FOUND,
    405: Reason.INVALID_REFERENCE,
    429: Reason.RATE_LIMITED,
}
_OUTAGES: Final = frozenset({0, 429, 502, 503, 504})
_HINTS: Final = {
    Reason.PERMISSION_DENIED: "does the policy of this identity allow it, in this namespace?",
    Reason.PATH_NOT_FOUND: "are mount and path right?",
}
_REDIRECT_HINT: Final = "name the address of the active node, or switch request forwarding on"


def refusal(status: int, doing: str, retry_after_seconds: float | None = None) -> VaultError:
    """Return the error for an answer that is not a success; `doing` says what was asked."""
    reason = _BY_STATUS.get(status, Reason.VAULT_UNAVAILABLE)
    is_redirect = 300 <= status < 400
    return VaultError(
        f"{doing}: {'is redirected, which is refused' if is_redirect else 'is refused'}"
        f" (HTTP {status})",
        reason,
        status=status,
        retry_after_seconds=retry_after_seconds,
        hint=_REDIRECT_HINT if is_redirect else _HINTS.get(reason, ""),
    )


def is_outage(error: VaultError) -> bool:
    """Whether the server as a whole is in trouble, rather than what was asked of it.

    500 is not: Vault says so when the database behind one path is down.
    """
    in_trouble = {Reason.VAULT_UNAVAILABLE, Reason.RATE_LIMITED}
    return error.status in _OUTAGES and error.reason in in_trouble
