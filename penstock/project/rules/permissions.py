"""What tasks, jobs, Meltano and Airflow may do in AWS, each for itself and together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.problem import Problem
from penstock.project.iam.permissions import Permission, filled, too_many, wrong_permission
from penstock.project.settings import Settings


def check_permissions(settings: Settings) -> Iterator[Problem]:
    everywhere: Sequence[Permission] = settings.meltano.permissions if settings.meltano else ()
    yield from _check_each(settings, everywhere, "meltano", "permissions")
    if settings.airflow.create is not None:
        yield from _check_each(settings, settings.airflow.create.permissions, "airflow", "create", "permissions")
    for name, job in settings.jobs.items():
        yield from _check_each(settings, job.permissions, "jobs", name, "permissions")
        for index, task in enumerate(job.tasks):
            here = ("jobs", name, "tasks", index)
            yield from _check_each(settings, task.permissions, *here, "permissions")
            both = [*job.permissions, *task.permissions, *(everywhere if task.meltano else ())]
            if size := too_many([filled(permission, settings.variables) for permission in both]):
                what = f"the permissions of task {task.name!r} take {size} characters, more than its role has room for"
                yield Problem(what, "join actions or resources, or split the task", here)
            if task.read_only_root and task.meltano is not None:
                what = f"task {task.name!r}: Meltano writes beside its project, so its root cannot be read-only"
                yield Problem(what, "remove read_only_root", (*here, "read_only_root"))


def _check_each(settings: Settings, permissions: Sequence[Permission], *path: str | int) -> Iterator[Problem]:
    for index, permission in enumerate(permissions):
        for problem in wrong_permission(permission, settings.variables, settings.region):
            yield problem.below(*path, index)
