"""The table of OpenMetadata's workflow types, and the guide's copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.project.json_schema import json_schema
from penstock_runtime.workflow_types import TYPE_OF_CONFIG, WORKFLOW_TYPES, WorkflowType

GUIDE = Path(__file__).parents[3] / "docs" / "openmetadata.md"
OF_OPENMETADATA = {
    "metadata", "usage", "lineage", "profiler", "autoClassification", "TestSuite", "dataInsight",
    "elasticSearchReindex", "dbt", "application", "policyAgent",
}  # fmt: skip
"""`pipelineType` of OpenMetadata 2.0, read in its package."""


def _versions(row: WorkflowType) -> str:
    """Which releases run it, as the guide says it."""
    if not row.module:
        return "none"
    if row.before is not None:
        return f"before {'.'.join(map(str, row.before))}"
    return f"{'.'.join(map(str, row.since))} and later" if row.since != (0, 0) else "all"


def test_guide_lists_every_workflow_type_as_the_table_has_it() -> None:
    """A new line in the table fails this test until the guide has it."""
    required = {True: "required", False: "optional"}
    rows = [
        f"| `{name}` | {f'`{row.class_name}`' if row.class_name else 'none'} | {_versions(row)} "
        f"| {', '.join(f'`{config_type}`' for config_type in row.config_types)} "
        f"| {required[row.needs_source]} | {required[row.needs_service]} |"
        for name, row in WORKFLOW_TYPES.items()
    ]

    section = GUIDE.read_text(encoding="utf-8").split("## Workflow types")[1].split("\n## ")[0]
    listed = [line for line in section.splitlines() if line.startswith("| `") and not line.startswith("| `type`")]

    assert listed == rows


def test_every_type_of_openmetadata_is_known() -> None:
    """None is a misspelt word: each has a class, or a reason and what to do instead."""
    assert set(WORKFLOW_TYPES) == OF_OPENMETADATA
    assert all(row.instead for row in WORKFLOW_TYPES.values() if row.missing("2.0.7") or row.own_source)


@pytest.mark.parametrize(
    ("name", "version", "runs"),
    [
        ("autoClassification", "1.5.15", False),
        ("autoClassification", "1.6.0", True),
        ("autoClassification", "2.0.7", True),
        ("dataInsight", "1.4.8", True),
        ("dataInsight", "1.5.0", False),
        ("dataInsight", "1.12.14.2", False),
        ("dataInsight", "(version unknown)", False),
        ("policyAgent", "1.12.14", False),
        ("policyAgent", "2.0.7", False),
        ("profiler", "1.4.8", True),
        ("profiler", "", True),
    ],
)
def test_class_of_the_version(name: str, version: str, runs: bool) -> None:
    """Where the version has none, with the reason."""
    why = WORKFLOW_TYPES[name].missing(version)

    assert (why is None) is runs
    assert why is None or len(why) > 10


def test_schema_offers_every_workflow_type() -> None:
    """An editor completes a task's `type` from the table."""
    assert json_schema()["$defs"]["OpenMetadataTask"]["properties"]["type"]["enum"] == list(WORKFLOW_TYPES)


def test_config_type_belongs_to_one_workflow_type() -> None:
    """Otherwise the message about a config of another type would depend on the order of the table."""
    config_types = [config_type for row in WORKFLOW_TYPES.values() for config_type in row.config_types]

    assert len(config_types) == len(set(config_types)) == len(TYPE_OF_CONFIG)
