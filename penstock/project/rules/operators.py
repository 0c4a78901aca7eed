"""Tasks that do not run as Fargate tasks: which they are, and what they cannot have."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.problem import DocumentPath, Problem
from penstock.project.airflow.files import MwaaFiles
from penstock.project.jobs.tasks import Task
from penstock.project.rules.files import levels
from penstock.project.settings import Settings
from penstock.versions.openmetadata import PACKAGE
from penstock.versions.pairs import BLOCKERS, pair_problem

WORKER = ("python", "virtualenv")
"""Operators of tasks that run in Airflow's worker."""
_FARGATE_ONLY = (
    "cpu_units", "memory_mib", "ephemeral_storage_gib", "spot", "architecture", "read_only_root", "reattach",
    "deferrable", "subnets",
)  # fmt: skip
"""Settings of a task that its operator `ecs` alone reads."""
_ECS = "use operator: ecs for this task"


def operator_of(settings: Settings, task: Task) -> str:
    """Which operator runs a task: its own, otherwise that of `defaults.task`, which is for workflows only."""
    if task.operator is not None:
        return task.operator
    default = settings.defaults.task.operator
    return default if default is not None and task.openmetadata is not None else "ecs"


def worker_tasks(settings: Settings) -> Iterator[tuple[Task, str, DocumentPath]]:
    """The tasks that run in Airflow's worker, with their job and their place."""
    for job, settings_of_job in settings.jobs.items():
        for index, task in enumerate(settings_of_job.tasks):
            if operator_of(settings, task) in WORKER:
                yield task, job, ("jobs", job, "tasks", index)


def check_operators(settings: Settings) -> Iterator[Problem]:
    """What does not fit the operator, as far as the project file says it."""
    for task, job, here in worker_tasks(settings):
        operator = operator_of(settings, task)
        named = f"task {task.name!r} runs in Airflow's worker (operator: {operator})"
        said = (*here, "operator") if task.operator is not None else here
        if task.openmetadata is None:
            yield Problem(f"{named}, which only OpenMetadata's workflows can", _ECS, said)
            continue
        for key in _FARGATE_ONLY:
            if getattr(task, key) is not None:
                yield Problem(f"{named}, where {key} has no effect", f"remove it, or {_ECS}", (*here, key), at_key=True)
        if task.permissions or settings.jobs[job].permissions:
            place = (*here, "permissions") if task.permissions else ("jobs", job, "permissions")
            yield Problem(
                f"{named} with the role of Airflow, which gets no permissions of a task",
                f"give them to airflow.create.permissions, or {_ECS}",
                place,
                at_key=True,
            )
        files = levels.of_task(settings, job, int(str(here[-1])))
        for path, given in files.items():
            yield Problem(f"{named}, where nothing writes its file {path}", _ECS, given.place)
        if levels.certificate(settings) is not None:
            yield Problem(f"{named}, where nothing writes openmetadata.ca_certificate", _ECS, levels.CERTIFICATE)
        if operator == "python":
            yield from _pair(settings, said)


def check_installed(settings: Settings, files: MwaaFiles) -> Iterator[Problem]:
    """For operator python, whether an environment that Penstock creates installs the package."""
    create, server = settings.airflow.create, settings.openmetadata
    if create is None or server is None:
        return
    for task, _, here in worker_tasks(settings):
        if operator_of(settings, task) != "python":
            continue
        wanted = create.requirements
        text = files.texts.get(wanted.file, "") if wanted is not None else ""
        if f"{PACKAGE}" in text:
            return
        line = ".".join(server.version.split(".")[:2])
        package, versions = BLOCKERS.get(line, ("", ""))
        why = f" (of Airflow's own constraints they exclude {package}{versions})" if package else ""
        yield Problem(
            f"task {task.name!r} runs in Airflow's own Python (operator: python), and airflow.create.requirements does "
            f"not install {PACKAGE}",
            f"put {PACKAGE}[…]=={server.version}.* into the file, and a --constraint line that names constraints of "
            f"your own{why}: docs/operators.md; or use operator: virtualenv, which needs neither",
            here,
        )
        return


def _pair(settings: Settings, place: DocumentPath) -> Iterator[Problem]:
    chosen = settings.airflow.create or settings.airflow.use or settings.airflow.self_managed
    if settings.openmetadata is None or chosen is None:
        return
    if problem := pair_problem(settings.openmetadata.version, chosen.version):
        yield problem.at(*place)
