"""Somebody else at work in the cluster: requests past the network and past every fault."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from sealkit_controller.objects import JsonObject, Resource
from sealkit_controller.sandbox import Sandbox
from sealkit_controller.sandbox.serve.api import Api
from sealkit_controller.sandbox.serve.routes import find_route
from sealkit_controller.sandbox.wire.messages import Request, Stream

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
_MANAGER = "fieldManager=somebody"


class Hand:
    """Acts on a sandbox as its administrator, in the thread of the caller.

    What the API refuses is left undone: whoever acts at random asks for the impossible at times.
    """

    def __init__(self, box: Sandbox) -> None:
        self._api = Api(box._world, {"token": "somebody"}, lambda: False)

    def ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None, kind: str = MERGE
    ) -> JsonObject | None:
        """Send one request; return the answer, None if it was refused."""
        path, _, query = path.partition("?")
        headers = {"authorization": "Bearer token", "content-type": kind}
        raw = b"" if body is None else json.dumps(body).encode()
        request = Request(method, path, dict(parse_qsl(query)), headers, raw)
        answer = self._api.answer(request, find_route(path))
        assert not isinstance(answer, Stream)
        found: JsonObject = json.loads(answer.body)
        return found if answer.code < 400 else None

    def namespace(self, name: str) -> None:
        """Create a namespace."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        assert self.ask("POST", "/api/v1/namespaces", body, "application/json")

    def create(
        self, resource: Resource, body: Mapping[str, object], namespace: str
    ) -> JsonObject | None:
        """Create an object."""
        path = f"{resource.path(namespace)}?{_MANAGER}"
        return self.ask("POST", path, body, "application/json")

    def apply(self, resource: Resource, body: Mapping[str, object], place: tuple[str, str]) -> None:
        """Apply an object, as a GitOps tool does."""
        self.ask("PATCH", f"{resource.path(*place)}?fieldManager=gitops&force=true", body, APPLY)

    def edit(
        self, resource: Resource, change: Mapping[str, object], place: tuple[str, str]
    ) -> None:
        """Merge a change into an object."""
        self.ask("PATCH", f"{resource.path(*place)}?{_MANAGER}", change)

    def delete(self, resource: Resource, place: tuple[str, str]) -> None:
        """Delete an object."""
        self.ask("DELETE", resource.path(*place))

    def get(self, resource: Resource, place: tuple[str, str]) -> JsonObject | None:
        """Return an object, None if there is none."""
        return self.ask("GET", resource.path(*place))

    def all(self, resource: Resource, namespace: str) -> list[JsonObject]:
        """Return the objects of one kind in a namespace."""
        found = self.ask("GET", resource.path(namespace))
        assert found is not None
        items = found["items"]
        assert isinstance(items, list)
        return items
