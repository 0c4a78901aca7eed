"""Which plugins of a Meltano project run, and what their tasks get of the project's secrets and variables."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from penstock.project.meltano.plugins import OWN_PREFIX, TRANSFORM_ONLY, Plugin, names_of
from penstock.project.meltano.project import MeltanoProject
from penstock.project.settings import Settings


def used(project: MeltanoProject, settings: Settings) -> list[Plugin]:
    """The plugins that a schedule of Meltano's or a job of the project runs, and those that they inherit from."""
    return _plugins(project, _blocks(project, settings))


def _plugins(project: MeltanoProject, blocks: Iterable[str]) -> list[Plugin]:
    """The plugins behind names of plugins, mappings and jobs."""
    waiting = list(dict.fromkeys(blocks))
    seen: dict[str, None] = {}
    mappers = {
        name: plugin.name for listed in project.plugins.values() for plugin in listed for name in plugin.mappings
    }
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen[name] = None
        waiting += [plugin.parent for plugin in project.plugins.get(name, ()) if plugin.parent]
        waiting += [mappers[name]] if name in mappers else []
        # A job may run another.
        waiting += [block for texts in project.jobs.get(name, ()) for block in names_of(texts)]
    return [plugin for name in seen for plugin in project.plugins.get(name, ())]


def given(project: MeltanoProject, settings: Settings) -> set[str]:
    """Which declared secrets and variables some Meltano task gets because Meltano's files name them."""
    return _given(project, settings, used(project, settings))


def given_to(project: MeltanoProject, settings: Settings, command: Sequence[str]) -> set[str]:
    """Which of them a task with this command gets.

    Those are references, settings of the plugins that it runs, and Meltano's own settings (`MELTANO_…`).

    Args:
        command: arguments of `meltano`: `run …` or `elt …`.
    """
    blocks = _elt_blocks(project, command[1:]) if command[0] == "elt" else names_of(map(shlex.quote, command[1:]))
    return _given(project, settings, _plugins(project, blocks))


def _given(project: MeltanoProject, settings: Settings, running: Sequence[Plugin]) -> set[str]:
    declared = {*settings.secrets, *settings.variables}
    return {
        name
        for name in declared
        if name in project.names or name.startswith(OWN_PREFIX) or any(plugin.takes(name) for plugin in running)
    }


def _blocks(project: MeltanoProject, settings: Settings) -> Iterator[str]:
    """What runs name: plugins, mappings, jobs. Options and their values may be among them."""
    for schedule in project.schedules:
        for texts in schedule.tasks:
            yield from names_of(texts)
        if schedule.elt:
            yield from _elt_blocks(project, schedule.elt)
    for own in settings.schedules:
        if own.job not in settings.jobs:
            for texts in project.jobs.get(own.job, ()):
                yield from names_of(texts)
    for job in settings.jobs.values():
        for task in job.tasks:
            if task.meltano is not None:
                yield from names_of([task.meltano])


def _elt_blocks(project: MeltanoProject, arguments: Sequence[str]) -> Iterator[str]:
    """What `meltano elt` runs, by the arguments that a schedule gives it."""
    extractor, loader, transform = arguments[:3]
    yield from (extractor, loader)
    if transform != "--transform=skip":
        everything = (plugin for listed in project.plugins.values() for plugin in listed)
        yield from (plugin.name for plugin in everything if plugin.kind in TRANSFORM_ONLY)
