"""Which plugins of a Meltano project run, and what their tasks get of the project's secrets and variables."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.project.meltano.plugins import OWN_PREFIX, TRANSFORM_ONLY, Plugin, names_of
from penstock.project.meltano.project import MeltanoProject
from penstock.project.settings import Settings


def used(project: MeltanoProject, settings: Settings) -> list[Plugin]:
    """The plugins that a schedule of Meltano's or a job of the project runs, and those that they inherit from."""
    waiting = list(dict.fromkeys(_blocks(project, settings)))
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
    """Which declared secrets and variables a Meltano task gets because Meltano's files name them.

    Those are references, settings of the plugins that runs use, and Meltano's own settings (`MELTANO_…`).
    """
    running = used(project, settings)
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
            extractor, loader, transform = schedule.elt[:3]
            yield from (extractor, loader)
            if transform != "--transform=skip":
                everything = (plugin for listed in project.plugins.values() for plugin in listed)
                yield from (plugin.name for plugin in everything if plugin.kind in TRANSFORM_ONLY)
    for own in settings.schedules:
        if own.job not in settings.jobs:
            for texts in project.jobs.get(own.job, ()):
                yield from names_of(texts)
    for job in settings.jobs.values():
        for task in job.tasks:
            if task.meltano is not None:
                yield from names_of([task.meltano])
