"""A real dag-processor over 500 schedules: Penstock's bundle against one stock DAG file per schedule.

    python -m benchmarks.dag_processing [AIRFLOW_VERSION]

Both hold the same schedules, each with one `EcsRunTaskOperator`. An empty folder is the floor: what the processor takes
to start and end.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tempfile
from pathlib import Path

from benchmarks import measure, projects
from penstock.bundle.build import build_bundle
from penstock.compile.compiler import compile_plan
from penstock.home import DAGS
from penstock.local import setup
from penstock.project.load import load
from penstock_runtime.contract import RESOURCES_FILE
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import Schedule

SCHEDULES = 500
_STOCK = """
import datetime
from airflow import DAG
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

with DAG({dag_id!r}, schedule={cron!r}, start_date=datetime.datetime(2024, 1, 1), catchup=False):
    EcsRunTaskOperator(
        task_id="catalogue",
        cluster="bench-dev",
        task_definition={family!r},
        launch_type="FARGATE",
        overrides={{
            "containerOverrides": [{{"name": "main", "environment": [{{"name": "CONFIG", "value": {config!r}}}]}}]
        }},
        network_configuration={{"awsvpcConfiguration": {{"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}}},
        awslogs_group="/penstock/bench-dev",
        awslogs_region="eu-west-1",
        awslogs_stream_prefix="penstock/main",
    )
"""
_RESOURCES = {
    "region": "eu-west-1",
    "cluster": "bench-dev",
    "subnets": ["subnet-1"],
    "security_groups": ["sg-1"],
    "assign_public_ip": False,
    "log_group": "/penstock/bench-dev",
    "artifacts_bucket": "bench",
}


def main(version: str = "3.0.6") -> None:
    """Print the figures."""
    environment = setup.airflow(version, lambda _: None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = compile_plan(load(projects.write(folder / "project", schedules=SCHEDULES)))
        _write_bundle(plan, folder / "bundle")
        _write_files(plan, folder / "files")
        (folder / "empty").mkdir()
        seconds = {
            kind: _process(environment, folder / f"airflow-{kind}", folder / kind, expected)
            for kind, expected in (("empty", 0), ("bundle", SCHEDULES), ("files", SCHEDULES))
        }
    beyond = {kind: seconds[kind] - seconds["empty"] for kind in ("bundle", "files")}
    measure.report(
        "dag_processing",
        airflow=version,
        schedules=SCHEDULES,
        seconds={kind: round(value, 1) for kind, value in seconds.items()},
        ratio_beyond_empty=round(beyond["files"] / beyond["bundle"], 1),
    )


def _write_bundle(plan: Plan, folder: Path) -> None:
    for path, content in build_bundle(plan, dags_folder=DAGS).dags.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (folder / plan.prefix / RESOURCES_FILE).write_text(json.dumps(_RESOURCES))


def _write_files(plan: Plan, folder: Path) -> None:
    folder.mkdir()
    for schedule in plan.schedules:
        (folder / f"{schedule.dag_id}.py").write_text(_stock(schedule))


def _stock(schedule: Schedule) -> str:
    (task,) = schedule.tasks
    return _STOCK.format(dag_id=schedule.dag_id, cron=schedule.cron, family=task.family, config=task.config)


def _process(environment: Path, home: Path, dags: Path, expected: int) -> float:
    home.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    airflow = environment / "bin" / "airflow"
    measure.command([airflow, "db", "migrate"], home, environ)
    seconds = measure.timed(lambda: measure.command([airflow, "dag-processor", "--num-runs", "1"], home, environ))
    with sqlite3.connect(home / "airflow.db") as database:
        ((dags_read,),) = database.execute("select count(*) from serialized_dag").fetchall()
    if dags_read != expected:
        sys.exit(f"{dags_read} of {expected} DAGs of {dags} were read")
    return seconds


if __name__ == "__main__":
    main(*sys.argv[1:])
