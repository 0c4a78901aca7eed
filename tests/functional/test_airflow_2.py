"""Airflow 2.11 and 3.0 on one system: the main job, intervals that start runs, a kill that reaches ECS, the change from
one to the other. The tests run in this order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from penstock.local import fargate
from penstock.local.system import System
from penstock_runtime.diagnosis import reasons
from tests.functional.embedded import until
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
        project["airflow"]["catalogue"] = {"way": "database", "interval": "@manual"}
        project["airflow"]["create"]["version"] = TWO
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


def test_airflows_own_database_is_catalogued(system: EmbeddedSystem) -> None:
    """A DAG finds it, writes its address to the secret and returns the secret's ARN; the package reads every DAG from
    a Fargate task, which does not start before that. A second run of the DAG writes nothing."""
    up = system.attach()
    secrets = up.endpoint.client("secretsmanager")
    assert up.plan.catalogue is not None
    name, address = str(up.plan.catalogue.secret), "airflow-database-address"
    early = system.cli("run", "airflow-catalogue", check=False)
    states = [_run(up, address) for _ in range(2)]
    versions = secrets.list_secret_version_ids(SecretId=name)["Versions"]
    run = system.run("airflow-catalogue")
    pipelines = {one["fqn"] for one in system.data("catalogue", "list", "--kind", "pipeline")}

    assert early.returncode != 0
    assert any(f"secret:{name}" in (one.reason or "") for one in fargate.tasks(up.plan, up.endpoint))
    assert states == ["success", "success"]
    assert len(versions) == 1
    assert json.loads(secrets.get_secret_value(SecretId=name)["SecretString"]) == {
        "host": "127.0.0.1",
        "port": str(up.instance.port("postgres")),
        "database": "airflow_2_11_0",
        "user": "airflow_2_11_0",
        "password": up.instance.password("airflow-database"),
    }
    assert run["succeeded"]
    assert pipelines == {f"flights-dev.{dag.dag_id}" for dag in up.airflow.dags()}


def test_the_databases_password_is_in_no_log_and_no_xcom(system: EmbeddedSystem) -> None:
    """A scan of every log of Airflow, every log stream of a task, and Airflow's database; what is returned is there."""
    up = system.attach()
    password = up.instance.password("airflow-database").encode()
    logs = {str(file): file.read_bytes() for file in up.server.home.rglob("*.log")}
    logs |= {
        one.arn: "\n".join(fargate.log(up.plan, up.endpoint, one.arn)).encode()
        for one in fargate.tasks(up.plan, up.endpoint)
    }
    with psycopg.connect(up.server.database) as connection:
        xcoms = [row[0] for row in connection.execute("SELECT value FROM xcom").fetchall()]
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        for (table,) in connection.execute(query).fetchall():
            rows = connection.execute(f'SELECT t::text FROM "{table}" t').fetchall()  # type: ignore[arg-type]
            logs[f"table {table}"] = "\n".join(row[0] or "" for row in rows).encode()

    found = b"".join(text for name, text in logs.items() if "airflow-database-address" in name)
    assert b"host: 127.0.0.1" in found
    assert any(b":secret:flights-dev/airflow-database-" in bytes(value) for value in xcoms if value)
    assert [name for name, text in logs.items() if password in text] == []


def test_its_files_go_with_the_option(system: EmbeddedSystem) -> None:
    """The DAG file and the secret are gone after the next `up`; Airflow 3, to come, has no way to the database."""
    up = system.attach()
    file = up.server.dags / "flights-dev" / "metadata_database.py"
    assert file.exists()
    refused = system.cli("up", "--airflow", THREE, check=False)

    def edit(project: dict[str, Any]) -> None:
        del project["airflow"]["catalogue"]
        project["airflow"]["create"]["version"] = THREE

    system.edit(edit)
    system.cli("up", "--airflow", TWO)

    assert refused.returncode == 2
    assert "hides its metadata database" in refused.stderr
    assert not file.exists()
    assert not up.endpoint.client("secretsmanager").list_secrets(
        Filters=[{"Key": "name", "Values": ["flights-dev/airflow-database"]}]
    )["SecretList"]


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


def _run(up: System, dag_id: str) -> str:
    """Run a DAG by hand; how it ended."""
    up.airflow.set_paused(dag_id, paused=False)
    run = up.airflow.trigger(dag_id)
    until(lambda: up.airflow.run_state(dag_id, run) in ("success", "failed"), KILL_SECONDS)
    return up.airflow.run_state(dag_id, run)


def _wait(find: Callable[[], fargate.FargateTask | None], seconds: float) -> fargate.FargateTask:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(1)
    raise AssertionError(f"nothing after {seconds} seconds")
