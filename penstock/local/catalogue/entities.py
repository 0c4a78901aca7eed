"""How a create request becomes a full entity.

A request names its parent and other entities by fully qualified name; an entity holds references
(`{id, type, name, fullyQualifiedName}`). Which field of which kind refers to what is in `KINDS`.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.local.catalogue.store import Json, Store, now

SERVICES = (
    "api",
    "dashboard",
    "database",
    "messaging",
    "metadata",
    "mlmodel",
    "pipeline",
    "search",
    "storage",
)


class Refusal(Exception):
    """A request that cannot be answered; becomes an HTTP error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Kind:
    """One kind of entity. It is known by its path below `/api/v1/`, as `tables`."""

    type: str
    """The name in references: `table`."""
    parent: str | None = None
    """The field that names the parent, whose name comes before the entity's own."""
    refers: Mapping[str, str] = field(default_factory=dict)
    """Fields that name other entities, and the kind of these."""
    inherits: tuple[str, ...] = ()
    """Fields that are the parent's."""
    drops: tuple[str, ...] = ()
    """Fields that a request may have and an entity has not."""
    is_quoted: bool = False
    """Whether a name that is looked up is put in quotation marks first, where it holds a dot. A server does so for
    services, users, teams and classifications (its `EntityRepository`, `quoteFqn`), and for no other kind here."""


_DATABASE_SERVICE = {"service": "services/databaseServices"}
_ASSET = ("service", "serviceType")

KINDS: dict[str, Kind] = {
    **{f"services/{name}Services": Kind(f"{name}Service", is_quoted=True) for name in SERVICES},
    "services/ingestionPipelines": Kind("ingestionPipeline", "service"),
    "databases": Kind("database", "service", _DATABASE_SERVICE, ("serviceType",)),
    "databaseSchemas": Kind("databaseSchema", "database", {"database": "databases"}, _ASSET),
    "tables": Kind("table", "databaseSchema", {"databaseSchema": "databaseSchemas"}, ("database", *_ASSET)),
    "storedProcedures": Kind(
        "storedProcedure", "databaseSchema", {"databaseSchema": "databaseSchemas"}, ("database", *_ASSET)
    ),
    "queries": Kind("query", "service", _DATABASE_SERVICE, drops=("dialect", "users", "deleted")),
    "pipelines": Kind("pipeline", "service", {"service": "services/pipelineServices"}, ("serviceType",)),
    "classifications": Kind("classification", is_quoted=True),
    "tags": Kind("tag", "classification", {"classification": "classifications", "parent": "tags"}),
    "domains": Kind("domain"),
    "users": Kind("user", is_quoted=True),
    "teams": Kind("team", is_quoted=True),
    "dataQuality/testDefinitions": Kind("testDefinition"),
    "dataQuality/testSuites": Kind("testSuite", refers={"basicEntityReference": "tables"}),
    "dataQuality/testCases": Kind("testCase", refers={"testDefinition": "dataQuality/testDefinitions"}),
}
PATHS = {kind.type: path for path, kind in KINDS.items()}


def write(store: Store, path: str, request: Json) -> tuple[Json, bool]:
    """Create an entity, or bring a known one up to date: what the request leaves out stays.

    Returns:
        The entity, and whether it is new.

    Raises:
        Refusal: the request has no name, or names an entity that does not exist.
    """
    kind = KINDS[path]
    given = {key: value for key, value in request.items() if value is not None and key not in kind.drops}
    if path == "queries":
        # The package looks a query up by this hash.
        given["checksum"] = hashlib.md5(str(given.get("query")).encode(), usedforsecurity=False).hexdigest()
        given.setdefault("name", given["checksum"])
    if not isinstance(given.get("name"), str):
        raise Refusal(400, f"a {kind.type} needs a name")
    entity = {**given, **_references(store, kind, given)}
    entity["fullyQualifiedName"] = fqn = _complete(store, path, entity)
    old = store.find(path, fqn, deleted=True)
    if path == "tables":
        _complete_columns(fqn, entity.get("columns", []), old.get("columns", []) if old else [])
    if "deleted" not in kind.drops:
        entity["deleted"] = False
    entity = _version({**(old or {"id": str(uuid.uuid4())}), **entity}, old)
    store.put(path, entity)
    if path == "dataQuality/testSuites" and "basicEntityReference" in entity:
        table = existing(store, "tables", entity["basicEntityReference"]["fullyQualifiedName"])
        store.put("tables", {**table, "testSuite": reference(path, entity)})
    return entity, old is None


def save(store: Store, path: str, entity: Json) -> Json:
    """Write a changed entity with its next version."""
    old = store.find(path, entity["fullyQualifiedName"], deleted=True)
    entity = _version(entity, old)
    store.put(path, entity)
    return entity


