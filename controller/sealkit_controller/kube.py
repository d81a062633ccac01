"""The Kubernetes API over HTTP: raw JSON in and out, no models, every error translated.

The official client is not used on this path: its models print the plaintext of a Secret, its
errors quote bodies, and it is several times slower. It still loads the configuration (access.py).
"""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from sealkit_controller.cluster import (
    ApiError,
    Page,
    PatchKind,
    Selection,
    Target,
    Watch,
    WatchEvent,
)
from sealkit_controller.connection import Access, Failure, Pool, Request, Response, Stream
from sealkit_controller.objects import (
    FIELD_MANAGER,
    SERVICE_ACCOUNTS,
    JsonObject,
    Resource,
    child,
    children,
    number,
    text,
)
from sealkit_controller.settings import Settings

PAGE_SIZE: Final = 500
_JSON: Final = "application/json"
_WORD: Final = re.compile(r"[A-Za-z]{1,64}")  # what a reason may look like, to be shown
# What is not needed is not sent: neither the manifest after each status, nor a Secret's content.
_PARTIAL_ONE: Final = f"{_JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_PARTIAL_LIST: Final = f"{_JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

Count = Callable[[str, str], None]


def count_nothing(method: str, code: str) -> None:
    """Observe no request."""


class HttpCluster:
    """A Kubernetes API server reached over HTTP; see `cluster.Cluster`.

    `count(method, code)` is called once for each response, with code "<error>" when there was
    none. The server ends a watch by itself, so one that is silent for `watch_grace_seconds` beyond
    that has lost its server.
    """

    def __init__(
        self,
        access: Access,
        settings: Settings | None = None,
        *,
        count: Count = count_nothing,
        watch_grace_seconds: float = 30,
    ) -> None:
        self._settings = settings or Settings()
        self._access = access
        self._pool = Pool(access)
        self._count = count
        self._watch_grace_seconds = watch_grace_seconds

    @property
    def host(self) -> str:
        """The server, as `host:port`, for metrics."""
        return f"{self._access.host}:{self._access.port}"

    def get(self, target: Target) -> JsonObject:
        """See `Cluster.get`."""
        return self._call(Request("GET", target.path, _headers(), repeatable=True), f"get {target}")

    def pages(self, selection: Selection) -> Iterator[Page]:
        """See `Cluster.pages`. 410 means that a continued list is too old."""
        token = ""
        doing = f"list {selection.resource.plural}"
        while True:
            query = {"limit": str(PAGE_SIZE)} | ({"continue": token} if token else {})
            accept = _PARTIAL_LIST if selection.metadata_only else _JSON
            path = _selected(selection, query)
            page = self._call(Request("GET", path, _headers(accept), repeatable=True), doing)
            metadata = child(page, "metadata")
            items = [dict(item) for item in children(page, "items")]
            yield Page(items, text(metadata, "resourceVersion"))
            token = text(metadata, "continue")
            if not token:
                return

    def watch(self, selection: Selection, resource_version: str) -> Watch:
        """See `Cluster.watch`. The length is spread so that watches do not end together."""
        seconds = int(self._settings.watch_timeout_seconds * random.uniform(1, 2))  # noqa: S311  (no secret)
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        accept = _PARTIAL_ONE if selection.metadata_only else _JSON
        path, grace = _selected(selection, query), self._watch_grace_seconds
        request = Request("GET", path, _headers(accept), timeout_seconds=seconds + grace)
        return self._open_watch(request, f"watch {selection.resource.plural}")

    def create(self, resource: Resource, namespace: str, body: Mapping[str, object]) -> JsonObject:
        """See `Cluster.create`."""
        path = f"{resource.path(namespace)}?fieldManager={FIELD_MANAGER}"
        request = Request("POST", path, _headers(_PARTIAL_ONE, _JSON), _encode(body))
        return self._call(request, f"create {resource.plural} in {namespace}")

    def patch(self, target: Target, body: Mapping[str, object], kind: PatchKind) -> JsonObject:
        """See `Cluster.patch`."""
        apply = kind is PatchKind.APPLY
        query = f"?fieldManager={FIELD_MANAGER}" + ("&force=true" if apply else "")
        headers = _headers(_JSON if apply else _PARTIAL_ONE, kind.value)
        request = Request("PATCH", target.path + query, headers, _encode(body), repeatable=apply)
        return self._call(request, f"{'apply' if apply else 'patch'} {target}")

    def replace(self, target: Target, body: Mapping[str, object]) -> JsonObject:
        """See `Cluster.replace`."""
        path = f"{target.path}?fieldManager={FIELD_MANAGER}"
        request = Request("PUT", path, _headers(_PARTIAL_ONE, _JSON), _encode(body))
        return self._call(request, f"replace {target}")

    def delete(self, target: Target, uid: str, resource_version: str) -> None:
        """See `Cluster.delete`."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        request = Request("DELETE", target.path, _headers(_JSON, _JSON), _encode(options))
        self._call(request, f"delete {target}")

    def request_token(
        self, namespace: str, account: str, audience: str, seconds: int
    ) -> JsonObject:
        """See `Cluster.request_token`."""
        path = SERVICE_ACCOUNTS.path(namespace, account, "token")
        audiences = {"audiences": [audience]} if audience else {}
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {**audiences, "expirationSeconds": seconds},
        }
        request = Request("POST", path, _headers(_JSON, _JSON), _encode(body))
        return self._call(request, f"request a token of {namespace}/{account}")

    def close(self) -> None:
        """See `Cluster.close`."""
        self._pool.close()

    def _authorized(self, request: Request, *, renew: bool) -> Request:
        value = self._access.authorization(renew)
        return replace(
            request,
            path=self._access.base_path + request.path,
            headers={**request.headers, **({"Authorization": value} if value else {})},
            timeout_seconds=request.timeout_seconds or self._settings.request_timeout_seconds,
        )

    def _call(self, request: Request, doing: str) -> JsonObject:
        """Send a request, once more with a fresh token after a 401, and parse the answer."""
        response = self._exchange(self._authorized(request, renew=False), doing)
        if response.status == 401:
            response = self._exchange(self._authorized(request, renew=True), doing)
        if response.status >= 400:
            raise _refusal(response, doing)
        return _decode(response.body, doing)

    def _exchange(self, request: Request, doing: str) -> Response:
        try:
            response = self._pool.exchange(request)
        except Failure as error:
            self._count(request.method, "<error>")
            raise _unreachable(error, doing) from None
        self._count(request.method, str(response.status))
        return response

    def _open_watch(self, request: Request, doing: str) -> Watch:
        """Open a watch, once more with a fresh token after a 401."""
        stream = self._stream(request, doing, renew=False)
        if stream.status == 401:
            stream.close()
            stream = self._stream(request, doing, renew=True)
        if stream.status != 200:
            raise _refused(stream, doing)
        return HttpWatch(stream, doing)

    def _stream(self, request: Request, doing: str, *, renew: bool) -> Stream:
        try:
            stream = self._pool.stream(self._authorized(request, renew=renew))
        except Failure as error:
            self._count("WATCH", "<error>")
            raise _unreachable(error, doing) from None
        self._count("WATCH", str(stream.status))
        return stream


class HttpWatch:
    """A watch as the lines of a response; see `cluster.Watch`."""

    def __init__(self, stream: Stream, doing: str) -> None:
        self._stream = stream
        self._doing = doing

    def __iter__(self) -> Iterator[WatchEvent]:
        """See `Watch`."""
        with contextlib.closing(self._stream.lines()) as lines:
            try:
                for line in lines:
                    yield self._event(line)
            except Failure as error:
                raise _unreachable(error, self._doing) from None

    def _event(self, line: bytes) -> WatchEvent:
        event = _decode(line, self._doing)
        kind, raw = text(event, "type"), dict(child(event, "object"))
        if kind == "ERROR":
            raise _status_error(raw, number(raw, "code"), self._doing)
        return WatchEvent(kind, raw)

    def close(self) -> None:
        """See `Watch.close`."""
        self._stream.close()


def _headers(accept: str = _JSON, content_type: str = "") -> dict[str, str]:
    headers = {"Accept": accept, "User-Agent": FIELD_MANAGER}
    return headers | {"Content-Type": content_type} if content_type else headers


def _selected(selection: Selection, query: Mapping[str, str]) -> str:
    labels = {"labelSelector": selection.labels} if selection.labels else {}
    return f"{selection.resource.path(selection.namespace)}?{urlencode({**query, **labels})}"


def _encode(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _decode(raw: bytes, doing: str) -> JsonObject:
    """Parse JSON. The parser's error quotes nothing, but its object holds the text: drop it."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ApiError(0, "NotJson", doing=doing)
    return value


def _unreachable(error: BaseException, doing: str) -> ApiError:
    return ApiError(0, type(error).__name__, doing=doing)


def _refused(stream: Stream, doing: str) -> ApiError:
    try:
        return _refusal(stream.finish(), doing)
    except Failure as error:
        return _unreachable(error, doing)


def _refusal(response: Response, doing: str) -> ApiError:
    try:
        raw = _decode(response.body, doing)
    except ApiError:
        raw = {}
    seconds = float(response.retry_after) if response.retry_after.isdigit() else None
    return _status_error(raw, response.status, doing, seconds)


def _status_error(
    raw: Mapping[str, object], status: int, doing: str, retry_after_seconds: float | None = None
) -> ApiError:
    causes = children(child(raw, "details"), "causes")
    return ApiError(
        status,
        _word(text(raw, "reason")),
        doing=doing,
        cause=_word(text(causes[0], "reason")) if causes else "",
        retry_after_seconds=retry_after_seconds,
    )


def _word(reason: str) -> str:
    return reason if _WORD.fullmatch(reason) else ""
