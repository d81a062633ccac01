"""Between the wire and the API: the request log, and faults where a test wants them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from sealkit_controller.sandbox.objects.status import Details, StatusError, internal
from sealkit_controller.sandbox.serve.api import Api, to_response
from sealkit_controller.sandbox.serve.routes import Route, find_route
from sealkit_controller.sandbox.wire.faults import (
    Action,
    Answer,
    Cut,
    Facts,
    Faults,
    Hold,
    Reset,
    Silence,
)
from sealkit_controller.sandbox.wire.http import CutError, Drop, Mute, Result
from sealkit_controller.sandbox.wire.messages import Request, Response, Stream
from sealkit_controller.sandbox.wire.requestlog import DROPPED, Entry, RequestLog


@dataclass(frozen=True)
class Gateway:
    """Handles every request of a server."""

    api: Api
    faults: Faults
    requests: RequestLog
    closing: threading.Event

    def handle(self, request: Request) -> Result:
        """Return what a request gets, and enter it into the log."""
        try:
            route = find_route(request.path)
            facts = route.facts(request) if route else Facts(request.method.lower())
            result = self._result(request, route, facts)
        except StatusError as error:
            facts, result = Facts(request.method.lower()), to_response(error)
        code = result.code if isinstance(result, (Response, Stream)) else DROPPED
        self.requests.add(_entry(request, code, facts))
        return result

    def _result(self, request: Request, route: Route | None, facts: Facts) -> Result:
        action = self.faults.take(facts)
        if isinstance(action, Answer):
            return to_response(_failure(action))
        if isinstance(action, Reset) and not action.after_effect:
            return Drop()
        if isinstance(action, Hold):
            while not (action.release.wait(0.1) or self.closing.is_set()):
                pass
        result = self._answer(request, route)
        return result if action is None else self._disturbed(result, action)

    def _answer(self, request: Request, route: Route | None) -> Result:
        try:
            return self.api.answer(request, route)
        except Exception as error:  # noqa: BLE001 -- one broken request must not end the server
            return to_response(internal(f"{type(error).__name__}: {error}"))

    def _disturbed(self, result: Result, action: Action) -> Result:
        match result, action:
            case Stream(), Silence():
                return Stream(_silent(result.chunks, action.events, self.closing))
            case Stream(), Cut():
                return Stream(_cut(result.chunks, action))
            case _, Silence():
                return Mute()
            case _, Reset() | Cut():
                return Drop()
        return result


def _failure(answer: Answer) -> StatusError:
    details = Details(retry_after_seconds=answer.retry_after_seconds or 0)
    return StatusError(answer.code, answer.reason, answer.message, details)


def _silent(chunks: Iterator[bytes], events: int, closing: threading.Event) -> Iterator[bytes]:
    yield from _first(_lines(chunks), events)
    while not closing.wait(0.5):
        yield b""


def _cut(chunks: Iterator[bytes], action: Cut) -> Iterator[bytes]:
    lines = _lines(chunks)
    yield from _first(lines, action.events)
    if action.in_line:
        yield from (line[: len(line) // 2] for line in _first(lines, 1))
    raise CutError


def _first(lines: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Yield lines until `count` of them were not empty."""
    while count > 0:
        line = next(lines, None)
        if line is None:
            return
        yield line
        count -= bool(line)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield from chunk.splitlines(keepends=True) or [b""]


def _entry(request: Request, code: int, facts: Facts) -> Entry:
    query = f"?{urlencode(request.query)}" if request.query else ""
    agent = request.headers.get("user-agent", "")
    return Entry(request.method, request.path + query, code, facts, agent)
