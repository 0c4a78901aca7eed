"""The recording catalogue's answers, without HTTP: a request goes through the routes to a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from penstock.local.catalogue import client, definitions, routes
from penstock.local.catalogue.entities import Refusal
from penstock.local.catalogue.handlers import Request
from penstock.local.catalogue.store import Store
from penstock_runtime.errors import InputError, PenstockError

Call = Callable[..., Any]
SHOP = "shop.sales.public"


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Send one request: method, path with query string, body. Returns the answer's body."""
    store = Store(tmp_path)
    with store.transaction():
        definitions.seed(store)

    def send(method: str, path: str, body: Any = None) -> Any:
        url = urlsplit(path)
        route = routes.find(method, url.path)
        assert route is not None, f"no route for {method} {path}"
        handler, parts = route
        with store.transaction():
            return handler(store, Request("1.12.14", parts, parse_qs(url.query), body)).body

    return send


@pytest.fixture
def shop(call: Call) -> dict[str, Any]:
    """A service, a database, a schema and the table `orders`, which is returned."""
    connection = {"config": {"type": "Postgres", "username": "loader"}}
    call("PUT", "services/databaseServices", {"name": "shop", "serviceType": "Postgres", "connection": connection})
    call("PUT", "databases", {"name": "sales", "service": "shop"})
    call("PUT", "databaseSchemas", {"name": "public", "database": "shop.sales"})
    table: dict[str, Any] = call("PUT", "tables", _orders())
    return table


def _orders(**more: Any) -> dict[str, Any]:
    columns = [
        {"name": "id", "dataType": "INT"},
        {"name": "place", "dataType": "STRUCT", "children": [{"name": "a.b"}]},
    ]
    return {"name": "orders", "databaseSchema": SHOP, "columns": columns, "tableType": "Regular", **more}


def test_a_table_knows_its_parents_and_its_columns_names(shop: dict[str, Any]) -> None:
    """Strings become references; what a table inherits comes from its schema; names are in full, quoted if need be."""
    assert shop["fullyQualifiedName"] == f"{SHOP}.orders"
    assert {key: shop[key]["type"] for key in ("databaseSchema", "database", "service")} == {
        "databaseSchema": "databaseSchema",
        "database": "database",
        "service": "databaseService",
    }
    assert shop["databaseSchema"]["name"] == "public"
    assert shop["serviceType"] == "Postgres"
    assert shop["columns"][0]["fullyQualifiedName"] == f"{SHOP}.orders.id"
    assert shop["columns"][1]["children"][0]["fullyQualifiedName"] == f'{SHOP}.orders.place."a.b"'


def test_a_second_write_updates(call: Call, shop: dict[str, Any]) -> None:
    """The id stays; the version grows with a change, and only then; what was added since stays."""
    assert call("PUT", "tables", _orders()) == shop
    call("PATCH", f"tables/{shop['id']}", [{"op": "add", "path": "/columns/0/description", "value": "key"}])

    changed = call("PUT", "tables", _orders(description="Orders"))

    assert changed["id"] == shop["id"]
    assert changed["version"] == pytest.approx(shop["version"] + 0.2)
    assert changed["columns"][0]["description"] == "key"
    assert call("GET", "tables")["paging"]["total"] == 1


def test_a_name_with_a_dot_or_a_slash_is_found_again(call: Call, shop: dict[str, Any]) -> None:
    """The path holds the name percent-encoded; a dot in a name does not separate two parts."""
    table = call("PUT", "tables", _orders(name="2013.01/raw"))

    assert table["fullyQualifiedName"] == f'{SHOP}."2013.01/raw"'
    assert call("GET", f"tables/name/{quote(table['fullyQualifiedName'], safe='')}")["id"] == table["id"]


@pytest.mark.parametrize("name", ["acme%wh.12", "a b.c"])
def test_a_service_with_a_dot_in_its_name_is_found_by_it(call: Call, name: str) -> None:
    """As on a server, which quotes the names of services itself, in a path, a request and a filter."""
    call("PUT", "services/databaseServices", {"name": name, "serviceType": "Postgres"})
    call("PUT", "databases", {"name": "sales", "service": name})

    assert call("GET", f"services/databaseServices/name/{quote(name, safe='')}")["fullyQualifiedName"] == f'"{name}"'
    (database,) = call("GET", f"databases?service={quote(name, safe='')}")["data"]
    assert database["fullyQualifiedName"] == f'"{name}".sales'
    with pytest.raises(Refusal, match="not found"):
        call("GET", f"databases/name/{quote(f'{name}.sales', safe='')}")


@pytest.mark.parametrize("kind", ["users", "teams", "classifications"])
def test_other_kinds_whose_names_are_quoted(call: Call, kind: str) -> None:
    """A first name with a dot is the usual one of a user."""
    call("PUT", kind, {"name": "jane.doe", "description": "x"})

    assert call("GET", f"{kind}/name/jane.doe")["name"] == "jane.doe"
    assert call("GET", f"{kind}/name/%22jane.doe%22")["name"] == "jane.doe"


