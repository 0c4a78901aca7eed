"""What earlier tries of an Airflow task left in ECS, and what a new try makes of it. Pure.

A try can end without its Fargate task: Airflow's worker is killed, or loses its connection. The next try, which Airflow
starts because of `retries`, must not start a second one beside it, and need not repeat what has succeeded.

    running     adopted; stopped if the task's `reattach` is false
    succeeded   its result is this try's
    failed      a new one is started
    stopping    a new one is started once it has stopped

A clear asks for a run anew: then a task of an earlier try is stopped if it still runs, and its result does not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock_runtime import contract
from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.diagnosis.diagnose import reason_of, runs_alone
from penstock_runtime.diagnosis.reason import EXITED, FAILED_TO_START
from penstock_runtime.diagnosis.reasons import OUT_OF_MEMORY

Described = Mapping[str, Any]
"""A Fargate task as DescribeTasks gives it."""


@dataclass(frozen=True)
class Decision:
    """What a new try does first. At most one of `adopt` and `take` is set; with neither, it starts a task."""

    adopt: Described | None = None
    """A running task that it goes on waiting for."""
    take: Described | None = None
    """A task that has succeeded: its result is the try's."""
    stop: tuple[Described, ...] = ()
    """Running tasks that it stops."""
    wait_for: tuple[Described, ...] = ()
    """Tasks that must have stopped before it starts one; those of `stop` among them."""


def decide(tasks: Iterable[Described], run: AirflowRun, *, reattach: bool) -> Decision:
    """What a try does about the tasks that earlier tries left.

    Args:
        tasks: all that ECS still knows under the run's `started_by`.
        reattach: whether a running one is adopted.
    """
    newest_first = sorted(tasks, key=created, reverse=True)
    same = [task for task in newest_first if _is_of_this_life(task, run)]
    running = [task for task in newest_first if _is_running(task)]
    adoptable = [task for task in running if task in same] if reattach else []
    succeeded = [task for task in same if has_succeeded(task)]
    stopping = [task for task in newest_first if not has_stopped(task) and not _is_running(task)]
    if adoptable:
        others = tuple(task for task in running if task is not adoptable[0])
        return Decision(adopt=adoptable[0], stop=others)
    if succeeded:
        return Decision(take=succeeded[0], stop=tuple(running))
    return Decision(stop=tuple(running), wait_for=(*running, *stopping))


def has_succeeded(task: Described) -> bool:
    """Whether a task has stopped with exit code 0, by itself.

    Penstock's runtime ends with another code where it was told to stop; an image of one's own may end with 0 then, with
    half of its work done. One whose container never started has not succeeded.
    """
    stop_code = task.get("stopCode")
    by_itself = stop_code in (None, EXITED) or (stop_code != FAILED_TO_START and not runs_alone(task))
    return has_stopped(task) and exit_code(task) == 0 and by_itself


def exit_code(task: Described) -> int | None:
    """The container's exit code; None while it runs, and if it never did."""
    containers = [one for one in task.get("containers") or [] if one.get("name") == contract.CONTAINER_NAME]
    return containers[0].get("exitCode") if len(containers) == 1 else None


def short_of_memory(tasks: Iterable[Described], run: AirflowRun) -> int:
    """How many tasks of this life ran out of memory: ECS says so, or the engine was killed unasked."""
    return sum(
        _is_of_this_life(task, run)
        and task.get("stopCode") == EXITED
        and (reason_of(task) is OUT_OF_MEMORY or exit_code(task) == contract.Exit.KILLED)
        for task in tasks
    )


def variable(task: Described, name: str) -> str | None:
    """A plain variable that RunTask gave the container."""
    for override in (task.get("overrides") or {}).get("containerOverrides") or []:
        if override.get("name") == contract.CONTAINER_NAME:
            return {one["name"]: one.get("value") for one in override.get("environment") or []}.get(name)
    return None


def facts_of(task: Described) -> Mapping[str, Any]:
    """Which run a task belongs to (`contract.RUN`); empty if it does not say."""
    try:
        facts = json.loads(variable(task, contract.RUN) or "{}")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _is_of_this_life(task: Described, run: AirflowRun) -> bool:
    """Whether a try since the last clear started it, in this DAG run and not in a deleted one of the same id.

    No clocks are compared, since those of AWS, the scheduler and the workers may differ.
    """
    facts = facts_of(task)
    attempt, clears = facts.get("try"), facts.get("clear_number", 0)
    if isinstance(attempt, int) and attempt > run.try_number:
        return False
    if clears > run.clear_number or (clears == run.clear_number and facts.get("run_started", "") != run.run_started):
        # Of a DAG run of the same id that was deleted.
        return False
    if "max_tries" in facts:
        # A retry leaves it, a clear changes it.
        return bool(facts["max_tries"] == run.max_tries)
    return not isinstance(attempt, int) or attempt >= run.first_try


def has_stopped(task: Described) -> bool:
    """Whether nothing of it runs any more."""
    return task.get("lastStatus") == "STOPPED"


def _is_running(task: Described) -> bool:
    """Running or about to, and nobody has asked it to stop."""
    return not has_stopped(task) and task.get("desiredStatus") != "STOPPED"


def created(task: Described) -> float:
    """When ECS was asked for the task, in seconds since 1970; 0 if it does not say."""
    created = task.get("createdAt") or 0
    return float(created.timestamp() if hasattr(created, "timestamp") else created)
