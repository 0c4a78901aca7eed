"""The project of a fault table: a job and a schedule for each row. Tests import it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.functional.fault_row import Row

TASK = "work"
"""The one Airflow task of each run."""
LINES, LAST_LINES = 60, 20
"""A command's numbered lines, and how many of these come at once, right before it ends."""
CODE = """\
import os, sys, time
for number in range(1, {lines} + 1):
    print("line", number, flush=True)
    time.sleep({seconds} / {slow} if number <= {slow} else 0)
    while number == {slow} and {flag!r} and not os.path.exists({flag!r}):
        time.sleep(0.2)
{ends}
"""
IMAGE = {"image": "python:3.12", "python": True}
NO_IMAGE = "registry.example.com/gone:1"
NO_SECRET = "penstock-sample/gone"
PLUGINS = "plugins"
"""Of the project; holds `fault_plugin`."""


def project(folder: Path, rows: Sequence[Row], airflow: str, *, deferrable: bool) -> str:
    """A project file with a job and a schedule for each row."""
    options = {
        "core.parallelism": "32",
        # How soon a scheduler looks for what a dead one has left: 300 s by default.
        "scheduler.orphaned_tasks_check_interval": "15",
        # On a busy machine a scheduler takes itself for dead after 30 s, and starts all that it has anew.
        "scheduler.scheduler_health_check_threshold": "60",
    }
    if airflow.startswith("2"):
        options["scheduler.scheduler_zombie_task_threshold"] = "60"
    else:
        options["scheduler.task_instance_heartbeat_timeout"] = "60"
    return yaml.safe_dump(
        {
            "name": "faults",
            "environments": {"dev": {"region": "eu-west-1"}},
            "network": {"create": {"cidr": "10.20.0.0/16"}},
            "airflow": {"create": {"version": airflow, "options": options, "plugins": PLUGINS}},
            "secrets": {"GONE": f"secretsmanager:{NO_SECRET}"},
            "defaults": {
                "task": {"timeout_minutes": 5, "deferrable": deferrable},
                "schedule": {"retries": 1, "retry_delay_seconds": 2},
            },
            "jobs": {row.name: {"tasks": [task(folder, row)]} for row in rows},
            "schedules": [{"name": row.name, "job": row.name, "interval": "@manual", **row.schedule} for row in rows],
        },
        sort_keys=False,
    )


def task(folder: Path, row: Row) -> dict[str, Any]:
    """The row's task: its command prints numbered lines, the last ones right before its end.

    Args:
        folder: of the project.
    """
    held = str(flag(folder, row)) if row.holds else ""
    code = CODE.format(lines=LINES, slow=LINES - LAST_LINES, seconds=row.seconds, ends=row.ends, flag=held)
    return {"name": TASK, "command": ["python", "-c", code], **IMAGE, **row.task}


def flag(folder: Path, row: Row) -> Path:
    """Is there once what was to be done has been done. The embedded ECS runs a command as a process of this machine."""
    return folder / f"done-{row.name}"
