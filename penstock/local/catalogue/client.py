"""What a recording catalogue holds, read from its files. Works while the server runs, and after."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from penstock.local.catalogue.entities import KINDS, PATHS
from penstock.local.catalogue.store import FILE
from penstock_runtime.errors import InputError, PenstockError

_SHIPPED = ("testDefinition",)
"""Kinds that are there from the start; nobody recorded them."""


@dataclass(frozen=True)
class Entity:
    """One recorded entity, as `penstock catalogue list` shows it."""

    kind: str
    """OpenMetadata's entity type: `table`."""
    fqn: str
    type: str | None
    """What it is more exactly: `Regular` or `View` for a table, `Postgres` for a service."""
    service: str | None
    updated_at: datetime
    columns: int | None
    """Tables only."""
    rows: int | None
    """Tables only; None: not profiled, or the profiler did not know."""


@dataclass(frozen=True)
class Unanswered:
    """A request that the catalogue had no answer to."""

    method: str
    path: str
    count: int


def summary(state: Path) -> dict[str, int]:
    """How many entities there are of each kind that has any.

    Raises:
        PenstockError: there is no catalogue in `state`.
    """
    with _open(state) as db:
        rows = db.execute("SELECT kind, count(*) FROM entity WHERE NOT deleted GROUP BY kind").fetchall()
    counts = {KINDS[path].type: int(count) for path, count in rows}
    return {
        kind.type: counts[kind.type] for kind in KINDS.values() if kind.type in counts and kind.type not in _SHIPPED
    }


def entities(state: Path, kind: str | None = None) -> list[Entity]:
    """The recorded entities, of one kind or of all, by kind and name.

    Args:
        state: the catalogue's folder.
        kind: as `summary` names it: `table`.

    Raises:
        InputError: there is no such kind.
        PenstockError: there is no catalogue in `state`.
    """
    if kind is not None and kind not in PATHS:
        raise InputError(f"no kind of entity is called {kind!r}", fix=f"use one of {', '.join(PATHS)}")
    wanted = [kind] if kind else [name for name in PATHS if name not in _SHIPPED]
    with _open(state) as db:
        query = "SELECT data FROM entity WHERE kind = ? AND NOT deleted ORDER BY fqn"
        return [_entity(name, row[0]) for name in wanted for row in db.execute(query, (PATHS[name],))]


def unanswered(state: Path) -> list[Unanswered]:
    """The requests that had no answer, the most frequent first.

    Raises:
        PenstockError: there is no catalogue in `state`.
    """
    with _open(state) as db:
        rows = db.execute("SELECT method, path, count FROM unanswered ORDER BY count DESC, path").fetchall()
    return [Unanswered(*row) for row in rows]


def _entity(kind: str, data: str) -> Entity:
    entity = json.loads(data)
    service = entity.get("service") or {}
    # -1 is PostgreSQL's estimate for a table that was never analyzed; the profiler passes it on.
    rows = (entity.get("profile") or {}).get("rowCount")
    return Entity(
        kind=kind,
        fqn=entity["fullyQualifiedName"],
        type=entity.get("tableType") or entity.get("pipelineType") or entity.get("serviceType"),
        service=service.get("name"),
        updated_at=datetime.fromtimestamp(entity["updatedAt"] / 1000, UTC),
        columns=len(entity["columns"]) if "columns" in entity else None,
        rows=int(rows) if rows is not None and rows >= 0 else None,
    )


@contextlib.contextmanager
def _open(state: Path) -> Iterator[sqlite3.Connection]:
    file = (state / FILE).absolute()
    if not file.exists():
        raise PenstockError(f"there is no recording catalogue in {state}", fix="start it: penstock up")
    with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as db:
        db.execute("PRAGMA query_only = ON")
        yield db
