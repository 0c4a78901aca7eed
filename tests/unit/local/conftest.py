"""The recording catalogue without HTTP: a request goes through the routes to a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from penstock.local.catalogue import definitions, routes
from penstock.local.catalogue.handlers import Request
from penstock.local.catalogue.store import Store
from tests.unit.local.recorded_shop import Call, orders


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Send one request: method, path with query string, body. Returns the answer's body."""
    store = Store(tmp_path)
    with store.transaction():
        definitions.seed(store)

    def send(method: str, path: str, body: Any = None) -> Any:
        url = urlsplit(path)
        route = routes.find(method, url.path)
        assert route is not None, f"no route for {method} {path}"
        handler, parts = route
        with store.transaction():
            return handler(store, Request("1.12.14", parts, parse_qs(url.query), body)).body

    return send


@pytest.fixture
def shop(call: Call) -> dict[str, Any]:
    """A service, a database, a schema and the table `orders`, which is returned."""
    connection = {"config": {"type": "Postgres", "username": "loader"}}
    call("PUT", "services/databaseServices", {"name": "shop", "serviceType": "Postgres", "connection": connection})
    call("PUT", "databases", {"name": "sales", "service": "shop"})
    call("PUT", "databaseSchemas", {"name": "public", "database": "shop.sales"})
    table: dict[str, Any] = call("PUT", "tables", orders())
    return table
