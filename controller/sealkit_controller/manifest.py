"""A SealedSecret as the controller keeps it: whole while there is work, else what tells of work.

Most of a manifest is ciphertext, and nobody looks at that of a manifest that is synced. So of those
only a digest is kept, and the rest is read again in the rare case that it is needed. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sealkit.usage import Wraps, wraps_of
from sealkit_controller.objects import JsonObject, Metadata, child, number
from sealkit_controller.record import Record
from sealkit_controller.refresh import Refreshing
from sealkit_controller.status import says_synced, status_of

# Fields of the spec that say how, not what: a change of them leaves a right Secret right.
_NOT_CONTENT: Final = ("suspend", "recreate", "rolloutRestart")
_encode: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Manifest:
    """A SealedSecret as the API server sent it, with its content still unchecked.

    `digest` stands for all of the spec that decides what the Secret is; `refreshing` is there if
    some of it is in Vault. `raw` is the whole object,
    None where only the rest was kept.
    """

    metadata: Metadata
    status: Mapping[str, object]
    digest: str
    wraps: Wraps
    suspended: bool
    refreshing: Refreshing | None = None
    raw: Mapping[str, object] | None = None

    @classmethod
    def of(cls, raw: Mapping[str, object]) -> Manifest:
        """Take a whole object."""
        metadata, status = Metadata.of(raw), status_of(raw)
        refreshing = Refreshing.of(raw)
        suspended = _is_suspended(raw)
        return cls(metadata, status, _digest(raw), wraps_of(raw), suspended, refreshing, raw)

    @classmethod
    def load(cls, metadata: Metadata, body: bytes) -> Manifest:
        """Return what `keep` kept of an object with this metadata."""
        kept = json.loads(body)
        if "digest" not in kept:
            return cls.of(kept)
        wraps = frozenset(map(frozenset, kept["wraps"]))
        refreshing = Refreshing.load(child(kept, "refreshing"))
        return cls(metadata, kept["status"], kept["digest"], wraps, kept["suspended"], refreshing)

    @property
    def record(self) -> Record:
        """What an earlier run remembered in the status."""
        return Record.of(self.status)

    @property
    def content(self) -> Mapping[str, object]:
        """The whole object, of a manifest that has it."""
        assert self.raw is not None  # noqa: S101  (who opens it has made sure)
        return self.raw


def keep(raw: JsonObject) -> bytes:
    """Return what to keep of an object: a synced one's digest, else all but managedFields.

    Those are half of it, and of no use here.
    """
    if _is_synced(raw):
        kept: JsonObject = {
            "digest": _digest(raw),
            "wraps": [sorted(envelope) for envelope in wraps_of(raw)],
            "suspended": _is_suspended(raw),
            "status": status_of(raw),
        }
        if refreshing := Refreshing.of(raw):
            kept["refreshing"] = refreshing.to_dict()
        return _encode(kept).encode()
    metadata = {k: v for k, v in child(raw, "metadata").items() if k != "managedFields"}
    return _encode({**raw, "metadata": metadata}).encode()


def _digest(raw: Mapping[str, object]) -> str:
    spec = child(raw, "spec")
    content = {name: spec[name] for name in spec if name not in _NOT_CONTENT}
    return sha256(_encode(content).encode()).hexdigest()


def _is_suspended(raw: Mapping[str, object]) -> bool:
    return child(raw, "spec").get("suspend") is True


def _is_synced(raw: JsonObject) -> bool:
    status = status_of(raw)
    is_current = number(status, "observedGeneration", -1) == number(
        child(raw, "metadata"), "generation"
    )
    return is_current and says_synced(status)
