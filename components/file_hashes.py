"""Hashes of files that were read before, so that a catalogue of pictures is read once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

FILE = "hashes.sqlite"


class FileHashes:
    """Remembers what was hashed, by path, size and time; see `components.content`.

    Beside the metadata, because it is worth as much as a cache: it may be removed.

    Args:
        path: Of the SQLite file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._open(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # damaged
            self._db.close()
            path.unlink()
            self._open(path)

    def get(self, path: Path, state: str) -> str | None:
        """Returns the hash of a file that has not changed since, or None."""
        row = self._db.execute(
            "SELECT digest FROM hashes WHERE path = ? AND state = ?", (str(path), state)
        ).fetchone()
        return row[0] if row else None

    def put(self, path: Path, state: str, digest: str) -> None:
        """Notes a hash."""
        self._db.execute(
            "INSERT OR REPLACE INTO hashes VALUES (?, ?, ?)", (str(path), state, digest)
        )

    def commit(self) -> None:
        """Writes what was noted, which else goes with a process that is killed."""
        self._db.commit()

    def close(self) -> None:
        """Writes and closes."""
        self._db.commit()
        self._db.close()

    def _open(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=30)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS hashes"
            " (path TEXT PRIMARY KEY, state TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID"
        )
