"""`penstock dags export`: the sample's files for every operator, imported by the Airflow that they are for."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from samples import RESOURCES, ROOT

from penstock.bundle.export.dag_file import export
from penstock.bundle.export.target import Operator, Target, release_line
from penstock.bundle.export.work import Source
from penstock.compile.compiler import compile_plan
from penstock.home import REQUIREMENTS
from penstock.local.environments import run_uv
from penstock.project.load import load

KINDS = {
    Operator.ecs: ["EcsRunTaskOperator"] * 3,
    Operator.docker: ["DockerOperator"] * 3,
    Operator.python: ["BashOperator", "PythonOperator", "PythonOperator"],
    Operator.virtualenv: ["BashOperator", "PythonVirtualenvOperator", "PythonVirtualenvOperator"],
    Operator.bash: ["BashOperator"] * 3,
}
MINUTES = {Operator.ecs: 45}


@pytest.fixture(scope="session")
def beside_airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Docker's provider and client, and virtualenv for Airflow 2, which no Airflow of ours has."""
    folder = tmp_path_factory.mktemp("beside-airflow")
    lock = str(REQUIREMENTS / "exported-dags.txt")
    run_uv("pip", "install", "--no-deps", "--require-hashes", "--target", str(folder), "-r", lock)
    return folder


@pytest.fixture(scope="session")
def read(
    under_airflow: Any, airflow_version: str, beside_airflow: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What Airflow makes of all of the sample's files, in one process."""
    folder = tmp_path_factory.mktemp(f"exported-{airflow_version}")
    plan = compile_plan(load(ROOT / "penstock.yaml"), "prod")
    for operator in Operator:
        target = Target(operator, release_line(airflow_version))
        for schedule in plan.schedules:
            source = Source(plan, schedule, target, openmetadata="1.12.14", resources=RESOURCES)
            text = export(source).text
            # All files are for one DAG, and a folder has each id once.
            old = f'dag_id="{schedule.dag_id}"'
            assert text.count(old) == 1
            name = f"{operator.value}-{schedule.dag_id}"
            (folder / f"{name.replace('-', '_')}.py").write_text(text.replace(old, f'dag_id="{name}"'))
    found: dict[str, Any] = under_airflow("read_dags.py", folder, environ={"PYTHONPATH": str(beside_airflow)})
    return found


def test_every_file_is_imported(read: dict[str, Any]) -> None:
    """No import fails, and each file has its DAG."""
    assert read["import_errors"] == {}
    assert set(read["dags"]) == {
        f"{operator.value}-{name}" for operator in Operator for name in ("flights-daily", "airlines-quarter-hourly")
    }


@pytest.mark.parametrize("operator", Operator)
def test_it_is_the_schedule(read: dict[str, Any], operator: Operator) -> None:
    """Stock operators; ids, order, retries, limits, cron and time zone of the plan, as Airflow has stored them."""
    dag = read["dags"][f"{operator.value}-flights-daily"]
    tasks = dag["tasks"]

    assert {name: task["after"] for name, task in tasks.items()} == {
        "load": [],
        "catalogue": ["load"],
        "profile": ["catalogue"],
    }
    assert [task["kind"] for task in tasks.values()] == KINDS[operator]
    assert {task["execution_timeout_minutes"] for task in tasks.values()} == {MINUTES.get(operator, 30)}
    assert {(task["owner"], task["retries"], task["retry_delay_minutes"]) for task in tasks.values()} == {
        ("data-platform", 1, 1)
    }
    assert (dag["timetable"], dag["summary"], dag["timezone"]) == ("CronTriggerTimetable", "0 3 * * *", "Europe/Berlin")
    assert datetime.fromisoformat(dag["start_date"]) == datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert (dag["catchup"], dag["paused"], dag["max_active_runs"]) == (False, False, 1)
    assert dag["tags"] == ["ingestion"]
    assert "Penstock's own DAG" in dag["doc_md"]
    assert "secretsmanager:" not in json.dumps(dag["doc_md"])
