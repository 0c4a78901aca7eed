"""`EcsRunTaskOperator` of the amazon provider: a task runs in the task definition that was deployed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from penstock.bundle.export.literals import Call, Code, string
from penstock.bundle.export.work import START_MINUTES, Parts, Source, environment, literally, minutes, operator
from penstock_runtime import contract
from penstock_runtime.airflow.operators import run_task
from penstock_runtime.plan.schedule import FargateTask

_RUN = {"task": "{{ ti.task_id | tojson }}", "dag_run": "{{ run_id | tojson }}", "try": "{{ ti.try_number }}"}
"""What of a run is only known then."""


def build(source: Source, task: FargateTask, parts: Parts) -> Call:
    """A task as a call of the operator."""
    resources = source.resources
    assert resources is not None, "the command has read them"
    parts.imports |= {
        "from datetime import timedelta",
        "from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator",
    }
    parts.constants |= {
        "REGION": resources.region,
        "CLUSTER": resources.cluster,
        "LOG_GROUP": resources.log_group,
        "NETWORK": run_task.network(replace(task, subnets=()), resources),
        "RUN": Code("\n    ".join(["(", *map(string, _run(source))]) + "\n)"),
    }
    parts.functions["overrides"] = _function(source)
    network: Any = Code("NETWORK")
    if task.subnets:
        network = run_task.network(task, resources)
    more: dict[str, Any] = {}
    if task.spot:
        more["capacity_provider_strategy"] = run_task.placement(spot=True)["capacityProviderStrategy"]
    else:
        more["launch_type"] = "FARGATE"
    if source.target.takes_container_name:
        more["container_name"] = contract.CONTAINER_NAME
    limit = minutes(task.timeout_minutes + START_MINUTES)
    return operator(
        "EcsRunTaskOperator",
        task,
        aws_conn_id=None,
        region_name=Code("REGION"),
        cluster=Code("CLUSTER"),
        task_definition=task.family,
        **more,
        network_configuration=network,
        overrides=_overrides(source, task, parts),
        propagate_tags="TASK_DEFINITION",
        reattach=task.reattach,
        awslogs_group=Code("LOG_GROUP"),
        awslogs_region=Code("REGION"),
        awslogs_stream_prefix=f"{contract.LOG_STREAM_PREFIX}/{contract.CONTAINER_NAME}",
        awslogs_fetch_interval=Code("timedelta(seconds=5)"),
        deferrable=False,
        execution_timeout=limit,
    )


def _overrides(source: Source, task: FargateTask, parts: Parts) -> Call:
    """RunTask's `overrides`: what the container's program needs to know of the task, RUN included."""
    resources = source.resources
    assert resources is not None
    asked = run_task.overrides(task, resources, {}, 0)
    (container,) = asked["containerOverrides"]
    known = {one["name"]: literally(one["value"]) for one in container["environment"]}
    known.pop(contract.DEADLINE)
    values: dict[str, Any] = {**known, **environment(source, task, parts), contract.RUN: Code("RUN")}
    more: dict[str, Any] = {"command": list(map(literally, container["command"]))} if "command" in container else {}
    if storage := asked.get("ephemeralStorage"):
        more["storage_gib"] = storage["sizeInGiB"]
    named = {"cpu": asked["cpu"], "memory": asked["memory"], "environment": dict(sorted(values.items())), **more}
    return Call("overrides", named)


def _function(source: Source) -> str:
    """The function `overrides` of the file, with no more arguments than the schedule's tasks need."""
    command = any(not task.runtime for task in source.tasks)
    storage = any(task.ephemeral_storage_gib != run_task.DEFAULT_STORAGE_GIB for task in source.tasks)
    arguments = ["cpu", "memory", "environment", *["command=None"] * command, *["storage_gib=None"] * storage]
    lines = [
        f"def overrides({', '.join(arguments)}):",
        '    """Size and environment of one run, as RunTask takes them."""',
        '    listed = [{"name": name, "value": value} for name, value in environment.items()]',
        f'    container = {{"name": "{contract.CONTAINER_NAME}", "environment": listed}}',
    ]
    if command:
        lines += ["    if command is not None:", '        container["command"] = command']
    asked = '{"cpu": cpu, "memory": memory, "containerOverrides": [container]}'
    if not storage:
        return "\n".join([*lines, f"    return {asked}", ""])
    lines += [f"    asked = {asked}", "    if storage_gib is not None:"]
    return "\n".join([*lines, '        asked["ephemeralStorage"] = {"sizeInGiB": storage_gib}', "    return asked", ""])


def _run(source: Source) -> list[str]:
    """PENSTOCK_RUN, by which metrics and messages name the run: JSON that is a template, in pieces."""
    plan, schedule = source.plan, source.schedule
    known = {"project": plan.project, "environment": plan.environment, "schedule": schedule.name, "job": schedule.job}
    parts = [f"{json.dumps(key)}: {literally(json.dumps(value))}" for key, value in known.items()]
    parts += [f"{json.dumps(key)}: {value}" for key, value in _RUN.items()]
    return [
        f"{'' if number else '{'}{part}{', ' if number < len(parts) - 1 else '}'}" for number, part in enumerate(parts)
    ]
