"""The recording catalogue's answers, without HTTP: a request goes through the routes to a store."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from penstock.local.catalogue import routes
from penstock.local.catalogue.entities import Refusal
from tests.unit.local.recorded_shop import SHOP, Call, orders


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
    assert call("PUT", "tables", orders()) == shop
    call("PATCH", f"tables/{shop['id']}", [{"op": "add", "path": "/columns/0/description", "value": "key"}])

    changed = call("PUT", "tables", orders(description="Orders"))

    assert changed["id"] == shop["id"]
    assert changed["version"] == pytest.approx(shop["version"] + 0.2)
    assert changed["columns"][0]["description"] == "key"
    assert call("GET", "tables")["paging"]["total"] == 1


def test_a_name_with_a_dot_or_a_slash_is_found_again(call: Call, shop: dict[str, Any]) -> None:
    """The path holds the name percent-encoded; a dot in a name does not separate two parts."""
    table = call("PUT", "tables", orders(name="2013.01/raw"))

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
    rows = [orders(), {"name": "lost", "databaseSchema": "nowhere"}, orders(name="items")]

    result = call("PUT", "tables/bulk", rows)

    assert (result["numberOfRowsPassed"], result["numberOfRowsFailed"]) == (2, 1)
    assert result["status"] == "partialSuccess"
    assert result["failedRequest"][0]["request"]["name"] == "lost"


def test_lists_a_page_at_a_time(call: Call, shop: dict[str, Any]) -> None:
    """Every entity comes once; filters apply before the pages."""
    for number in range(4):
        call("PUT", "tables", orders(name=f"t{number}"))
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
    again = call("PUT", "tables", orders())

    assert (again["id"], again["deleted"]) == (shop["id"], False)
    call("DELETE", f"tables/{shop['id']}?hardDelete=true")
    with pytest.raises(Refusal):
        call("GET", f"tables/{shop['id']}")


def test_searches_as_lineage_does(call: Call, shop: dict[str, Any]) -> None:
    """Views of a service with a definition; tables by a pattern of their name."""
    call("PUT", "tables", orders(name="daily", tableType="View", schemaDefinition="create view daily"))
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
