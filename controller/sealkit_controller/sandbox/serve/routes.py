"""From method and path to a verb on a resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sealkit_controller.sandbox.objects.status import method_not_allowed, no_such_resource
from sealkit_controller.sandbox.wire.faults import Facts
from sealkit_controller.sandbox.wire.messages import Request

_COLLECTION: Final = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT: Final = {
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_TOKEN: Final = {"POST": "create"}  # of the subresource `token`
_NAMESPACE_PARTS: Final = frozenset({"status", "finalize"})


@dataclass(frozen=True)
class Route:
    """Where a path below `/api` or `/apis` leads; `plural` is "" for discovery."""

    group: str
    version: str
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def facts(self, request: Request) -> Facts:
        """Return what faults and the request log say about the request."""
        resource = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        return Facts(verb_of(self, request), resource, self.namespace, self.name)


def find_route(path: str) -> Route | None:
    """Return where a path leads, None if it is not below `/api` or `/apis`."""
    root, *parts = path.strip("/").split("/")
    if root == "api" and parts:
        return _below("", parts)
    if root == "apis" and len(parts) > 1:
        return _below(parts[0], parts[1:])
    return None


def _below(group: str, parts: list[str]) -> Route:
    version, *rest = parts
    namespace = ""
    inside = len(rest) > 2 and rest[0] == "namespaces"
    if inside and not (len(rest) == 3 and rest[2] in _NAMESPACE_PARTS):
        _, namespace, *rest = rest
    plural, name, subresource, *extra = [*rest, "", "", ""][: max(3, len(rest))]
    if extra:
        raise no_such_resource()
    return Route(group, version, plural, namespace, name, subresource)


def _table(route: Route) -> Mapping[str, str]:
    if route.subresource == "token":
        return _TOKEN
    return _OBJECT if route.name else _COLLECTION


def verb_of(route: Route, request: Request) -> str:
    """Return the verb of a request on a resource, the method in lower case elsewhere."""
    if not route.plural:
        return request.method.lower()
    verb = _table(route).get(request.method, request.method.lower())
    watching = request.query.get("watch", "") in {"1", "true"}
    return "watch" if watching and verb in {"list", "get"} else verb


def check_method(route: Route, request: Request, *, namespaced: bool) -> None:
    """Check that the method can be used on what the path names.

    Raises:
        StatusError: 405 or 404.
    """
    table = _table(route)
    across = namespaced and not route.namespace
    if request.method not in table or (across and request.method not in {"GET", "HEAD"}):
        raise method_not_allowed()
    if route.name and across:
        raise no_such_resource()
    if route.namespace and not namespaced:
        raise no_such_resource()
