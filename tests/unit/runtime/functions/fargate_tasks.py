"""Fargate tasks as DescribeTasks gives them to the reaper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from penstock_runtime import contract

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = NOON.timestamp()
OF = {"Project": "acme", "Environment": "dev"}
RUN = {
    "project": "acme", "environment": "dev", "schedule": "daily", "job": "load", "task": "extract",
    "dag_run": "scheduled__2026-11-21T03:00:00+00:00", "try": 1,
}  # fmt: skip
LATE = str(int(NOW) - 3600)
STARTED_BY = "penstock/daily/extract/5e6f7a8b9c0d1e2f5e6f7a8b9c0d1e2f"
ARN = "arn:aws:ecs:eu-west-1:111122223333:task/acme-dev/"


def environment(**variables: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def fargate(
    number: int = 0,
    *,
    run: Mapping[str, Any] | str = RUN,
    container: str = contract.CONTAINER_NAME,
    variables: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A task as DescribeTasks gives it: by default one of ours whose deadline was an hour ago.

    Args:
        variables: the deadline, however it is given.
    """
    given = {contract.DEADLINE: LATE} if variables is None else variables
    text = run if isinstance(run, str) else json.dumps(run)
    names = environment(**{contract.RUN: text, "COLOR": "red", **given})
    return {
        "taskArn": f"{ARN}{number:032x}",
        "startedBy": STARTED_BY,
        "desiredStatus": "RUNNING",
        "lastStatus": "RUNNING",
        "createdAt": NOON - timedelta(days=2),
        "overrides": {"containerOverrides": [{"name": container, "environment": names}]},
        **more,
    }
