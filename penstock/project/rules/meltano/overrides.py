"""What Penstock sets for a run of Meltano's, against what the project's own files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from penstock.problem import Problem
from penstock.project.meltano.plugins import OWN_PREFIX, variable_of
from penstock.project.meltano.project import MeltanoProject
from penstock.project.rules.meltano import state
from penstock.project.rules.meltano.state import setting
from penstock.project.rules.meltano.usage import used
from penstock.project.settings import Settings
from penstock_runtime.container.engines.meltano import ENVIRONMENT, FIXED
from penstock_runtime.contract import MELTANO_STATE

REASONS = {
    "MELTANO_AUTO_INSTALL": "plugins are in the image, and nothing is installed at run time",
    "MELTANO_PROJECT_READONLY": "what a run changes in a container's files is gone after it",
    "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "no container reports to anyone outside",
}
"""Of each of the engine's `FIXED`, why it is so."""
_LOG_SETTINGS = ("cli.log_level", "cli.log_format")


def check(settings: Settings, project: MeltanoProject) -> Iterator[Problem]:
    """Variables that a run would get with another value than the project file says."""
    for kind in ("secrets", "variables"):
        for name in getattr(settings, kind):
            yield from _check(name, None, kind, name, key=True)
            if name == ENVIRONMENT:
                what, fix = f"Penstock sets {name} from meltano.environment", "name it there, and remove this"
                yield Problem(what, fix, (kind, name), at_key=True)
    for index, schedule in enumerate(settings.schedules):
        for name, value in schedule.env.items():
            yield from _check(name, value, "schedules", index, "env", name)
    for job, job_settings in settings.jobs.items():
        for index, task in enumerate(job_settings.tasks):
            for name, value in task.env.items() if task.meltano is not None else ():
                yield from _check(name, value, "jobs", job, "tasks", index, "env", name)
    for meltano_schedule in project.schedules:
        for name, document, node in meltano_schedule.env_nodes:
            where = document.where(node)
            yield from (replace(problem, where=where) for problem in _check(name, meltano_schedule.env.get(name)))
    yield from state.check(settings, project)


def _check(name: str, value: str | None, *path: str | int, key: bool = False) -> Iterator[Problem]:
    if name in FIXED and (value is None or not _same(value, FIXED[name])):
        what = f"Penstock sets {name} to {FIXED[name]} for every run of Meltano's: {REASONS[name]}"
        yield Problem(what, f"remove {name}", path, at_key=key)


def warnings(project: MeltanoProject, settings: Settings) -> Iterator[tuple[str, str]]:
    """(text, where) of what the files say and a run does not do."""
    for name, value in FIXED.items():
        key = name.removeprefix(OWN_PREFIX).lower()
        if (place := setting(project, key)) is not None:
            document, node = place
            if node.text is not None and not _same(node.text, value):
                yield f"{key} is {value} in the container: {REASONS[name]}: remove it here", document.where(node)
    if settings.meltano is not None and settings.meltano.image is None:
        yield from _left_out(project, settings)


def _left_out(project: MeltanoProject, settings: Settings) -> Iterator[tuple[str, str]]:
    """Settings that only `.env` holds."""
    where = project.documents[0].where(project.documents[0].root)
    running = used(project, settings)
    declared = {*settings.secrets, *settings.variables}
    for name in sorted(project.dotenv - declared - FIXED.keys()):
        if name == MELTANO_STATE:
            text = f"{name} is set in .env, which does not go into the image, so that Penstock keeps the state: "
            yield text + "write state_backend: {uri: …} in meltano.yml to keep it where it is", where
        elif name.startswith(OWN_PREFIX) or any(plugin.takes(name) for plugin in running):
            text = f"{name} is set in .env, which does not go into the image, so that no task gets it: "
            yield text + f"declare {name} under secrets or variables in penstock.yaml", where


def environment(project: MeltanoProject, variables: Mapping[str, str]) -> dict[str, str]:
    """Variables by which a run logs as the project says. The engine has other defaults, which would win."""
    environment = {}
    for key in _LOG_SETTINGS:
        if (place := setting(project, key)) is not None and (text := place[1].text) and "$" not in text:
            environment[variable_of("meltano", key)] = text
    return {name: variables.get(name, text) for name, text in environment.items()}


def _same(text: str, fixed: str) -> bool:
    true = ("1", "true", "yes", "on", "t", "y")
    return (text.strip().lower() in true) == (fixed in true)
