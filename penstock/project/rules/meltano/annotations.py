"""What `annotations.penstock` in Meltano's files and `penstock.yaml` must agree on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from penstock.problem import Problem
from penstock.project.document.problems import nearest
from penstock.project.jobs.tasks import BASE, TaskSettings
from penstock.project.meltano.annotations import JobAnnotation, layers
from penstock.project.meltano.project import MeltanoProject
from penstock.project.rules.jobs import size_problems
from penstock.project.rules.schedules import check_settings
from penstock.project.schema.model import merge_layers
from penstock.project.settings import Settings


def check(settings: Settings, project: MeltanoProject) -> Iterator[Problem]:
    """Sizes that Fargate has, secrets that are declared, time zones, of all schedules that run."""
    for schedule in project.schedules:
        problems = [
            *_tasks(settings, schedule.name, schedule.job_annotation, schedule.annotation),
            *check_settings(schedule.annotation.schedule_settings),
        ]
        yield from (replace(problem, path=(), at_key=False, where=schedule.where) for problem in problems)
    for own in settings.schedules:
        if own.job not in settings.jobs and own.job in project.annotations:
            yield from (
                replace(problem, path=("schedules", settings.schedules.index(own), "job"))
                for problem in _tasks(settings, own.job, project.annotations[own.job])
            )


def _tasks(settings: Settings, name: str, *annotations: JobAnnotation) -> Iterator[Problem]:
    run = merge_layers(TaskSettings, BASE, settings.defaults.task, layers(*annotations))
    yield from size_problems(name, run)
    for secret in dict.fromkeys(secret for annotation in annotations for secret in annotation.secrets):
        if secret not in settings.secrets:
            what = f"annotations.penstock names secret {secret[:60]!r}, which penstock.yaml does not declare"
            yield Problem(what, nearest(secret, settings.secrets, kind="secret"))
