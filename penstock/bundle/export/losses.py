"""What a schedule has in Penstock's own DAG, and not in the exported one."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.bundle.export.python_tasks import workflow_requirements
from penstock.bundle.export.target import Operator
from penstock.bundle.export.work import Source
from penstock_runtime.plan.schedule import FargateTask

_WHERE = {
    Operator.python: "the Airflow worker's own process",
    Operator.virtualenv: "a virtual environment on the Airflow worker",
    Operator.bash: "a shell on the Airflow worker",
    Operator.docker: "a container on the Airflow worker's host",
}


def losses(source: Source) -> list[str]:
    """One sentence each, most important first."""
    found = _of_fargate(source) if source.target.operator is Operator.ecs else _of_workers(source)
    return [*found, *_of_all(source)]


def requisites(source: Source) -> Iterator[str]:
    """What must be in Airflow before the file runs, a sentence each."""
    target = source.target
    engines = {task.engine for task in source.tasks}
    if target.operator is Operator.ecs:
        yield "Allow Airflow's role to run the project's task definitions, as docs/airflow-self-managed.md has it."
    elif target.operator is Operator.docker:
        yield "Install apache-airflow-providers-docker 4.0 or later; the worker needs the socket of a Docker daemon."
    elif target.operator is Operator.virtualenv and target.airflow < (3, 0) and "openmetadata" in engines:
        yield "Install virtualenv beside Airflow."
    elif target.operator is Operator.python and "openmetadata" in engines:
        asked = ", ".join(workflow_requirements(source))
        yield f"Install beside Airflow: {asked}."
    elif target.operator is Operator.bash and "openmetadata" in engines:
        yield "The worker's PATH must have OpenMetadata's command, metadata."
    if "meltano" in engines and target.operator not in (Operator.ecs, Operator.docker):
        yield "The worker's PATH must have Meltano's command, meltano."


def _of_fargate(source: Source) -> Iterator[str]:
    tasks = source.tasks
    yield (
        "Nothing keeps a retry from starting a second Fargate task where RunTask's answer was lost, or takes the "
        "result of one that ended while Airflow was away."
    )
    yield "RunTask is not tried again within a try where Fargate lacks capacity or throttles."
    yield "No reaper stops a task that Airflow has lost; its own limit does, where Penstock's program is in the image."
    if names := _named(tasks, lambda task: bool(task.larger_memory_mib)):
        yield f"A retry after running out of memory has no more of it: {names}."
    if names := _named(tasks, lambda task: task.spot):
        yield f"After interruptions of Spot, or without capacity there, nothing falls back to on demand: {names}."
    if names := _named(tasks, lambda task: task.deferrable is True):
        yield f"Each wait takes a worker's slot: {names}."
    if names := _named(tasks, lambda task: not task.reattach):
        yield f"What an earlier try has left running is not stopped before a retry: {names}."


def _of_workers(source: Source) -> Iterator[str]:
    tasks, operator = source.tasks, source.target.operator
    yield f"Tasks run in {_WHERE[operator]} with its role and its network, no longer in Fargate with theirs."
    if operator is not Operator.docker:
        yield "cpu_units, memory_mib and ephemeral_storage_gib have no effect: tasks share the worker."
    if any(source.secrets(task) for task in tasks):
        whose = "The host's role" if operator is Operator.docker else "The worker's role"
        yield f"{whose} must be allowed to read the secrets that are named below; the file holds no value of any."
    masks = operator is Operator.python
    unmasked = _named(tasks, lambda task: bool(source.secrets(task)) and not (masks and task.engine == "openmetadata"))
    if unmasked:
        yield f"Nothing masks a secret that the task itself prints: {unmasked}."
    if any(source.definition(task).permissions for task in tasks):
        yield "`permissions` of tasks are not granted: the worker's role needs them."
    if names := _named(tasks, lambda task: task.engine == "meltano"):
        state = [source.definition(task).meltano_state for task in tasks if task.engine == "meltano"]
        if None in state:
            place = "is lost with the container" if operator is Operator.docker else "is kept beside the project"
            yield f"Meltano's state {place}, unless MELTANO_STATE_BACKEND_URI says otherwise: {names}."
    yield "No metrics are written, so that nobody is notified of an overdue schedule or of memory that runs short."


def _of_all(source: Source) -> Iterator[str]:
    yield "A failure ends in the operator's own message, without a diagnosis of its cause."


def _named(tasks: tuple[FargateTask, ...], has: object) -> str:
    assert callable(has)
    return ", ".join(task.name for task in tasks if has(task))
