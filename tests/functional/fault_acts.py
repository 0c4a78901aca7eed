"""What breaks, or what somebody does, while a row of the fault table runs. Tests import it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psutil

from penstock.local import airflow_start, services, system
from penstock.local.aws.task import SPOT_INTERRUPTION
from penstock.local.existing import airflow_place
from penstock.local.run import ENDED
from penstock_runtime import contract
from tests.functional.embedded import ROOT
from tests.functional.fault_project import TASK
from tests.functional.fault_row import Play
from tests.functional.fault_table import Table

GONE_SECONDS = 40
STILL_RUNS = "of an earlier try still runs: waiting for it"
"""In the log of a try that adopts a Fargate task."""
RUNTIME = ROOT / "runtime"
_REAPER = """
import time
real = time.time
time.time = lambda: real() + 3600
import penstock_runtime.functions.reaper as module
all_running = module.running
module.running = lambda *place: [one for one in all_running(*place) if one["startedBy"].startswith({started_by!r})]
module.handler({{}}, None)
"""


def kill_task(table: Table, play: Play) -> None:
    """SIGKILL of the process that runs the operator; what supervises it lives."""
    os.kill(table.instance(play)["pid"], signal.SIGKILL)


def kill_worker(table: Table, play: Play) -> None:
    """SIGKILL of both, as where a machine is gone: nobody tells Airflow."""
    process = psutil.Process(table.instance(play)["pid"])
    for one in (*reversed(_workers(process)), process):
        one.kill()


def kill_worker_for_a_retry(table: Table, play: Play) -> None:
    """The worker is killed; when this ends, the retry has adopted the Fargate task, or started another beside it."""
    kill_worker(table, play)
    _until(
        lambda: STILL_RUNS in table.log(play, 2) or len(play.arns) > 1 or _has_ended(table, play),
        "no retry has found the task",
        300,
    )
    # It holds the deadline against its clock right after its first look at the task.
    time.sleep(5)


def _has_ended(table: Table, play: Play) -> bool:
    return table.system.airflow.run_state(play.row.name, play.run_id) in ENDED


def _workers(process: psutil.Process) -> list[psutil.Process]:
    """What supervises a task's process, the nearest first: all that is below the scheduler's own processes."""
    found = []
    for one in process.parents():
        if "scheduler" in one.name() or any("scheduler" in word for word in one.cmdline()):
            break
        found.append(one)
    return found


def mark_failed(table: Table, play: Play) -> None:
    """Somebody marks the Airflow task failed; if it is deferred, once the triggerer asks ECS for its Fargate task:
    before that, nobody hears of it."""
    if table.instance(play)["state"] == "deferred":
        (arn,) = play.arns
        looks = table.counting("ecs:DescribeTasks", arn.rsplit("/", 1)[-1])
        _until(lambda: looks() > 0, "no triggerer asks for the task")
        play.acts_now()
    table.system.airflow.set_task_state(play.row.name, play.run_id, TASK, "failed")


def clear(table: Table, play: Play) -> None:
    """Somebody clears the Airflow task."""
    body = {
        "dry_run": False,
        "dag_run_id": play.run_id,
        "task_ids": [TASK],
        "only_failed": False,
        "reset_dag_runs": True,
    }
    table.system.airflow._call("POST", f"/dags/{play.row.name}/clearTaskInstances", body)


def mark_failed_and_clear(table: Table, play: Play) -> None:
    """Somebody marks the Airflow task failed, and clears it as soon as it has ended."""
    mark_failed(table, play)
    _until(lambda: play.quiet_at is not None, "its Fargate task has not stopped")
    # What the process of the first try reports later than that, Airflow 3.0 takes for the end of the next one.
    log = table.system.instance.log("airflow-scheduler")
    heard = re.compile(rf"Received executor event with state \w+ for task instance .*dag_id='{play.row.name}'")
    _until(lambda: heard.search(log.read_text(errors="replace")), "the scheduler has not heard of its end")
    clear(table, play)


def interrupt_spot(table: Table, play: Play) -> None:
    """AWS takes the Spot capacity back."""
    (arn,) = play.arns
    table.ecs.stop_task(cluster=table.system.plan.cluster, task=arn, reason=SPOT_INTERRUPTION)


def api_server_gone(table: Table, play: Play) -> None:
    """Airflow's API server is killed, and starts again after a while."""
    restart(table, "airflow-api-server", signal.SIGKILL, after=GONE_SECONDS)


def kill_scheduler(table: Table, play: Play) -> None:
    """The scheduler is killed with the workers that it has started, and starts again."""
    restart(table, "airflow-scheduler", signal.SIGKILL)


