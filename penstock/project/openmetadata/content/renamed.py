"""Keys that OpenMetadata's documentation has under a name that its package takes no more."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from penstock.problem import Problem
from penstock.project.document.document import find
from penstock.project.openmetadata.workflow import Workflow

RENAMED: dict[str, str] = {"sandboxDomain": "instanceDomain"}
"""Old name → today's. The documentation's sample of Domo has `sandboxDomain`, which no package since 1.6 takes."""
_CONNECTION = ("source", "serviceConnection", "config")
_OWNERS: dict[str, frozenset[str]] = {"sandboxDomain": frozenset({"DomoDatabase", "DomoDashboard", "DomoPipeline"})}
"""The connections that had a key."""


def current(key: Any, fields: Collection[str]) -> str | None:
    """Today's name of a key, where that is one of `fields`."""
    new = RENAMED.get(key) if isinstance(key, str) else None
    return new if new in fields else None


def advice(key: str) -> str:
    """The fix for a key under its old name."""
    return f"write {RENAMED[key]}: the key was renamed, and the documentation's sample still has the old name"


def check(workflow: Workflow) -> Iterator[Problem]:
    """Old names in the source's connection."""
    config = find(workflow.document.root, _CONNECTION)
    kind = find(workflow.document.root, (*_CONNECTION, "type"))
    if config is None or kind is None or not isinstance(kind.value, str):
        return
    for old, owners in _OWNERS.items():
        if kind.value in owners and old in config.value:
            yield Problem(
                f"{kind.value} has no key {old!r}: it is {RENAMED[old]!r} now",
                advice(old),
                where=workflow.document.where(config.keys[old]),
            )
