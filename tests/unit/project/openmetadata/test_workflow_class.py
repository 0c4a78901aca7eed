"""Workflow types that the server's version has nothing for."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.project.load import load
from tests.unit.project_files import errors, write

TYPE = "type: metadata, config"
VERSION = "version: 1.12.14"
CONFIG = (
    "source:\n  type: {}\n  sourceConfig: {{config: {{type: {}}}}}\n"
    "processor: {{type: orm-profiler, config: {{}}}}\nsink: {{type: metadata-rest, config: {{}}}}\n"
)


@pytest.mark.parametrize(
    ("name", "config", "version"),
    [("dataInsight", "dataInsight", "1.4.8"), ("autoClassification", "AutoClassification", "1.6.13")],
)
def test_type_of_a_version_that_has_it(tmp_path: Path, name: str, config: str, version: str) -> None:
    """An old server may still need it."""
    text = CONFIG.format("postgres\n  serviceName: s", config)
    edits = ((TYPE, f"type: {name}, config"), (VERSION, f"version: {version}"))

    assert load(write(tmp_path, *edits, files={"warehouse.yaml": text})).notes == ()


@pytest.mark.parametrize(
    ("name", "config", "version", "what"),
    [
        ("dataInsight", "dataInsight", "1.5.15", "OpenMetadata 1.5.15 has nothing that runs workflow type dataInsight"),
        ("autoClassification", "AutoClassification", "1.5.15", "it came with OpenMetadata 1.6"),
        ("policyAgent", "PolicyAgent", "2.0.7", "OpenMetadata 2.0 has its settings"),
    ],
)
def test_type_of_a_version_that_has_it_not(tmp_path: Path, name: str, config: str, version: str, what: str) -> None:
    """At the task's type, with the reason and a way out."""
    text = CONFIG.format("postgres\n  serviceName: s", config)
    edits = ((TYPE, f"type: {name}, config"), (VERSION, f"version: {version}"))
    ((_, said, fix),) = errors(write(tmp_path, *edits, files={"warehouse.yaml": text}))

    assert what in said
    assert fix


def test_reindex_has_no_source(tmp_path: Path) -> None:
    """Its class is there, and no package has a source for it: only a connector of one's own can be one."""
    edit = (TYPE, "type: elasticSearchReindex, config")
    config = CONFIG.format("metadata_elasticsearch", "MetadataToElasticSearch")
    ((where, what, fix),) = errors(write(tmp_path / "stock", edit, files={"warehouse.yaml": config}))
    own = CONFIG.format("customMetadata", "MetadataToElasticSearch")

    assert where == "warehouse.yaml:2:9"
    assert "no ingestion package has a source for it" in what
    assert "Search Indexing" in fix
    assert load(write(tmp_path / "own", edit, files={"warehouse.yaml": own})).notes == ()


def test_config_of_a_type_that_nothing_runs(tmp_path: Path) -> None:
    """The fix does not lead to a type that would be refused next."""
    text = CONFIG.format("postgres\n  serviceName: s", "PolicyAgent")
    ((_, what, fix),) = errors(write(tmp_path, files={"warehouse.yaml": text}))

    assert "runs as workflow type policyAgent" in what
    assert "set type" not in fix
