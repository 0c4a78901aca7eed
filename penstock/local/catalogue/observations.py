"""Endpoints about what was seen of entities: runs, profiles, samples, test results, usage, lineage."""

from __future__ import annotations

import uuid
from typing import Any

from penstock.local.catalogue import entities, patch
from penstock.local.catalogue.entities import Refusal, existing, reference
from penstock.local.catalogue.handlers import Answer, Request
from penstock.local.catalogue.store import Json, Store

LINEAGE, LOG, PROFILE, RUN = "lineage", "log", "profile", "run"
SAMPLE, RESULT, USAGE = "sample", "result", "usage"
"""Kinds of attachment. The key of lineage is the other entity's id; of the others a time, a day or a run
id."""


def put_run(store: Store, request: Request) -> Answer:
    """The status of one run of an ingestion pipeline."""
    pipeline = existing(store, "services/ingestionPipelines", request.path["fqn"])
    run = request.document()
    store.attach(pipeline["id"], RUN, str(run.get("runId")), run)
    return Answer(run)


def get_run(store: Store, request: Request) -> Answer:
    """The status of one run; an empty answer if there is none yet, as from a real server."""
    pipeline = existing(store, "services/ingestionPipelines", request.path["fqn"])
    run = store.attached(pipeline["id"], RUN).get(request.path["run"])
    return Answer(run) if run else Answer(None, 204)


def get_runs(store: Store, request: Request) -> Answer:
    """All runs of an ingestion pipeline, between `startTs` and `endTs`."""
    pipeline = existing(store, "services/ingestionPipelines", request.path["fqn"])
    first, last = int(request.option("startTs", "0")), int(request.option("endTs", str(2**63)))
    runs = [run for run in store.attached(pipeline["id"], RUN).values() if first <= run.get("timestamp", 0) <= last]
    return Answer({"data": runs, "paging": {"total": len(runs)}})


def put_pipeline_status(store: Store, request: Request) -> Answer:
    """The state of one run of a pipeline of somebody's, Airflow's for example; the latest is part of the pipeline."""
    pipeline, status = existing(store, "pipelines", request.path["fqn"]), request.document()
    store.attach(pipeline["id"], RUN, str(status.get("timestamp")), status)
    return Answer(entities.save(store, "pipelines", {**pipeline, "pipelineStatus": status}))


def put_progress(store: Store, request: Request) -> Answer:
    """How far a run has come, or what its operations took: the latest, from 2.0 on."""
    pipeline = existing(store, "services/ingestionPipelines", request.path["fqn"])
    store.attach(pipeline["id"], request.path["what"], request.path["run"], request.body)
    return Answer(request.body)


def post_log(store: Store, request: Request) -> Answer:
    """A part of a run's log, which comes behind the parts that are there."""
    pipeline = existing(store, "services/ingestionPipelines", request.path["fqn"])
    run = request.path["run"]
    known = store.attached(pipeline["id"], LOG).get(run) or {"logs": ""}
    text = str(request.document().get("logs") or "")
    store.attach(pipeline["id"], LOG, run, {"runId": run, "logs": known["logs"] + text})
    return Answer(None)


def close_log(store: Store, request: Request) -> Answer:
    """The end of a run's log."""
    existing(store, "services/ingestionPipelines", request.path["fqn"])
    return Answer(None)


def get_log(store: Store, request: Request) -> Answer:
    """What has arrived of a run's log."""
    pipeline = existing(store, "services/ingestionPipelines", request.path["fqn"])
    return Answer(store.attached(pipeline["id"], LOG).get(request.path["run"]) or {"logs": ""})


def put_profile(store: Store, request: Request) -> Answer:
    """A profile of a table and of its columns; the latest is part of the table."""
    table, body = _table(store, request), request.document()
    profile = body.get("tableProfile") or {}
    store.attach(table["id"], PROFILE, str(profile.get("timestamp")), body)
    columns = {one["name"]: one for one in body.get("columnProfile") or []}
    for column in table.get("columns", []):
        if column["name"] in columns:
            column["profile"] = columns[column["name"]]
    return Answer(entities.save(store, "tables", {**table, "profile": profile}))


def put_sample(store: Store, request: Request) -> Answer:
    """Sample rows of a table."""
    table = _table(store, request)
    store.attach(table["id"], SAMPLE, "latest", request.document())
    return Answer({**table, "sampleData": request.document()})


def get_sample(store: Store, request: Request) -> Answer:
    """The table with its sample rows."""
    table = _table(store, request)
    sample = store.attached(table["id"], SAMPLE).get("latest")
    return Answer({**table, "sampleData": sample} if sample else table)


def put_field(store: Store, request: Request) -> Answer:
    """A part of a table that is written by itself: its dbt model, its joins, its profiler settings."""
    table = _table(store, request)
    return Answer(entities.save(store, "tables", {**table, request.path["field"]: request.body}))


def post_test_result(store: Store, request: Request) -> Answer:
    """The result of a test case; the latest is part of the test case."""
    case, result = existing(store, "dataQuality/testCases", request.path["fqn"]), request.document()
    result = {"id": str(uuid.uuid4()), "testCaseFQN": case["fullyQualifiedName"], **result}
    store.attach(case["id"], RESULT, str(result.get("timestamp")), result)
    status = result.get("testCaseStatus")
    entities.save(store, "dataQuality/testCases", {**case, "testCaseResult": result, "testCaseStatus": status})
    return Answer(result)


