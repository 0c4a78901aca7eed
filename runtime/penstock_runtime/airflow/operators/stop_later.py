"""Stops Fargate tasks after the Airflow task that a kill has ended: a process of its own, which outlives Airflow's.

Airflow 3 ends a task five seconds after it has asked it to stop. Where ECS does not answer in that time, `detach`
leaves the rest to `python -m penstock_runtime.airflow.operators.stop_later`. Where a worker's container ends with its
task, the task's deadline and the reaper are left.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock_runtime.airflow.operators.limits import STOP_LATER_SECONDS
from penstock_runtime.diagnosis import reasons

EVERY_SECONDS = 2.0


def detach(region: str, cluster: str, started_by: str, arns: Sequence[str]) -> None:
    """Start the process; it has the environment of this one, and with it the credentials."""
    root = str(Path(__file__).parents[3])
    order = json.dumps({"region": region, "cluster": cluster, "started_by": started_by, "arns": list(arns)})
    subprocess.Popen(
        [sys.executable, "-m", __name__, order],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main(order: str) -> int:
    """Stop the tasks of the order, and all others of the same Airflow task; 0: ECS has taken it."""
    import boto3
    from botocore.config import Config

    given = json.loads(order)
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    ecs = boto3.session.Session(region_name=given["region"]).client("ecs", config=config)
    until = time.monotonic() + STOP_LATER_SECONDS
    while time.monotonic() < until:
        # There is nobody to tell, and whatever it is may pass.
        with contextlib.suppress(Exception):
            if stop_all(ecs, given["cluster"], given["started_by"], given["arns"]):
                return 0
        time.sleep(EVERY_SECONDS)
    return 1


def stop_all(ecs: Any, cluster: str, started_by: str, arns: Sequence[str]) -> bool:
    """Stop the tasks that are named and those that are listed; whether there was any, and none is left.

    Raises:
        Exception: any error of AWS or the network about the listing.
    """
    answer = ecs.list_tasks(cluster=cluster, startedBy=started_by, desiredStatus="RUNNING")
    tasks = dict.fromkeys([*arns, *answer["taskArns"]])
    stopped = [_stop(ecs, cluster, arn) for arn in tasks]
    return bool(stopped) and all(stopped)


def _stop(ecs: Any, cluster: str, arn: str) -> bool:
    """Stop one; the others are stopped whatever becomes of it. One that ECS no longer knows has stopped."""
    try:
        ecs.stop_task(cluster=cluster, task=arn, reason=reasons.KILLED)
    except Exception as error:  # noqa: BLE001  there is nobody to tell, and whatever it is may pass
        return "not found" in str(error)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
