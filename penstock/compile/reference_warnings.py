"""What works, and may be unintended, in a project's files: references, settings and declarations without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from penstock.compile.task_definitions import Draft
from penstock.problem import Problem
from penstock.project.document.problems import Problems
from penstock.project.document.report import Report
from penstock.project.environments import Environment
from penstock.project.loaded import Project
from penstock.project.meltano.project import MeltanoProject
from penstock.project.openmetadata.content import check as content_check
from penstock.project.openmetadata.content import collisions
from penstock.project.rules import references, unused
from penstock.project.rules.meltano import overrides
from penstock.project.rules.meltano import references as meltano_references
from penstock.project.rules.meltano import state as meltano_state
from penstock.project.rules.meltano.checks import environment_of
from penstock.project.settings import Settings


def warnings(
    project: Project, environment: Environment, variables: Mapping[str, str], drafts: Sequence[Draft]
) -> Iterator[tuple[str, str]]:
    """(text, file:line:column) for one environment of a project.

    Args:
        variables: the project's, overrides in.
        drafts: the tasks of all schedules.
    """
    settings = environment.settings
    report = Report(project.document, Problems(), environment.root)
    yield from report.warnings(references.in_tasks(settings, report))
    for config in dict.fromkeys(
        task.openmetadata.config for job in settings.jobs.values() for task in job.tasks if task.openmetadata
    ):
        yield from report.warnings(references.in_workflow(project.workflows[config], settings))
    yield from report.warnings(_workflow_problems(project, settings, variables))
    meltano = project.meltanos[settings.meltano.project] if settings.meltano is not None else None
    if meltano is not None:
        yield from report.warnings((*meltano.left_out, *meltano.notes))
        yield from report.warnings(meltano_references.check(meltano, settings, environment_of(settings, meltano)))
        yield from overrides.warnings(meltano, settings)
        yield from report.warnings(_state_problems(meltano, environment, variables, drafts))
    for text, place in unused.warnings(settings, environment.root, project.workflows, meltano):
        yield text, report.place(*place)


def _workflow_problems(project: Project, settings: Settings, variables: Mapping[str, str]) -> Iterator[Problem]:
    """What the workflow files say, and between two of them."""
    used = [
        collisions.Used(f"{name}.{task.name}", task.openmetadata.type, project.workflows[task.openmetadata.config])
        for name, job in settings.jobs.items()
        for task in job.tasks
        if task.openmetadata is not None
    ]
    for one in used:
        yield from content_check.check(one.workflow, one.workflow_type, settings.openmetadata, variables)
    yield from collisions.check(used, variables)


def _state_problems(
    meltano: MeltanoProject, environment: Environment, variables: Mapping[str, str], drafts: Sequence[Draft]
) -> Iterator[Problem]:
    settings = environment.settings
    state = meltano_state.state_of(meltano, settings, variables)
    if state is None:
        return
    if (warning := meltano_state.warning(state)) is not None:
        yield warning
    for draft in drafts:
        if draft.task.engine == "meltano":
            lacking = meltano_state.lacking(state, meltano, draft.permissions, settings.region)
            if lacking is not None:
                what = f"Meltano keeps its state in the bucket {state.bucket}, and its tasks may not use that"
                fix = f"add to meltano permissions: [{lacking}]"
                yield Problem(what, fix, where=state.where, is_error=False)
                return
