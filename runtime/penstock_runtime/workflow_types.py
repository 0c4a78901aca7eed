"""OpenMetadata's workflow types, one line each: all that Penstock knows about a type.

`penstock validate`, the JSON Schema and the guide's list of types read this table, and the container starts the
workflow by it. The same in the ingestion package's 1.6, 1.12 and 2.0, as the upstream image's main.py has it.
"""

from __future__ import annotations

from typing import NamedTuple


class WorkflowType(NamedTuple):
    """What runs a workflow of a type, and what its config must have."""

    module: str
    """Below `metadata.workflow` in the ingestion package."""
    class_name: str
    config_types: tuple[str, ...]
    """The values of `source.sourceConfig.config.type` that are for this type. The package's `dataInsight` and
    `ReverseIngestion` are for what the server runs itself."""
    needs_source: bool = True
    """Whether its config must have `source`, with a `type`."""
    needs_service: bool = True
    """Whether that source must name its service (`serviceName`)."""


_METADATA = tuple(f"{kind}Metadata" for kind in ("Api", "Dashboard", "Database", "Drive", "Messaging", "MlModel",
                                                 "Pipeline", "Search", "Storage"))  # fmt: skip

WORKFLOW_TYPES: dict[str, WorkflowType] = {
    "metadata": WorkflowType("metadata", "MetadataWorkflow", _METADATA),
    "lineage": WorkflowType("metadata", "MetadataWorkflow", ("DatabaseLineage",)),
    "dbt": WorkflowType("metadata", "MetadataWorkflow", ("DBT",)),
    "elasticSearchReindex": WorkflowType(
        "metadata", "MetadataWorkflow", ("MetadataToElasticSearch",), needs_service=False
    ),
    "usage": WorkflowType("usage", "UsageWorkflow", ("DatabaseUsage",)),
    "profiler": WorkflowType("profiler", "ProfilerWorkflow", ("Profiler",)),
    "autoClassification": WorkflowType("classification", "AutoClassificationWorkflow", ("AutoClassification",)),
    "TestSuite": WorkflowType("data_quality", "TestSuiteWorkflow", ("TestSuite",), needs_service=False),
    "application": WorkflowType(
        "application", "ApplicationWorkflow", ("Application",), needs_source=False, needs_service=False
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
