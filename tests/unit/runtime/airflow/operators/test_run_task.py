"""What RunTask is asked for, by a task of a plan."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime import contract
from penstock_runtime.airflow.operators import run_task
from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.errors import PenstockError
from penstock_runtime.release.resources import Resources
from tests.unit.project_files import loaded

RESOURCES = Resources("eu-west-1", "acme-dev", ("subnet-1",), ("sg-1",), False, "/penstock/acme-dev", "artifacts")
RUN = AirflowRun("daily", "manual__1", "load", -1, try_number=1, first_try=1)
DEADLINE = 1_800_000_000
LOAD = "- {name: load, "


def overrides(folder: Path, *edits: tuple[str, str]) -> dict[str, Any]:
    """Of the first task of the small project, edited."""
    plan = compile_plan(loaded(folder, *edits))
    return run_task.overrides(plan.schedules[0].tasks[0], RESOURCES, {"schedule": "daily", "task": "load"}, DEADLINE)


def environment(overrides: dict[str, Any]) -> dict[str, str]:
    """What the container gets."""
    (container,) = overrides["containerOverrides"]
    return {one["name"]: one["value"] for one in container["environment"]}


@pytest.mark.parametrize("minutes", [1, 7, 1440])
def test_the_container_gets_its_limit_in_seconds(tmp_path: Path, minutes: int) -> None:
    """To the second: the runtime ends the engine then."""
    variables = environment(overrides(tmp_path, (LOAD, f"{LOAD}timeout_minutes: {minutes}, ")))

    assert variables[contract.TIMEOUT_SECONDS] == str(60 * minutes)


def test_the_size_is_that_of_the_task(tmp_path: Path) -> None:
    """RunTask takes texts; storage is left out where it is what Fargate gives anyway."""
    small = overrides(tmp_path / "small", (LOAD, f"{LOAD}cpu_units: 1024, memory_mib: 4096, "))
    large = overrides(tmp_path / "large", (LOAD, f"{LOAD}ephemeral_storage_gib: 30, "))

    assert (small["cpu"], small["memory"], small.get("ephemeralStorage")) == ("1024", "4096", None)
    assert large["ephemeralStorage"] == {"sizeInGiB": 30}


@pytest.mark.parametrize(
    ("own", "default", "demands"),
    [
        ("", "", None),
        ("fail_on_warnings: true, ", "", {"fail_on_warnings": True}),
        (
            "",
            "fail_on_warnings: true, min_success_percent: 95, ",
            {"fail_on_warnings": True, "min_success_percent": 95},
        ),
        ("fail_on_warnings: false, ", "fail_on_warnings: true, ", None),
    ],
)
def test_what_a_task_demands_of_a_workflow(
    tmp_path: Path, own: str, default: str, demands: dict[str, Any] | None
) -> None:
    """Of its own settings and the defaults; tasks that run no workflow are left out."""
    task = "- name: catalogue\n        openmetadata: {type"
    edits = [(task, f"- name: catalogue\n        {own.rstrip(', ')}\n        openmetadata: {{type")] if own else []
    plan = compile_plan(loaded(tmp_path, *edits, ("task: {cpu_units", f"task: {{{default}cpu_units")))
    load, catalogue = (
        environment(run_task.overrides(one, RESOURCES, {}, DEADLINE)).get(contract.DEMANDS)
        for one in plan.schedules[0].tasks
    )

    assert load is None
    assert (json.loads(catalogue) if catalogue else None) == demands


def test_every_container_hears_its_deadline(tmp_path: Path) -> None:
    """Also one without the runtime: whatever is left alone can be found by it."""
    with_runtime = environment(overrides(tmp_path / "runtime"))
    task = dataclasses.replace(compile_plan(loaded(tmp_path / "alone")).schedules[0].tasks[0], runtime=False)
    alone = environment(run_task.overrides(task, RESOURCES, {}, DEADLINE))

    assert with_runtime[contract.DEADLINE] == alone[contract.DEADLINE] == str(DEADLINE)
    assert contract.ENGINE not in alone


def test_the_call_names_its_run(tmp_path: Path) -> None:
    """For the next try, for ECS, and for people."""
    task = compile_plan(loaded(tmp_path)).schedules[0].tasks[0]

    call = run_task.request(task, RESOURCES, RUN, {"schedule": "daily"}, DEADLINE, attempt=2)

    assert (call["startedBy"], call["clientToken"], call["tags"]) == (RUN.started_by, RUN.client_token(2), RUN.tags)
    assert json.loads(environment(call["overrides"])[contract.RUN]) == {
        "schedule": "daily",
        "task": task.name,
        "dag_run": "manual__1",
        "try": 1,
    }


@pytest.mark.parametrize("spot", [False, True])
def test_fargate_or_spot(spot: bool) -> None:
    """RunTask takes one or the other."""
    assert set(run_task.placement(spot=spot)) == ({"capacityProviderStrategy"} if spot else {"launchType"})


def test_task_beside_airflow_runs_in_airflows_network(tmp_path: Path) -> None:
    """In MWAA's subnets with MWAA's group, where the metadata database lets it in; other tasks stay where they are."""
    task = compile_plan(loaded(tmp_path)).schedules[0].tasks[0]
    beside = dataclasses.replace(task, runs_beside="airflow")
    resources = dataclasses.replace(RESOURCES, airflow_subnets=("subnet-8",), airflow_security_groups=("sg-8",))

    assert run_task.network(task, resources)["awsvpcConfiguration"]["subnets"] == ["subnet-1"]
    assert run_task.network(beside, resources)["awsvpcConfiguration"] == {
        "subnets": ["subnet-8"],
        "securityGroups": ["sg-8"],
        "assignPublicIp": "DISABLED",
    }
    with pytest.raises(PenstockError, match=r"resources\.json names none"):
        run_task.network(beside, RESOURCES)


def test_task_that_names_airflows_page_gets_its_address(tmp_path: Path) -> None:
    """From the deploy; no other task gets it."""
    task = compile_plan(loaded(tmp_path)).schedules[0].tasks[0]
    links = dataclasses.replace(task, names=(contract.AIRFLOW_URL_VARIABLE,))
    resources = dataclasses.replace(RESOURCES, airflow_url="https://airflow.example")
    found, plain = (environment(run_task.overrides(one, resources, {}, DEADLINE)) for one in (links, task))

    assert found[contract.AIRFLOW_URL_VARIABLE] == "https://airflow.example"
    assert contract.AIRFLOW_URL_VARIABLE not in plain
