"""Connections that make sense in one place only, and not where a workflow of this project runs: in a Fargate task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock.problem import Problem
from penstock.project.document.document import at
from penstock.project.document.literals import scalars
from penstock.project.jobs.tasks import Task
from penstock.project.network.hosts import host_of
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.settings import Settings
from penstock_runtime.fill import PLACEHOLDER

_OWN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal"})  # noqa: S104  compared only
"""Names of the machine that a process runs on, and what Docker Desktop calls the machine below it."""
_AIRFLOW = ("source", "serviceConnection", "config")
_BACKEND_NEEDS = frozenset({"DB_HOST", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"})
"""Environment variables that say where the database of Airflow is to a package in which Airflow 3, or 2, is
installed: with one of them a Fargate task may have it after all."""


def check(workflow: Workflow, task: Task) -> Iterator[Problem]:
    """A connection to Airflow that only a process of that Airflow has."""
    root = workflow.document.root
    kind = at(root, (*_AIRFLOW, "connection", "type"))
    if kind.value != "Backend" or at(root, (*_AIRFLOW, "type")).value != "Airflow":
        return
    if not _BACKEND_NEEDS & {*task.env, *task.secrets}:
        yield Problem(
            "a Backend connection reads the database of the Airflow that it runs in, and a Fargate task runs in none",
            "read Airflow by its API, or its database by its address: connection: {type: RestAPI, …}, "
            "{type: Postgres, …} or {type: Mysql, …}",
            where=workflow.document.where(kind),
        )


def warnings(workflows: Mapping[str, Workflow], settings: Settings) -> Iterator[tuple[str, str]]:
    """Addresses of this machine: (text, file:line:column). In the embedded mode they are right, on AWS never.

    Seen are each `hostPort` of a workflow, as the project's own variables fill it.
    """
    seen = set()
    for job in settings.jobs.values():
        for task in job.tasks:
            if task.openmetadata is None or task.openmetadata.config in seen:
                continue
            seen.add(task.openmetadata.config)
            workflow = workflows[task.openmetadata.config]
            for key, node in scalars(workflow.document.root):
                if key == "hostPort" and isinstance(node.value, str):
                    host = own_host(node.value, settings.variables)
                    if host is not None:
                        yield _own_host_text(host), workflow.document.where(node)


def own_host(address: str, variables: Mapping[str, str]) -> str | None:
    """The host of an address, where it means the machine that asks."""
    host = host_of(PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), address))
    return host if host in _OWN_HOSTS else None


def _own_host_text(host: str) -> str:
    return f"{host!r} is the Fargate task itself, where nothing listens: write the name that others know the host by"
