"""What the recording catalogue keeps about entities: profiles, lineage, usage, tests, runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from penstock.local.catalogue import client
from penstock.local.catalogue.entities import Refusal
from penstock_runtime.errors import InputError, PenstockError
from tests.unit.local.recorded_shop import SHOP, Call, orders


def test_a_profile_becomes_part_of_its_table(call: Call, shop: dict[str, Any], tmp_path: Path) -> None:
    """Table and columns show the latest one; the client counts its rows."""
    profile = {"timestamp": 1, "rowCount": 7.0, "columnCount": 2.0}
    column = {"name": "id", "timestamp": 1, "distinctCount": 7}

    call("PUT", f"tables/{shop['id']}/tableProfile", {"tableProfile": profile, "columnProfile": [column]})

    table = call("GET", f"tables/name/{SHOP}.orders")
    assert table["profile"] == profile
    assert table["columns"][0]["profile"] == column
    assert client.entities(tmp_path, "table")[0].rows == 7


def test_keeps_samples_models_and_joins_of_a_table(call: Call, shop: dict[str, Any]) -> None:
    """What dbt, auto-classification and usage add to a table."""
    path = f"tables/{shop['id']}"

    call("PUT", f"{path}/sampleData", {"columns": ["id"], "rows": [[1]]})
    call("PUT", f"{path}/dataModel", {"modelType": "DBT", "sql": "select 1"})

    assert call("GET", f"{path}/sampleData")["sampleData"]["rows"] == [[1]]
    assert call("GET", path)["dataModel"]["sql"] == "select 1"


def test_lineage_is_found_from_both_ends(call: Call, shop: dict[str, Any]) -> None:
    """An edge can be read, changed, and deleted by what found it."""
    daily = call("PUT", "tables", orders(name="daily"))
    ends = {"fromEntity": {"id": shop["id"], "type": "table"}, "toEntity": {"id": daily["id"], "type": "table"}}
    details = {"source": "ViewLineage", "columnsLineage": []}
    call("PUT", "lineage", {"edge": {**ends, "lineageDetails": details}})
    edge = f"lineage/getLineageEdge/{shop['id']}/{daily['id']}"

    call(
        "PATCH",
        f"lineage/table/{shop['id']}/table/{daily['id']}",
        [{"op": "add", "path": "/columnsLineage/0", "value": {"toColumn": "x"}}],
    )

    assert call("GET", edge)["edge"]["columnsLineage"] == [{"toColumn": "x"}]
    down = call("GET", f"lineage/table/{shop['id']}?upstreamDepth=1")
    up = call("GET", f"lineage/table/name/{SHOP}.daily")
    assert [node["name"] for node in down["nodes"] + up["nodes"]] == ["daily", "orders"]
    assert down["downstreamEdges"] == up["upstreamEdges"]
    call("DELETE", f"lineage/table/{daily['id']}/type/QueryLineage")
    assert call("GET", edge)
    call("DELETE", f"lineage/table/{daily['id']}/type/ViewLineage")
    with pytest.raises(Refusal):
        call("GET", edge)


def test_usage_is_ranked_by_day(call: Call, shop: dict[str, Any]) -> None:
    """The percentile of a table is the share of tables that were used no more than it."""
    items = call("PUT", "tables", orders(name="items"))
    for table, count in ((shop, 9), (items, 1)):
        call("POST", f"usage/table/{table['id']}", {"date": "2026-11-21", "count": count})

    call("POST", "usage/compute.percentile/table/2026-11-21")

    summaries = [call("GET", f"tables/{table['id']}")["usageSummary"]["dailyStats"] for table in (shop, items)]
    assert summaries == [{"count": 9, "percentileRank": 100.0}, {"count": 1, "percentileRank": 50.0}]


def test_a_query_is_one_entity_however_often_it_ran(call: Call, shop: dict[str, Any]) -> None:
    """It is named by its text; where it is used is added up, and found by the table."""
    text = {"query": "select 1", "service": "shop", "dialect": "postgres", "users": []}
    query = call("PUT", "queries", text)
    call("PUT", "queries", text)
    for _ in range(2):
        call("PUT", f"queries/{query['id']}/usage", [{"id": shop["id"], "type": "table"}])

    queries = call("GET", f"queries?entityId={shop['id']}")["data"]

    assert [one["queryUsedIn"] for one in queries] == [[{"id": shop["id"], "type": "table"}]]
    # The models of the package refuse fields that they do not know.
    assert not {"dialect", "users", "deleted"} & set(queries[0])


def test_a_data_test_belongs_to_its_column_and_keeps_its_last_result(call: Call, shop: dict[str, Any]) -> None:
    """Suite, case and result as the test runner writes them, with a definition that is there from the start."""
    suite = call("PUT", "dataQuality/testSuites/executable", {"name": "s", "basicEntityReference": f"{SHOP}.orders"})
    case = call(
        "PUT",
        "dataQuality/testCases",
        {
            "name": "not_null",
            "entityLink": f"<#E::table::{SHOP}.orders::columns::id>",
            "testDefinition": "columnValuesToBeNotNull",
        },
    )
    result = {"timestamp": 5, "testCaseStatus": "Failed"}

    call("POST", f"dataQuality/testCases/testCaseResults/{quote(case['fullyQualifiedName'])}", result)

    assert case["fullyQualifiedName"] == f"{SHOP}.orders.id.not_null"
    assert case["testDefinition"]["type"] == "testDefinition"
    assert call("GET", f"tables/name/{SHOP}.orders")["testSuite"]["id"] == suite["id"]
    (kept,) = call("GET", f"dataQuality/testCases?testSuiteId={suite['id']}")["data"]
    assert kept["testCaseStatus"] == "Failed"


def test_keeps_the_runs_of_an_ingestion_pipeline(call: Call, shop: dict[str, Any]) -> None:
    """A run that is not known yet is empty, not an error: the package asks before it writes."""
    service = call("GET", "services/databaseServices/name/shop")
    reference = {"id": service["id"], "type": "databaseService"}
    call("PUT", "services/ingestionPipelines", {"name": "metadata", "service": reference})
    runs = "services/ingestionPipelines/shop.metadata/pipelineStatus"

    assert call("GET", f"{runs}/one") is None
    call("PUT", runs, {"runId": "one", "pipelineState": "running", "timestamp": 3})
    call("PUT", runs, {"runId": "one", "pipelineState": "success", "timestamp": 3})

    assert call("GET", f"{runs}/one")["pipelineState"] == "success"
    assert len(call("GET", f"{runs}?startTs=1&endTs=5")["data"]) == 1
    assert call("GET", f"{runs}?startTs=4")["data"] == []


def test_keeps_the_states_of_somebodys_pipeline(call: Call) -> None:
    """Airflow's, for example: each by its time; the latest is part of the pipeline."""
    call("PUT", "services/pipelineServices", {"name": "airflow", "serviceType": "Airflow"})
    call("PUT", "pipelines", {"name": "daily", "service": "airflow"})
    for state, moment in (("Failed", 1), ("Successful", 2)):
        call("PUT", "pipelines/airflow.daily/status", {"executionStatus": state, "timestamp": moment})

    assert call("GET", "pipelines/name/airflow.daily")["pipelineStatus"]["executionStatus"] == "Successful"


