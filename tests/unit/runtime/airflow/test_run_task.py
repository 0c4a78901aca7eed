"""What RunTask is asked for, by a task of a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime import contract
from penstock_runtime.airflow.operators import run_task
from penstock_runtime.release.resources import Resources
from tests.unit.project_files import loaded

RESOURCES = Resources("eu-west-1", "acme-dev", ("subnet-1",), ("sg-1",), False, "/penstock/acme-dev", "artifacts")
RUN: dict[str, Any] = {"dag_id": "daily", "run_id": "manual__1", "task_id": "load", "map_index": -1, "try_number": 1}
LOAD = "- {name: load, "


def overrides(folder: Path, *edits: tuple[str, str]) -> dict[str, Any]:
    """Of the first task of the small project, edited."""
    plan = compile_plan(loaded(folder, *edits))
    return run_task.overrides(plan.schedules[0].tasks[0], RESOURCES, {"schedule": "daily", "task": "load"})


def environment(overrides: dict[str, Any]) -> dict[str, str]:
    """What the container gets."""
    (container,) = overrides["containerOverrides"]
    return {one["name"]: one["value"] for one in container["environment"]}


@pytest.mark.parametrize("minutes", [1, 7, 1440])
def test_the_container_gets_its_limit_in_seconds(tmp_path: Path, minutes: int) -> None:
    """To the second: the runtime ends the engine then."""
    found = environment(overrides(tmp_path, (LOAD, f"{LOAD}timeout_minutes: {minutes}, ")))

    assert found[contract.TIMEOUT_SECONDS] == str(60 * minutes)


def test_the_size_is_that_of_the_task(tmp_path: Path) -> None:
    """RunTask takes texts; storage is left out where it is what Fargate gives anyway."""
    found = overrides(tmp_path / "small", (LOAD, f"{LOAD}cpu_units: 1024, memory_mib: 4096, "))
    large = overrides(tmp_path / "large", (LOAD, f"{LOAD}ephemeral_storage_gib: 30, "))

    assert (found["cpu"], found["memory"], found.get("ephemeralStorage")) == ("1024", "4096", None)
    assert large["ephemeralStorage"] == {"sizeInGiB": 30}


@pytest.mark.parametrize(
    ("part", "other"),
    [("dag_id", "weekly"), ("run_id", "manual__2"), ("task_id", "profile"), ("map_index", 0), ("try_number", 2)],
)
def test_started_by_differs_with_each_part(part: str, other: str | int) -> None:
    """In its hash: what stands before that is cut off where names are long."""
    one, another = (run_task.started_by(**{**RUN, part: value}) for value in (RUN[part], other))

    assert one.rpartition("/")[2] != another.rpartition("/")[2]


def test_started_by_is_the_same_for_one_try() -> None:
    """A worker that is started anew finds its Fargate task by it."""
    one, another = run_task.started_by(**RUN), run_task.started_by(**RUN)

    assert one == another
    assert one.startswith("penstock/daily/load/1/")


def test_started_by_is_what_ecs_takes() -> None:
    """At most 128 letters, digits, dashes, slashes and underscores."""
    found = run_task.started_by("d" * 250, "scheduled__2026-11-21T03:00:00+00:00", "extract.é" * 30, 1000, 10)

    assert len(found) <= 128
    assert all(char.isascii() and (char.isalnum() or char in "-_/") for char in found)
