"""Which change of an object makes work, and how urgent it is. Pure."""

from __future__ import annotations

from sealkit_controller.cache import Change, Entry
from sealkit_controller.objects import Metadata
from sealkit_controller.queue import Priority


def manifest_priority(change: Change, *, starting: bool) -> Priority | None:
    """Return how urgent a change of a manifest is, None if it makes no work.

    A change of the status, which is ours, of labels or of foreign annotations makes none. While
    `starting`, everything that is there is looked at, what was never synced first.
    """
    if starting and change.new is not None:
        manifest = change.new.metadata
        is_synced = manifest.observed_generation == manifest.generation
        return Priority.RESYNC if is_synced else Priority.NEVER_SYNCED
    same = _asks_for_work(change.old) == _asks_for_work(change.new)
    return None if same else Priority.CHANGED


def _asks_for_work(entry: Entry | None) -> tuple[str, int, str, bool] | None:
    if entry is None:
        return None
    metadata = entry.metadata
    return (metadata.uid, metadata.generation, metadata.requested, metadata.deleting)


def subject(change: Change) -> Metadata:
    """Return the metadata of the object that changed, as it is now if it still is."""
    entry = change.new or change.old
    assert entry is not None  # noqa: S101  (a change has at least one side)
    return entry.metadata
