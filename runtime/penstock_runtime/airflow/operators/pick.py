"""Which operator runs a task: the one place that knows them all.

A new operator is a module beside this one, a line in `OPERATORS`, and its task in `plan.schedule`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow import DAG

from penstock_runtime.airflow.operators import fargate, worker
from penstock_runtime.airflow.versions import BaseOperator
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.schedule import FargateTask, WorkerTask
from penstock_runtime.release.resources import Resources

OPERATORS: dict[str, Callable[[Any, DAG, Resources, Mapping[str, str]], BaseOperator]] = {
    "ecs": fargate.operator_of,
    "python": worker.operator_of,
    "virtualenv": worker.operator_of,
}
"""`Task.operator` → what makes an Airflow operator of the task."""


def operator_of(task: FargateTask | WorkerTask, dag: DAG, resources: Resources, run: Mapping[str, str]) -> BaseOperator:
    """A task of the plan as an operator of `dag`.

    Args:
        resources: what the deploy made.
        run: what is known of the run at parse time: project, environment, schedule, job.

    Raises:
        PenstockError: no operator has the name that the task gives.
    """
    build = OPERATORS.get(task.operator)
    if build is None:
        raise PenstockError(
            f"task {task.name!r} has the unknown operator {task.operator!r}",
            fix=f"use one of {', '.join(OPERATORS)}, or deploy with the version of Penstock that has the operator",
        )
    return build(task, dag, resources, run)
