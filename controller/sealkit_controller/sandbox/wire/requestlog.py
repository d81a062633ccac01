"""What clients asked for and what came of it, for tests and demos to look at."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from sealkit_controller.sandbox.wire.faults import Facts

DROPPED = 0  # the code of a request that got no answer


@dataclass(frozen=True)
class Entry:
    """One request. A watch is entered when it begins."""

    method: str
    path: str  # with the query, as sent
    code: int
    facts: Facts
    user_agent: str = ""

    @property
    def verb(self) -> str:
        """The Kubernetes verb, such as `list`; the method in lower case outside of resources."""
        return self.facts.verb


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self, length: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=length)

    def add(self, entry: Entry) -> None:
        """Enter a request."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget all entries."""
        with self._lock:
            self._entries.clear()

    def count(self, verb: str = "", resource: str = "") -> int:
        """Return how many entries have this verb and resource; "" counts any."""
        return sum(
            verb in {"", entry.verb} and resource in {"", entry.facts.resource} for entry in self
        )

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries as they were at the start of the iteration."""
        with self._lock:
            return iter(list(self._entries))

    def __len__(self) -> int:
        """Return how many entries are kept."""
        return len(self._entries)
