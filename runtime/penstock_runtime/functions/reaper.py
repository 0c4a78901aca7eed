"""Stops the Fargate tasks that have outlived their deadline: a Lambda function looks every five minutes.

Airflow's operator stops a task at its limit, and the runtime in the container ends it before that. Where the run is
lost in Airflow, with its worker or its whole environment, and the image holds nothing of ours, neither happens: such a
task would go on, and cost money, until it ends by itself.

It looks at the cluster, not at Airflow. It touches only tasks of its own project and environment, by what the operator
wrote into the overrides of RunTask, and only those whose deadline it can read there.

Besides the standard library it needs `contract` and `errors`, and Lambda's boto3.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from penstock_runtime import contract
from penstock_runtime.errors import PenstockError

EVERY_MINUTES = 5
GRACE_MINUTES = 10
"""From the deadline, at which the operator stops the task itself, to the reaper: for a worker that is slow, and a
container that takes its time to stop."""
METRIC = "ReapedTasks"
"""The number of tasks that it stopped, by project and environment."""
MOST_REPORTED = 100
"""Tasks named in one message. SNS takes 256 KiB."""
_STARTED_BY = "penstock/"
"""What the `startedBy` of the operator's tasks begins with."""
_EARLIER_START_MINUTES = 15
"""What the operator of earlier releases, which gave its tasks no deadline, added to their limit."""


@dataclass(frozen=True)
class Expired:
    """A Fargate task of this project and environment whose time is up."""

    arn: str
    started_by: str
    deadline: float
    """In seconds since 1970."""
    run: Mapping[str, Any]
    """Which run it is: project, environment, schedule, job, task, dag_run, try."""

    @property
    def reason(self) -> str:
        """For StopTask; ECS gives it back as `stoppedReason`, by which a diagnosis knows it."""
        return (
            f"{contract.REAPER_REASON}still running {GRACE_MINUTES} minutes after its deadline, {_iso(self.deadline)}; "
            "nothing of Airflow stopped it"
        )


def expired(tasks: Iterable[Mapping[str, Any]], now: float, *, of: Mapping[str, str]) -> list[Expired]:
    """The tasks to stop, the longest overdue first. Those of others, and those that cannot be read, are left out.

    Args:
        tasks: as DescribeTasks gives them.
        now: in seconds since 1970.
        of: project and environment.
    """
    found = [one for one in (_read(task, of) for task in tasks) if one is not None]
    late = [one for one in found if now > one.deadline + 60 * GRACE_MINUTES]
    return sorted(late, key=lambda one: (one.deadline, one.arn))


def _read(task: Mapping[str, Any], of: Mapping[str, str]) -> Expired | None:
    """One of ours, whether its time is up or not; None: it is another's, it is being stopped, or it has no deadline."""
    started_by = str(task.get("startedBy") or "")
    if not started_by.startswith(_STARTED_BY) or task.get("desiredStatus") == "STOPPED":
        return None
    environment = _environment(task)
    run = _run(environment.get(contract.RUN, ""))
    if (run.get("project"), run.get("environment")) != (of["Project"], of["Environment"]):
        return None
    deadline = _deadline(task, environment)
    return None if deadline is None else Expired(task["taskArn"], started_by, deadline, run)


def _environment(task: Mapping[str, Any]) -> dict[str, str]:
    """The variables that RunTask gave the container."""
    containers = (task.get("overrides") or {}).get("containerOverrides") or []
    return {
        one["name"]: one["value"]
        for container in containers
        if container.get("name") == contract.CONTAINER_NAME
        for one in container.get("environment") or []
    }


def _run(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _deadline(task: Mapping[str, Any], environment: Mapping[str, str]) -> float | None:
    """When the operator would have stopped it, in seconds since 1970; None: nothing says so.

    A task that an earlier release started has no deadline, but its runtime's own limit; one in an image without the
    runtime has neither.
    """
    if contract.DEADLINE in environment:
        return _seconds(environment[contract.DEADLINE])
    limit = _seconds(environment.get(contract.TIMEOUT_SECONDS, ""))
    since: datetime | None = task.get("startedAt") or task.get("createdAt")
    if limit is None or since is None:
        return None
    return since.timestamp() + limit + 60 * _EARLIER_START_MINUTES


def _seconds(text: str) -> int | None:
    """A whole number of seconds. At most eleven digits: no date has more before the year 5138."""
    return int(text) if re.fullmatch("[0-9]{1,11}", text) else None


def running(ecs: Any, cluster: str) -> list[Mapping[str, Any]]:
    """The tasks of a cluster that are to run, as DescribeTasks gives them; it takes a hundred, which is a page."""
    tasks: list[Mapping[str, Any]] = []
    for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus="RUNNING"):
        if page["taskArns"]:
            # A task that has ended meanwhile is among the answer's failures, which need nothing.
            tasks += ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]
    return tasks


