"""What comes after the source. The parser takes a workflow without; its run ends in an AttributeError."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.document.document import at
from penstock.project.document.problems import shown
from penstock.project.openmetadata.workflow import Workflow

_SINK = {"sink": "{type: metadata-rest, config: {}}"}
_FILE = "config: {filename: /tmp/queries}}"
STEPS: dict[str, dict[str, str]] = {
    "metadata": _SINK,
    "lineage": _SINK,
    "dbt": _SINK,
    "elasticSearchReindex": _SINK,
    "usage": {
        "processor": "{type: query-parser, config: {}}",
        "stage": "{type: table-usage, " + _FILE,
        "bulkSink": "{type: metadata-usage, " + _FILE,
    },
    "profiler": {"processor": "{type: orm-profiler, config: {}}", **_SINK},
    "autoClassification": {"processor": "{type: orm-profiler, config: {}}", **_SINK},
    "TestSuite": {"processor": "{type: orm-test-runner, config: {}}", **_SINK},
}
"""Workflow type → the steps that its class reads, each with what to write for it. An application has none."""


def check(workflow: Workflow, workflow_type: str) -> Iterator[Problem]:
    """The steps of a workflow of this type."""
    document, root = workflow.document, workflow.document.root
    for name, example in STEPS.get(workflow_type, {}).items():
        step = root.value.get(name)
        fix = f"add {name}: {example}"
        if step is None or step.value is None:
            what = f"{document.name} has no `{name}`, which a workflow of type {workflow_type} needs"
            yield Problem(what, fix, where=document.where(step or root))
        elif not isinstance(step.value, dict):
            yield Problem(f"{name} is not a mapping", fix, where=document.where(step))
        elif not isinstance((kind := at(step, ("type",))).value, str):
            yield Problem(f"{name}.type is missing, or is not text", fix, where=document.where(kind))
    if workflow_type == "usage":
        yield from _check_folders(workflow)


def _check_folders(workflow: Workflow) -> Iterator[Problem]:
    """The stage writes queries into a folder, and the bulk sink reads its own: they must be the same."""
    stage, sink = (at(workflow.document.root, (name, "config", "filename")) for name in ("stage", "bulkSink"))
    if isinstance(stage.value, str) and isinstance(sink.value, str) and stage.value != sink.value:
        yield Problem(
            f"bulkSink reads {shown(sink.value)}, and stage writes to {shown(stage.value)}: no usage would arrive",
            "write the same filename in both",
            where=workflow.document.where(sink),
        )
