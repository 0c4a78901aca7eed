"""What the tasks of a plan call, seen from a network without internet: hosts that it does not reach, services of AWS
that it makes no endpoint for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from penstock.aws.endpoints import ENDPOINTS
from penstock.compile import endpoints
from penstock.problem import DocumentPath, Problem
from penstock.project.document.literals import scalars
from penstock.project.iam.permissions import Permission
from penstock.project.loaded import Project
from penstock.project.network.hosts import is_sealed, out_of_reach, unreachable_problem
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.settings import Settings
from penstock_runtime.contract import SERVER_VARIABLE
from penstock_runtime.fill import PLACEHOLDER


def unreachable_hosts(project: Project, settings: Settings, variables: Mapping[str, str]) -> Iterator[Problem]:
    """Hosts that tasks call and that the network does not reach.

    Seen are the catalogue's server and each `hostPort` of a workflow; one that is filled from a secret is not.
    """
    yield from _unreachable_server(project, settings, variables)
    for workflow in _workflows(project, settings):
        for key, node in scalars(workflow.document.root):
            if key == "hostPort" and isinstance(node.value, str):
                address = PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), node.value)
                if "${" not in address and (host := out_of_reach(address, settings.network)):
                    yield replace(unreachable_problem(host), where=workflow.document.where(node))


def _unreachable_server(project: Project, settings: Settings, variables: Mapping[str, str]) -> Iterator[Problem]:
    """The catalogue's server, where a workflow leaves it to the project and the network does not reach it; a value for
    its variable wins."""
    if settings.openmetadata is None or all(map(_names_server, _workflows(project, settings))):
        return
    server, place = settings.openmetadata.server or "", ("openmetadata", "server")
    if SERVER_VARIABLE in variables:
        server, place = variables[SERVER_VARIABLE], ("variables", SERVER_VARIABLE)
    if host := out_of_reach(server, settings.network):
        yield unreachable_problem(host).at(*place)


def _workflows(project: Project, settings: Settings) -> Iterator[Workflow]:
    for job in settings.jobs.values():
        for task in job.tasks:
            if task.openmetadata is not None:
                yield project.workflows[task.openmetadata.config]


def _names_server(workflow: Workflow) -> bool:
    value: Any = workflow.data
    for key in ("workflowConfig", "openMetadataServerConfig", "hostPort"):
        value = value.get(key) if isinstance(value, dict) else None
    return value is not None


def without_endpoint(settings: Settings, with_endpoint: Iterable[str]) -> Iterator[tuple[str, DocumentPath]]:
    """Services that tasks have permissions for and that have no endpoint: (text, where), each service once.

    Args:
        with_endpoint: the services that get one.
    """
    if not is_sealed(settings.network):
        return
    there = set(with_endpoint)
    left_out = settings.network.create.without_endpoints if settings.network.create else []
    seen: set[str] = set()
    for permissions, here in _permissions(settings):
        for index, permission in enumerate(permissions):
            for service in sorted({action.partition(":")[0] for action in permission.actions} - seen):
                seen.add(service)
                endpoint = ENDPOINTS.get(service, service)
                if endpoint is None or endpoint in there:
                    continue
                yield endpoints.no_endpoint("tasks", service, endpoint, left_out), (*here, index, "actions")


def _permissions(settings: Settings) -> Iterator[tuple[list[Permission], DocumentPath]]:
    if settings.meltano is not None:
        yield settings.meltano.permissions, ("meltano", "permissions")
    for name, job in settings.jobs.items():
        yield job.permissions, ("jobs", name, "permissions")
        for index, task in enumerate(job.tasks):
            yield task.permissions, ("jobs", name, "tasks", index, "permissions")
