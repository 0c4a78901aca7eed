"""Whether what a task is run with fits into the overrides of RunTask."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from penstock.problem import Problem
from penstock_runtime.airflow.operators.run_task import OVERRIDES_LIMIT
from penstock_runtime.plan.schedule import FargateTask

OVERRIDES_RESERVE = 2048
"""Kept for what the operator adds to a task's own: which run it is, its config's address and hash, its size."""


def room_problem(task: FargateTask) -> Problem | None:
    """RunTask limits the size of the overrides."""
    pairs = [{"name": name, "value": value} for name, value in task.environment.items()]
    parts: list[Any] = [pairs, json.dumps(task.command), json.dumps(task.names)]
    if task.files:
        parts.append(json.dumps({file.path: asdict(file) for file in task.files}))
    size = sum(len(json.dumps(part)) for part in parts)
    room = OVERRIDES_LIMIT - OVERRIDES_RESERVE
    if size <= room:
        return None
    return Problem(
        f"the environment of task {task.name!r} takes {size} characters, and RunTask leaves room for {room}",
        "shorten its variables, env or command, put long values into a file or a secret; use fewer files",
    )
