"""MWAA's own metadata in OpenMetadata: the key `airflow.catalogue`, and which way the versions leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import Field

from penstock.problem import Problem
from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern
from penstock.versions.number import parse

Way = Literal["rest", "database", "backend"]
WAYS: tuple[Way, ...] = get_args(Way)
REST_SINCE = (1, 12)
"""The first release of OpenMetadata whose Airflow connection knows MWAA's REST API: `RestAPI` with `mwaaConfig`
(openmetadata-ingestion 1.12.14; 1.6.13 has databases only)."""
IN_THE_WORKER = ("python", "virtualenv")
"""Operators that run a workflow in the process of an Airflow worker, where Airflow's own session is at hand."""
JOB = "airflow-catalogue"
"""The job that the option adds, and the name of its schedule."""
TASK = "metadata"
_SERVICE = worded_pattern(
    r"^[A-Za-z0-9][A-Za-z0-9_. -]*$", "the name of a service", "use letters, digits, `_`, `.`, `-` and spaces"
)
_ADDRESS = worded_pattern(
    r"^https://[A-Za-z0-9.-]+(:[0-9]+)?/?$",
    "the address of a web server",
    "write https:// and what `aws mwaa get-environment` shows as WebserverUrl",
)


class Catalogue(Strict):
    """How the environment's own DAGs come into OpenMetadata."""

    interval: str = "@daily"
    """When, as a schedule's `interval`. Default `@daily`."""
    discovery_interval: str = "@manual"
    """`way: database` only: when the DAG runs that finds the database, as a cron expression or preset, in UTC. Default
    `@manual`: by hand, at first and when the catalogue's task cannot log in any more."""
    paused: bool = True
    """Whether the DAG is paused when Airflow first sees it. Default true."""
    service: str | None = Field(None, pattern=_SERVICE, max_length=128)
    """What the pipeline service is called in OpenMetadata. Default: the MWAA environment's name."""
    url: str | None = Field(None, pattern=_ADDRESS, max_length=512)
    """Address of Airflow's page, which OpenMetadata links to. Default: that of the environment that Penstock creates;
    for one that exists it must be given."""
    way: Way | None = None
    """`rest`: the REST API, by MWAA's InvokeRestApi. `database`: Airflow 2's metadata database, whose address a DAG
    finds; it has lineage, and states of tasks whatever the length of a DAG's id. `backend`: from a worker of Airflow 2,
    by its own session. Default: the first that the versions allow."""


@dataclass(frozen=True)
class Choice:
    """A way, and why it is this one."""

    way: Way
    reason: str


def settings_of(value: bool | Catalogue) -> Catalogue | None:
    """What `airflow.catalogue` says; None: nothing is catalogued."""
    if isinstance(value, Catalogue):
        return value
    return Catalogue() if value else None


def choose(openmetadata: str, airflow: str, *, operator: str = "ecs", wanted: Way | None = None) -> Choice | Problem:
    """The way to MWAA's own metadata; a Problem where there is none.

    Args:
        openmetadata: version of the server.
        airflow: version of the environment.
        operator: what runs the workflow: `ecs`, or one of a worker (`IN_THE_WORKER`).
        wanted: the way that the project asks for; None: the best one.
    """
    ways = _ways(openmetadata, airflow, operator)
    if wanted is not None:
        answer = ways[wanted]
        return Choice(wanted, "the project says so") if answer is None else answer.at("airflow", "catalogue", "way")
    reasons: Mapping[Way, str] = {
        "rest": f"OpenMetadata {openmetadata} knows MWAA's REST API",
        "database": f"OpenMetadata {openmetadata} knows no REST API of Airflow, and Airflow {airflow} lets tasks see "
        "its database",
        "backend": f"OpenMetadata {openmetadata} knows no REST API of Airflow, and {operator} runs in Airflow's worker",
    }
    order: tuple[Way, ...] = ("rest", "backend", "database") if operator in IN_THE_WORKER else ("rest", "database")
    first = next((way for way in order if ways[way] is None), None)
    if first is not None:
        return Choice(first, reasons[first])
    refused = ways[order[-1]]
    assert refused is not None
    return refused.at("airflow", "catalogue")


def _ways(openmetadata: str, airflow: str, operator: str) -> dict[Way, Problem | None]:
    """What is in the way of each; None: nothing."""
    since = ".".join(str(part) for part in REST_SINCE)
    rest = None
    if (parse(openmetadata) or (0,)) < REST_SINCE:
        what = f"OpenMetadata {openmetadata} knows no REST API of Airflow; {since} and later do"
        rest = Problem(what, f"upgrade OpenMetadata to {since} or later, or leave out way")
    hidden = None
    if (parse(airflow) or (0,)) >= (3,):
        by_rest = "way: rest reads it by MWAA's REST API"
        advice = by_rest if rest is None else f"upgrade OpenMetadata to {since} or later: {by_rest}"
        hidden = Problem(f"Airflow {airflow} hides its metadata database from tasks", advice)
    return {"rest": rest, "database": hidden, "backend": hidden or _backend(operator)}


def _backend(operator: str) -> Problem | None:
    """The Backend connection uses the session of the Airflow that its process runs in."""
    if operator not in IN_THE_WORKER:
        what = "a Backend connection reads the database of the Airflow that it runs in, and a Fargate task runs in none"
        return Problem(what, "leave out way, or write way: database")
    return Problem(f"reading it by way of the operator {operator!r} is not in this version", "write way: database")
