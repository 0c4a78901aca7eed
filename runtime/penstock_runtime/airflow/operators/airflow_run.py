"""Which try of which Airflow task starts a Fargate task, and how one is found again by it. Pure.

A Fargate task carries its Airflow run in three places:

    startedBy       the same for all tries of an Airflow task in a DAG run: ListTasks finds what earlier tries left
    PENSTOCK_RUN    says which try started it, and in which life of the DAG run (`earlier` reads it again)
    tags            for people and for the bill
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_TAG = 256
"""Characters of a tag's value. Source, also of the letters that it takes: AWS, "Tagging your Amazon ECS resources"."""


@dataclass(frozen=True)
class AirflowRun:
    """One try of one Airflow task."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    """-1: not a mapped task."""
    try_number: int
    first_try: int
    """The first try since the task was cleared last, if `retries` has not changed meanwhile. It counts for tasks that
    do not carry `max_tries`."""
    run_started: str = ""
    """When the DAG run began, ISO 8601. Another moment under the same run id and the same number of clears: the DAG run
    was deleted and made again."""
    clear_number: int = 0
    """How often the DAG run was cleared."""
    max_tries: int | None = None
    """Airflow's: a clear of the task changes it, a retry does not. None: unknown."""

    @classmethod
    def of(cls, context: Mapping[str, Any], retries: int) -> AirflowRun:
        """The run of a task's context, in every supported version of Airflow.

        Args:
            retries: of the Airflow task.
        """
        ti, dag_run = context["ti"], context.get("dag_run")
        # As Airflow itself finds it (`airflow.sdk.execution_time.task_runner`): a clear adds to max_tries.
        first = (getattr(ti, "max_tries", None) or 0) - retries + 1
        started = getattr(dag_run, "start_date", None)
        return cls(
            ti.dag_id,
            ti.run_id,
            ti.task_id,
            ti.map_index if ti.map_index is not None else -1,
            ti.try_number,
            min(max(first, 1), ti.try_number),
            started.isoformat() if started else "",
            getattr(dag_run, "clear_number", None) or 0,
            getattr(ti, "max_tries", None),
        )

    @property
    def started_by(self) -> str:
        """RunTask's `startedBy`: the same for all tries of one Airflow task in one DAG run, and for nothing else.

        It ends in a hash, since ECS takes 128 letters, digits, `-`, `/` and `_` (API, `startedBy`), and a run id holds
        others (`+`, `:`). The part before it is for people, in the console and in the message about a stopped task:
        `penstock/<DAG>/<Airflow task>/`.
        """
        identity = json.dumps([self.dag_id, self.run_id, self.task_id, self.map_index])
        dag, task = (re.sub("[^A-Za-z0-9_-]", "_", name) for name in (self.dag_id, self.task_id))
        return f"penstock/{dag[:45]}/{task[:35]}/{hashlib.sha256(identity.encode()).hexdigest()[:32]}"

    def client_token(self, attempt: int) -> str:
        """RunTask's `clientToken`: ECS starts one task for it, however often the call is repeated.

        Args:
            attempt: within the try, from 1 on; a new one for each Fargate task that the try means to start.
        """
        call = [
            self.dag_id,
            self.run_id,
            self.task_id,
            self.map_index,
            self.run_started,
            self.clear_number,
            self.try_number,
            attempt,
        ]
        # ECS takes 64 characters.
        return hashlib.sha256(json.dumps(call).encode()).hexdigest()

    @property
    def facts(self) -> dict[str, str | int]:
        """What of it is in PENSTOCK_RUN."""
        facts: dict[str, str | int] = {"dag_run": self.run_id, "try": self.try_number}
        if self.run_started:
            facts["run_started"] = self.run_started
        if self.clear_number:
            facts["clear_number"] = self.clear_number
        if self.max_tries is not None:
            facts["max_tries"] = self.max_tries
        return facts

    @property
    def tags(self) -> list[dict[str, str]]:
        """RunTask's `tags`: which Airflow run this is, in letters that a tag takes."""
        values = {
            "penstock:dag": self.dag_id,
            "penstock:dag-run": self.run_id,
            "penstock:airflow-task": self.task_id,
            "penstock:try": str(self.try_number),
        }
        return [{"key": key, "value": _tag(value)} for key, value in values.items()]


def _tag(value: str) -> str:
    kept = "".join(char if char.isalnum() or char in " +-=._:/@" else "_" for char in value)
    return kept.strip()[:LONGEST_TAG]
