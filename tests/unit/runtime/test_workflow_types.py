"""The table of OpenMetadata's workflow types, and the guide's copy of it."""

from __future__ import annotations

from pathlib import Path

from penstock.project.json_schema import json_schema
from penstock_runtime.workflow_types import TYPE_OF_CONFIG, WORKFLOW_TYPES

GUIDE = Path(__file__).parents[3] / "docs" / "migrate-from-the-openmetadata-documentation.md"


def test_guide_lists_every_workflow_type_as_the_table_has_it() -> None:
    """A new line in the table fails this test until the guide has it."""
    required = {True: "required", False: "optional"}
    rows = [
        f"| `{name}` | {', '.join(f'`{config_type}`' for config_type in row.config_types)} "
        f"| {required[row.needs_source]} | {required[row.needs_service]} |"
        for name, row in WORKFLOW_TYPES.items()
    ]

    section = GUIDE.read_text(encoding="utf-8").split("## Workflow types")[1].split("\n## ")[0]
    listed = [line for line in section.splitlines() if line.startswith("| `") and not line.startswith("| `type`")]

    assert listed == rows


def test_schema_offers_every_workflow_type() -> None:
    """An editor completes a task's `type` from the table."""
    assert json_schema()["$defs"]["OpenMetadataTask"]["properties"]["type"]["enum"] == list(WORKFLOW_TYPES)


def test_config_type_belongs_to_one_workflow_type() -> None:
    """Otherwise the message about a config of another type would depend on the order of the table."""
    config_types = [config_type for row in WORKFLOW_TYPES.values() for config_type in row.config_types]

    assert len(config_types) == len(set(config_types)) == len(TYPE_OF_CONFIG)
