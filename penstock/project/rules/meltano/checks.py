"""What a Meltano project and `penstock.yaml` must agree on."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.document.problems import nearest
from penstock.project.meltano.project import MeltanoProject
from penstock.project.rules.meltano import overrides, references
from penstock.project.rules.meltano.annotations import check as check_annotations
from penstock.project.secrets.checks import unknown_secret
from penstock.project.settings import Settings


def check_meltano(settings: Settings, project: MeltanoProject) -> Iterator[Problem]:
    """Its environment, the secrets that it gets, its references, what Penstock sets itself."""
    assert settings.meltano is not None, "there is a Meltano project"
    for index, name in enumerate(settings.meltano.secrets):
        yield from unknown_secret(name, settings.secrets, "meltano", "secrets", index)
    yield from _check_environment(settings, project)
    yield from references.check(project, settings, environment_of(settings, project))
    yield from overrides.check(settings, project)
    yield from check_annotations(settings, project)


def environment_of(settings: Settings, project: MeltanoProject) -> str | None:
    """The Meltano environment of the runs; None: there is none, and `meltano elt` runs without."""
    assert settings.meltano is not None, "there is a Meltano project"
    return settings.meltano.environment or project.default_environment


def _check_environment(settings: Settings, project: MeltanoProject) -> Iterator[Problem]:
    """Meltano 4.4.1 stops at an environment that it does not know; `run` needs one, `elt` does not."""
    assert settings.meltano is not None, "there is a Meltano project"
    environment = environment_of(settings, project)
    if project.environments:
        if environment is None:
            fix = "add environment: … to meltano, or default_environment: … to meltano.yml"
            yield Problem("no Meltano environment is named", fix, ("meltano",))
        elif environment not in project.environments:
            fix = nearest(environment, project.environments, kind="environment")
            yield Problem(f"meltano.yml has no environment {environment[:60]!r}", fix, ("meltano", "environment"))
        return
    if environment is not None:
        add = f"add environments: [{{name: {environment[:60]}}}] to meltano.yml"
        place = ("environment",) if settings.meltano.environment else ()
        leave = "leave environment out" if settings.meltano.environment else "remove its default_environment"
        what = f"Meltano stops at environment {environment[:60]!r}: meltano.yml has no environments"
        fix = add if any(_runs(settings, project)) else f"{add}, or {leave}: `meltano elt` runs without"
        yield Problem(what, fix, ("meltano", *place))
    elif who := next(_runs(settings, project), None):
        yield Problem(
            f"{who} needs a Meltano environment (`meltano run` does not start without), and meltano.yml has none",
            "add environments: [{name: prod}] to meltano.yml, and environment: prod to meltano",
            ("meltano",),
        )


def _runs(settings: Settings, project: MeltanoProject) -> Iterator[str]:
    """What runs by `meltano run`."""
    yield from (f"schedule {schedule.name!r}" for schedule in project.schedules if schedule.job is not None)
    yield from (f"schedule {schedule.name!r}" for schedule in settings.schedules if schedule.job not in settings.jobs)
    for job in settings.jobs.values():
        yield from (f"task {task.name!r}" for task in job.tasks if task.meltano is not None)
