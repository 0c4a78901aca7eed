"""What pip installs to run a project's workflows: the package of the server's version with the extras of the sources in
use, and what it needs besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.project.airflow.catalogue import REST_SINCE
from penstock.project.document.document import at
from penstock.project.environments import Environment
from penstock.project.openmetadata.workflow import Workflow
from penstock.versions import extras
from penstock.versions.ingestion_package import requirement
from penstock.versions.number import parse
from penstock.versions.openmetadata import PACKAGE, release
from penstock_runtime.errors import InputError


def requirements(environment: Environment, workflows: dict[str, Workflow]) -> list[str]:
    """The lines of a requirements.in for the workflows that the environment's jobs run, each comment before its line.

    Args:
        workflows: path as in the project file → workflow file.

    Raises:
        InputError: the project has no OpenMetadata server, whose version says what to install.
    """
    settings = environment.settings.openmetadata
    if settings is None or parse(settings.version) is None:
        raise InputError("the project names no OpenMetadata server", fix="add openmetadata: {server: …, version: …}")
    used: dict[str, str] = {}
    for job in environment.settings.jobs.values():
        for task in job.tasks:
            if task.openmetadata is not None:
                used[task.openmetadata.config] = task.openmetadata.type
    wanted = (extra for path, kind in used.items() for extra in needed(kind, workflows[path], settings.version))
    return lines(settings.version, wanted)


def needed(workflow_type: str, workflow: Workflow, version: str) -> Iterator[str]:
    """The extras that one workflow needs, some of them twice."""
    if extra := extras.OF_TYPE.get(workflow_type):
        yield extra
    for source_type in _sources(workflow):
        yield from extras.of_source(source_type, version)


def lines(version: str, wanted: Iterable[str]) -> list[str]:
    """The lines for a server's version with these extras."""
    found = [
        f"# For the OpenMetadata server {version}: the package has its three numbers, and one of its own.",
        requirement(version, wanted),
    ]
    for one in release(version).beside:
        found += [f"# {one.why}", one.requirement]
    return found


def image_lines(name: str) -> list[str]:
    """The lines of the lock that stands for the upstream image of a release line."""
    # Its source for Airflow imports Airflow, also where it reads a REST API.
    airflow = "airflow," if (parse(f"{name}.0") or ()) >= REST_SINCE else ""
    return [
        f"# What the stock images of OpenMetadata {name} hold, as far as the embedded mode needs it.",
        f"{PACKAGE}[{airflow}dbt,pii-processor,postgres]=={release(name).package}",
        *(text for one in release(name).beside for text in (f"# {one.why}", one.requirement)),
    ]


def _sources(workflow: Workflow) -> Iterator[str]:
    """The types of a workflow's source, and of the connections that its data tests name."""
    root = workflow.document.root
    for path in (("source", "type"), ("source", "serviceConnection", "config", "type")):
        value = at(root, path).value
        if isinstance(value, str):
            yield value
    config = at(root, ("source", "sourceConfig", "config")).plain()
    connections = config.get("serviceConnections") if isinstance(config, dict) else None
    for one in connections if isinstance(connections, list) else []:
        value = _at(one, "serviceConnection", "config", "type")
        if isinstance(value, str):
            yield value


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