def kill_triggerer(table: Table, play: Play) -> None:
    """The triggerer is killed, and starts again."""
    restart(table, "airflow-triggerer", signal.SIGKILL)


def hand_over(table: Table, play: Play) -> None:
    """Another triggerer starts, and the first one is asked to end."""
    _start(table, "airflow-triggerer", "airflow-triggerer-2")
    path = "/jobs?job_type=TriggererJob&is_alive=true"
    _until(lambda: table.system.airflow._call("GET", path)["total_entries"] > 1, "no other triggerer is there")
    play.acts_now()
    os.kill(table.system.instance.processes["airflow-triggerer"].pid, signal.SIGTERM)


def redeploy(table: Table, play: Play) -> None:
    """Somebody deploys another release: other DAGs, and another revision of each task definition."""
    (arn,) = play.arns
    family = table.system.plan.schedules[0].tasks[0].family
    assert isinstance(family, str)
    before = _revision(table, family), _release(table)

    def change(project: dict[str, Any]) -> None:
        project["ecs"] = {"stop_timeout_seconds": 60}
        project["defaults"]["task"]["timeout_minutes"] += 1

    table.embedded.edit(change)
    table.deploy()
    after = _revision(table, family), _release(table)
    if before[0] == after[0] or before[1] == after[1]:
        raise AssertionError(f"nothing has changed: {before}, {after}")
    if play.arns[arn] != "RUNNING":
        raise AssertionError("its Fargate task has ended meanwhile")


def _revision(table: Table, family: str) -> str:
    return str(table.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]["taskDefinitionArn"])


def _release(table: Table) -> list[str]:
    """Files of the DAG folder, without those of earlier releases."""
    dags = table.system.server.dags
    return sorted(path.read_text() for path in dags.rglob("*.py") if contract.RELEASES_FOLDER not in path.parts)


def reaped(table: Table, play: Play) -> None:
    """The worker is killed, and nobody goes on: the function that stops what has outlived its deadline does its work.

    Its clock is an hour ahead, and it sees the tasks of this row only.
    """
    kill_worker(table, play)
    _until(
        lambda: table.system.airflow.run_state(play.row.name, play.run_id) in ENDED, "Airflow has not missed it", 300
    )
    lambdas: Any = table.system.endpoint.client("lambda")
    pages = lambdas.get_paginator("list_functions").paginate()
    (function,) = [one for page in pages for one in page["Functions"] if one["Handler"].endswith("reaper.handler")]
    keys = table.system.endpoint.assume(function["Role"], "function")
    code = _REAPER.format(started_by=f"penstock/{play.row.name}/")
    variables = {**table.system.endpoint.environ(keys), **function["Environment"]["Variables"]}
    play.acts_now()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(RUNTIME), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def delete_log_group(table: Table, play: Play) -> None:
    """Somebody deletes the log group of all tasks."""
    table.system.endpoint.client("logs").delete_log_group(logGroupName=table.system.plan.log_group)


@contextlib.contextmanager
def log_group_there_again(table: Table) -> Iterator[None]:
    """The log group is there again afterwards."""
    yield
    table.system.endpoint.client("logs").create_log_group(logGroupName=table.system.plan.log_group)


@contextlib.contextmanager
def no_log_group(table: Table) -> Iterator[None]:
    """The log group is not there."""
    table.system.endpoint.client("logs").delete_log_group(logGroupName=table.system.plan.log_group)
    with log_group_there_again(table):
        yield


def restart(table: Table, name: str, number: signal.Signals, after: float = 0) -> None:
    """Kill a component of Airflow with all that it has started; start it again."""
    leader = psutil.Process(table.system.instance.processes[name].pid)
    for one in (leader, *leader.children(recursive=True)):
        one.send_signal(number)
    time.sleep(after)
    _start(table, name, name)


def _start(table: Table, component: str, name: str) -> None:
    """Start a component of Airflow as `penstock up` does."""
    up = table.system
    place = airflow_place(up.plan, up.endpoint)
    keys = up.endpoint.assume(place.role_arn, "airflow")
    environ = airflow_start.components_environ(up.server, system.airflow_endpoint(up.instance), keys, datetime.now(UTC))
    (command,) = [one.command for one in up.server.components() if one.name == component]
    services.start(up.instance, name, command, environ, up.server.home)


def _until(holds: Callable[[], Any], otherwise: str, seconds: float = 180) -> None:
    """Wait; long enough for a machine that is much slower than most."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(otherwise)
        time.sleep(0.5)
