"""The token of one identity: got once, renewed at two thirds of its life, shared by all threads."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from sealkit.errors import VaultError
from sealkit.sensitive import Sensitive
from sealkit.vault.login import Login, TokenLogin
from sealkit.vault.reason import Reason
from sealkit.vault.wire import JsonObject, Reply, Request, Wire, count, part, word

_RELOGIN_SECONDS: Final = 30.0  # between logins that a 403 is the reason for
_FIRST_BAR_SECONDS: Final = 10.0  # after a refused login; methods lock users out who insist
_MAX_BAR_SECONDS: Final = 300.0
_HINT: Final = "are role, mount, audience and the bound accounts as the auth method wants them?"


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its life. `due` and `ends` are on the monotonic clock; a root token has none.

    `granted_seconds` is the life that the login gave; renewals end up shorter near the maximum.
    """

    value: Sensitive
    accessor: str = field(repr=False)
    renewable: bool
    lease_seconds: int
    granted_seconds: int
    due: float
    ends: float

    @property
    def mark(self) -> str:
        """Part of a hash of the accessor, to tell tokens apart; "" for a token without one."""
        return hashlib.sha256(self.accessor.encode()).hexdigest()[:16] if self.accessor else ""

    def renewed(self, lease_seconds: int, now: float, *, renewable: bool) -> Token:
        """Return the same token with a life that begins now. 0 seconds are no limit."""
        life = float(lease_seconds) or math.inf
        return replace(
            self,
            renewable=renewable,
            lease_seconds=lease_seconds,
            granted_seconds=self.granted_seconds or lease_seconds,
            due=now + max(life * 2 / 3, min(life, 1.0)),
            ends=now + life,
        )

    def postponed(self, now: float) -> Token:
        """Return the same token, due again after a tenth of what is left of its life."""
        return replace(self, due=now + max((self.ends - now) / 10, 1.0))