def stop(ecs: Any, cluster: str, tasks: Iterable[Expired]) -> tuple[list[Expired], list[str]]:
    """Stop them; those that are stopped, and what was refused for the others."""
    from botocore.exceptions import BotoCoreError, ClientError

    stopped, refused = [], []
    for task in tasks:
        try:
            ecs.stop_task(cluster=cluster, task=task.arn, reason=task.reason)
        except (BotoCoreError, ClientError) as error:
            # The others are stopped all the same; the handler raises in the end.
            refused.append(f"{task.arn}: {error}")
        else:
            stopped.append(task)
    return stopped, refused


def message(tasks: Sequence[Expired], *, of: Mapping[str, str], log_group: str) -> tuple[str, str]:
    """Subject and text of the message about tasks that were stopped."""
    prefix = f"{of['Project']}-{of['Environment']}"
    count = f"{len(tasks)} Fargate task{'s' if len(tasks) > 1 else ''}"
    text = {
        "what": f"Penstock's reaper stopped {count} of {prefix}: still running {GRACE_MINUTES} minutes after the "
        "deadline, with nothing of Airflow left to stop it",
        "fix": "see in Airflow what became of these runs: was a worker lost, or the environment updated or deleted? "
        "Clear the Airflow tasks to run them again; raise timeout_minutes of a task that needs longer",
        "tasks": [
            {
                **{name: task.run.get(name) for name in ("schedule", "task", "dag_run", "try")},
                "deadline": _iso(task.deadline),
                "started_by": task.started_by,
                "fargate_task": task.arn,
                "log_stream": contract.log_stream(task.arn),
            }
            for task in tasks[:MOST_REPORTED]
        ],
        "more_tasks": max(0, len(tasks) - MOST_REPORTED),
        "log_group": log_group,
    }
    # SNS: a subject has at most 100 characters of ASCII, and no line break.
    subject = f"Penstock {prefix}: {count} stopped after the deadline".encode("ascii", "replace").decode()[:100]
    return subject, json.dumps(text, indent=2)


def handler(_event: Any, _context: Any) -> None:
    """Look once. Its settings are in its environment, see `stacks.observability.reaper`.

    Raises:
        PenstockError: a task could not be stopped; all others are.
        Exception: any other error of AWS. Lambda retries twice, and an alarm counts the errors.
    """
    import boto3

    setting, now = os.environ, time.time()
    of = {"Project": setting["PROJECT"], "Environment": setting["ENVIRONMENT"]}
    ecs = boto3.client("ecs")
    late = expired(running(ecs, setting["CLUSTER"]), now, of=of)
    stopped, refused = stop(ecs, setting["CLUSTER"], late)
    if stopped:
        # Before what may fail: a call that is retried does not find these tasks again. No line without a task to
        # count: CloudWatch bills a metric for each hour in which it has data.
        print(_metric_line(stopped, now, namespace=setting["NAMESPACE"], of=of))
        if setting["TOPIC"]:
            subject, text = message(stopped, of=of, log_group=setting["LOG_GROUP"])
            boto3.client("sns").publish(TopicArn=setting["TOPIC"], Subject=subject, Message=text)
    if refused:
        raise PenstockError(
            f"{len(refused)} of {len(late)} Fargate tasks after their deadline could not be stopped:"
            + "".join(f"\n  {one}" for one in refused[:MOST_REPORTED]),
            fix="read why ECS refuses it, and stop them in its console; the next call tries again",
        )


def _metric_line(stopped: Sequence[Expired], now: float, *, namespace: str, of: Mapping[str, str]) -> str:
    """In CloudWatch's embedded metric format, as `metrics.line`."""
    metric = {"Namespace": namespace, "Dimensions": [list(of)], "Metrics": [{"Name": METRIC, "Unit": "Count"}]}
    line = {"_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [metric]}, **of, METRIC: len(stopped)}
    return json.dumps({**line, "reaped": [task.arn for task in stopped[:MOST_REPORTED]]})


def _iso(seconds: float) -> str:
    """`2026-11-21T12:00:00Z`."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
