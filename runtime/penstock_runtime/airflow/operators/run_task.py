"""What RunTask is asked for. Pure: a task of the plan and the deploy's resources in, plain data out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock_runtime import contract
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.schedule import FargateTask, TaskFile
from penstock_runtime.release.resources import Resources

if TYPE_CHECKING:
    from penstock_runtime.airflow.operators.airflow_run import AirflowRun

OVERRIDES_LIMIT = 8192
"""Most characters of JSON that RunTask takes as overrides (AWS, "RunTask")."""
DEFAULT_STORAGE_GIB = 20
"""What Fargate gives without being asked; asking for it is refused (21 is the least)."""


def overrides(task: FargateTask, resources: Resources, run: Mapping[str, str | int], deadline: int) -> dict[str, Any]:
    """Size and environment of one run, as RunTask's `overrides`. Nothing in it is secret.

    Args:
        run: which run this is: project, environment, schedule, job, task, dag_run, try.
        deadline: see `request`.

    Raises:
        PenstockError: RunTask would refuse them as too long.
    """
    described = _contract(task, resources, run) if task.runtime else {contract.RUN: _compact(dict(run))}
    environment = {**task.environment, **described, contract.DEADLINE: str(deadline)}
    container: dict[str, Any] = {
        "name": contract.CONTAINER_NAME,
        "environment": [{"name": name, "value": environment[name]} for name in sorted(environment)],
    }
    if not task.runtime:
        # For the image's own entry point, argument by argument: no shell sees it.
        container["command"] = list(task.command)
    request: dict[str, Any] = {
        "cpu": str(task.cpu_units),
        "memory": str(task.memory_mib),
        "containerOverrides": [container],
    }
    if task.ephemeral_storage_gib != DEFAULT_STORAGE_GIB:
        request["ephemeralStorage"] = {"sizeInGiB": task.ephemeral_storage_gib}
    length = len(json.dumps(request))
    if length > OVERRIDES_LIMIT:
        raise PenstockError(
            f"the overrides of task '{task.name}' have {length} characters; RunTask takes {OVERRIDES_LIMIT}",
            fix="give it fewer or shorter environment variables, or a shorter command",
        )
    return request


def request(
    task: FargateTask, resources: Resources, run: AirflowRun, facts: Mapping[str, str], deadline: int, *, attempt: int
) -> dict[str, Any]:
    """The whole call of RunTask but for where it runs (`placement`).

    Args:
        facts: what is known of the run at parse time: project, environment, schedule, job.
        deadline: when the operator stops the task, in whole seconds since 1970.
        attempt: within the try, from 1 on.

    Raises:
        PenstockError: RunTask would refuse the overrides as too long.
    """
    return {
        "cluster": resources.cluster,
        "taskDefinition": task.family,
        "clientToken": run.client_token(attempt),
        "startedBy": run.started_by,
        "count": 1,
        "overrides": overrides(task, resources, {**facts, "task": task.name, **run.facts}, deadline),
        "networkConfiguration": network(task, resources),
        # Project, environment and the user's tags, for the bill; and which Airflow run this is.
        "propagateTags": "TASK_DEFINITION",
        "tags": run.tags,
    }


def placement(*, spot: bool) -> dict[str, Any]:
    """RunTask's parameters for where a task runs: Fargate, or Fargate Spot; it takes one or the other."""
    if spot:
        return {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}
    return {"launchType": "FARGATE"}


def network(task: FargateTask, resources: Resources) -> dict[str, Any]:
    """RunTask's `networkConfiguration`: the task's own subnets, otherwise the deploy's; MWAA's where it runs there.

    Raises:
        PenstockError: it runs there, and the deploy has not said where that is.
    """
    if task.runs_beside == "airflow":
        if not resources.airflow_subnets:
            raise PenstockError(
                f"task '{task.name}' runs in MWAA's subnets, and resources.json names none",
                fix="deploy the project again with this version",
            )
        return {
            "awsvpcConfiguration": {
                "subnets": list(resources.airflow_subnets),
                "securityGroups": list(resources.airflow_security_groups),
                "assignPublicIp": "DISABLED",
            }
        }
    public = task.assign_public_ip if task.subnets else resources.assign_public_ip
    return {
        "awsvpcConfiguration": {
            "subnets": list(task.subnets or resources.subnets),
            "securityGroups": list(resources.security_groups),
            "assignPublicIp": "ENABLED" if public else "DISABLED",
        }
    }


def _contract(task: FargateTask, resources: Resources, run: Mapping[str, str | int]) -> dict[str, str]:
    environment = {
        contract.ENGINE: task.engine,
        contract.COMMAND: _compact(task.command),
        contract.TIMEOUT_SECONDS: str(task.timeout_minutes * 60),
        contract.NAMES: _compact(task.names),
        contract.RUN: _compact(dict(run)),
        contract.SIZE: _compact({"cpu_units": task.cpu_units, "memory_mib": task.memory_mib}),
    }
    if contract.AIRFLOW_URL_VARIABLE in task.names:
        environment[contract.AIRFLOW_URL_VARIABLE] = resources.airflow_url
    if "HOME" in task.environment:
        environment[contract.HOME] = ""
    if task.workflow_type is not None:
        environment[contract.WORKFLOW_TYPE] = task.workflow_type
    if demands := _demands(task):
        environment[contract.DEMANDS] = _compact(demands)
    if task.config is not None:
        environment[contract.CONFIG_URI] = f"s3://{resources.artifacts_bucket}/{contract.config_key(task.config)}"
        environment[contract.CONFIG_SHA256] = task.config
    if task.files:
        environment[contract.FILES] = _compact({file.path: _entry(file) for file in task.files})
        environment[contract.FILES_URI] = f"s3://{resources.artifacts_bucket}/{contract.FILES_PREFIX}"
    return environment


def _demands(task: FargateTask) -> dict[str, bool | int]:
    """As `penstock_runtime.container.engines.results` reads it."""
    asked: dict[str, bool | int | None] = {
        "fail_on_warnings": task.fail_on_warnings,
        "min_success_percent": task.min_success_percent,
    }
    return {name: value for name, value in asked.items() if value}


def _entry(file: TaskFile) -> dict[str, str | bool]:
    """As `penstock_runtime.container.files` reads it."""
    fields: dict[str, str | bool | None] = {"mode": file.mode, "sha256": file.sha256, "secret": file.secret}
    return {name: value for name, value in fields.items() if value is not None} | (
        {"base64": True} if file.base64 else {}
    )


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
