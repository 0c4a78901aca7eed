"""`penstock run`: start a job's DAG through Airflow, follow it to its end, and sum up what really happened.

States and times come from Airflow, exit codes from ECS, rows from the warehouse, entities from the catalogue: what the
summary says is counted, not inferred.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from penstock.local import dag_problems, fargate, trouble, warehouse
from penstock.local.catalogue import client as catalogue
from penstock.local.progress import Progress
from penstock.local.system import System
from penstock_runtime.errors import InputError, PenstockError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import Schedule

POLL_SECONDS = 1.0
ENDED = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})


@dataclass(frozen=True)
class TaskResult:
    """One Airflow task of the run, and the Fargate task of its last try."""

    name: str
    state: str
    tries: int
    seconds: float | None
    exit_code: int | None
    """Exit code of the container; None where no container ran."""
    fargate_task: str | None
    operator: str = "ecs"


@dataclass(frozen=True)
class RunResult:
    """A DAG run that has ended."""

    schedule: str
    job: str
    dag_id: str
    run_id: str
    state: str
    seconds: float
    tasks: tuple[TaskResult, ...]
    tables: tuple[warehouse.TableCount, ...] = field(default=())
    entities: dict[str, int] = field(default_factory=dict)
    """How many entities of each kind the catalogue holds."""

    @property
    def succeeded(self) -> bool:
        """Whether all of it did: the DAG run, every task, every container."""
        return self.state == "success" and all(
            task.state == "success" and (task.exit_code == 0 or task.operator != "ecs") for task in self.tasks
        )

    def data(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "succeeded": self.succeeded}


def pick(plan: Plan, name: str) -> Schedule:
    """The schedule of that name, or the first one that runs the job of that name.

    Raises:
        InputError: there is neither; names what there is.
    """
    for schedule in plan.schedules:
        if name in (schedule.name, schedule.dag_id):
            return schedule
    for schedule in plan.schedules:
        if schedule.job == name:
            return schedule
    known = sorted({schedule.job for schedule in plan.schedules})
    raise InputError(
        f"no schedule runs a job {name[:60]!r}",
        fix=f"choose one of {', '.join(known)}, or add a schedule with interval: '@manual' and run penstock up",
    )


def run(system: System, schedule: Schedule, progress: Progress) -> RunResult:
    """Start a run by hand and follow it until Airflow calls it ended.

    Raises:
        PenstockError: the schedule could not be built; Airflow did not take the run, or is gone.
    """
    start = time.monotonic()
    airflow, dag_id = system.airflow, schedule.dag_id
    _check_built(system, schedule)
    before = [run.run_id for run in airflow.runs(dag_id) if run.state not in ENDED]
    paused = airflow.paused(dag_id)
    run_id = airflow.trigger(dag_id)
    if paused:  # which would leave the run queued for ever
        airflow.set_paused(dag_id, paused=False)
    try:
        with progress.step(f"run {run_id} of schedule {schedule.name}") as step:
            if before:
                progress.note(f"a schedule has one run at a time: this one waits for {', '.join(before)}")
            state = _follow(system, dag_id, run_id, progress)
            if state != "success":
                step.fail()
    finally:
        if paused:
            with contextlib.suppress(PenstockError):  # of an Airflow that is gone; why, is told already
                airflow.set_paused(dag_id, paused=True)
    return _result(system, schedule, run_id, state, time.monotonic() - start)


def _check_built(system: System, schedule: Schedule) -> None:
    for dag in system.airflow.dags():
        if dag.dag_id == schedule.dag_id and dag_problems.is_stand_in(dag):
            raise PenstockError(
                dag_problems.reason_of(dag), fix="correct the schedule in the project file, then run penstock up"
            )


def _follow(system: System, dag_id: str, run_id: str, progress: Progress) -> str:
    """Tell how the run's tasks come along, until it has ended; returns its state.

    Raises:
        PenstockError: a service has died, so that it may never end.
    """
    airflow = system.airflow
    shown_before: dict[str, str] = {}
    while True:
        trouble.check(system.instance)
        state = airflow.run_state(dag_id, run_id)
        for task in airflow.task_instances(dag_id, run_id):
            shown = task.state or "waiting"
            if shown_before.get(task.task_id) != shown and shown != "waiting":
                shown_before[task.task_id] = shown
                progress.note(f"{task.task_id}: {shown}")
        if state in ENDED:
            return state
        time.sleep(POLL_SECONDS)


def _result(system: System, schedule: Schedule, run_id: str, state: str, seconds: float) -> RunResult:
    ran = {task.task: task for task in fargate.tasks(system.plan, system.endpoint) if task.dag_run == run_id}
    instances = {instance.task_id: instance for instance in system.airflow.task_instances(schedule.dag_id, run_id)}
    tasks = []
    for task in schedule.tasks:
        instance, container = instances.get(task.name), ran.get(task.name)
        tasks.append(
            TaskResult(
                name=task.name,
                # A deploy in the meantime may have taken the task away.
                state=(instance.state or "waiting") if instance else "removed",
                tries=instance.try_number if instance else 0,
                seconds=instance.seconds if instance else None,
                exit_code=container.exit_code if container else None,
                fargate_task=container.arn.rsplit("/", 1)[-1] if container else None,
                operator=task.operator,
            )
        )
    return RunResult(
        schedule=schedule.name,
        job=schedule.job,
        dag_id=schedule.dag_id,
        run_id=run_id,
        state=state,
        seconds=round(seconds, 1),
        tasks=tuple(tasks),
        tables=tuple(warehouse.tables(system.warehouse)) if system.warehouse else (),
        entities=catalogue.summary(system.catalogue) if system.catalogue else {},
    )
