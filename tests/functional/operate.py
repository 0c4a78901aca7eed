"""Runs under Airflow: lives through tasks of the bundle with the real operator, on orders from standard input.

An order is one line of JSON: {"dag": id, "task": id, "word": text or null}. The task is killed, as Airflow does when
somebody marks it failed, once the word is in its log; without a word, as soon as it has started. The answer is one line
for each step that was reached: null where it went well, else why not.

    find    looking for what earlier tries left
    start   RunTask
    log     reading the container's log
    stop    StopTask
    watch   looking whether it has ended
"""

import copy
import json
import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

from airflow.models.dagbag import DagBag

SECONDS = 20


class Log(logging.Handler):
    """Collects what the tasks log."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def live(task, word):
    """One try of one Airflow task; the steps that it reached."""
    # Airflow's own pace is for Fargate, where a task takes a minute.
    task.pace = replace(task.pace, poll=0.3, least=0.1, restart=0.1, drain=0.2, start_again=0)
    task.log.setLevel(logging.INFO)
    task.log.addHandler(log := Log())
    ti = SimpleNamespace(
        dag_id="d",
        run_id=f"manual__{time.time()}",
        task_id=task.task_id,
        map_index=-1,
        try_number=1,
        max_tries=task.retries,
        xcom_push=lambda **_: None,
    )
    with ThreadPoolExecutor(1) as executor:
        execution = executor.submit(task.execute, {"ti": ti})
        wait(lambda: task.arn or execution.done())
        steps = {"find": next((one for one in log.lines if "list tasks" in one), None)}
        if task.arn is None:
            return {**steps, "start": failure(execution)}
        steps["start"] = None
        if word is not None:
            complaint = "cannot read log stream"
            wait(lambda: execution.done() or any(one == word or complaint in one for one in log.lines))
            if any(one == word for one in log.lines):
                steps["log"] = None
            elif complaints := [one for one in log.lines if complaint in one]:
                steps["log"] = complaints[0]
        task.on_kill()
        steps["stop"] = task.kill_trouble or None
        error = failure(execution)
    task.log.removeHandler(log)
    # A task that was killed did not fail because of Penstock, whatever the operator reports.
    killed = ("exit code 143", "SIGTERM", "Airflow stopped the task", "Airflow ended this try")
    complaint = next((one for one in log.lines if "cannot look at" in one), None)
    return {**steps, "watch": complaint if error is None or any(one in error for one in killed) else error}


def failure(execution):
    """Why it failed; None where it did not."""
    try:
        execution.result(SECONDS)
    except Exception as error:  # noqa: BLE001  what it is, is the answer
        return f"{type(error).__name__}: {error}"
    return None


def wait(holds):
    until = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError("the task does not get on")
        time.sleep(0.02)


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    dags = DagBag(sys.argv[1], include_examples=False).dags
    print(json.dumps(sorted(dags)), file=answers, flush=True)
    for line in sys.stdin:
        orders = json.loads(line)
        with ThreadPoolExecutor(len(orders)) as executor:
            tasks = [copy.copy(dags[one["dag"]].get_task(one["task"])) for one in orders]
            lives = [executor.submit(live, task, one["word"]) for task, one in zip(tasks, orders, strict=True)]
            print(json.dumps([life.result() for life in lives]), file=answers, flush=True)


if __name__ == "__main__":
    threading.current_thread().name = "orders"
    main()