def test_keeps_the_log_of_a_run(call: Call, shop: dict[str, Any]) -> None:
    """Part behind part, as OpenMetadata 2.0 sends it."""
    service = call("GET", "services/databaseServices/name/shop")
    reference = {"id": service["id"], "type": "databaseService"}
    call("PUT", "services/ingestionPipelines", {"name": "metadata", "service": reference})
    log = "services/ingestionPipelines/logs/shop.metadata/one"

    assert call("GET", log)["logs"] == ""
    for part in ("a\n", "b\n"):
        call("POST", log, {"logs": part, "lineCount": 1})
    call("POST", f"{log}/close", {})
    assert call("GET", log)["logs"] == "a\nb\n"


@pytest.mark.usefixtures("shop")
def test_the_client_lists_what_was_recorded(tmp_path: Path) -> None:
    """Counts by kind; what ships with the catalogue is not counted, and no connection is shown."""
    assert client.summary(tmp_path) == {"databaseService": 1, "database": 1, "databaseSchema": 1, "table": 1}
    (table,) = client.entities(tmp_path, "table")
    assert (table.fqn, table.type, table.service, table.columns, table.rows) == (
        f"{SHOP}.orders",
        "Regular",
        "shop",
        2,
        None,
    )
    assert [one.kind for one in client.entities(tmp_path)] == ["databaseService", "database", "databaseSchema", "table"]
    with pytest.raises(InputError, match="'tables'"):
        client.entities(tmp_path, "tables")
    with pytest.raises(PenstockError, match="no recording catalogue"):
        client.summary(tmp_path / "nothing")