def test_a_pipeline_keeps_the_marks_that_the_package_gives_it(call: Call, shop: dict[str, Any]) -> None:
    """The package takes the last part of the full name, marks included, for the name; both find it again."""
    service = call("GET", "services/databaseServices/name/shop")
    reference = {"id": service["id"], "type": "databaseService"}
    for name in ('"a.b-one"', '"a.b-two"'):
        pipeline = call("PUT", "services/ingestionPipelines", {"name": name, "service": reference})
        assert pipeline["fullyQualifiedName"] == f"shop.{name}"
        assert call("GET", f"services/ingestionPipelines/name/{quote(f'shop.{name}')}")["id"] == pipeline["id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "tables/name/shop.sales.public.nothing", None, 404),
        ("GET", "tables/00000000-0000-0000-0000-000000000000", None, 404),
        ("PUT", "tables", {"name": "orders", "databaseSchema": "shop.sales.nothing"}, 404),
        ("PUT", "tables", {"name": "orders"}, 400),
        ("PUT", "tables", {"databaseSchema": SHOP}, 400),
        ("PUT", "tables", [], 400),
        ("GET", "search/query?index=table_search_index&q=a+AND+b", None, 501),
        ("GET", "search/query?index=nothing_search_index&q=", None, 501),
        ("GET", 'search/query?index=table_search_index&query_filter={"query":{"fuzzy":{}}}', None, 501),
    ],
)
@pytest.mark.usefixtures("shop")
def test_refuses_what_it_does_not_have_or_understand(
    call: Call, method: str, path: str, body: Any, status: int
) -> None:
    """Never an empty success: an unknown parent is 404, a search that it cannot do is 501."""
    with pytest.raises(Refusal) as refused:
        call(method, path, body)

    assert refused.value.status == status


def test_has_no_route_for_what_it_does_not_know() -> None:
    """Neither an unknown kind of entity nor an unknown method finds a handler."""
    assert routes.find("GET", "dashboards") is None
    assert routes.find("DELETE", "system/version") is None


def test_one_bad_row_of_many_is_reported_and_stops_no_other(call: Call, shop: dict[str, Any]) -> None:
    """The result of a bulk write names the row that was refused."""
    rows = [_orders(), {"name": "lost", "databaseSchema": "nowhere"}, _orders(name="items")]

    result = call("PUT", "tables/bulk", rows)

    assert (result["numberOfRowsPassed"], result["numberOfRowsFailed"]) == (2, 1)
    assert result["status"] == "partialSuccess"
    assert result["failedRequest"][0]["request"]["name"] == "lost"


def test_lists_a_page_at_a_time(call: Call, shop: dict[str, Any]) -> None:
    """Every entity comes once; filters apply before the pages."""
    for number in range(4):
        call("PUT", "tables", _orders(name=f"t{number}"))
    names, after = [], ""
    while True:
        page = call("GET", f"tables?limit=2&databaseSchema={SHOP}&after={after}")
        names += [one["name"] for one in page["data"]]
        if "after" not in page["paging"]:
            break
        after = page["paging"]["after"]

    assert names == ["orders", "t0", "t1", "t2", "t3"]
    assert call("GET", "tables?database=other")["data"] == []


def test_a_deleted_entity_is_hidden_with_all_below_it_until_it_is_written_again(
    call: Call, shop: dict[str, Any]
) -> None:
    """Soft delete by default, as a real server does; `hardDelete` is for good."""
    schema = call("GET", f"databaseSchemas/name/{SHOP}")
    call("DELETE", f"databaseSchemas/{schema['id']}?recursive=true")
    with pytest.raises(Refusal):
        call("GET", f"tables/name/{SHOP}.orders")
    assert call("GET", f"tables/name/{SHOP}.orders?include=all")["deleted"] is True

    call("PUT", "databaseSchemas", {"name": "public", "database": "shop.sales"})
    again = call("PUT", "tables", _orders())

    assert (again["id"], again["deleted"]) == (shop["id"], False)
    call("DELETE", f"tables/{shop['id']}?hardDelete=true")
    with pytest.raises(Refusal):
        call("GET", f"tables/{shop['id']}")


def test_searches_as_lineage_does(call: Call, shop: dict[str, Any]) -> None:
    """Views of a service with a definition; tables by a pattern of their name."""
    call("PUT", "tables", _orders(name="daily", tableType="View", schemaDefinition="create view daily"))
    view = '{"query":{"bool":{"must":[{"term":{"service.name.keyword":"shop"}},{"bool":{"should":[{"term":{"tableType":"View"}}]}},{"exists":{"field":"schemaDefinition"}}],"must_not":{"exists":{"field":"processedLineage"}}}}}'  # noqa: E501

    hits = call("GET", f"search/query?q=&index=table_search_index&sort_order=desc&query_filter={quote(view)}")["hits"]
    last = hits["hits"][-1]["sort"][0]
    more = call("GET", f"search/query?q=&index=table_search_index&sort_order=desc&search_after={last}")["hits"]
    named = call(
        "GET", "search/fieldQuery?fieldName=fullyQualifiedName&fieldValue=*.PUBLIC.ord*&index=table_search_index"
    )

    assert [hit["_source"]["name"] for hit in hits["hits"]] == ["daily"]
    assert more["hits"] == []
    assert [hit["_source"]["name"] for hit in named["hits"]["hits"]] == ["orders"]


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
    daily = call("PUT", "tables", _orders(name="daily"))
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
    items = call("PUT", "tables", _orders(name="items"))
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
    copy = call("PUT", "tables", _orders() | {"name": "copy"})
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
