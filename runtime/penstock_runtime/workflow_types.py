"""OpenMetadata's workflow types, one line each: all that Penstock knows about a type.

`penstock validate`, the JSON Schema and the guide's list of types read this table, and the container starts the
workflow by it. Compared with the ingestion package's 1.4 to 1.13 and 2.0 on 2026-11-30; the upstream image's main.py
has the same classes for the types that it knows.
"""

from __future__ import annotations

from typing import NamedTuple


class WorkflowType(NamedTuple):
    """What runs a workflow of a type, and what its config must have."""

    module: str
    """Below `metadata.workflow` in the ingestion package; empty: no package has one."""
    class_name: str
    config_types: tuple[str, ...]
    """The values of `source.sourceConfig.config.type` that are for this type. The package's `ReverseIngestion` is for
    what the server runs itself."""
    needs_source: bool = True
    """Whether its config must have `source`, with a `type`."""
    needs_service: bool = True
    """Whether that source must name its service (`serviceName`)."""
    since: tuple[int, int] = (0, 0)
    """The first release line whose package has the class."""
    before: tuple[int, int] | None = None
    """The first one whose package has it no longer; None: the newest has it."""
    why: str = ""
    """Why others do not have it."""
    instead: str = ""
    """What to do there."""
    own_source: bool = False
    """Whether the packages have the class and no source for it, so that only a custom connector can be one."""

    def missing(self, version: str) -> str | None:
        """Why the package of a server's version cannot run this type; None where it can.

        Args:
            version: as `1.12.14`. Any other text stands for the newest.
        """
        line = _line(version) or NEWEST
        if self.module and line >= self.since and (self.before is None or line < self.before):
            return None
        return self.why


NEWEST = (2, 0)
"""The newest release line that the table was compared with."""

_METADATA = tuple(f"{kind}Metadata" for kind in ("Api", "Dashboard", "Database", "Drive", "Mcp", "Messaging", "MlModel",
                                                 "Pipeline", "Search", "Storage"))  # fmt: skip

WORKFLOW_TYPES: dict[str, WorkflowType] = {
    "metadata": WorkflowType("metadata", "MetadataWorkflow", _METADATA),
    "lineage": WorkflowType("metadata", "MetadataWorkflow", ("DatabaseLineage",)),
    "dbt": WorkflowType("metadata", "MetadataWorkflow", ("DBT",)),
    "elasticSearchReindex": WorkflowType(
        "metadata",
        "MetadataWorkflow",
        ("MetadataToElasticSearch",),
        needs_service=False,
        why="no ingestion package has a source for it: the server fills its search index itself",
        instead="remove the task, and run the application Search Indexing in the server's settings; or name a custom "
        "connector of your own",
        own_source=True,
    ),
    "usage": WorkflowType("usage", "UsageWorkflow", ("DatabaseUsage",)),
    "profiler": WorkflowType("profiler", "ProfilerWorkflow", ("Profiler",)),
    "autoClassification": WorkflowType(
        "classification",
        "AutoClassificationWorkflow",
        ("AutoClassification",),
        since=(1, 6),
        why="it came with OpenMetadata 1.6",
        instead="set openmetadata.version to the server's, if that is newer; before 1.6 the profiler did this",
    ),
    "TestSuite": WorkflowType("data_quality", "TestSuiteWorkflow", ("TestSuite",), needs_service=False),
    "application": WorkflowType(
        "application", "ApplicationWorkflow", ("Application",), needs_source=False, needs_service=False
    ),
    "dataInsight": WorkflowType(
        "data_insight",
        "DataInsightWorkflow",
        ("dataInsight",),
        needs_service=False,
        before=(1, 5),
        why="it is in OpenMetadata's documentation and, from 1.5 on, in no package: the server does it itself",
        instead="remove the task, and run the application Data Insights in the server's settings",
    ),
    "policyAgent": WorkflowType(
        "",
        "",
        ("PolicyAgent",),
        why="OpenMetadata 2.0 has its settings, and no ingestion package has a workflow for it",
        instead="remove the task: the server's own governance workflows start it, where its distribution has it",
    ),
}
"""By OpenMetadata's name of the type (`pipelineType`)."""

TYPE_OF_CONFIG: dict[str, str] = {
    config_type: name for name, row in WORKFLOW_TYPES.items() for config_type in row.config_types
}
"""`source.sourceConfig.config.type` → the workflow type that it is for."""


def same_class(name: str, other: str) -> bool:
    """Whether one class of the package runs both types."""
    return WORKFLOW_TYPES[name][:2] == WORKFLOW_TYPES[other][:2]


def _line(version: str) -> tuple[int, int] | None:
    parts = version.split(".")
    if len(parts) < 2 or not all(part.isascii() and part.isdigit() for part in parts[:2]):
        return None
    return int(parts[0]), int(parts[1])
