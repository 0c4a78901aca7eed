"""The search queries that the package sends to OpenMetadata's search engine, answered from the store.

Understood are `bool`, `term`, `terms`, `exists` and `wildcard` filters and the query string `field:pattern`;
anything else is refused, since a wrong answer to a search would silently lose lineage.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from typing import Any

from penstock.local.catalogue.entities import KINDS, Refusal
from penstock.local.catalogue.store import Json, Store


def _index(kind: str) -> str:
    """OpenMetadata's search index of an entity type: `databaseSchema` is in
    `database_schema_search_index`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower() + "_search_index"


_PATHS = {_index(kind.type): path for path, kind in KINDS.items()}


def by_field(store: Store, parameters: Mapping[str, list[str]]) -> Json:
    """`search/fieldQuery`: entities whose field matches a pattern with `*`."""
    name, pattern = _one(parameters, "fieldName"), _one(parameters, "fieldValue")
    path = _path(parameters)
    found = [entity for entity in store.all(path) if _like(entity, name, pattern)]
    return _result(path, found[int(_one(parameters, "from", "0")) :][: int(_one(parameters, "size", "10"))], "asc")


def by_query(store: Store, parameters: Mapping[str, list[str]]) -> Json:
    """`search/query`: entities that match a query string and a filter, a page at a time."""
    path = _path(parameters)
    found = list(store.all(path))
    text = _one(parameters, "q", "").strip()
    if text not in ("", "*"):
        match = re.fullmatch(r'([\w.]+):\s*"?([^"]+?)"?', text)
        if match is None:
            raise Refusal(501, f"the recording catalogue does not understand the search {text!r}")
        found = [entity for entity in found if _like(entity, match[1], match[2])]
    if "query_filter" in parameters:
        query = json.loads(_one(parameters, "query_filter")).get("query", {})
        found = [entity for entity in found if _accepts(query, entity)]
    order, size = _one(parameters, "sort_order", "asc"), int(_one(parameters, "size", "10"))
    if "search_after" in parameters:
        last = _one(parameters, "search_after")
        name = "fullyQualifiedName"
        found = [entity for entity in found if (entity[name] < last if order == "desc" else entity[name] > last)]
    return _result(path, found, order, size)


def _result(path: str, entities: list[Json], order: str, size: int | None = None) -> Json:
    entities = sorted(entities, key=lambda entity: str(entity["fullyQualifiedName"]), reverse=order == "desc")
    hits = [
        {
            "_index": _index(KINDS[path].type),
            "_id": entity["id"],
            "_score": 1.0,
            "_source": {**entity, "entityType": KINDS[path].type},
            "sort": [entity["fullyQualifiedName"]],
        }
        for entity in entities[:size]
    ]
    return {
        "took": 0,
        "timed_out": False,
        "hits": {"total": {"value": len(entities), "relation": "eq"}, "hits": hits},
    }


def _accepts(query: Json, entity: Json) -> bool:
    """Whether an entity passes a filter of the search engine's query language."""
    for verb, body in query.items():
        if verb == "bool":
            accepted = _accepts_bool(body, entity)
        elif verb == "exists":
            accepted = _field(entity, body["field"]) is not None
        elif verb == "terms":
            accepted = all(_field(entity, name) in wanted for name, wanted in body.items())
        elif verb == "term":
            accepted = all(_field(entity, name) == _plain(wanted) for name, wanted in body.items())
        elif verb == "wildcard":
            accepted = all(_like(entity, name, str(_plain(wanted))) for name, wanted in body.items())
        else:
            raise Refusal(501, f"the recording catalogue does not understand the search filter {verb!r}")
        if not accepted:
            return False
    return True


def _plain(wanted: Any) -> Any:
    """`{field: value}` may also be written `{field: {"value": value}}`."""
    return wanted["value"] if isinstance(wanted, dict) else wanted


def _accepts_bool(body: Json, entity: Json) -> bool:
    def clauses(name: str) -> list[Json]:
        value = body.get(name, [])
        return value if isinstance(value, list) else [value]

    if unknown := set(body) - {"must", "filter", "should", "must_not", "minimum_should_match"}:
        raise Refusal(501, f"the recording catalogue does not understand the search filter bool.{min(unknown)}")
    return (
        all(_accepts(clause, entity) for clause in clauses("must") + clauses("filter"))
        and not any(_accepts(clause, entity) for clause in clauses("must_not"))
        and (not clauses("should") or any(_accepts(clause, entity) for clause in clauses("should")))
    )


def _like(entity: Json, name: str, pattern: str) -> bool:
    value = _field(entity, name)
    plain = pattern.replace("\\", "").lower().replace("[", "[[]")
    return value is not None and fnmatch.fnmatchcase(str(value).lower(), plain)


def _field(entity: Json, name: str) -> Any:
    """The value at a dotted path; `.keyword` is the search engine's own ending."""
    value: Any = entity
    for part in name.removesuffix(".keyword").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _path(parameters: Mapping[str, list[str]]) -> str:
    index = _one(parameters, "index")
    if index not in _PATHS:
        raise Refusal(501, f"the recording catalogue has no search index {index!r}")
    return _PATHS[index]


def _one(parameters: Mapping[str, list[str]], name: str, default: str | None = None) -> str:
    if name in parameters:
        return parameters[name][0]
    if default is None:
        raise Refusal(400, f"the search needs the parameter {name}")
    return default
