"""Lineage edges between entities that a request names in full, as the package does from 2.0 on."""

from __future__ import annotations

import dataclasses

from penstock.local.catalogue import observations
from penstock.local.catalogue.entities import PATHS, Refusal, existing
from penstock.local.catalogue.handlers import Answer, Request
from penstock.local.catalogue.store import Json, Store


def put(store: Store, request: Request) -> Answer:
    """An edge; the body is what is known of it."""
    ends = {f"{end}Entity": {"type": request.path[f"{end}_type"], "id": _id(store, request, end)} for end in ENDS}
    edge: Json = {"edge": {**ends, "lineageDetails": request.document()}}
    return observations.put_lineage(store, dataclasses.replace(request, body=edge))


def get(store: Store, request: Request) -> Answer:
    """One edge, its details beside its ends."""
    return observations.get_lineage_edge(store, _by_id(store, request))


def patch(store: Store, request: Request) -> Answer:
    """Change the details of an edge by JSON Patch."""
    return observations.patch_lineage_edge(store, _by_id(store, request))


ENDS = ("from", "to")


def _by_id(store: Store, request: Request) -> Request:
    return dataclasses.replace(request, path={**request.path, **{end: _id(store, request, end) for end in ENDS}})


def _id(store: Store, request: Request, end: str) -> str:
    kind = request.path[f"{end}_type"]
    if kind not in PATHS:
        raise Refusal(404, f"the recording catalogue knows no entities of type {kind}")
    return str(existing(store, PATHS[kind], request.path[f"{end}_fqn"])["id"])
