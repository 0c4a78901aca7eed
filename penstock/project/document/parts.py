"""What is in a node that may be missing, or be something else than it should: then there is nothing in it."""

from __future__ import annotations

from typing import Any

from penstock.project.document.composer import Node


def mapping(node: Node | None) -> dict[Any, Node]:
    """The values of a mapping, by key."""
    return node.value if node is not None and isinstance(node.value, dict) else {}


def entries(node: Node | None) -> list[Node]:
    """The entries of a list."""
    return node.value if node is not None and isinstance(node.value, list) else []
