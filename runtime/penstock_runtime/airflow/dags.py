"""Schedules → DAGs. A loader file of the bundle calls `load_schedules` each time Airflow parses it."""

from __future__ import annotations

import functools
import json
import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from airflow import DAG
from airflow.timetables.base import Timetable
from airflow.timetables.trigger import CronTriggerTimetable

from penstock_runtime import contract
from penstock_runtime.airflow.operators.pick import operator_of
from penstock_runtime.airflow.versions import (
    FIRST_AT_START,
    BaseOperator,
    IntervalTimetable,
    email_is_allowed,
    get_parsing_context,
)
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plain_data import from_data
from penstock_runtime.plan.schedule import Schedule
from penstock_runtime.release.resources import Resources


def load_schedules(release: Path, shard: str) -> dict[str, DAG]:
    """The DAGs of one shard, under names for a module's globals; in a worker, only the one about to run.

    A schedule that cannot be built becomes a DAG that shows the error and fails when it runs: no schedule
    vanishes, and none affects another.

    Args:
        release: the bundle's folder `release/<hash>`; `resources.json` is two folders up.

    Raises:
        PenstockError: a file of the bundle is missing or of another format. Airflow shows it as an import
            error.
    """
    data = _shard(release / "shards" / f"{shard}.json")
    resources = _resources(release.parent.parent / contract.RESOURCES_FILE)
    parsed_only = get_parsing_context().dag_id
    dags: dict[str, DAG] = {}
    for number, raw in enumerate(data["schedules"]):
        facts = raw if isinstance(raw, dict) else {}
        # For a schedule whose own id is not a valid DAG id, or is taken by another schedule.
        substitute = f"penstock-broken-{shard}-{number}"
        dag_id = facts.get("dag_id")
        if parsed_only not in (None, dag_id, substitute):
            continue
        try:
            if f"dag {dag_id}" in dags:
                raise ValueError(f"another schedule also has the DAG id {dag_id!r}")
            dag = build(from_data(Schedule, raw), resources, data["project"], data["environment"])
        except Exception as error:  # noqa: BLE001  an error in one schedule must not affect the others
            usable = _is_dag_id(dag_id) and f"dag {dag_id}" not in dags
            dag = broken(str(dag_id) if usable else substitute, facts, error)
        if parsed_only in (None, dag.dag_id):
            dags[f"dag {dag.dag_id}"] = dag
    return dags


def _is_dag_id(value: object) -> bool:
    """Whether Airflow accepts it as a DAG id (`airflow.utils.helpers.validate_key`)."""
    return isinstance(value, str) and re.fullmatch(r"[\w.-]{1,250}", value) is not None


def build(schedule: Schedule, resources: Resources, project: str, environment: str) -> DAG:
    """One schedule as a DAG."""
    facts = {"project": project, "environment": environment, "schedule": schedule.name, "job": schedule.job}
    defaults: dict[str, Any] = {
        "owner": schedule.owner,
        "retries": schedule.retries,
        "retry_delay": timedelta(seconds=schedule.retry_delay_seconds),
    }
    if schedule.email:
        defaults |= {"email": list(schedule.email), "email_on_failure": True, "email_on_retry": False}
    # Never `with DAG(...)`: that registers the DAG with Airflow even when building it fails half way.
    dag = DAG(
        schedule.dag_id,
        description=schedule.description,
        schedule=_timetable(schedule.cron, schedule.timezone, schedule.every_minutes),
        start_date=_start(schedule),
        catchup=schedule.catchup,
        is_paused_upon_creation=schedule.paused,
        max_active_runs=1,
        tags=list(schedule.tags),
        default_args=defaults,
        doc_md=_documentation(schedule.job, schedule.source),
    )
    with email_is_allowed():
        operators = {task.name: operator_of(task, dag, resources, facts) for task in schedule.tasks}
    for task in schedule.tasks:
        for name in task.after:
            operators[task.name].set_upstream(operators[name])
    # Airflow would check the DAG only after reading the whole file, and one bad cron expression would cost all of it.
    dag.validate()
    return dag


