"""One request to one answer: who asks, for what, what happens, and in which form it is told."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sealkit_controller.sandbox.kinds.registry import Passing, answered
from sealkit_controller.sandbox.objects.status import (
    JsonObject,
    NoSuchPathError,
    StatusError,
    method_not_allowed,
    no_such_resource,
    unauthorized,
)
from sealkit_controller.sandbox.serve import (
    deletes,
    discovery,
    issuing,
    openapi,
    openid,
    reads,
    reviews,
    watch,
    writes,
)
from sealkit_controller.sandbox.serve.bearers import RefusedError, identify
from sealkit_controller.sandbox.serve.decode import Decoded, read_body
from sealkit_controller.sandbox.serve.present import arrange
from sealkit_controller.sandbox.serve.routes import Route, check_method, verb_of
from sealkit_controller.sandbox.serve.users import ANONYMOUS, User
from sealkit_controller.sandbox.serve.world import Call, World, read_options
from sealkit_controller.sandbox.store.records import to_json
from sealkit_controller.sandbox.wire.messages import Request, Response, Stream

_OPEN_PATHS: Final = frozenset({"/healthz", "/livez", "/readyz", "/version"})
_PATHS: Final = (
    *(openid.CONFIGURATION, "/api", "/apis", "/healthz", "/openapi/v3", openid.KEYS, "/version"),
)
_WATCH_SECONDS: Final = (1800.0, 3600.0)  # as the real server, if the client does not say
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Api:
    """The API over one world. `tokens` maps bearer tokens to the names of administrators."""

    world: World
    tokens: Mapping[str, str]
    closing: Callable[[], bool]

    def answer(self, request: Request, route: Route | None) -> Response | Stream:
        """Return what a request gets; failures are answers too."""
        try:
            user = self._user(request)
            if route is None:
                return self._outside(request)
            if not route.plural:
                return self._discover(request, route)
            return self._resource(request, route, user)
        except NoSuchPathError:
            return Response(404, b"404 page not found\n", _TEXT)
        except StatusError as error:
            return to_response(error)

    def _user(self, request: Request) -> User:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            with suppress(RefusedError):
                return identify(self.world, self.tokens, token.strip()).user
        path = request.path
        if path in _OPEN_PATHS or openid.is_told_to_strangers(self.world, path):
            return ANONYMOUS
        raise unauthorized()

    def _outside(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            raise method_not_allowed()
        path = request.path.rstrip("/")
        served = self.world.registry
        if path in {"/healthz", "/livez", "/readyz"}:
            return Response(200, b"ok", _TEXT)
        told = openid.answer(self.world, path)
        if told:
            return told
        accept = request.headers.get("accept", "")
        if path == "/openapi/v2" and openapi.PROTOBUF_V2_ASKED in accept:
            return Response(200, openapi.protobuf_v2(), openapi.PROTOBUF_V2)
        if path in {"/api", "/apis"} and "as=APIGroupDiscoveryList" in accept:
            body = discovery.aggregated(served, core=path == "/api")
            return Response(200, to_json(body), discovery.AGGREGATED)
        return _json(self._document(path))

    def _document(self, path: str) -> JsonObject:
        served = self.world.registry
        documents: dict[str, Callable[[], JsonObject]] = {
            "": lambda: {"paths": list(_PATHS)},
            "/api": discovery.core_versions,
            "/apis": lambda: discovery.group_list(served),
            "/version": lambda: discovery.VERSION,
            "/openapi/v2": lambda: openapi.document_v2(served),
            "/openapi/v3": lambda: openapi.index(served),
        }
        if path in documents:
            return documents[path]()
        if path.startswith("/openapi/v3/"):
            return openapi.document(served, path.removeprefix("/openapi/v3/"))
        if path.startswith("/apis/"):
            return discovery.group(served, path.removeprefix("/apis/"))
        raise NoSuchPathError

    def _discover(self, request: Request, route: Route) -> Response:
        if request.method not in {"GET", "HEAD"}:
            raise method_not_allowed()
        return _json(discovery.resource_list(self.world.registry, route.group, route.version))

    def _resource(self, request: Request, route: Route, user: User) -> Response | Stream:
        review = reviews.find_review(route.group, route.version, route.plural)
        if review:
            return self._review(request, route, review, user)
        resource = self.world.registry.find(route.group, route.version, route.plural)
        if route.subresource and route.subresource not in resource.subresources:
            raise no_such_resource()
        check_method(route, request, namespaced=resource.namespaced)
        call = Call(
            request=request,
            verb=verb_of(route, request),
            resource=resource,
            namespace=route.namespace,
            name=route.name,
            subresource=route.subresource,
            options=read_options(request),
        )
        return self._do(call)

    def _review(
        self, request: Request, route: Route, review: reviews.Review, user: User
    ) -> Response:
        if route.name:
            raise no_such_resource()
        if request.method != "POST":
            raise method_not_allowed()
        if review.kind != Passing.REVIEW:
            return _json(reviews.answer(review, read_body(request), user), 201)
        options = read_options(request)
        call = Call(request, "create", answered(Passing.REVIEW), options=options)
        return _passing(call, reviews.review_token(self.world, self.tokens, call))

    def _do(self, call: Call) -> Response | Stream:
        if call.subresource == "token":
            return _passing(call, issuing.issue(self.world, call))
        verbs: dict[str, Callable[[Call], Response | Stream]] = {
            "get": lambda call: Response(200, reads.get(self.world, call)),
            "list": lambda call: Response(200, reads.list_objects(self.world, call)),
            "watch": self._watch,
            "create": self._write,
            "update": self._write,
            "patch": self._write,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        return verbs[call.verb](call)

    def _watch(self, call: Call) -> Stream:
        seconds = random.uniform(*_WATCH_SECONDS)  # noqa: S311 -- spreads, hides nothing
        return Stream(watch.start(self.world, call, self.closing, seconds))

    def _write(self, call: Call) -> Response:
        function = {"create": writes.create, "update": writes.update, "patch": writes.patch}
        written = function[call.verb](self.world, call)
        body = writes.response_body(call, written)
        view = reads.view_of(call)
        if view.kind:
            body = to_json(reads.render_one(self.world, call.resource, written.record, view))
        return Response(201 if written.created else 200, body, headers=_told(written.warnings))

    def _delete(self, call: Call) -> Response:
        if call.subresource:
            raise method_not_allowed("delete", call.resource.target())
        options = deletes.read_delete_options(call)
        deleted = deletes.delete(self.world, call, options)
        return _json(deletes.delete_result(call, deleted))

    def _delete_collection(self, call: Call) -> Response:
        options = deletes.read_delete_options(call)
        page = reads.select(self.world, call)
        for record in page.records:
            with self.world.database.lock:
                current = self.world.database.get(record.key)
                if current:
                    deletes.delete_record(self.world, call.resource, current, options)
        return Response(200, reads.render_list(self.world, call, page))


def _passing(call: Call, decoded: Decoded) -> Response:
    """Return the answer to an object that was sent to be answered, not stored."""
    document = arrange(call.resource, decoded.document)
    return Response(201, to_json(document), headers=_told(decoded.warnings))


def _told(warnings: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(("Warning", f'299 - "{_quoted(text)}"') for text in warnings)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _json(document: JsonObject, code: int = 200) -> Response:
    return Response(code, to_json(document))


def to_response(error: StatusError) -> Response:
    """Return the answer that tells a failure."""
    headers: tuple[tuple[str, str], ...] = ()
    if error.details.retry_after_seconds:
        headers = (("Retry-After", str(error.details.retry_after_seconds)),)
    return Response(error.code, to_json(error.body()), headers=headers)
