"""Collects the warnings of a plan, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from penstock.compile import endpoints, network, reach, warnings
from penstock.compile.airflow import AnyAirflow, options
from penstock.compile.inputs import Inputs
from penstock.project.openmetadata import checks
from penstock.project.rules import connections, memory, own_images
from penstock.versions import airflow as versions
from penstock.versions import openmetadata
from penstock_runtime.contract import SERVER_VARIABLE
from penstock_runtime.plan.network import Network
from penstock_runtime.plan.plan import Config
from penstock_runtime.plan.task_definition import TaskDefinition

ROLES_OF_AN_ACCOUNT = 1_000
"""AWS IAM User Guide, "IAM and AWS STS quotas": roles in an account, by default."""
ROLES_OF_OTHERS = 100
"""Left for the other roles in the account: fewer than these left, and the project gets a warning."""


def plan_warnings(
    inputs: Inputs,
    definitions: Sequence[TaskDefinition],
    planned_network: Network,
    airflow: AnyAirflow,
    unwatched: list[str],
    configs: Iterable[Config],
) -> Iterator[str]:
    """The warnings of a plan, with their places; `unwatched`: names of schedules whose success nothing reports."""
    catalogue = inputs.settings.openmetadata
    if inputs.airflow_version not in versions.AIRFLOW:
        known = ", ".join(versions.AIRFLOW)
        refused = "; one that MWAA does not offer fails at the deploy" if inputs.settings.airflow.create else ""
        yield inputs.warning(
            f"Airflow {inputs.airflow_version} is not in the table of {versions.CHECKED}: {known}{refused}",
            "airflow",
            inputs.settings.airflow.way,
            "version",
        )
    if catalogue and openmetadata.line(catalogue.version) not in openmetadata.OPENMETADATA_LINES:
        known = ", ".join(openmetadata.OPENMETADATA_LINES)
        yield inputs.warning(
            f"OpenMetadata {catalogue.version} was not tried; tried were {known}", "openmetadata", "version"
        )
    if 2 * len(definitions) > ROLES_OF_AN_ACCOUNT - ROLES_OF_OTHERS:
        yield inputs.warning(
            f"{len(definitions)} task definitions have {2 * len(definitions)} roles, and an account has room for "
            f"{ROLES_OF_AN_ACCOUNT} unless that quota is raised: let tasks share secrets and permissions",
            "jobs",
        )
    for text, place in chain(
        warnings.region_warnings(inputs.settings),
        network.warnings(inputs.settings),
        endpoints.missing_endpoint_warnings(inputs.settings, definitions, options(airflow)),
        endpoints.cross_region_secret_warnings(inputs.settings, definitions),
        endpoints.rest_api_warnings(inputs.settings, definitions),
        memory.warnings(inputs.settings),
        own_images.unmasked(inputs.settings),
        checks.warnings(inputs.settings.openmetadata, inputs.settings.variables),
        reach.without_endpoint(inputs.settings, planned_network.endpoints),
    ):
        yield inputs.warning(text, *place)
    yield from (inputs.project.place(text) for text in inputs.project.dag_folder.warnings)
    if unwatched:
        yield inputs.warning(own_images.unwatched(unwatched), "schedules")
    absent = inputs.project.missing_files(inputs.environment)
    # Once each: tasks share workflow files.
    uncertain = dict.fromkeys(
        f"{where}: {problem.what}: {problem.fix}" for problem, where in absent if not problem.certain
    )
    yield from (inputs.project.place(text) for text in uncertain)
    for text, where in connections.warnings(inputs.project.workflows, inputs.settings):
        yield f"{inputs.project.place(where)}: {text}"
    needed = any(f"${{{SERVER_VARIABLE}}}" in config.text for config in configs)
    if needed and SERVER_VARIABLE not in inputs.variables:
        yield inputs.warning(
            f"environment {inputs.name!r} names no OpenMetadata server: set openmetadata.server, "
            f"or give {SERVER_VARIABLE} a value; until then its workflows fail",
            "openmetadata",
        )