class BrokenSchedule(BaseOperator):  # type: ignore[misc]
    """The only task of a DAG that stands for a schedule that could not be built."""

    def __init__(self, *, reason: str, **airflow_arguments: Any) -> None:
        super().__init__(**airflow_arguments)
        self.reason = reason

    def execute(self, context: Any) -> None:
        """Fail with the reason.

        Raises:
            PenstockError: always.
        """
        raise PenstockError(self.reason, fix="correct the schedule in the project file, then deploy or push it again")


def broken(dag_id: str, raw: dict[str, Any], error: Exception) -> DAG:
    """A DAG in place of one that cannot be built. It keeps the interval if that is valid, so its runs fail on time.

    Args:
        dag_id: one that Airflow accepts.
        raw: the schedule from the shard, unchecked.
    """
    reason = f"schedule {raw.get('dag_id', dag_id)!r} cannot be built: {error}"
    try:
        timetable = _timetable(raw["cron"], raw["timezone"], raw.get("every_minutes"))
        if timetable is not None:
            timetable.validate()
    except Exception:  # noqa: BLE001  then it runs by hand only
        timetable = None
    dag = DAG(
        dag_id,
        description=reason.splitlines()[0],
        schedule=timetable,
        start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
        catchup=False,
        is_paused_upon_creation=raw.get("paused") is True,
        max_active_runs=1,
        tags=[contract.ERROR_TAG],
        doc_md=f"**This schedule cannot be built.** Its runs fail.\n\n{_fenced('', reason)}",
    )
    BrokenSchedule(task_id="broken", dag=dag, reason=reason)
    return dag


def _start(schedule: Schedule) -> datetime:
    """The earliest time at which the interval starts a run.

    Even without catchup, a DAG that Airflow unpauses or sees for the first time gets a run for the latest time of its
    interval after its start (`CronTriggerTimetable.next_dagrun_info`, the same in 2.10.3 to 3.3.1), or at once if it
    runs every so many minutes.
    """
    start = datetime.fromisoformat(schedule.start_date).replace(tzinfo=ZoneInfo(schedule.timezone))
    moment = os.environ.get(contract.SCHEDULES_FROM)
    if schedule.catchup or moment is None:
        return start
    not_before = datetime.fromisoformat(moment)
    if schedule.every_minutes is not None and FIRST_AT_START:
        not_before += timedelta(minutes=schedule.every_minutes)
    return max(start, not_before)


@functools.cache
def _timetable(cron: str | None, timezone: str, every_minutes: int | None) -> Timetable | None:
    """When a schedule runs. Those of the same interval share it: Airflow puts a cron expression into words, which takes
    a third of the time of a DAG."""
    if every_minutes is not None:
        return IntervalTimetable(timedelta(minutes=every_minutes))
    return None if cron is None else CronTriggerTimetable(cron, timezone=timezone)


def _documentation(job: str, source: str) -> str:
    return f"Runs the job `{job}`. The schedule, as it was written:\n\n{_fenced('yaml', source)}"


def _fenced(language: str, text: str) -> str:
    fence = "````" if "```" in text else "```"
    return f"{fence}{language}\n{text.strip()}\n{fence}\n"


def _shard(path: Path) -> Any:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PenstockError(f"{path} cannot be read: {error}", fix="deploy or push the project again") from error
    if not isinstance(data, dict) or data.get("format") != 1:
        raise PenstockError(f"{path} is not a shard of format 1", fix="deploy or push the project again")
    return data


def _resources(path: Path) -> Resources:
    try:
        return Resources.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PenstockError(
            f"{path} is missing: it names what the deploy made",
            fix="deploy the project (`cdk deploy --all`, or `penstock up` for this machine)",
        ) from error
    except ValueError as error:
        raise PenstockError(f"{path}: {error}", fix="deploy the project again with this version") from error
