"""Runs under Airflow: execute every task of one DAG, one after the other, and write down how each ended."""

import json
import logging
import sys
import threading
import time
from collections import Counter
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


def describe_clients():
    """The clients of one try: what is read for them, and what they share."""
    from botocore.loaders import JSONFileLoader

    from penstock_runtime.airflow.operators.aws_clients import Clients

    read, load_file = Counter(), JSONFileLoader.load_file

    def noted(self, path):
        content = load_file(self, path)
        read[path] += content is not None
        return content

    JSONFileLoader.load_file = noted
    clients = Clients(fargate_task.deployed.region)
    made = {service: clients(service) for service in ("ecs", "kill", "logs")}
    JSONFileLoader.load_file = load_file
    credentials = {service: client._request_signer._credentials for service, client in made.items()}
    return {
        "read_twice": [path for path, times in read.items() if times > 1],
        "read": len(read),
        "services": {service: client.meta.service_model.service_name for service, client in made.items()},
        "regions": sorted({client.meta.region_name for client in made.values()}),
        "user_agents": sorted({client.meta.config.user_agent_extra.split("/")[0] for client in made.values()}),
        "read_timeouts": {service: client.meta.config.read_timeout for service, client in made.items()},
        "kill_has_credentials_of_its_own": credentials["kill"] is not credentials["ecs"],
    }


fargate_task = next((each for each in dag.tasks if hasattr(each, "deployed")), None)
if fargate_task is not None:
    results["clients"] = describe_clients()
Path(answer).write_text(json.dumps(results))