def put_query_use(store: Store, request: Request) -> Answer:
    """Where a query is used, by whom: added to what is known."""
    query = _by_id(store, "queries", request.path["id"])
    field = {"usage": "queryUsedIn", "usedBy": "usedBy"}[request.path["field"]]
    known: list[Any] = query.get(field, [])
    added = [one for one in request.items() if one not in known]
    return Answer(entities.save(store, "queries", {**query, field: known + added}))


def post_query_cost(store: Store, request: Request) -> Answer:
    """What a query cost on one day."""
    record = request.document()
    query = _by_id(store, "queries", str((record.get("queryReference") or {}).get("id")))
    store.attach(query["id"], "cost", str(record.get("timestamp")), record)
    return Answer({"id": str(uuid.uuid4()), **record}, 201)


def post_usage(store: Store, request: Request) -> Answer:
    """How often an entity was used on one day."""
    found = _any(store, request.path["type"], request.path["id"])
    body = request.document()
    store.attach(found["id"], USAGE, str(body["date"]), body)
    return Answer({"status": "Success"}, 201)


def post_usage_percentiles(store: Store, request: Request) -> Answer:
    """Rank the entities of a type by their use on one day, and write that into each as its usage summary."""
    day, path = request.path["date"], _path(request.path["type"])
    counts = {owner: int(use["count"]) for owner, use in store.attached_as(USAGE, day).items()}
    for owner, count in counts.items():
        found = store.find_id(owner)
        if found is not None and found[0] == path:
            rank = 100.0 * sum(other <= count for other in counts.values()) / len(counts)
            summary = {"dailyStats": {"count": count, "percentileRank": rank}, "date": day}
            entities.save(store, path, {**found[1], "usageSummary": summary})
    return Answer({"status": "Success"}, 201)


def put_lineage(store: Store, request: Request) -> Answer:
    """An edge from one entity to another."""
    edge = request.document().get("edge") or {}
    ends = [_any(store, edge[end]["type"], edge[end]["id"]) for end in ("fromEntity", "toEntity")]
    store.attach(ends[0]["id"], LINEAGE, ends[1]["id"], edge)
    return Answer({"status": "Success"})


def get_lineage_edge(store: Store, request: Request) -> Answer:
    """One edge, its details beside its ends."""
    edge = _edge(store, request)
    return Answer({"edge": {**edge, **(edge.get("lineageDetails") or {})}})


def patch_lineage_edge(store: Store, request: Request) -> Answer:
    """Change the details of an edge by JSON Patch."""
    edge = _edge(store, request)
    # The package adds to a list of columns that it takes for empty where there is none.
    details = patch.apply({"columnsLineage": []} | (edge.get("lineageDetails") or {}), request.items())
    store.attach(request.path["from"], LINEAGE, request.path["to"], {**edge, "lineageDetails": details})
    return Answer({"status": "Success"})


def delete_lineage_edge(store: Store, request: Request) -> Answer:
    """Delete one edge."""
    _edge(store, request)
    store.detach(request.path["from"], LINEAGE, request.path["to"])
    return Answer({"status": "Success"})


def delete_lineage_of_source(store: Store, request: Request) -> Answer:
    """Delete the edges to an entity that one kind of lineage found: `ViewLineage`, `QueryLineage`, …"""
    for origin, edge in store.attached_as(LINEAGE, request.path["id"]).items():
        if (edge.get("lineageDetails") or {}).get("source") == request.path["source"]:
            store.detach(origin, LINEAGE, request.path["id"])
    return Answer({"status": "Success"})


def get_lineage(store: Store, request: Request) -> Answer:
    """The edges that start or end at an entity: one step each way, whatever depth is asked for."""
    path = _path(request.path["type"])
    entity = (
        existing(store, path, request.path["fqn"]) if "fqn" in request.path else _by_id(store, path, request.path["id"])
    )
    down = list(store.attached(entity["id"], LINEAGE).values())
    up = list(store.attached_as(LINEAGE, entity["id"]).values())
    others = [store.find_id(edge["toEntity"]["id"]) for edge in down] + [
        store.find_id(edge["fromEntity"]["id"]) for edge in up
    ]
    return Answer(
        {
            "entity": reference(path, entity),
            "nodes": [reference(*other) for other in others if other is not None],
            "upstreamEdges": [_short(edge) for edge in up],
            "downstreamEdges": [_short(edge) for edge in down],
        }
    )


def _short(edge: Json) -> Json:
    ends = {end: edge[end]["id"] for end in ("fromEntity", "toEntity")}
    return {**ends, "lineageDetails": edge["lineageDetails"]} if edge.get("lineageDetails") else ends


def _edge(store: Store, request: Request) -> Json:
    edge: Json | None = store.attached(request.path["from"], LINEAGE).get(request.path["to"])
    if edge is None:
        raise Refusal(404, f"no lineage edge from {request.path['from']} to {request.path['to']}")
    return edge


def _table(store: Store, request: Request) -> Json:
    return _by_id(store, "tables", request.path["id"])


def _any(store: Store, type_name: str, id: str) -> Json:  # noqa: A002  the field's name in OpenMetadata
    return _by_id(store, _path(type_name), id)


def _by_id(store: Store, path: str, id: str) -> Json:  # noqa: A002
    found = store.find_id(id)
    if found is None or found[0] != path:
        raise Refusal(404, f"{entities.KINDS[path].type} instance for {id} not found")
    return found[1]


def _path(type_name: str) -> str:
    if type_name not in entities.PATHS:
        raise Refusal(404, f"the recording catalogue knows no entities of type {type_name}")
    return entities.PATHS[type_name]
