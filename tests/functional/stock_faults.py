"""The fault table with the amazon provider's own operator.

    python -m tests.functional.stock_faults [AIRFLOW_VERSION [deferrable]]

The same Fargate tasks, faults and Airflow as in `test_faults_sync`, with a DAG of EcsRunTaskOperators beside the
bundle's. Prints JSON: what became of each row. Not a test: it shows what docs/execution.md compares with.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from penstock.local.existing import airflow_place
from penstock_runtime import contract
from tests.functional import fault_acts as acts
from tests.functional import fault_rows as rows
from tests.functional.fault_project import NO_IMAGE, task
from tests.functional.fault_row import Row
from tests.functional.fault_table import Table

OWN_IMAGE: dict[str, Any] = {"image": "python:3.12", **rows.ANY_IMAGE}
"""Without Penstock's runtime, which only Penstock's operator gives its settings."""
FAMILIES = (
    Row("plain", task=OWN_IMAGE),
    Row("no-image", task={**OWN_IMAGE, "image": NO_IMAGE}),
    Row("no-secret", task={**OWN_IMAGE, "secrets": ["GONE"]}),
)
LEFT_OUT = ("spot", "no-program", "hangs", "killed-in-any-image", "clock-ahead", "clock-behind")
"""They need capacity or a command of their own, or differ from another row in what only Penstock's operator has."""
LINE = r"^\[[^]]*\] line (\d+)$"
"""The operator writes CloudWatch's time before a line."""
DAG = """
import json
from datetime import datetime, timedelta
from airflow import DAG
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

RESOURCES, ROWS = json.loads({resources!r}), json.loads({rows!r})
NETWORK = {{"subnets": RESOURCES["subnets"], "securityGroups": RESOURCES["security_groups"]}}
for name, row in ROWS.items():
    with DAG(name, start_date=datetime(2024, 1, 1), schedule=None, max_active_runs=1, catchup=False) as dag:
        EcsRunTaskOperator(
            task_id="work",
            # Without `reattach`, startedBy is the owner.
            owner=f"penstock/{{name}}/",
            retries=row["retries"],
            retry_delay=timedelta(seconds=row["retry_delay"]),
            execution_timeout=timedelta(minutes=row["minutes"]),
            deferrable={deferrable},
            cluster=RESOURCES["cluster"],
            task_definition=row["family"],
            launch_type="FARGATE",
            region_name=RESOURCES["region"],
            aws_conn_id=None,
            overrides={{"containerOverrides": [{{"name": {container!r}, "command": row["command"]}}]}},
            network_configuration={{"awsvpcConfiguration": NETWORK}},
            awslogs_group=RESOURCES["log_group"],
            awslogs_region=RESOURCES["region"],
            awslogs_stream_prefix={prefix!r},
            awslogs_fetch_interval=timedelta(seconds=5),
        )
    globals()[name.replace("-", "_")] = dag
"""


def together(*, deferrable: bool) -> tuple[Row, ...]:
    """The rows that need nothing of Penstock's operator, played at the same time."""
    own = (
        Row("killed-task", act=acts.kill_task, seconds=15),
        Row("killed-while-starting", [rows.LATE], act=acts.kill_task, act_on="known", act_after=0),
        Row("cleared", act=acts.clear if deferrable else acts.mark_failed_and_clear, seconds=12),
    )
    lost = [] if deferrable else [replace(row, act=_ACTS.get(row.name, row.act)) for row in rows.lost_worker()]
    known = (*lost, *rows.starting(), *rows.running(describe_seconds=60), *rows.ending(), *own)
    return tuple(row for row in known if row.name not in LEFT_OUT)


def alone(*, deferrable: bool) -> tuple[Row, ...]:
    """Those that befall all."""
    delay = {"retry_delay_seconds": rows.LONGER_THAN_A_RESTART}
    killed = (Row("triggerer-killed", act=acts.kill_triggerer, seconds=15, act_after=5),) if deferrable else ()
    return (
        *killed,
        Row("api-server-gone", act=acts.api_server_gone, seconds=15, schedule=delay),
        Row("scheduler-killed", act=acts.kill_scheduler, seconds=15),
        *rows.alone(),
    )


_ACTS = {"reaped": acts.kill_worker}
"""The reaper knows none but Penstock's."""


def add_dags(table: Table, chosen: Sequence[Row], *, deferrable: bool) -> None:
    """Put the DAGs beside the bundle, and start their schedules."""
    up = table.system
    (resources,) = up.server.dags.rglob(contract.RESOURCES_FILE)
    families = {schedule.name.removesuffix("-family"): schedule.tasks[0].family for schedule in up.plan.schedules}
    listed = {
        row.name: {
            "command": task(table.embedded.folder, row)["command"],
            "family": families.get(row.name, families["plain"]),
            "retries": row.schedule.get("retries", 1),
            "retry_delay": row.schedule.get("retry_delay_seconds", 2),
            "minutes": row.task.get("timeout_minutes", 5),
        }
        for row in chosen
    }
    text = DAG.format(
        resources=resources.read_text(),
        rows=json.dumps(listed),
        deferrable=deferrable,
        container=contract.CONTAINER_NAME,
        prefix=f"{contract.LOG_STREAM_PREFIX}/{contract.CONTAINER_NAME}",
    )
    place = airflow_place(up.plan, up.endpoint)
    s3: Any = up.endpoint.client("s3")
    s3.put_object(Bucket=place.bucket, Key=f"{place.prefix}stock_rows.py", Body=text.encode())
    up.airflow.wait_for_dags(list(listed), seconds=90)
    for name in listed:
        up.airflow.set_paused(name, paused=False)


def main(version: str = "3.0.6", waits: str = "") -> None:
    """Play them, and print what became of each."""
    deferrable = waits == "deferrable"
    first, later = together(deferrable=deferrable), alone(deferrable=deferrable)
    # The DAG of that name is the stock operator's; the bundle's has another.
    families = [replace(row, name=f"{row.name}-family") for row in FAMILIES]
    with tempfile.TemporaryDirectory() as folder:
        table = Table(Path(folder), families, airflow=version, deferrable=deferrable, line=LINE)
        try:
            table.up()
            add_dags(table, (*first, *later), deferrable=deferrable)
            reports = table.play_all(first, later)
        finally:
            table.down()
    left_out = ("log", "logs")
    found = {
        name: {key: value for key, value in asdict(report).items() if key not in left_out}
        | {"lost": len(report.lost), "doubled": len(report.doubled), "says": report.log.strip().splitlines()[-25:]}
        for name, report in reports.items()
    }
    print(json.dumps({"airflow": version, "deferrable": deferrable, "rows": found}, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
