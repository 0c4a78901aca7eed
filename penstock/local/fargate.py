"""What the embedded ECS ran: the Fargate tasks of DAG runs, with exit codes and logs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.local.aws import kept
from penstock.local.aws.endpoint import Endpoint
from penstock_runtime import contract
from penstock_runtime.plan.plan import Plan


@dataclass(frozen=True)
class FargateTask:
    """One run of one container."""

    arn: str
    dag_run: str
    task: str
    attempt: int
    status: str
    exit_code: int | None
    reason: str


def tasks(plan: Plan, endpoint: Endpoint) -> list[FargateTask]:
    """All Fargate tasks of the plan's cluster that the embedded ECS knows, the oldest first."""
    ecs: Any = endpoint.client("ecs")
    read = [_read(record) for record in sorted(described(ecs, plan.cluster), key=lambda record: record["createdAt"])]
    return [task for task in read if task]


def described(ecs: Any, cluster: str) -> list[dict[str, Any]]:
    """All tasks that ECS knows in a cluster, as DescribeTasks has them: each once, in no order."""
    # A task that stops between the two lists is in both.
    arns: dict[str, None] = {}
    for status in ("RUNNING", "STOPPED"):
        pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status)
        arns |= dict.fromkeys(arn for page in pages for arn in page["taskArns"])
    found: list[dict[str, Any]] = []
    for start in range(0, len(arns), 100):
        found += ecs.describe_tasks(cluster=cluster, tasks=list(arns)[start : start + 100])["tasks"]
    return found


def stop(plan: Plan, endpoint: Endpoint, dag_run: str, reason: str) -> None:
    """Stop what still runs of a DAG run."""
    for fargate_task in tasks(plan, endpoint):
        if fargate_task.dag_run == dag_run and fargate_task.status != "STOPPED":
            endpoint.client("ecs").stop_task(cluster=plan.cluster, task=fargate_task.arn, reason=reason)


def past_tasks(state: Path) -> list[FargateTask]:
    """All Fargate tasks that an embedded AWS ever ran, by its state folder, the oldest first; it need not be up."""
    read = [_read(record) for record in sorted(kept.records(state), key=lambda record: record["createdAt"])]
    return [task for task in read if task]


def past_log(state: Path, task: FargateTask) -> list[str]:
    """The whole log of a Fargate task, line by line, whether or not the embedded AWS is up."""
    return kept.log(state, task.arn)


def log(plan: Plan, endpoint: Endpoint, arn: str) -> list[str]:
    """The whole log of a Fargate task, line by line."""
    logs: Any = endpoint.client("logs")
    lines: list[str] = []
    token: dict[str, str] = {}
    while True:
        try:
            page = logs.get_log_events(
                logGroupName=plan.log_group,
                logStreamName=contract.log_stream(arn),
                startFromHead=True,
                **token,
            )
        except logs.exceptions.ResourceNotFoundException:
            return lines
        if not page["events"]:
            return lines
        lines += [event["message"] for event in page["events"]]
        token = {"nextToken": page["nextForwardToken"]}


def _read(task: dict[str, Any]) -> FargateTask | None:
    overrides = task.get("overrides", {}).get("containerOverrides", [])
    environ = {item["name"]: item["value"] for override in overrides for item in override.get("environment", [])}
    if contract.RUN not in environ:
        return None
    run = json.loads(environ[contract.RUN])
    container = task["containers"][0]
    return FargateTask(
        arn=task["taskArn"],
        dag_run=run["dag_run"],
        task=run["task"],
        attempt=int(run["try"]),
        status=task["lastStatus"],
        exit_code=container.get("exitCode"),
        reason=container.get("reason") or task.get("stoppedReason", ""),
    )
