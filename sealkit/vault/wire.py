"""One request to a server through hvac: counted by the breaker, every foreign error translated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import hvac  # type: ignore[import-untyped]  # has no annotations
import hvac.exceptions  # type: ignore[import-untyped]  # same
import requests
from hvac.adapters import RawAdapter  # type: ignore[import-untyped]  # same

from sealkit.errors import VaultError
from sealkit.references import jsontree
from sealkit.references.jsontree import Number, Tree
from sealkit.sensitive import Sensitive
from sealkit.vault.breaker import Breaker, Ticket
from sealkit.vault.reason import Reason, is_outage, refusal
from sealkit.vault.server import Limits, Server
from sealkit.vault.transport import session_to

JsonObject = Mapping[str, Tree]
# `requests` and `hvac` refuse what does not fit into a request, such as a line end in a token.
_UNFIT: Final = (requests.RequestException, hvac.exceptions.VaultError, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask, as whom, where. `call` gets an hvac client and returns its raw response.

    `doing` names it in errors: a path, never a value.
    """

    doing: str
    call: Callable[[hvac.Client], requests.Response] = field(repr=False)
    token: Sensitive | None = None
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status. The body is no part of its `repr`.

    `token_mark` tells the tokens of an identity apart: see `Token.mark`.
    """

    doing: str
    status: int
    retry_after_seconds: float | None
    body: bytes = field(repr=False)
    token_mark: str = ""

    @property
    def error(self) -> VaultError | None:
        """What its status says, None for a success."""
        if 200 <= self.status < 300:
            return None
        return refusal(self.status, self.doing, self.retry_after_seconds)

    def json(self) -> JsonObject:
        """Return the object that a successful answer holds; 204 and an empty body hold none.

        Raises:
            VaultError: as for `refusal` if it is not a success; VaultUnavailable if the body is
                not a JSON object, as when a proxy answers, or deeper than `jsontree.MAX_DEPTH`.
        """
        if self.error:
            raise self.error
        value = decoded(self.body) if self.body.strip() else {}
        if value is None:
            what = f"{self.doing}: the answer is not that of a Vault server, or nested too deeply"
            raise VaultError(what, Reason.VAULT_UNAVAILABLE, status=self.status)
        return value


_OPERATIONS: Final = {"log": "login", "look": "lookup"}

Observe = Callable[[str, int, float], None]
"""Hears of each request: the first word of what was done, the status (0: no answer), seconds."""


def unobserved(_operation: str, _status: int, _seconds: float) -> None:
    """Observe nothing."""


class Wire:
    """The way to one server, for any number of threads and identities."""

    def __init__(
        self,
        server: Server,
        limits: Limits,
        breaker: Breaker,
        monotonic: Callable[[], float] = time.monotonic,
        observe: Observe = unobserved,
    ) -> None:
        self._observe = observe
        self._server = server
        self._limits = limits
        self._breaker = breaker
        self._now = monotonic
        self._session = session_to(server, limits, monotonic)
        self._last: tuple[Sensitive, str, hvac.Client] | None = None

    def ask(self, request: Request) -> Reply:
        """Make one request and return the answer, whatever its status.

        Raises:
            VaultError: VaultUnavailable or RateLimited, with status 0, without an answer or
                without having asked; TargetTooLarge; InvalidReference if no request can be made.
        """
        ticket = self._breaker.enter(self._now())
        try:
            reply = self._asked(request)
        except VaultError as error:
            self._report(ticket, error)
            error.problem = f"{request.doing}: {error.problem}"
            raise
        except BaseException:
            self._breaker.dropped(ticket)
            raise
        self._report(ticket, reply.error)
        return reply

    def close(self) -> None:
        """Close the connections, for good."""
        self._session.close()

    def _report(self, ticket: Ticket, error: VaultError | None) -> None:
        if error is None or (error.status and not is_outage(error)):
            self._breaker.answered(ticket)
        elif is_outage(error):
            self._breaker.failed(ticket, self._now(), error)
        else:
            self._breaker.dropped(ticket)

    def _asked(self, request: Request) -> Reply:
        failure = None
        started = self._now()
        status = 0
        try:
            response = request.call(self._client(request))
            status = response.status_code
        except VaultError as error:
            failure = error.with_traceback(None)
        except _UNFIT:
            failure = VaultError("cannot be put into a request", Reason.INVALID_REFERENCE)
        word = request.doing.split(" ", 1)[0]
        self._observe(_OPERATIONS.get(word, word), status, self._now() - started)
        if failure:  # outside of the handlers: foreign errors, and the frames of hvac, hold tokens
            raise failure
        wait = response.headers.get("Retry-After", "")
        seconds = float(wait) if wait.isdecimal() and len(wait) < 10 else None
        return Reply(request.doing, response.status_code, seconds, response.content)

    def _client(self, request: Request) -> hvac.Client:
        """Return a client of this token and namespace, which hvac keeps in attributes.

        Threads share one that they do not change; a login, which does, has no token yet and gets
        one of its own. Nothing may be None that hvac would take from the environment: address,
        token, CA, client certificate.
        """
        last, token = self._last, request.token
        if last and last[0] is token and last[1] == request.namespace:
            return last[2]
        limits = self._limits
        client = hvac.Client(
            url=self._server.address,
            token=token.reveal().decode() if token else "",
            cert=(),
            verify=True,
            timeout=(limits.connect_seconds, limits.read_seconds),
            proxies={},
            allow_redirects=False,
            session=self._session,
            adapter=RawAdapter,
            namespace=request.namespace,
            ignore_exceptions=True,  # statuses are read here; its exceptions hold bodies
        )
        if token:
            self._last = (token, request.namespace, client)
        return client


def decoded(body: bytes) -> JsonObject | None:
    """Return the JSON object, or None for everything else, without quoting it in an error.

    Numbers keep their very digits: see `jsontree`.
    """
    text = ""
    with suppress(UnicodeDecodeError):
        text = body.decode()
    found = jsontree.read(text)
    return found.tree if found and isinstance(found.tree, dict) else None


def part(value: JsonObject, name: str) -> JsonObject:
    """Return a member that should be an object, an empty one if it is not."""
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def word(value: JsonObject, name: str) -> str:
    """Return a member that should be text, "" if it is not."""
    inner = value.get(name)
    return inner if isinstance(inner, str) else ""


def count(value: JsonObject, name: str) -> int:
    """Return a member that should be a count, 0 if it is not, or longer than 18 digits."""
    inner = value.get(name)
    digits = inner.text if isinstance(inner, Number) else ""
    return int(digits) if digits.isdecimal() and len(digits) <= 18 else 0
