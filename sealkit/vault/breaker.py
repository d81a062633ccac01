"""When not to ask a server: after an outage, and for as long as it asked for. Pure; thread-safe."""

from __future__ import annotations

import threading
from typing import Final, NewType

from sealkit.errors import VaultError
from sealkit.vault.reason import Reason

Ticket = NewType("Ticket", int)

_FIRST_PAUSE_SECONDS: Final = 1.0
_MAX_PAUSE_SECONDS: Final = 60.0
_MAX_RETRY_AFTER_SECONDS: Final = 300.0  # a server's mistake must not silence us for a day


class Breaker:
    """One for each server, shared by all who ask it. Times are of one monotonic clock, in seconds.

    `failures` outages in a row, or one answer that says when to come back, begin a pause: 1 s,
    doubled each time up to 60 s, or what the server asked for, up to 300 s. After it one caller
    tries; the others go on waiting for how that ends.
    """

    def __init__(self, failures: int = 5) -> None:
        self._limit = failures
        self._lock = threading.Lock()
        self._period = 0  # counts pauses; a ticket of an older period no longer matters
        self._failures = 0
        self._pauses = 0
        self._until: float | None = None
        self._cause = ""
        self._trying = False

    def enter(self, now: float) -> Ticket:
        """Return leave to make one request; `answered`, `failed` or `dropped` must follow.

        Raises:
            VaultError: RateLimited or VaultUnavailable, with `retry_after_seconds`.
        """
        with self._lock:
            if self._until is not None:
                if self._trying or now < self._until:
                    raise self._pausing(self._until - now)
                self._trying = True
            return Ticket(self._period)

    def answered(self, ticket: Ticket) -> None:
        """Report that the server is well."""
        with self._lock:
            if ticket == self._period:
                self._failures = self._pauses = 0
                self._until = None
                self._trying = False

    def failed(self, ticket: Ticket, now: float, error: VaultError) -> None:
        """Report an outage, or that the server asked for patience."""
        with self._lock:
            if ticket != self._period:
                return
            self._failures += 1
            told = error.reason == Reason.RATE_LIMITED or error.retry_after_seconds is not None
            if told or self._trying or self._failures >= self._limit:
                self._pause(now, error)

    def dropped(self, ticket: Ticket) -> None:
        """Report that nothing was learned about the server."""
        with self._lock:
            if ticket == self._period:
                self._trying = False

    def _pause(self, now: float, error: VaultError) -> None:
        grown = min(_FIRST_PAUSE_SECONDS * 2 ** min(self._pauses, 10), _MAX_PAUSE_SECONDS)
        self._until = now + min(error.retry_after_seconds or grown, _MAX_RETRY_AFTER_SECONDS)
        self._cause = error.reason
        self._period += 1
        self._pauses += 1
        self._trying = False

    def _pausing(self, left_seconds: float) -> VaultError:
        return VaultError(
            "the Vault server is not asked for a while, after errors",
            self._cause,
            retry_after_seconds=max(left_seconds, _FIRST_PAUSE_SECONDS),
        )
