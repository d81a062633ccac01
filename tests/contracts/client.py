"""A tiny client of the Kubernetes API: one request, one reply, nothing hidden."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPResponse, HTTPSConnection
from typing import Any, Self
from urllib.parse import quote, urlencode

from tests.apiserver import ApiServer

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
GROUP = "contracts.example.com"
WIDGETS = f"apis/{GROUP}/v1/widgets"
TIMEOUT_SECONDS = 30.0
PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Reply:
    """What a request got."""

    code: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def reason(self) -> str:
        return str(self.json.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.json.get("message", ""))

    @property
    def causes(self) -> list[dict[str, str]]:
        causes: list[dict[str, str]] = self.json.get("details", {}).get("causes", [])
        return causes

    @property
    def version(self) -> str:
        return str(self.json["metadata"]["resourceVersion"])

    def ok(self) -> Self:
        """Return the reply itself, if it is a success."""
        assert self.code < 300, self.text
        return self


@dataclass(frozen=True)
class Client:
    """An administrator who works in one namespace.

    A resource is given as `secrets` (core/v1) or as `apis/GROUP/VERSION/PLURAL`; a path that
    starts with a slash is taken as it is.
    """

    server: ApiServer
    namespace: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def bearing(self, token: str) -> Self:
        """Return a client that shows another token; with an empty one it is a stranger."""
        return replace(self, server=replace(self.server, token=token))

    def accepting(self, media_types: str) -> Self:
        """Return a client that asks for answers in another form."""
        return replace(self, headers={"Accept": media_types})

    def path(self, resource: str, name: str = "") -> str:
        if resource.startswith("/"):
            return resource
        root, _, plural = resource.rpartition("/")
        path = f"/{root or 'api/v1'}/namespaces/{self.namespace}/{plural}"
        return f"{path}/{name}" if name else path

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        **query: str,
    ) -> Reply:
        given: dict[str, str] = {}
        if body is not None:
            given = {"Content-Type": content_type}
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        with self._open(method, path, body, given, query) as response:
            text = response.read().decode()
            return Reply(response.status, dict(response.getheaders()), text)

    @contextmanager
    def _open(
        self, method: str, path: str, body: Any, headers: dict[str, str], query: dict[str, str]
    ) -> Iterator[HTTPResponse]:
        server = self.server
        connection = HTTPSConnection(
            server.host, server.port, context=server.ssl_context(), timeout=TIMEOUT_SECONDS
        )
        target = quote(path) + (f"?{urlencode(query)}" if query else "")
        sent = {"Authorization": f"Bearer {server.token}", "User-Agent": "contract-tests/1"}
        try:
            connection.request(method, target, body, {**sent, **self.headers, **headers})
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    def get(self, resource: str, name: str = "", **query: str) -> Reply:
        return self.request("GET", self.path(resource, name), **query)

    def create(self, resource: str, body: Any, **query: str) -> Reply:
        return self.request("POST", self.path(resource), body, **query)

    def replace(self, resource: str, name: str, body: Any, **query: str) -> Reply:
        return self.request("PUT", self.path(resource, name), body, **query)

    def patch(
        self, resource: str, name: str, body: Any, content_type: str = MERGE, **query: str
    ) -> Reply:
        path = self.path(resource, name)
        return self.request("PATCH", path, body, content_type=content_type, **query)

    def apply(
        self, resource: str, name: str, body: Any, manager: str = "alice", **query: str
    ) -> Reply:
        query = {"fieldManager": manager} | query
        return self.patch(resource, name, body, APPLY, **query)

    def delete(self, resource: str, name: str = "", body: Any = None, **query: str) -> Reply:
        return self.request("DELETE", self.path(resource, name), body, **query)

    @contextmanager
    def watch(self, resource: str, version: str, **query: str) -> Iterator[Iterator[Any]]:
        """Open a watch and give its events; it ends by itself after `timeoutSeconds`, 20."""
        query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "20"} | query
        with self._open("GET", self.path(resource), None, {}, query) as response:
            assert response.status == 200, response.read()
            yield (json.loads(line) for line in response)


def eventually(ask: Callable[[], Reply], wanted: Callable[[Reply], bool]) -> Reply:
    """Ask until the reply is as wanted: what caches of a real server know is a moment old."""
    give_up = time.monotonic() + TIMEOUT_SECONDS
    while not wanted(reply := ask()):
        assert time.monotonic() < give_up, reply.text
        time.sleep(PAUSE_SECONDS)
    return reply


def secret(name: str, **fields: Any) -> dict[str, Any]:
    """Return a Secret to send."""
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
    return document | fields


def config_map(name: str, **fields: Any) -> dict[str, Any]:
    """Return a ConfigMap to send."""
    return secret(name, **fields) | {"kind": "ConfigMap"}


def account(name: str, **fields: Any) -> dict[str, Any]:
    """Return a ServiceAccount to send."""
    return secret(name, **fields) | {"kind": "ServiceAccount"}


def widget(name: str, **fields: Any) -> dict[str, Any]:
    """Return a custom resource to send; its spec has what is required."""
    document = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": name}}
    return document | {"spec": {"size": 1}} | fields
