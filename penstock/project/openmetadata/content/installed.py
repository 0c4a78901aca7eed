"""A workflow file against what the package of the server's version holds: sources, their usage and lineage, steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.problem import Problem
from penstock.project.document.document import find
from penstock.project.document.problems import nearest, shown
from penstock.project.openmetadata.content import source
from penstock.project.openmetadata.workflow import Workflow

_KINDS = {"sink": "sink", "stage": "stage", "bulkSink": "bulksink"}
"""Key of a workflow → kind of step."""


def check(workflow: Workflow, workflow_type: str, holds: Mapping[str, Any]) -> Iterator[Problem]:
    """What the package does not have.

    Args:
        holds: what `export` wrote: `sources`, folder → what it reads besides metadata; `steps`, kind → names.
    """
    if holds.get("sources") and workflow_type not in source.WITHOUT:
        yield from _check_source(workflow, source.meant(workflow, workflow_type), holds["sources"])
    for key, kind in _KINDS.items():
        step = find(workflow.document.root, (key, "type"))
        known = holds.get("steps", {}).get(kind)
        if step is None or not known or not isinstance(step.value, str) or "${" in step.value:
            continue
        if step.value.replace("-", "_") not in known:
            names = [name.replace("_", "-") for name in known]
            yield Problem(
                f"there is no {key} {shown(step.value)}",
                nearest(step.value, names, kind=key),
                where=workflow.document.where(step),
            )


def _check_source(workflow: Workflow, does: str, sources: Mapping[str, list[str]]) -> Iterator[Problem]:
    found = source.source_type(workflow)
    if found is None or found[0].is_custom:
        return
    kind, node = found
    where = workflow.document.where(node)
    if kind.folder not in sources:
        yield Problem(f"there is no source of type {shown(kind.folder)}", _instead(kind.folder, sources), where=where)
    elif kind.ending and does == kind.ending and kind.ending not in sources[kind.folder]:
        yield Problem(
            f"there is no {kind.ending} of {shown(kind.folder)}: the package cannot read its query log",
            f"export its queries to a file, and write type: query-log-{kind.ending} with queryLogFilePath",
            where=where,
        )


def _instead(name: str, sources: Mapping[str, list[str]]) -> str:
    return nearest(name, sources, kind="source") + ", or one of a later version of OpenMetadata"
