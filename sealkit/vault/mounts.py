"""What is known of mounts, for a while. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from sealkit.vault.answer import Mount

_BELIEVED_SECONDS: Final = 300.0  # how long a mount is believed to stay what it was


class Mounts:
    """The mounts that one identity was told of, by namespace. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[Mount, float]] = {}

    def find(self, namespace: str, path: str) -> Mount | None:
        """Return the mount that a path is in. Mounts do not nest, so there is only one."""
        now = self._now()
        with self._lock:
            for (within, _), (mount, until) in self._known.items():
                is_above = f"{path}/".startswith(f"{mount.path}/")
                if within == namespace and is_above and now < until:
                    return mount
        return None

    def keep(self, namespace: str, mount: Mount) -> None:
        """Remember a mount, and forget those that were told of too long ago."""
        now = self._now()
        with self._lock:
            self._known = {at: known for at, known in self._known.items() if now < known[1]}
            self._known[namespace, mount.path] = (mount, now + _BELIEVED_SECONDS)
