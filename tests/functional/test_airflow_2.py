"""Airflow 2.11 and 3.0 on one system: the main job, intervals that start runs, a kill that reaches ECS, the change from
one to the other. The tests run in this order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock.local import fargate
from penstock.local.system import System
from penstock_runtime.diagnosis import reasons
from tests.functional.embedded_system import EmbeddedSystem, copy_sample

TWO, THREE = "2.11.0", "3.0.6"
INTERVAL_SECONDS = 100
"""A minute at most until the next time that a cron expression names, then Airflow's own pace."""
KILL_SECONDS = 60
KEPT = ("aws", "postgres", "catalogue")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSystem]:
    """The sample on Airflow 2.11, run once; with a schedule for each minute, and a daily one whose time has passed."""
    folder = tmp_path_factory.mktemp("airflow-2")
    copy_sample(folder)
    embedded = EmbeddedSystem(folder)

    def edit(project: dict[str, Any]) -> None:
        passed = datetime.now(UTC) - timedelta(minutes=2)
        (daily,) = (one for one in project["schedules"] if one["name"] == "flights-daily")
        daily.update(interval=f"{passed.minute} {passed.hour} * * *", timezone="UTC")
        project["schedules"] = [
            daily,
            {"name": "every-minute", "job": "wait", "interval": "* * * * *"},
            {"name": "held-back", "job": "hello", "interval": "0 3 1 1 *", "paused": True},
        ]
        wait = ["python", "-c", "import time; print('waiting', flush=True); time.sleep(600)"]
        project["jobs"]["wait"] = {"tasks": [{"name": "wait", "command": wait}]}
        project["jobs"]["hello"] = {"tasks": [{"name": "hello", "command": ["python", "-c", "print('hello')"]}]}

    embedded.edit(edit)
    try:
        embedded.first_run = embedded.run("flights", "--up", "--airflow", TWO)
        yield embedded
    finally:
        embedded.cli("down", check=False)


def test_the_main_job_runs_on_2(system: EmbeddedSystem) -> None:
    """The same job, on the other line of Airflow, with the same result; the MWAA environment says its version."""
    result, up = system.first_run, system.attach()
    environment = up.endpoint.client("mwaa").get_environment(Name=up.plan.airflow.name)["Environment"]

    assert result["succeeded"]
    assert {table["table"] for table in result["tables"]} == {"airlines", "airports", "flights", "planes", "weather"}
    assert all(table["rows"] > 0 for table in result["tables"])
    assert result["entities"]["table"] == 5
    assert (environment["AirflowVersion"], up.server.version) == (TWO, TWO)


def test_the_container_log_is_in_the_task_log_of_2(system: EmbeddedSystem) -> None:
    """Every line of the Fargate task's log is in the log that a person reads in Airflow."""
    run = system.first_run
    lines = system.data("logs", "load")["lines"]
    shown = system.attach().airflow.log(run["dag_id"], run["run_id"], "load", 1)

    assert len(lines) > 10
    assert [line for line in lines if line not in shown] == []


def test_status_shows_the_components_of_2(system: EmbeddedSystem) -> None:
    """Airflow 2 has a webserver and no processor of its own; all is up."""
    status = system.data("status")

    assert status["up"]
    airflow = {one["service"] for one in status["services"] if one["service"].startswith("airflow-")}
    assert airflow == {"airflow-webserver", "airflow-scheduler", "airflow-triggerer"}


def test_interval_starts_a_run_and_kill_stops_it_on_2(system: EmbeddedSystem) -> None:
    """See `_interval_and_kill`."""
    _interval_and_kill(system.attach())


def test_up_changes_to_3_and_keeps_the_rest(system: EmbeddedSystem) -> None:
    """Without the option it is the project's version again: Airflow's processes are others, all else is untouched."""
    before = {name: system.instance.processes[name].pid for name in KEPT}
    refused = system.cli("up", "--airflow", "9.9.9", check=False)
    system.cli("up")
    status = system.data("status")

    assert refused.returncode == 2
    assert "2.10.3, 2.11.0, 3.0.6" in refused.stderr
    assert status["up"]
    assert "airflow-dag-processor" in {one["service"] for one in status["services"]}
    assert "airflow-webserver" not in {one["service"] for one in status["services"]}
    assert {name: system.instance.processes[name].pid for name in KEPT} == before


def test_interval_starts_a_run_and_kill_stops_it_on_3(system: EmbeddedSystem) -> None:
    """See `_interval_and_kill`."""
    up = system.attach()
    environment = up.endpoint.client("mwaa").get_environment(Name=up.plan.airflow.name)["Environment"]

    assert (environment["AirflowVersion"], up.server.version) == (THREE, THREE)
    _interval_and_kill(up)


def test_running_a_paused_schedule_leaves_it_paused(system: EmbeddedSystem) -> None:
    """`penstock run` lets its one run through."""
    result = system.run("hello")

    assert result["succeeded"]
    assert system.attach().airflow.paused("held-back")
    assert not system.attach().airflow.paused("every-minute")


def test_what_mwaa_refuses_changes_nothing(system: EmbeddedSystem) -> None:
    """From 3 the way to 2.10 leads over 2.11: `up` says so, and everything keeps running."""
    before = system.data("status")
    refused = system.cli("up", "--airflow", "2.10.3", check=False)

    assert refused.returncode == 2
    assert "penstock down first" in refused.stderr
    assert system.data("status") == before


def _interval_and_kill(up: System) -> None:
    """A schedule runs by its interval, and not for a time before the start; a task marked failed is stopped in ECS."""

    def running() -> fargate.FargateTask | None:
        scheduled = {run.run_id for run in up.airflow.runs("every-minute") if run.kind == "scheduled"}
        fargate_tasks = [one for one in fargate.tasks(up.plan, up.endpoint) if one.dag_run in scheduled]
        return next((one for one in fargate_tasks if one.status == "RUNNING"), None)

    task = _wait(running, INTERVAL_SECONDS)
    up.airflow.set_task_state("every-minute", task.dag_run, "wait", "failed")

    def stopped() -> fargate.FargateTask | None:
        same_arn = (one for one in fargate.tasks(up.plan, up.endpoint) if one.arn == task.arn)
        return next((one for one in same_arn if one.status == "STOPPED"), None)

    killed = _wait(stopped, KILL_SECONDS)
    assert (killed.exit_code, killed.reason) == (143, reasons.KILLED)
    assert {run.kind for run in up.airflow.runs("flights-daily")} <= {"manual"}


def _wait(find: Callable[[], fargate.FargateTask | None], seconds: float) -> fargate.FargateTask:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(1)
    raise AssertionError(f"nothing after {seconds} seconds")
