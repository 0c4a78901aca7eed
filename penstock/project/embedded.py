"""What the embedded mode brings along."""

from __future__ import annotations

from penstock.project.schema.model import Strict


class Warehouse(Strict):
    """Which variables and secrets describe the warehouse; each value is the name of one."""

    host: str
    """Gets the host."""
    port: str
    """Gets the port."""
    database: str
    """Gets the database's name."""
    user: str
    """Gets the user."""
    password: str
    """Gets the password."""


class Embedded(Strict):
    """What the embedded mode (`penstock up`) brings along."""

    warehouse: Warehouse | None = None
    """Its PostgreSQL."""
