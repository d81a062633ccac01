"""What the controller needs from an API server: one narrow protocol, its values and its errors.

`kube.HttpCluster` is the real one; the tests' fake keeps the same rules. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sealkit_controller.objects import JsonObject, Resource


class ApiError(Exception):
    """The API server refused a request or could not be reached (`status` 0).

    Holds no text of the response: a message of the API server may quote what was sent to it, and
    what we send are Secrets. `reason` and `cause` are CamelCase words of the Kubernetes API.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        doing: str = "",
        cause: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{doing or 'request'}: {status or 'no response'} {reason}")
        self.status = status
        self.reason = reason
        self.cause = cause
        self.retry_after_seconds = retry_after_seconds

    @property
    def is_overload(self) -> bool:
        """Whether the server asked for fewer requests."""
        return self.status in {429, 503}


class PatchKind(StrEnum):
    """The media type of a patch, which decides what it means."""

    APPLY = "application/apply-patch+yaml"  # server-side apply with force, by our field manager
    MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Target:
    """One object, or a subresource of it."""

    resource: Resource
    namespace: str
    name: str
    subresource: str = ""

    @property
    def path(self) -> str:
        """The URL path."""
        return self.resource.path(self.namespace, self.name, self.subresource)

    def __str__(self) -> str:
        """`<plural> <namespace>/<name>`, for messages."""
        return f"{self.resource.plural} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Selection:
    """The objects of one kind to list and watch.

    An empty namespace means all. `metadata_only` asks the server to leave out everything else,
    which keeps the content of Secrets out of this process. An `optional` kind may not be installed:
    then there are none.
    """

    resource: Resource
    namespace: str = ""
    labels: str = ""
    metadata_only: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; all pages of a list carry the version the whole list is of."""

    items: list[JsonObject]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """ADDED, MODIFIED, DELETED or BOOKMARK with the object."""

    type: str
    object: JsonObject


class Watch(Protocol):
    """An open watch."""

    def __iter__(self) -> Iterator[WatchEvent]:
        """Yield events until the server ends the watch.

        Raises:
            ApiError: 410 when the version is too old, whichever way the server says so; 0 when
                the connection broke or was silent for too long.
        """

    def close(self) -> None:
        """End the iteration, from any thread. May be called twice."""


class Cluster(Protocol):
    """An API server. Every method raises ApiError and may be called from any thread."""

    def get(self, target: Target) -> JsonObject:
        """Return one object."""

    def pages(self, selection: Selection) -> Iterator[Page]:
        """Yield the pages of a list, at least one."""

    def watch(self, selection: Selection, resource_version: str) -> Watch:
        """Open a watch with bookmarks that starts after `resource_version`."""

    def create(self, resource: Resource, namespace: str, body: Mapping[str, object]) -> JsonObject:
        """Create an object; 409 AlreadyExists if the name is taken. Returns its metadata."""

    def patch(self, target: Target, body: Mapping[str, object], kind: PatchKind) -> JsonObject:
        """Change an object. A resourceVersion in `body` is a precondition: 409 Conflict.

        Returns the whole object after an apply, else its metadata.
        """

    def replace(self, target: Target, body: Mapping[str, object]) -> JsonObject:
        """Replace an object or, of a subresource, only that. Returns its metadata.

        `body` is the whole object and carries the resourceVersion it replaces: 409 Conflict.
        """

    def delete(self, target: Target, uid: str, resource_version: str) -> None:
        """Delete exactly this version of exactly this object, else 409 Conflict."""

    def request_token(
        self, namespace: str, account: str, audience: str, seconds: int
    ) -> JsonObject:
        """Return the answered TokenRequest; "" asks for the audiences of the API server itself."""

    def close(self) -> None:
        """Drop idle connections."""