def find(store: Store, path: str, fqn: str, *, deleted: bool = False) -> Json | None:
    """The entity that a request names, as `Store.find` has it."""
    return store.find(path, quote(fqn) if KINDS[path].is_quoted else fqn, deleted=deleted)


def existing(store: Store, path: str, fqn: str) -> Json:
    """The entity of that name.

    Raises:
        Refusal: 404, in the words of a real server.
    """
    found = find(store, path, fqn)
    if found is None:
        raise Refusal(404, f"{KINDS[path].type} instance for {fqn} not found")
    return found


def reference(path: str, entity: Json) -> Json:
    """How other entities refer to this one."""
    return {"type": KINDS[path].type, **{key: entity[key] for key in ("id", "name", "fullyQualifiedName")}}


def quote(name: str) -> str:
    """A name as a part of a fully qualified name: in quotation marks where it holds a dot or such a mark.

    One that is in marks already keeps them where it holds a dot, as on a real server: the package creates a pipeline
    with the last part of its full name, marks included.
    """
    if re.fullmatch('"[^"]+"', name):
        return name if "." in name else name[1:-1]
    return '"' + name.replace('"', '""') + '"' if re.search(r'[."]', name) else name


def target(entity_link: str) -> tuple[str, str]:
    """The table that `<#E::table::FQN::columns::NAME>` is about, and the full name of table or column.

    Raises:
        Refusal: it is not such a link.
    """
    match = re.fullmatch(r"<#E::table::(.+?)(?:::columns::(.+?))?>", entity_link)
    if match is None:
        raise Refusal(400, f"{entity_link!r} is not a link to a table or a column")
    table, column = match.groups()
    return table, f"{table}.{column}" if column else table


def _references(store: Store, kind: Kind, given: Json) -> Json:
    found: Json = {}
    for key, path in kind.refers.items():
        if isinstance(given.get(key), str):
            found[key] = reference(path, existing(store, path, given[key]))
    if isinstance(given.get("domains"), list):
        found["domains"] = [reference("domains", existing(store, "domains", name)) for name in given["domains"]]
    return found


def _complete(store: Store, path: str, entity: Json) -> str:
    """Fill in what follows from the parent or from the entity itself. Returns the fully qualified name."""
    kind = KINDS[path]
    if path == "dataQuality/testCases":
        table_name, entity["entityFQN"] = target(str(entity.get("entityLink")))
        table = existing(store, "tables", table_name)
        if "testSuite" not in entity:
            if "testSuite" not in table:
                # As a server does for the first test of a table.
                write(store, "dataQuality/testSuites", {"name": table_name, "basicEntityReference": table_name})
                table = existing(store, "tables", table_name)
            entity["testSuite"] = table["testSuite"]
        return f"{entity['entityFQN']}.{quote(entity['name'])}"
    if "basicEntityReference" in entity:
        entity["basic"] = True
        return f"{entity['basicEntityReference']['fullyQualifiedName']}.testSuite"
    if kind.parent is None:
        return quote(entity["name"])
    parent_field = "parent" if path == "tags" and "parent" in entity else kind.parent
    parent = store.find_id(str((entity.get(parent_field) or {}).get("id")))
    if parent is None:
        raise Refusal(400, f"a {kind.type} needs its {kind.parent}")
    entity[parent_field] = reference(*parent)
    entity.update({key: parent[1][key] for key in kind.inherits if key in parent[1]})
    return f"{parent[1]['fullyQualifiedName']}.{quote(entity['name'])}"


def _complete_columns(above: str, columns: list[Json], old: list[Json]) -> None:
    """Full names of columns and of the columns in them; what people or a profiler added to one stays."""
    known = {column["name"]: column for column in old}
    for column in columns:
        before = known.get(column["name"], {})
        column["fullyQualifiedName"] = f"{above}.{quote(column['name'])}"
        for key in ("description", "tags", "profile"):
            if not column.get(key) and key in before:
                column[key] = before[key]
        _complete_columns(column["fullyQualifiedName"], column.get("children") or [], before.get("children") or [])


_BOOKKEEPING = ("version", "updatedAt", "updatedBy")


def _version(entity: Json, old: Json | None) -> Json:
    """The entity with its version: 0.1 at first, 0.1 more with each change."""

    def content(one: Json) -> dict[str, Any]:
        return {key: value for key, value in one.items() if key not in _BOOKKEEPING}

    if old is not None and content(entity) == content(old):
        return old
    version = round(old["version"] + 0.1, 1) if old else 0.1
    return {**entity, "version": version, "updatedAt": now(), "updatedBy": "ingestion-bot"}
