"""What readers without a lock see of the store while somebody writes."""

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sealkit_controller.sandbox.store.database import Database, MemoryStore
from sealkit_controller.sandbox.store.records import Key, Record

OWNER = Key("sealedsecrets.sealkit.dev", "shop", "db")
OWNED = Key("secrets", "shop", "db")


def write(database: Database, key: Key, record: Record | None) -> None:
    with database.lock:
        database.write(key, record)


@pytest.fixture
def _impatient_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_impatient_threads")
def test_an_object_that_is_written_is_never_missing() -> None:
    database = Database(MemoryStore())
    write(database, OWNER, Record(OWNER, "uid-1", database.next_version(), b"{}"))
    missing: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            if database.get(OWNER) is None:
                missing.append("by its place")
            if database.key_of("uid-1") is None:
                missing.append("by its uid")

    reader = threading.Thread(target=read)
    reader.start()
    for version in range(database.next_version(), 20_000):
        write(database, OWNER, Record(OWNER, "uid-1", version, b"{}"))
    ended.set()
    reader.join()
    assert missing == []


def test_what_an_earlier_version_was_known_by_is_forgotten() -> None:
    database = Database(MemoryStore())
    first = Record(OWNED, "uid-1", 2, b"{}", owners=("a", "b"))
    write(database, OWNED, first)
    write(database, OWNED, replace(first, version=3, owners=("b", "c")))
    assert [database.dependents(owner) for owner in "abc"] == [[], [OWNED], [OWNED]]
    write(database, OWNED, replace(first, uid="uid-2", version=4, owners=()))
    assert [database.dependents(owner) for owner in "abc"] == [[], [], []]
    assert (database.key_of("uid-1"), database.key_of("uid-2")) == (None, OWNED)
    write(database, OWNED, None)
    assert (database.get(OWNED), database.key_of("uid-2")) == (None, None)
    assert database.records("secrets") == []
