"""What the catalogue knows, in one SQLite file.

`entity` holds one row per entity; `attachment` what belongs to an entity and grows with time (profiles, runs,
lineage edges, test results); `unanswered` the requests that the catalogue has no answer for.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

FILE = "catalogue.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entity (
    kind TEXT NOT NULL, fqn TEXT NOT NULL, id TEXT NOT NULL UNIQUE, deleted INTEGER NOT NULL, data TEXT NOT
    NULL, PRIMARY KEY (kind, fqn));
CREATE TABLE IF NOT EXISTS attachment (
    owner TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (owner, kind, key));
CREATE INDEX IF NOT EXISTS attachment_key ON attachment (kind, key);
CREATE TABLE IF NOT EXISTS unanswered (
    method TEXT NOT NULL, path TEXT NOT NULL, count INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (method, path));
"""


def now() -> int:
    """The time in milliseconds since the epoch, as OpenMetadata counts."""
    return time.time_ns() // 1_000_000


class Store:
    """The file of one catalogue. Every use is inside `transaction()`, one at a time."""

    def __init__(self, folder: Path) -> None:
        """Open the store in `folder`; both are made if needed.

        Service connections hold passwords, as on a real server, so the folder is for its owner only.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / FILE
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Write everything into the one file and close it."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the store; what an error leaves half done is undone."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def find(self, kind: str, fqn: str, *, deleted: bool = False) -> Json | None:
        """The entity with this fully qualified name; one that is marked deleted only where `deleted` says
        so."""
        row = self._db.execute(
            "SELECT data FROM entity WHERE kind = ? AND fqn = ? AND deleted <= ?", (kind, fqn, deleted)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def find_id(self, id: str) -> tuple[str, Json] | None:  # noqa: A002  the field's name in OpenMetadata
        """The kind and the entity with this id."""
        row = self._db.execute("SELECT kind, data FROM entity WHERE id = ?", (id,)).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def put(self, kind: str, entity: Json) -> None:
        """Write an entity, new or known."""
        self._db.execute(
            "INSERT INTO entity VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, fqn)"
            " DO UPDATE SET deleted = excluded.deleted, data = excluded.data",
            (
                kind,
                entity["fullyQualifiedName"],
                entity["id"],
                bool(entity.get("deleted")),
                json.dumps(entity),
            ),
        )

    def all(self, kind: str, *, after: str = "", deleted: bool = False) -> Iterator[Json]:
        """The entities of a kind, by name, those after `after`."""
        rows = self._db.execute(
            "SELECT data FROM entity WHERE kind = ? AND fqn > ? AND deleted <= ? ORDER BY fqn",
            (kind, after, deleted),
        )
        return (json.loads(row[0]) for row in rows)

    def below(self, fqn: str) -> list[tuple[str, Json]]:
        """Every entity whose name starts with that of another one: its children, and theirs."""
        rows = self._db.execute(
            "SELECT kind, data FROM entity WHERE substr(fqn, 1, ?) = ?", (len(fqn) + 1, f"{fqn}.")
        ).fetchall()
        return [(kind, json.loads(data)) for kind, data in rows]

    def forget(self, entity: Json) -> None:
        """Delete an entity and what is attached to it."""
        self._db.execute("DELETE FROM entity WHERE id = ?", (entity["id"],))
        self._db.execute("DELETE FROM attachment WHERE owner = ? OR key = ?", (entity["id"], entity["id"]))

    def attach(self, owner: str, kind: str, key: str, data: Any) -> None:
        """Attach something to an entity's id; the same key replaces."""
        self._db.execute(
            "INSERT OR REPLACE INTO attachment VALUES (?, ?, ?, ?, ?)",
            (owner, kind, key, now(), json.dumps(data)),
        )

    def detach(self, owner: str, kind: str, key: str) -> None:
        """Delete one attachment."""
        self._db.execute("DELETE FROM attachment WHERE owner = ? AND kind = ? AND key = ?", (owner, kind, key))

    def attached(self, owner: str, kind: str) -> dict[str, Any]:
        """What is attached to an entity, by key, oldest first."""
        rows = self._db.execute(
            "SELECT key, data FROM attachment WHERE owner = ? AND kind = ? ORDER BY at, key", (owner, kind)
        )
        return {key: json.loads(data) for key, data in rows}

    def attached_as(self, kind: str, key: str) -> dict[str, Any]:
        """What is attached under this key, by owner's id."""
        rows = self._db.execute("SELECT owner, data FROM attachment WHERE kind = ? AND key = ?", (kind, key))
        return {owner: json.loads(data) for owner, data in rows}

    def note_unanswered(self, method: str, path: str) -> None:
        """Count a request that the catalogue does not know."""
        self._db.execute(
            "INSERT INTO unanswered VALUES (?, ?, 1, ?) ON CONFLICT (method, path)"
            " DO UPDATE SET count = count + 1, at = excluded.at",
            (method, path, now()),
        )

    def select(self, kind: str, wanted: Callable[[Json], bool], *, after: str = "") -> Iterator[Json]:
        """The entities of a kind that `wanted` accepts, by name."""
        return filter(wanted, self.all(kind, after=after))
