"""Each workflow type with the real package, against a real database and the recording catalogue, which stands in for an
OpenMetadata server of the package's version.

`make test` runs them with OpenMetadata 1.12, `make versions` with each version that has a lock.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from penstock.local import postgres
from penstock.local.catalogue import client
from penstock.project.document.document import parse
from penstock.project.openmetadata import workflow
from penstock.project.openmetadata.model import Auth, OpenMetadata
from penstock.versions.openmetadata import OPENMETADATA_IMAGE, OPENMETADATA_LINES, RELEASES
from penstock_runtime import contract
from penstock_runtime.container.engines.results import Demands
from penstock_runtime.contract import Exit
from tests.functional import dbt_artifacts
from tests.functional.engines import PASSWORD, Done, Warehouse, archive, openmetadata, warehouse
from tests.functional.servers import recording_catalogue

__all__ = ["archive", "warehouse"]

FILES = Path(__file__).with_name("workflows")
TOKEN = "test-token"
LINES = OPENMETADATA_LINES if os.environ.get("PENSTOCK_VERSIONS") == "all" else ("1.12",)
METADATA_ONLY = ("1.6",)
"""Release lines of which only metadata is run."""
FLIGHTS = "warehouse.postgres.raw.flights"
STRICT = Demands(fail_on_warnings=True)

TABLES = (
    "CREATE SCHEMA raw",
    "CREATE SCHEMA mart",
    "CREATE TABLE raw.airlines (carrier text PRIMARY KEY, name text)",
    "CREATE TABLE raw.flights (id int PRIMARY KEY, carrier text, tailnum text, delay numeric)",
    "INSERT INTO raw.airlines VALUES ('AA', 'American'), ('UA', 'United')",
    # Every tenth has no aircraft.
    "INSERT INTO raw.flights SELECT n, CASE n % 2 WHEN 0 THEN 'AA' ELSE 'UA' END, "
    "CASE n % 10 WHEN 0 THEN NULL ELSE 'N' || n END, n % 60 FROM generate_series(1, 200) AS n",
    "CREATE TABLE mart.worst (carrier text, delay numeric)",
    "CREATE VIEW mart.delays AS SELECT carrier, avg(delay) AS delay FROM raw.flights GROUP BY carrier",
)
QUERY_LOG = (
    # The embedded PostgreSQL lacks the extension; the package reads no more of it than this.
    "CREATE TABLE pg_stat_statements (userid oid, dbid oid, query text, total_exec_time float8, calls bigint)",
    *(
        "INSERT INTO pg_stat_statements SELECT (SELECT usesysid FROM pg_user WHERE usename = 'postgres'), "
        f"(SELECT oid FROM pg_database WHERE datname = 'postgres'), '{query}', 1.5, 3"
        for query in (
            "INSERT INTO postgres.mart.worst (carrier, delay) SELECT carrier, delay FROM postgres.raw.flights",
            "SELECT f.id, a.name FROM postgres.raw.flights f JOIN postgres.raw.airlines a ON f.carrier = a.carrier",
        )
    ),
)


@dataclass
class System:
    """A warehouse with a few tables, and an empty catalogue of one version."""

    line: str
    archive: Path
    warehouse: Warehouse
    state: Path
    address: str
    folder: Path

    @property
    def version(self) -> str:
        """The server's."""
        return RELEASES[self.line].package.rpartition(".")[0]

    def run(self, kind: str, demands: Demands | None = None) -> Done:
        """Run the type's workflow file, completed as `penstock` does it."""
        settings = OpenMetadata(server=self.address, version=self.version, auth=Auth(jwt_token="${OM_JWT}"))
        document = parse((FILES / f"{kind}.yaml").read_text(), f"{kind}.yaml")
        read = workflow.Workflow(document, {}, {})
        data = workflow.completed(read, settings, server=settings.server, pipeline=kind)
        names = self.warehouse.environ | {"OM_JWT": TOKEN, "DBT_TARGET": str(self.folder / "target")}
        more = {contract.DEMANDS: demands.to_json()} if demands else {}
        image = f"{OPENMETADATA_IMAGE}:{self.version}"
        return openmetadata(self.archive, self.folder, data, names, kind, image=image, **more)

    def get(self, path: str) -> dict[str, Any]:
        """What the catalogue answers."""
        request = urllib.request.Request(f"{self.address}/v1/{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def table(self, name: str = FLIGHTS) -> dict[str, Any]:
        return self.get(f"tables/name/{name}")

    def states(self, kind: str, of: str = "warehouse") -> list[str]:
        """The states of the runs of a pipeline, as OpenMetadata would show them."""
        fqn = quote(f"{of}.{kind}")
        runs = self.get(f"services/ingestionPipelines/{fqn}/pipelineStatus?startTs=0&endTs={2**53}")["data"]
        return [run["pipelineState"] for run in runs]

    def sql(self, *statements: str) -> None:
        with psycopg.connect(postgres.conninfo(self.warehouse.port, PASSWORD)) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@pytest.fixture(scope="module", params=LINES)
def system(
    request: pytest.FixtureRequest, archive: Path, warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """With its metadata in the catalogue already."""
    folder = tmp_path_factory.mktemp("types")
    version = RELEASES[request.param].package.rpartition(".")[0]
    with recording_catalogue(folder, TOKEN, version) as (state, address):
        found = System(request.param, archive, warehouse, state, address, folder)
        found.sql("DROP SCHEMA IF EXISTS raw CASCADE", "DROP SCHEMA IF EXISTS mart CASCADE", *TABLES)
        found.sql("DROP TABLE IF EXISTS pg_stat_statements")
        dbt_artifacts.write(folder / "target")
        done = found.run("metadata", Demands(fail_on_warnings=True, min_success_percent=100))
        assert done.code == Exit.DONE, done.text
        yield found


@pytest.fixture
def whole(system: System) -> System:
    """A system of a version of which every type is run."""
    if system.line in METADATA_ONLY:
        pytest.skip(f"of OpenMetadata {system.line} only metadata is run")
    return system


def test_metadata(system: System) -> None:
    """Tables and views with their columns; the run is seen at the server; nothing that was asked had no answer."""
    tables = {entity.fqn: entity.columns for entity in client.entities(system.state, "table")}

    assert tables == {
        "warehouse.postgres.mart.delays": 2,
        "warehouse.postgres.mart.worst": 2,
        "warehouse.postgres.raw.airlines": 2,
        FLIGHTS: 4,
    }
    assert system.states("metadata") == ["success"]
    assert client.unanswered(system.state) == []


def test_usage(whole: System) -> None:
    """Without a query log upstream ends with 0; a task may demand more. With one, its queries are at their tables."""
    without = whole.run("usage", Demands(min_success_percent=1))
    seen = whole.states("usage")
    whole.sql(*QUERY_LOG)
    done = whole.run("usage", STRICT)

    assert without.code == Exit.FAILED
    assert "no query came out of the query log" in without.text
    assert 'relation "pg_stat_statements" does not exist' in without.text
    assert without.metric["Warnings"] == 2
    assert seen == ["failed"]
    assert (done.code, done.metric["Warnings"]) == (Exit.DONE, 0)
    assert whole.table()["usageSummary"]["dailyStats"]["count"] >= 2
    queries = whole.get("queries?limit=10")["data"]
    used = {one["id"] for query in queries for one in query.get("queryUsedIn", [])}
    assert used >= {whole.table()["id"], whole.table("warehouse.postgres.raw.airlines")["id"]}


def test_lineage(whole: System) -> None:
    """From the query log: where the worst delays come from, by column."""
    done = whole.run("lineage")

    assert done.code == Exit.DONE
    (edge,) = [
        one
        for one in whole.get("lineage/table/name/warehouse.postgres.mart.worst")["upstreamEdges"]
        if one["fromEntity"] == whole.table()["id"]
    ]
    columns = edge["lineageDetails"]["columnsLineage"]
    assert {column["toColumn"].rpartition(".")[2] for column in columns} == {"carrier", "delay"}


def test_profiler(whole: System) -> None:
    """Rows, and what each column holds."""
    done = whole.run("profiler", Demands(min_success_percent=100))

    table = whole.table()
    assert done.code == Exit.DONE
    assert table["profile"]["rowCount"] == 200
    assert {column["name"]: column["profile"]["nullCount"] for column in table["columns"]}["tailnum"] == 20


def test_data_tests(whole: System) -> None:
    """Upstream ends with 0 where one fails; a task that demands more fails, and names the test."""
    done = whole.run("TestSuite", STRICT)

    name = f"{FLIGHTS}.tailnum.each_has_an_aircraft"
    assert done.code == Exit.FAILED
    assert f"penstock: the workflow failed: fail_on_warnings: 1 of 3 data tests failed: {name}" in done.text
    assert (done.metric["Failures"], done.metric["Warnings"]) == (0, 1)
    cases = whole.get("dataQuality/testCases?limit=10")["data"]
    statuses = {case["name"]: case["testCaseStatus"] for case in cases}
    assert statuses == {"each_has_a_carrier": "Success", "enough_rows": "Success", "each_has_an_aircraft": "Failed"}


def test_auto_classification(whole: System) -> None:
    """Rows of each table are sampled. (Classification itself needs a language model, which the package downloads.)"""
    done = whole.run("autoClassification", STRICT)

    sample = whole.get(f"tables/{whole.table()['id']}/sampleData")["sampleData"]
    assert done.code == Exit.DONE
    assert sample["columns"] == ["id", "carrier", "tailnum", "delay"]
    assert len(sample["rows"]) >= 50


def test_dbt(whole: System) -> None:
    """A model's SQL and description at its table, where its data comes from, and its test with its result."""
    done = whole.run("dbt", STRICT)

    assert done.code == Exit.DONE
    model = whole.table("warehouse.postgres.mart.delays")
    assert model["dataModel"]["modelType"] == "DBT"
    assert model["dataModel"]["sql"] == dbt_artifacts.SQL
    assert model["description"] == dbt_artifacts.TOLD
    edges = whole.get("lineage/table/name/warehouse.postgres.mart.delays")["upstreamEdges"]
    assert whole.table()["id"] in {edge["fromEntity"] for edge in edges}
    case = whole.get(f"dataQuality/testCases/name/{model['fullyQualifiedName']}.carrier.not_null_delays_carrier")
    assert case["testCaseStatus"] == "Success"


def test_application(whole: System) -> None:
    """One without a source: the example that the package brings."""
    done = whole.run("application", STRICT)

    assert done.code == Exit.DONE
    assert "good morning" in done.text
    assert client.unanswered(whole.state) == []


def test_another_version_of_the_server(system: System, tmp_path: Path) -> None:
    """Before the package is imported: both versions, and what to change. The file may say to go on all the same."""
    with recording_catalogue(tmp_path, TOKEN, "1.9.17") as (state, address):
        other = System(system.line, system.archive, system.warehouse, state, address, tmp_path)
        done = other.run("metadata")

    assert done.code == Exit.FAILED
    assert f"penstock: the OpenMetadata server {address} has version 1.9.17" in done.text
    assert f"openmetadata-ingestion {RELEASES[system.line].package}" in done.text
    assert "fix: set openmetadata.version to 1.9.17 in penstock.yaml" in done.text
    assert done.metric["Duration"] < 10
    assert client.summary(state) == {}
