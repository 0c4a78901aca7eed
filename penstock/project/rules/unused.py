"""Secrets and variables that the project declares and no task gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock.project.document.composer import Node
from penstock.project.document.literals import references, scalars
from penstock.project.document.problems import nearest
from penstock.project.meltano.project import MeltanoProject
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.rules.meltano.usage import given, used
from penstock.project.settings import Settings
from penstock_runtime.contract import SERVER_VARIABLE

_DECLARATIONS = frozenset({"secrets", "variables"})


def warnings(
    settings: Settings, root: Node, workflows: Mapping[str, Workflow], meltano: MeltanoProject | None
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(text, where in the project file).

    Args:
        root: of the project file, as the environment has it.
        workflows: path as in the project file → workflow file.
    """
    reached = set(_named(settings, root, workflows)) | {SERVER_VARIABLE}
    if meltano is not None:
        reached |= given(meltano, settings)
        reached |= {secret for said in meltano.annotations.values() for secret in said.secrets}
        reached |= {secret for schedule in meltano.schedules for secret in schedule.annotation.secrets}
    for kind in ("secrets", "variables"):
        for name in getattr(settings, kind):
            if name not in reached:
                text = f"{kind.removesuffix('s')} {name} reaches no task"
                yield f"{text}: {_advice(name, kind, settings, meltano)}", (kind, name)


def _named(settings: Settings, root: Node, workflows: Mapping[str, Workflow]) -> Iterator[str]:
    """Names in `${}` anywhere, and those that are the whole of a value: `secrets: [PW]`, `credentials: REGISTRY`."""
    declared = {*settings.secrets, *settings.variables}
    for key, node in root.value.items():
        for _, value in scalars(node) if key not in (*_DECLARATIONS, "environments") else ():
            if isinstance(value.value, str):
                yield from references(value.value)
                yield from {value.value} & declared
    for job in settings.jobs.values():
        for task in job.tasks:
            if task.openmetadata is not None and task.openmetadata.config in workflows:
                yield from workflows[task.openmetadata.config].names


def _advice(name: str, kind: str, settings: Settings, meltano: MeltanoProject | None) -> str:
    if meltano is None:
        return f"write ${{{name}}} where it is needed, or remove it"
    settings_of_plugins = {variable for plugin in used(meltano, settings) for variable in plugin.variables or ()}
    close = nearest(name, settings_of_plugins, kind="setting")
    meant = f"{close} " if close.startswith("did") else ""
    if kind == "secrets":
        return f"{meant}add it to meltano.secrets, write ${{{name}}} where it is needed, or remove it"
    return f"{meant}write ${{{name}}} where it is needed, in meltano.yml too, or remove it"
