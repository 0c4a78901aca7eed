"""Whether the server's version has what runs a task's workflow type."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.document.document import at
from penstock.project.document.problems import nearest
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.openmetadata.workflow import Workflow
from penstock_runtime.workflow_types import WORKFLOW_TYPES

CUSTOM = "custom"
"""What `source.type` of a connector of one's own begins with; its class is named in the connection."""


def check_type(name: str, settings: OpenMetadata | None) -> Problem | None:
    """What is wrong with a task's workflow type: it is unknown, or the server's version has nothing that runs it."""
    row = WORKFLOW_TYPES.get(name)
    if row is None:
        return Problem(f"unknown workflow type {name[:60]!r}", nearest(name, WORKFLOW_TYPES, kind="workflow type"))
    version = settings.version if settings is not None else ""
    why = row.missing(version)
    if why is None:
        return None
    of = f"OpenMetadata {version[:20]}" if version else "OpenMetadata"
    return Problem(f"{of} has nothing that runs workflow type {name}: {why}", row.instead)


def check_source(workflow: Workflow, name: str) -> Iterator[Problem]:
    """A source that no package has, of a type for which only a custom connector can be one."""
    row, node = WORKFLOW_TYPES[name], at(workflow.document.root, ("source", "type"))
    if row.own_source and isinstance(node.value, str) and not node.value.lower().startswith(CUSTOM):
        what = f"source type {node.value[:60]!r} cannot run as workflow type {name}: {row.why}"
        yield Problem(what, row.instead, where=workflow.document.where(node))
