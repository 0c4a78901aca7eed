"""The same schedules as DAG folders of several kinds: Penstock's, and what people write instead.

All but Penstock's have one stock `EcsRunTaskOperator` for each schedule.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from penstock.bundle.build import build_bundle
from penstock.home import DAGS
from penstock_runtime.contract import RESOURCES_FILE
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask, Schedule

_OPERATOR = "airflow.providers.amazon.aws.operators.ecs.EcsRunTaskOperator"
_RESOURCES = {
    "region": "eu-west-1",
    "cluster": "bench-dev",
    "subnets": ["subnet-1"],
    "security_groups": ["sg-1"],
    "assign_public_ip": False,
    "log_group": "/penstock/bench-dev",
    "artifacts_bucket": "bench",
}
_HEAD = """
import datetime
from airflow import DAG
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator
"""
_DAG = """
with DAG({dag_id}, schedule={cron}, start_date=datetime.datetime(2024, 1, 1), catchup=False){name}:
    EcsRunTaskOperator(
        task_id="catalogue",
        cluster="bench-dev",
        task_definition={family},
        launch_type="FARGATE",
        overrides={{
            "containerOverrides": [{{"name": "main", "environment": [{{"name": "CONFIG", "value": {config}}}]}}]
        }},
        network_configuration={{"awsvpcConfiguration": {{"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}}},
        awslogs_group="/penstock/bench-dev",
        awslogs_region="eu-west-1",
        awslogs_stream_prefix="penstock/main",
    )
"""
_FACTORY = """
from pathlib import Path
from airflow import DAG
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator
from dagfactory import load_yaml_dags

load_yaml_dags(globals_dict=globals(), dags_folder=str(Path(__file__).parent / "dags"))
"""


def bundle(plan: Plan, folder: Path) -> None:
    """Penstock's own."""
    for path, content in build_bundle(plan, dags_folder=DAGS).dags.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (folder / plan.prefix / RESOURCES_FILE).write_text(json.dumps(_RESOURCES))


def files(plan: Plan, folder: Path) -> None:
    """A file for each DAG, by hand."""
    folder.mkdir()
    for schedule in plan.schedules:
        facts = {name: repr(value) for name, value in _facts(schedule).items()}
        (folder / f"{schedule.dag_id}.py").write_text(_HEAD + _DAG.format(**facts, name=""))


def loop(plan: Plan, folder: Path) -> None:
    """One file with a list and a loop, by hand."""
    folder.mkdir()
    rows = ",\n    ".join(repr(tuple(_facts(schedule).values())) for schedule in plan.schedules)
    names = ", ".join(_facts(plan.schedules[0]))
    dag = _DAG.format(**{name: name for name in names.split(", ")}, name=" as dag")
    body = "".join(f"    {line}\n" if line else "\n" for line in dag.strip().splitlines())
    (folder / "loop.py").write_text(
        f"{_HEAD}\nROWS = [\n    {rows},\n]\nfor {names} in ROWS:\n{body}    globals()[dag_id] = dag\n"
    )


def dag_factory(plan: Plan, folder: Path) -> None:
    """A YAML file for each DAG and dag-factory's loader, as its documentation has it."""
    (folder / "dags").mkdir(parents=True)
    (folder / "factory.py").write_text(_FACTORY)
    for schedule in plan.schedules:
        text = yaml.safe_dump({schedule.dag_id: _factory_dag(_facts(schedule))}, sort_keys=False)
        (folder / "dags" / f"{schedule.dag_id}.yaml").write_text(text)


def empty(_: Plan | None, folder: Path) -> None:
    """What the processor takes to start and end."""
    folder.mkdir()


KINDS: dict[str, Callable[[Plan, Path], None]] = {
    "empty": empty,
    "bundle": bundle,
    "loop": loop,
    "dag_factory": dag_factory,
    "files": files,
}


def _facts(schedule: Schedule) -> dict[str, Any]:
    (task,) = (task for task in schedule.tasks if isinstance(task, FargateTask))
    return {"dag_id": schedule.dag_id, "cron": schedule.cron, "family": task.family, "config": task.config}


def _factory_dag(facts: dict[str, Any]) -> dict[str, Any]:
    task = {
        "task_id": "catalogue",
        "operator": _OPERATOR,
        "cluster": "bench-dev",
        "task_definition": facts["family"],
        "launch_type": "FARGATE",
        "overrides": {
            "containerOverrides": [{"name": "main", "environment": [{"name": "CONFIG", "value": facts["config"]}]}]
        },
        "network_configuration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}},
        "awslogs_group": "/penstock/bench-dev",
        "awslogs_region": "eu-west-1",
        "awslogs_stream_prefix": "penstock/main",
    }
    return {
        "default_args": {"owner": "airflow", "start_date": "2024-01-01"},
        "schedule": facts["cron"],
        "catchup": False,
        "tasks": [task],
    }
