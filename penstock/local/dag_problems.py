"""What Airflow cannot run as it was meant: schedules that could not be built, and DAG files that it could not read.

Airflow reports both on its page only; a command that brings the system up, or runs a schedule, looks for them.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from penstock.bundle import own_dag_files
from penstock.local.airflow_client import AirflowClient, Dag
from penstock.project.airflow.dag_files import ignored, modules
from penstock_runtime.contract import ERROR_TAG
from penstock_runtime.plan.plan import DagFile, Plan

OWN_FILES_SECONDS = 15
"""How long to wait for the project's own DAG files once all schedules are there: Airflow reads both in one round."""


@dataclass(frozen=True)
class DagProblem:
    """A schedule or a DAG file with something wrong."""

    what: str
    """`schedule payday`, `DAG file own-dev/report.py`."""
    reason: str
    """In one line."""

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


def find(client: AirflowClient) -> list[DagProblem]:
    """All that Airflow knows of now, schedules first.

    Raises:
        PenstockError: Airflow does not answer.
    """
    stand_ins = [DagProblem(f"schedule {dag.dag_id}", reason_of(dag)) for dag in client.dags() if is_stand_in(dag)]
    unread = [DagProblem(f"DAG file {error.file}", last_line(error.trace)) for error in client.import_errors()]
    return sorted(stand_ins, key=str) + sorted(unread, key=str)


def is_stand_in(dag: Dag) -> bool:
    """Whether a DAG stands for a schedule that could not be built; see `penstock_runtime.airflow.dags`."""
    return ERROR_TAG in dag.tags


def reason_of(stand_in: Dag) -> str:
    """Why the schedule could not be built."""
    return stand_in.description or "it cannot be built"


def wait_for_own_files(client: AirflowClient, plan: Plan, *, since: datetime) -> None:
    """Wait until Airflow has read the project's own DAG files after a moment, or for `OWN_FILES_SECONDS`.

    A file that defines no DAG and raises no error leaves no trace in Airflow: hence the limit.
    """
    wanted = {f"{plan.prefix}/{path}" for path in dag_file_candidates(plan.dag_files, plan.airflow.version)}
    deadline = time.monotonic() + OWN_FILES_SECONDS
    while wanted and time.monotonic() < deadline:
        read = {dag.file for dag in client.dags() if dag.parsed > since}
        read |= {error.file for error in client.import_errors() if error.at > since}
        wanted = {file for file in wanted if not any(Path(one).as_posix().endswith(file) for one in read)}
        if wanted:
            time.sleep(0.5)


def dag_file_candidates(files: Collection[DagFile], airflow_version: str) -> frozenset[str]:
    """The files of a project's own that Airflow takes for DAG files, and nothing else imports.

    Source of the rule: `might_contain_dag_via_default_heuristic` of Airflow, 2.10.3 to 3.3.1.
    """
    hidden = ignored(files, int(airflow_version.split(".")[0]))
    imported = frozenset().union(*(own_dag_files.imports(file.content) for file in files)) & modules(files)
    return frozenset(
        file.path
        for file in files
        if file.path.endswith(".py")
        and file.path not in hidden
        and file.path.partition("/")[0].removesuffix(".py") not in imported
        and all(word in file.content.lower() for word in (b"dag", b"airflow"))
    )


def last_line(trace: str) -> str:
    """The exception at the end of a traceback."""
    lines = [line.strip() for line in trace.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "it could not be read"