def test_lineage_by_name(call: Call, shop: dict[str, Any]) -> None:
    """As the package sends it from 2.0 on; and what it adds to a list of columns that is not there yet."""
    copy = call("PUT", "tables", orders() | {"name": "copy"})
    edge = f"table/name/{SHOP}.orders/table/name/{SHOP}.copy"
    call("PUT", f"lineage/{edge}", {"source": "QueryLineage"})
    columns = {"fromColumns": [f"{SHOP}.orders.id"], "toColumn": f"{SHOP}.copy.id"}
    call("PATCH", f"lineage/{edge}", [{"op": "add", "path": "/columnsLineage/0", "value": columns}])

    found = call("GET", f"lineage/getLineageEdge/{edge}")["edge"]
    assert (found["fromEntity"]["id"], found["toEntity"]["id"]) == (shop["id"], copy["id"])
    assert (found["source"], found["columnsLineage"]) == ("QueryLineage", [columns])
    assert call("GET", f"lineage/getLineageEdge/{shop['id']}/{copy['id']}")["edge"] == found


@pytest.mark.parametrize("edge", ["table/name/a.b/table/name/a.c", "pond/name/a/table/name/b"])
def test_lineage_of_what_is_not_there(call: Call, edge: str) -> None:
    """A real server says the same."""
    with pytest.raises(Refusal) as caught:
        call("PUT", f"lineage/{edge}", {})

    assert caught.value.status == 404


def test_first_test_of_a_table_makes_its_suite(call: Call, shop: dict[str, Any]) -> None:
    """dbt creates test cases without one."""
    case = {"name": "few", "entityLink": f"<#E::table::{SHOP}.orders>", "testDefinition": "tableRowCountToEqual"}
    first, second = (call("PUT", "dataQuality/testCases", case | {"name": name}) for name in ("few", "many"))
    suite = call("GET", f"dataQuality/testSuites/name/{SHOP}.orders.testSuite")

    assert first["testSuite"]["id"] == second["testSuite"]["id"] == suite["id"]
    assert call("GET", f"tables/{shop['id']}")["testSuite"]["id"] == suite["id"]


@pytest.mark.parametrize(("method", "what"), [("PUT", "progress"), ("POST", "metrics")])
def test_progress_of_a_run(call: Call, shop: dict[str, Any], method: str, what: str) -> None:
    """From 2.0 on: taken, where the pipeline is there."""
    path = f"services/ingestionPipelines/{what}/shop.daily/8baabf55-5634-5a35-99e2-b49e166a3663"
    with pytest.raises(Refusal):
        call(method, path, {"step": 1})
    service = {"id": shop["service"]["id"], "type": "databaseService"}
    call("PUT", "services/ingestionPipelines", {"name": "daily", "service": service})

    assert call(method, path, {"step": 1}) == {"step": 1}
