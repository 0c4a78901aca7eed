"""OpenMetadata's workflow types, and the class of its package that runs each.

The desk checks a project by this table, and the container starts the workflow by it.
"""

from __future__ import annotations

WORKFLOW_CLASSES: dict[str, tuple[str, str]] = {
    "metadata": ("metadata", "MetadataWorkflow"),
    "lineage": ("metadata", "MetadataWorkflow"),
    "dbt": ("metadata", "MetadataWorkflow"),
    "elasticSearchReindex": ("metadata", "MetadataWorkflow"),
    "usage": ("usage", "UsageWorkflow"),
    "profiler": ("profiler", "ProfilerWorkflow"),
    "autoClassification": ("classification", "AutoClassificationWorkflow"),
    "TestSuite": ("data_quality", "TestSuiteWorkflow"),
    "application": ("application", "ApplicationWorkflow"),
}
"""Workflow type → module below `metadata.workflow`, and class. The same in the package's 1.6, 1.12 and 2.0, as the
image's main.py has it."""
