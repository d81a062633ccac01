"""Which change of an object makes work, and how urgent it is. Pure."""

from __future__ import annotations

from sealkit_controller.cache import Change
from sealkit_controller.objects import Metadata
from sealkit_controller.queue import Priority


def manifest_priority(change: Change, *, starting: bool) -> Priority | None:
    """Return how urgent a change of a manifest is, None if it makes no work.

    A change of the status, which is ours, of labels or of foreign annotations makes none. While
    `starting`, everything that is there is looked at, what was never synced first.
    """
    old = change.old.metadata if change.old else None
    new = change.new.metadata if change.new else None
    if starting and new is not None:
        is_synced = new.observed_generation == new.generation
        return Priority.RESYNC if is_synced else Priority.NEVER_SYNCED
    if old is None or new is None or _asks_for_work(old) != _asks_for_work(new):
        return Priority.CHANGED
    return None


def _asks_for_work(metadata: Metadata) -> tuple[str, int, str, bool]:
    return (metadata.uid, metadata.generation, metadata.requested, metadata.deleting)


def subject(change: Change) -> Metadata:
    """Return the metadata of the object that changed, as it is now if it still is."""
    entry = change.new or change.old
    assert entry is not None  # noqa: S101  (a change has at least one side)
    return entry.metadata
