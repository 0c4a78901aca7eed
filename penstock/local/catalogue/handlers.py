"""Endpoints about entities: write, read, list, change, delete.

A handler gets the store and a request, within a transaction, and returns the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.local.catalogue import definitions, entities, patch, search
from penstock.local.catalogue.entities import KINDS, Refusal
from penstock.local.catalogue.store import Json, Store, now

REVISION = "penstock recording catalogue, not an OpenMetadata server"


@dataclass(frozen=True)
class Request:
    """One request whose path fits a route."""

    version: str
    """The OpenMetadata version that the catalogue says it is."""
    path: Mapping[str, str]
    """What the `{}` of the route's pattern stand for."""
    query: Mapping[str, list[str]]
    body: Any

    @property
    def kind(self) -> str:
        """The kind of entity that the path names: a key of `KINDS`."""
        return self.path["kind"]

    def option(self, name: str, default: str = "") -> str:
        """A parameter of the query string."""
        return self.query.get(name, [default])[0]

    def document(self) -> Json:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise Refusal(400, "the body must be a JSON object")
        return self.body

    def items(self) -> list[Any]:
        """The body, which must be a JSON list."""
        if not isinstance(self.body, list):
            raise Refusal(400, "the body must be a JSON list")
        return self.body


@dataclass(frozen=True)
class Answer:
    """What goes back. `body` None: nothing."""

    body: Any
    status: int = 200


Handler = Callable[[Store, Request], Answer]


def version(store: Store, request: Request) -> Answer:
    """Who answers."""
    return Answer({"version": request.version, "revision": REVISION, "timestamp": now()})


def put(store: Store, request: Request) -> Answer:
    """Create an entity or bring it up to date."""
    entity, new = entities.write(store, request.kind, request.document())
    return Answer(entity, 201 if new else 200)


def put_executable_suite(store: Store, request: Request) -> Answer:
    """The test suite of one table. Newer versions of the package say `basic` for `executable`."""
    document = request.document()
    if "basicEntityReference" not in document and "executableEntityReference" in document:
        document = {**document, "basicEntityReference": document["executableEntityReference"]}
    entity, new = entities.write(store, "dataQuality/testSuites", document)
    return Answer(entity, 201 if new else 200)


def put_bulk(store: Store, request: Request) -> Answer:
    """Create many; one that is refused does not stop the others."""
    passed: list[Json] = []
    failed: list[Json] = []
    for item in request.items():
        try:
            entity, _ = entities.write(store, request.kind, item)
            passed.append({"request": entity["fullyQualifiedName"], "status": 200})
        except Refusal as refusal:
            failed.append({"request": item, "status": refusal.status, "message": refusal.message})
    return Answer(
        {
            "dryRun": False,
            "status": "failure" if failed and not passed else "partialSuccess" if failed else "success",
            "numberOfRowsProcessed": len(passed) + len(failed),
            "numberOfRowsPassed": len(passed),
            "numberOfRowsFailed": len(failed),
            "successRequest": passed,
            "failedRequest": failed,
        }
    )


def get_by_name(store: Store, request: Request) -> Answer:
    """One entity; `include=all` finds it also when it is marked deleted."""
    deleted = request.option("include") in ("all", "deleted")
    found = entities.find(store, request.kind, request.path["fqn"], deleted=deleted)
    if found is None:
        raise Refusal(404, f"{KINDS[request.kind].type} instance for {request.path['fqn']} not found")
    return Answer(found)


def get_by_id(store: Store, request: Request) -> Answer:
    """One entity."""
    return Answer(_by_id(store, request))


def get_list(store: Store, request: Request) -> Answer:
    """A page of entities, by name. `after` is the last name of the page before."""
    limit = int(request.option("limit", "10"))
    page: list[Json] = []
    more = False
    for entity in store.select(request.kind, lambda one: _chosen(one, request), after=request.option("after")):
        more = len(page) == limit
        if more:
            break
        page.append(entity)
    paging: Json = {"total": sum(_chosen(one, request) for one in store.all(request.kind))}
    if more:
        paging["after"] = page[-1]["fullyQualifiedName"]
    return Answer({"data": page, "paging": paging})


def patch_by_id(store: Store, request: Request) -> Answer:
    """Change an entity by JSON Patch."""
    changed = patch.apply(_by_id(store, request), request.items())
    return Answer(entities.save(store, request.kind, changed))


def patch_by_name(store: Store, request: Request) -> Answer:
    """Change an entity by JSON Patch."""
    found = entities.existing(store, request.kind, request.path["fqn"])
    return Answer(entities.save(store, request.kind, patch.apply(found, request.items())))


def delete(store: Store, request: Request) -> Answer:
    """Mark an entity and all below it deleted, or really delete it with `hardDelete=true`."""
    entity = _by_id(store, request)
    for path, one in [(request.kind, entity), *store.below(entity["fullyQualifiedName"])]:
        if request.option("hardDelete") == "true":
            store.forget(one)
        else:
            entities.save(store, path, {**one, "deleted": True})
    return Answer({**entity, "deleted": True})


def connection_test(store: Store, request: Request) -> Answer:
    """What to try on a connection before extracting from it."""
    return Answer(definitions.connection_test(request.path["fqn"]))


def profiler_settings(store: Store, request: Request) -> Answer:
    """The server-wide profiler settings: none, so that the workflow file decides."""
    return Answer({"config_type": "profilerConfiguration", "config_value": {"metricConfiguration": []}})


def entity_type(store: Store, request: Request) -> Answer:
    """A type and its custom properties: none."""
    name = request.path["name"]
    return Answer(
        {
            "id": "00000000-0000-0000-0000-000000000000",
            "name": name,
            "fullyQualifiedName": name,
            "category": "entity",
        }
        | {"description": name, "schema": "{}", "customProperties": []}
    )


def search_field(store: Store, request: Request) -> Answer:
    """Entities by one field."""
    return Answer(search.by_field(store, request.query))


def search_query(store: Store, request: Request) -> Answer:
    """Entities by a search query."""
    return Answer(search.by_query(store, request.query))


def greeting(version: str) -> str:
    """The page at `/`, for a person who opens the address in a browser."""
    return (
        "This is the recording catalogue of Penstock's embedded mode.\n"
        f"It answers the part of OpenMetadata {version}'s REST API that ingestion uses,\n"
        "and records what it is told. "
        "It is not an OpenMetadata server: no UI, no search engine.\n"
        "See what it holds with: penstock catalogue list\n"
    )


_PARENTS = ("service", "database", "databaseSchema")


def _chosen(entity: Json, request: Request) -> bool:
    """Whether an entity belongs to a list, by the filters in the request."""
    for name in _PARENTS:
        parent = request.option(name)
        if name == "service":
            parent = entities.quote(parent)
        if parent and not entity["fullyQualifiedName"].startswith(f"{parent}."):
            return False
    if (link := request.option("entityLink")) and entity.get("entityLink") != link:
        return False
    if (suite := request.option("testSuiteId")) and (entity.get("testSuite") or {}).get("id") != suite:
        return False
    used = request.option("entityId")
    return not used or any(one.get("id") == used for one in entity.get("queryUsedIn", []))


def _by_id(store: Store, request: Request) -> Json:
    found = store.find_id(request.path["id"])
    if found is None or found[0] != request.kind:
        raise Refusal(404, f"{KINDS[request.kind].type} instance for {request.path['id']} not found")
    return found[1]
