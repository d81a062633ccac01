"""Which keys the manifests of this cluster depend on, kept up to date. Pure, safe for threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection

from sealkit.usage import KeyUse, Wraps, key_usage
from sealkit_controller.objects import ObjectKey


class Usage:
    """Counts manifests by the keys they are wrapped for.

    There are few different sets of keys and many manifests, so equal sets are kept once.
    """

    def __init__(self) -> None:
        self._known: dict[ObjectKey, Wraps] = {}
        self._counts: Counter[Wraps] = Counter()
        self._shared: dict[Wraps, Wraps] = {}
        self._lock = threading.Lock()

    def note(self, key: ObjectKey, wraps: Wraps) -> None:
        """Note a manifest as it is now."""
        with self._lock:
            if self._known.get(key) == wraps:
                return
            self._forget(key)
            self._known[key] = self._shared.setdefault(wraps, wraps)
            self._counts[wraps] += 1

    def forget(self, key: ObjectKey) -> None:
        """Note that a manifest is gone."""
        with self._lock:
            self._forget(key)

    def _forget(self, key: ObjectKey) -> None:
        wraps = self._known.pop(key, None)
        if wraps is None:
            return
        self._counts[wraps] -= 1
        if not self._counts[wraps]:
            del self._counts[wraps], self._shared[wraps]

    def of(self, kids: Collection[str]) -> dict[str, KeyUse]:
        """Return the use of each of `kids`, the keys at hand."""
        with self._lock:
            counts = dict(self._counts)
        return key_usage(counts, kids)
