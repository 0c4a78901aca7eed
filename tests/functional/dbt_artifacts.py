"""What `dbt build` leaves in its target folder, for one model on one table with one test: written by hand.

By dbt's own schemas of the files (https://schemas.getdbt.com), as far as OpenMetadata reads them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATABASE = "postgres"
SQL = "SELECT carrier, avg(delay) AS delay FROM postgres.raw.flights GROUP BY carrier"
TOLD = "The average delay of each carrier, in minutes."


def write(folder: Path) -> Path:
    """The three files in a folder; returns it."""
    folder.mkdir()
    for name, content in (("manifest", _manifest()), ("catalog", _catalog()), ("run_results", _run_results())):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def _about(schema: str) -> dict[str, Any]:
    return {
        "dbt_schema_version": f"https://schemas.getdbt.com/dbt/{schema}.json",
        "dbt_version": "1.9.4",
        "generated_at": "2026-11-30T06:00:00.000000Z",
        "invocation_id": "6e2b1a52-7f4e-4b0b-9c0e-000000000000",
        "env": {},
    }


def _node(kind: str, name: str, schema: str, **more: Any) -> dict[str, Any]:
    return {
        "database": DATABASE,
        "schema": schema,
        "name": name,
        "resource_type": kind,
        "package_name": "flights",
        "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql",
        "unique_id": f"{kind}.flights.{name}",
        "fqn": ["flights", name],
        "alias": name,
        "checksum": {"name": "sha256", "checksum": "0" * 64},
        "relation_name": f'"{DATABASE}"."{schema}"."{name}"',
        "depends_on": {"macros": [], "nodes": []},
        "columns": {},
        **more,
    }


def _manifest() -> dict[str, Any]:
    source = "source.flights.raw.flights"
    model = _node(
        "model",
        "delays",
        "mart",
        description=TOLD,
        raw_code=SQL,
        compiled_code=SQL,
        compiled=True,
        language="sql",
        depends_on={"macros": [], "nodes": [source]},
        columns={"carrier": {"name": "carrier", "description": "IATA's code"}},
        config={"enabled": True, "materialized": "view"},
    )
    test = _node(
        "test",
        "not_null_delays_carrier",
        "mart",
        column_name="carrier",
        test_metadata={"name": "not_null", "kwargs": {"column_name": "carrier"}},
        depends_on={"macros": [], "nodes": [model["unique_id"]]},
        attached_node=model["unique_id"],
        config={"enabled": True, "severity": "ERROR"},
        compiled_code="SELECT 1",
    )
    of_source = _node(
        "source", "flights", "raw", source_name="raw", source_description="", loader="", identifier="flights"
    )
    of_source |= {"unique_id": source, "fqn": ["flights", "raw", "flights"]}
    nodes = {one["unique_id"]: one for one in (model, test)}
    parts = ("macros", "docs", "exposures", "metrics", "groups", "disabled", "selectors", "saved_queries")
    maps: dict[str, dict[str, Any]] = {
        "parent_map": {},
        "child_map": {},
        "group_map": {},
        "semantic_models": {},
        "unit_tests": {},
    }
    return {
        "metadata": _about("manifest/v12") | {"project_name": "flights", "adapter_type": "postgres"},
        "nodes": nodes,
        "sources": {source: of_source},
        **{part: {} for part in parts},
        **maps,
    }


def _catalog() -> dict[str, Any]:
    def table(unique_id: str, kind: str, schema: str, name: str, **columns: str) -> dict[str, Any]:
        about = {"type": kind, "schema": schema, "name": name, "database": DATABASE, "owner": None}
        listed = enumerate(columns.items(), 1)
        of = {column: {"type": type_, "index": index, "name": column} for index, (column, type_) in listed}
        return {unique_id: {"metadata": about, "columns": of, "stats": {}, "unique_id": unique_id}}

    nodes = table("model.flights.delays", "VIEW", "mart", "delays", carrier="text", delay="numeric")
    sources = table("source.flights.raw.flights", "BASE TABLE", "raw", "flights", id="integer", carrier="text")
    return {"metadata": _about("catalog/v1"), "nodes": nodes, "sources": sources}


def _run_results() -> dict[str, Any]:
    def result(unique_id: str, status: str) -> dict[str, Any]:
        timing = [
            {"name": name, "started_at": "2026-11-30T06:00:00.000000Z", "completed_at": "2026-11-30T06:00:01.000000Z"}
            for name in ("compile", "execute")
        ]
        return {
            "status": status,
            "timing": timing,
            "thread_id": "Thread-1",
            "execution_time": 1.0,
            "adapter_response": {},
            "message": "PASS 1",  # newer packages take a test without a message for one that was compiled only
            "failures": 0,
            "unique_id": unique_id,
            "compiled": True,
            "compiled_code": "SELECT 1",
            "relation_name": None,
        }

    results = [result("model.flights.delays", "success"), result("test.flights.not_null_delays_carrier", "pass")]
    return {"metadata": _about("run-results/v6"), "results": results, "elapsed_time": 1.0, "args": {}}
