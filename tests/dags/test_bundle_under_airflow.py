"""The bundle that `penstock` makes, under real Airflow: many schedules, several shards, and an own DAG file."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from samples import DAILY, LOAD, RESOURCES, ROOT

from penstock.bundle.build import build_bundle
from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.network import Network
from penstock_runtime.plan.plan import DagFile, Plan
from penstock_runtime.plan.schedule import Schedule

OWN_DAG = """from datetime import datetime

from airflow import DAG

dag = DAG("my-own", schedule=None, start_date=datetime(2024, 1, 1), tags=["own"])
"""
DAG_WITH_HELPERS = """from datetime import datetime
from pathlib import Path

from airflow import DAG
from common.helper import TAG

sql = (Path(__file__).parent / "sql" / "q.sql").read_text()
dag = DAG("with-helpers", schedule=None, start_date=datetime(2024, 1, 1), tags=[TAG, sql])
"""
IGNORED = "from airflow import DAG\nraise RuntimeError\n"
OWN_FILES = (
    DagFile("my_own.py", OWN_DAG),
    DagFile("team/with_helpers.py", DAG_WITH_HELPERS),
    DagFile("team/sql/q.sql", "q"),
    DagFile("common/__init__.py", ""),
    DagFile("common/helper.py", "TAG = 'helped'"),
    # The one line says the same as a regular expression (Airflow 2) and as a glob (3).
    DagFile(".airflowignore", "ignored.py"),
    DagFile("ignored.py", IGNORED),
)


def test_nothing_is_read_before_the_first_release_is_live(under_airflow: Any, tmp_path: Path) -> None:
    """The folder of the releases is there first, and what hides it from outside comes with the switch."""
    plan = plan_of((DAILY,))
    build_bundle(plan, dags_folder=ROOT / "dags").write(tmp_path)
    folder = tmp_path / "dags" / plan.prefix
    for path in [path for path in folder.iterdir() if path.name != "release"]:
        path.rename(next((folder / "release").glob("*/")) / path.name)

    dag_bag = under_airflow("read_dags.py", tmp_path / "dags")

    assert dag_bag["import_errors"] == {}
    assert dag_bag["dags"] == {}


def plan_of(schedules: tuple[Schedule, ...]) -> Plan:
    """A plan of these schedules, with DAG files of the user's own."""
    return Plan(
        format=1,
        project="acme",
        environment="dev",
        account=None,
        region="eu-west-1",
        prefix="acme-dev",
        cluster="acme-dev",
        log_group="/penstock/acme-dev",
        log_retention_days=30,
        network=Network(cidr="10.20.0.0/16", egress="nat"),
        airflow=Airflow("acme-dev", "3.0.6", "mw1.small", 1, 2, "private", {}),
        task_definitions=(),
        configs=(),
        schedules=schedules,
        dag_files=OWN_FILES,
    )


def test_bundle_is_read_as_it_is(under_airflow: Any, tmp_path: Path) -> None:
    """Every schedule of every shard is a DAG, and nothing below `release/` is taken for a DAG file.

    The project's own DAG files find the modules and the queries beside them, and its `.airflowignore` holds.
    """
    tasks = tuple(replace(LOAD, name=f"load-{n}") for n in range(5))
    schedules = tuple(replace(DAILY, name=f"s{n:02}", dag_id=f"s{n:02}", tasks=tasks) for n in range(60))
    plan = plan_of(schedules)
    bundle = build_bundle(plan, dags_folder=ROOT / "dags")
    bundle.write(tmp_path)
    (tmp_path / "dags" / plan.prefix / "resources.json").write_text(json.dumps(asdict(RESOURCES)))

    dag_bag = under_airflow("read_dags.py", tmp_path / "dags")

    assert dag_bag["import_errors"] == {}
    assert set(dag_bag["dags"]) == {"my-own", "with-helpers", *(one.dag_id for one in schedules)}
    assert set(dag_bag["dags"]["with-helpers"]["tags"]) == {"helped", "q"}
    assert {Path(dag["fileloc"]).name for dag in dag_bag["dags"].values()} == {
        "my_own.py",
        "with_helpers.py",
        "schedules_00.py",
        "schedules_01.py",
    }
    assert not [name for name, dag in dag_bag["dags"].items() if "penstock-error" in dag["tags"]]