class Session:
    """One identity at one server. `namespace` is that of the auth method."""

    def __init__(
        self, wire: Wire, login: Login, namespace: str, monotonic: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._login = login
        self._namespace = namespace
        self._now = monotonic
        self._lock = threading.Lock()  # held while a login or a renewal is under way
        self._token: Token | None = None
        self._failures = 0
        self._failure: VaultError | None = None
        self._relogin_from = -math.inf
        self._bars = 0
        self._barred_until = -math.inf

    @property
    def known(self) -> Token | None:
        """The token of the moment; it may have ended. None before the first login."""
        return self._token

    def current(self) -> Token:
        """Return the token, after a login or a renewal when one is due.

        A token that lives on is returned although its renewal failed, or is under way elsewhere.
        Who waited for a login that failed gets that failure rather than a try of its own.

        Raises:
            VaultError: AuthFailed, with `retry_after_seconds` if it was so a moment ago; or as
                for `Wire.ask`.
        """
        token, now, failures = self._token, self._now(), self._failures
        if token and now < token.due:
            return token
        is_usable = token is not None and now < token.ends
        if not self._lock.acquire(blocking=not is_usable) and token:
            return token
        try:
            if failures != self._failures and self._failure and not is_usable:
                raise _again(self._failure)
            return self._refreshed(self._token)
        finally:
            self._lock.release()

    def replaced(self, refused: Token) -> Token | None:
        """Return another token than one that was refused, or None if that one is in order.

        At most one login in 30 s comes of this: a policy that forbids even looking oneself up
        cannot be told from a token that is gone.

        Raises:
            VaultError: as for `current`.
        """
        with self._lock:
            if self._token is None:  # somebody found the same, and could not log in
                return self._logged_in()
            if self._token.value is not refused.value:
                return self._token
            if self._is_known(refused):
                return None
            if self._now() < self._relogin_from:
                return None
            self._relogin_from = self._now() + _RELOGIN_SECONDS
            self._token = None
            return self._logged_in()

    def lookup(self, token: Token) -> Reply:
        """Ask what the server knows of a token."""
        return self._ask("look the token up", lambda c: c.auth.token.lookup_self(), token)

    def revoke(self) -> None:
        """Revoke the token, if there is one: its leases end with it. The next use logs in anew.

        Raises:
            VaultError: the server does not do it. The token is forgotten all the same.
        """
        with self._lock:
            token, self._token = self._token, None
            if token and not isinstance(self._login, TokenLogin):
                self._ask("revoke the token", lambda c: c.auth.token.revoke_self(), token).json()

    def _refreshed(self, token: Token | None) -> Token:
        now = self._now()
        if token and now < token.due:
            return token
        is_usable = token is not None and now < token.ends
        try:
            renewed = self._renewed(token) if token and is_usable and token.renewable else None
            self._token = renewed or self._logged_in()
        except VaultError:
            if not token or not is_usable:
                raise
            self._token = token.postponed(now)
        return self._token

    def _renewed(self, token: Token) -> Token | None:
        """Return the renewed token, or None if a new one is needed soon."""
        reply = self._ask("renew the token", lambda c: c.auth.token.renew_self(), token)
        if reply.status in {400, 403}:
            return None
        auth = part(reply.json(), "auth")
        seconds = count(auth, "lease_duration")
        if seconds < token.granted_seconds / 2:  # its maximum life is near
            return None
        return token.renewed(seconds, self._now(), renewable=auth.get("renewable") is True)

    def _is_known(self, token: Token) -> bool:
        reply = self.lookup(token)
        if reply.status == 403:
            return False
        reply.json()
        return True

    def _logged_in(self) -> Token:
        try:
            self._token = self._new_token()
        except VaultError as error:
            self._failures += 1
            self._failure = error
            raise
        self._failure = None
        self._bars = 0
        return self._token

    def _new_token(self) -> Token:
        """Log in, unless that was refused a moment ago."""
        now = self._now()
        if now < self._barred_until:
            raise _auth_failed("was refused a moment ago", 0, self._barred_until - now)
        reply = self._ask("log in", self._login.send)
        if reply.status in {400, 401, 403, 404, 405}:
            pause = min(_FIRST_BAR_SECONDS * 2 ** min(self._bars, 10), _MAX_BAR_SECONDS)
            self._bars += 1
            self._barred_until = now + pause
            raise _auth_failed(f"is refused (HTTP {reply.status})", reply.status, pause)
        return _parsed(reply.json(), self._login, self._now())

    def _ask(self, doing: str, call: Callable[..., object], token: Token | None = None) -> Reply:
        value = token.value if token else None
        return self._wire.ask(Request(doing, call, value, self._namespace))  # type: ignore[arg-type]


def _parsed(answer: JsonObject, login: Login, now: float) -> Token:
    """Read a token from the answer to a login, or of a lookup of the token that we have."""
    own = login.token if isinstance(login, TokenLogin) else None
    auth = part(answer, "data" if own else "auth")
    value = own or Sensitive(word(auth, "client_token").encode())
    if value == Sensitive(b""):
        raise _auth_failed("gave no token, as when a second factor is wanted", 200, None)
    seconds = count(auth, "ttl" if own else "lease_duration")
    token = Token(value, word(auth, "accessor"), False, 0, 0, now, now)  # noqa: FBT003
    return token.renewed(seconds, now, renewable=auth.get("renewable") is True)


def _auth_failed(problem: str, status: int, pause_seconds: float | None) -> VaultError:
    return VaultError(
        f"log in: {problem}",
        Reason.AUTH_FAILED,
        status=status,
        retry_after_seconds=pause_seconds,
        hint=_HINT,
    )


def _again(error: VaultError) -> VaultError:
    """Return a copy: an exception is raised by one thread only."""
    return VaultError(
        error.problem,
        error.reason,
        status=error.status,
        retry_after_seconds=error.retry_after_seconds,
        hint=error.hint,
    )
