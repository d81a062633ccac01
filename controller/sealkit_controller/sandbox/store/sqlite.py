"""Records in one SQLite file, so that a sandbox survives its restart."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Final

from sealkit_controller.sandbox.store.database import Change
from sealkit_controller.sandbox.store.records import Key, Record

_DELETE: Final = "DELETE FROM object WHERE storage = ? AND namespace = ? AND name = ?"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS object (
    storage TEXT, namespace TEXT, name TEXT, uid TEXT, version INTEGER,
    body BLOB, index_entry TEXT, PRIMARY KEY (storage, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER);
INSERT OR IGNORE INTO counter VALUES (1, 0);
"""


class SqliteStore:
    """Survives the end of the process, not the loss of power: it does not wait for the disk.

    The file holds Secrets in plain text and is made readable by its owner only.
    """

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        # One connection for all threads: the database above calls one at a time, under its lock.
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.executescript(_SCHEMA)

    def load(self) -> tuple[int, list[Record]]:
        """Return the last version and every record."""
        (version,) = self._connection.execute("SELECT version FROM counter").fetchone()
        rows = self._connection.execute(
            "SELECT storage, namespace, name, uid, version, body, index_entry FROM object"
        )
        return version, [_to_record(row) for row in rows]

    def save(self, change: Change) -> None:
        """Make one change durable."""
        self._connection.execute("BEGIN")
        self._connection.execute("UPDATE counter SET version = ?", (change.version,))
        record = change.after
        if record is None:
            self._connection.execute(_DELETE, change.key)
        else:
            entry = json.dumps([dict(record.labels), dict(record.fields), record.owners])
            row = (*record.key, record.uid, record.version, record.body, entry)
            self._connection.execute("REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _to_record(row: tuple[str, str, str, str, int, bytes, str]) -> Record:
    storage, namespace, name, uid, version, body, entry = row
    labels, fields, owners = json.loads(entry)
    return Record(Key(storage, namespace, name), uid, version, body, labels, fields, tuple(owners))
