"""What a Meltano project and `penstock.yaml` must agree on."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.document.findings import report_errors
from penstock.project.document.problems import nearest
from penstock.project.rules.meltano import overrides
from penstock.project.rules.meltano import references
from penstock.project.meltano.project import MeltanoProject
from penstock.project.settings import Settings


def check_meltano(checks: Checks, project: MeltanoProject) -> Iterator[Problem]:
    """Its environment, the secrets that it gets, its references, what Penstock sets itself."""
    settings = checks.settings.meltano
    assert settings is not None, "there is a Meltano project"
    for index, name in enumerate(settings.secrets):
        checks.known(name, "meltano", "secrets", index, only_secrets=True)
    yield from _check_environment(checks, project)
    report_errors(references.check(project, checks.settings, environment_of(checks.settings, project)), checks.problems)
    yield from overrides.check(checks, project)


def environment_of(settings: Settings, project: MeltanoProject) -> str | None:
    """The Meltano environment of the runs; None: there is none, and `meltano elt` runs without."""
    assert settings.meltano is not None, "there is a Meltano project"
    return settings.meltano.environment or project.default_environment


def _check_environment(checks: Checks, project: MeltanoProject) -> Iterator[Problem]:
    """Meltano 4.4.1 stops at an environment that it does not know; `run` needs one, `elt` does not."""
    settings = checks.settings.meltano
    assert settings is not None, "there is a Meltano project"
    environment = environment_of(checks.settings, project)
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
        place = ("environment",) if settings.environment else ()
        leave = "leave environment out" if settings.environment else "remove its default_environment"
        what = f"Meltano stops at environment {environment[:60]!r}: meltano.yml has no environments"
        fix = add if any(_runs(checks.settings, project)) else f"{add}, or {leave}: `meltano elt` runs without"
        yield Problem(what, fix, ("meltano", *place))
    elif who := next(_runs(checks.settings, project), None):
        yield Problem(
            f"{who} needs a Meltano environment (`meltano run` does not start without), and meltano.yml has none",
            "add environments: [{name: prod}] to meltano.yml, and environment: prod to meltano",
            ("meltano",),
        )


def _runs(settings: Settings, project: MeltanoProject) -> Iterator[str]:
    """What runs by `meltano run`."""
    yield from (f"schedule {one.name!r}" for one in project.schedules if one.job is not None)
    yield from (f"schedule {one.name!r}" for one in settings.schedules if one.job not in settings.jobs)
    for job in settings.jobs.values():
        yield from (f"task {task.name!r}" for task in job.tasks if task.meltano is not None)
