"""`pipelineRunId`, by which the server tells the runs of a pipeline apart."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.document.problems import shown
from penstock.project.openmetadata.workflow import Workflow
from penstock_runtime.fill import PLACEHOLDER

_FIX = "remove it: each run gets an id of its own"


def check(workflow: Workflow) -> Iterator[Problem]:
    """One that is not a UUID, and one that is the same for every run."""
    node = workflow.document.root.value.get("pipelineRunId")
    if node is None or node.value is None or isinstance(node.value, dict | list):
        return
    if isinstance(node.value, str) and PLACEHOLDER.search(node.value):
        return
    where = workflow.document.where(node)
    try:
        uuid.UUID(str(node.value))
    except ValueError:
        yield Problem(f"pipelineRunId must be a UUID, not {shown(node.value)}", _FIX, where=where)
        return
    what = "every run has the same pipelineRunId, and the server shows the last of them only"
    yield Problem(what, _FIX, where=where, is_error=False)
