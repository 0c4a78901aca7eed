"""A table of a shop, as OpenMetadata's package sends it. Tests import it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Call = Callable[..., Any]
"""Sends one request: method, path with query string, body. Returns the answer's body."""
SHOP = "shop.sales.public"


def orders(**more: Any) -> dict[str, Any]:
    """The table `orders`."""
    columns = [
        {"name": "id", "dataType": "INT"},
        {"name": "place", "dataType": "STRUCT", "children": [{"name": "a.b"}]},
    ]
    return {"name": "orders", "databaseSchema": SHOP, "columns": columns, "tableType": "Regular", **more}
