"""What is in the embedded warehouse: tables and rows, counted."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class TableCount:
    """A table of the warehouse and how many rows it has now."""

    schema: str
    table: str
    rows: int


def tables(dsn: str) -> list[TableCount]:
    """Count the rows of every table that is the user's own, exactly.

    Args:
        dsn: libpq connection string.
    """
    query = """
        SELECT table_schema, table_name FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
        ORDER BY 1, 2
    """
    counts = []
    with psycopg.connect(dsn, connect_timeout=5) as connection:
        for schema, table in connection.execute(query).fetchall():
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            row = connection.execute(count).fetchone()
            counts.append(TableCount(schema, table, row[0] if row else 0))
    return counts
