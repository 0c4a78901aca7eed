"""Each workflow type with the real package, against a real database and the recording catalogue, which stands in for an
OpenMetadata server of the package's version.

`make test` runs them with OpenMetadata 1.12, `make versions` with each version that has a lock.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.local import images
from penstock.local.catalogue import client
from penstock.versions.openmetadata import OPENMETADATA_IMAGE, OPENMETADATA_LINES, RELEASES
from penstock_runtime.container.engines.results import Demands
from penstock_runtime.contract import Exit
from tests.functional import dbt_artifacts
from tests.functional.engines import Warehouse, archive, warehouse
from tests.functional.servers import recording_catalogue
from tests.functional.workflow_system import FLIGHTS, QUERY_LOG, TABLES, TOKEN, System

__all__ = ["archive", "warehouse"]

LINES = OPENMETADATA_LINES if os.environ.get("PENSTOCK_VERSIONS") == "all" else ("1.12",)
METADATA_ONLY = ("1.6",)
"""Release lines of which only metadata is run."""
STRICT = Demands(fail_on_warnings=True)


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
    whole.sql("DROP TABLE IF EXISTS pg_stat_statements")
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
    whole.sql(*QUERY_LOG)
    done = whole.run("lineage", Demands(min_success_percent=100))

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


PROVIDERS = ("basic", "azure", "google", "okta", "auth0", "aws-cognito", "custom-oidc", "ldap", "saml", "openmetadata")
SIGN_IN = """
import json, sys
from metadata.ingestion.ometa.ometa_api import OpenMetadata
from metadata.generated.schema.entity.services.connections.metadata.openMetadataConnection import OpenMetadataConnection
found = {}
for provider, settings in json.load(sys.stdin).items():
    client = OpenMetadata(OpenMetadataConnection.model_validate(settings))
    found[provider] = len(client.client.get("/services/databaseServices?limit=5")["data"])
print("FOUND " + json.dumps(found))
"""


def test_every_security_provider_signs_in(system: System) -> None:
    """The project's settings for a file that names a provider and nothing else: the package's own client is let in."""
    given = {provider: system.server({"authProvider": provider}) for provider in PROVIDERS}
    program = images.stock_environment(f"{OPENMETADATA_IMAGE}:{system.version}", print) / "bin" / "python"
    done = subprocess.run(
        [str(program), "-c", SIGN_IN], input=json.dumps(given), capture_output=True, text=True, timeout=300
    )

    (found,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")] or [done.stderr]
    assert json.loads(found.removeprefix("FOUND ")) == dict.fromkeys(PROVIDERS, 1)
