"""HTTP requests and responses as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """One request. Header names are in lower case; of a repeated parameter the first counts."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """The type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Response:
    """A complete answer."""

    code: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Stream:
    """An answer that goes on; an empty chunk only asks whether the client is still there."""

    chunks: Iterator[bytes]
    content_type: str = JSON
    code: int = 200
