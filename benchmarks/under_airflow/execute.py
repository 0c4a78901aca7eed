"""Runs under Airflow: one operator executes again and again, against an ECS whose task has stopped at the first look.

The first time counts from the reading of its DAG on, as in a worker's process, which reads one DAG and runs one try.

python execute.py ANSWER KIND LOG BUNDLE_FOLDER ROUNDS
"""

import contextlib
import json
import logging
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # before Airflow 3.2
    from airflow.models.dagbag import DagBag
with contextlib.suppress(ImportError):  # Airflow 2
    import airflow.sdk.execution_time.task_runner  # noqa: F401  a worker has imported it already

answer, kind, log, bundle, rounds = sys.argv[1:]
logging.disable(logging.INFO)


def ours() -> Any:
    """The bundle's own operator, at its own pace."""
    (dag,) = DagBag(bundle, include_examples=False).dags.values()
    return dag.tasks[0]


def stock() -> Any:
    """As a hand-made DAG would have it; with the log, its fetcher looks as often as we do."""
    import datetime

    from airflow import DAG
    from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

    logs = {
        "awslogs_group": "/penstock/bench-dev",
        "awslogs_region": "eu-west-1",
        "awslogs_stream_prefix": "penstock/main",
        "awslogs_fetch_interval": datetime.timedelta(seconds=5),
    }
    return EcsRunTaskOperator(
        task_id="catalogue",
        dag=DAG("stock", schedule=None, start_date=datetime.datetime(2024, 1, 1)),
        cluster="bench-dev",
        task_definition="bench",
        launch_type="FARGATE",
        overrides={"containerOverrides": [{"name": "main", "environment": [{"name": "CONFIG", "value": "x" * 500}]}]},
        network_configuration={"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}},
        aws_conn_id=None,
        region_name="eu-west-1",
        container_name="main",
        deferrable=False,
        do_xcom_push=False,
        **(logs if log == "log" else {}),
    )


began, began_cpu = time.perf_counter(), time.process_time()
operator = ours() if kind == "penstock" else stock()
found: dict[str, Any] = {"seconds": [], "cpu_seconds": []}
for number in range(int(rounds)):
    # A try has a process of its own in Airflow: nothing that the operator keeps may serve twice.
    operator.__dict__.pop("hook", None)
    operator.__dict__.pop("client", None)
    if kind == "stock":
        operator.arn = None
    ti = SimpleNamespace(
        dag_id="bench",
        run_id=f"manual__{number}",
        task_id="catalogue",
        map_index=-1,
        try_number=1,
        max_tries=0,
        xcom_push=lambda **_: None,
    )
    start, start_cpu = time.perf_counter(), time.process_time()
    operator.execute({"ti": ti})
    end, end_cpu = time.perf_counter(), time.process_time()
    found["seconds"].append(end - start)
    found["cpu_seconds"].append(end_cpu - start_cpu)
    found.setdefault("first", end - began)
    found.setdefault("first_cpu", end_cpu - began_cpu)
Path(answer).write_text(json.dumps(found))
