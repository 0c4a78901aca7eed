"""What breaks, or what somebody does, while a row of the fault table runs. Tests import it."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime

import psutil

from penstock.local import airflow_start, services, system
from penstock.local.aws.task import SPOT_INTERRUPTION
from penstock.local.existing import airflow_place
from tests.functional.fault_row import Play
from tests.functional.fault_table import TASK, Table

GONE_SECONDS = 40


def kill_task(table: Table, play: Play) -> None:
    """SIGKILL of the process that runs the operator; what supervises it lives."""
    os.kill(table.instance(play)["pid"], signal.SIGKILL)


def kill_worker(table: Table, play: Play) -> None:
    """SIGKILL of both, as where a machine is gone: nobody tells Airflow."""
    process = psutil.Process(table.instance(play)["pid"])
    for one in (*reversed(_workers(process)), process):
        one.kill()


def _workers(process: psutil.Process) -> list[psutil.Process]:
    """What supervises a task's process, the nearest first: all that is below the scheduler's own processes."""
    found = []
    for one in process.parents():
        if "scheduler" in one.name() or any("scheduler" in word for word in one.cmdline()):
            break
        found.append(one)
    return found


def mark_failed(table: Table, play: Play) -> None:
    """Somebody marks the Airflow task failed; if it is deferred, once a triggerer has its trigger: before that, nobody
    hears of it."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = table.instance(play)
        if found["state"] != "deferred" or found.get("triggerer_job"):
            break
        time.sleep(0.5)
    else:
        raise TimeoutError("no triggerer has taken the trigger")
    if found["state"] == "deferred":
        time.sleep(5)
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
    """Somebody marks the Airflow task failed, and clears it as soon as its Fargate task has stopped."""
    mark_failed(table, play)
    until = time.monotonic() + 60
    while play.quiet_at is None and time.monotonic() < until:
        time.sleep(0.5)
    # The process of the first try reports its end later than that, and Airflow takes it for the end of the next one.
    time.sleep(15)
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
    time.sleep(8)
    os.kill(table.system.instance.processes["airflow-triggerer"].pid, signal.SIGTERM)


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
