"""Runs under Airflow: execute every task of one DAG, one after the other, and write down how each ended."""

import json
import logging
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # before Airflow 3.2
    from airflow.models.dagbag import DagBag

answer, folder, dag_id = sys.argv[1:]
dag = DagBag(folder).dags[dag_id]
results = {}


class Lines(logging.Handler):
    """Collects a task's log."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


for task in dag.tasks:
    # Airflow's own pace is for Fargate, where a task takes a minute.
    if hasattr(task, "pace"):
        task.pace = replace(task.pace, poll=0.2, least=0.05, restart=0.05, drain=0.2, start_again=3)
    ti = SimpleNamespace(
        dag_id=dag_id,
        run_id="manual__2026-01-02T03:04:05+00:00",
        task_id=task.task_id,
        map_index=-1,
        try_number=2,
        max_tries=2,
        xcom_push=lambda **_: None,
    )
    log = Lines()
    logger = logging.getLogger(task.task_id)
    logger.addHandler(log)
    logger.setLevel(logging.INFO)
    task._log = task._cached_logger = logger  # one name or the other, by version; 3.3 has no handlers
    if task.task_id.startswith("killed"):

        def kill(task=task, log=log):
            """What Airflow does when somebody marks the task failed."""
            while "one" not in log.lines:
                time.sleep(0.05)
            task.on_kill()

        threading.Thread(target=kill, daemon=True).start()
    try:
        if task.task_id == "cleared":
            # As Airflow 3.3.1 goes on with a task that was cleared while it was deferred: with no event.
            value, error = task.resume({"ti": ti}, state={"arn": "of the try before"}), None
        else:
            value, error = task.execute({"ti": ti}), None
    except BaseException as raised:  # noqa: BLE001  what it is, is the answer
        value, error = None, f"{type(raised).__name__}: {raised}"
    limit = task.execution_timeout.total_seconds()
    results[task.task_id] = {"value": value, "error": error, "log": log.lines, "limit_seconds": limit}

Path(answer).write_text(json.dumps(results))
