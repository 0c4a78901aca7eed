"""Airflow's own Python with the real operator and the bundle, and with nothing of AWS but the execution role's keys."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import botocore.exceptions

from penstock.local import setup
from penstock_runtime.plan.task_definition import TaskDefinition
from tests.functional.permission_system import Deployed

Steps = dict[str, str | None]
"""Step → None where it went well, else what was refused. A step that was not reached is not in it."""


class Airflow:
    """A process of Airflow's Python that lives through tasks on demand; see `operate`."""

    def __init__(self, system: Deployed, process: subprocess.Popen[str]) -> None:
        self._system, self.process = system, process
        self.dags: list[str] = self._answer()

    def steps(self, engines: Sequence[str], word: str | None = None) -> Steps:
        """Everything that the execution role is used for: the copy of the DAG folder, then a task of each engine.

        Args:
            word: the tasks are killed when it is in their log; None: as soon as they have started.
        """
        steps: Steps = {"synchronize": None}
        try:
            self._system.synchronize()
        except botocore.exceptions.ClientError as error:
            steps["synchronize"] = str(error)
        wanted = [(schedule.dag_id, task) for schedule in self._system.plan.schedules for task in schedule.tasks]
        orders = [(dag, task) for dag, task in wanted if task.engine in engines]
        self.order([{"dag": dag, "task": task.name, "word": word} for dag, task in orders])
        for (_, task), found in zip(orders, self._answer(), strict=True):
            steps |= {f"{step} {task.engine}": error for step, error in found.items()}
        return steps

    def order(self, orders: Sequence[Mapping[str, Any]]) -> None:
        """Send an order; `steps` reads its answer."""
        _pipe(self.process.stdin).write(json.dumps(orders) + "\n")
        _pipe(self.process.stdin).flush()

    def _answer(self) -> Any:
        line = _pipe(self.process.stdout).readline()
        assert line, "Airflow's process has ended; its log is beside the DAG folder"
        return json.loads(line)


@contextlib.contextmanager
def airflow(system: Deployed) -> Iterator[Airflow]:
    """The plan's Airflow, which reads the current DAG folder."""
    environment = setup.airflow(system.plan.airflow.version, print)
    home = system.dags.with_name("airflow")
    home.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        **system.endpoint.environ(system.keys),
    }
    command = [environment / "bin" / "python", Path(__file__).with_name("operate.py"), system.dags]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environ, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        yield Airflow(system, process)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def refused(steps: Steps) -> Steps:
    """The steps that did not go well."""
    return {step: error for step, error in steps.items() if error is not None}


def engine_of(definitions: Sequence[TaskDefinition], text: str) -> str | None:
    """The engine whose families an ARN names; None: it is about those of all."""
    for one in definitions:
        if f"/{one.family[:-8]}????????:" in text:
            return one.engine
    return None


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
