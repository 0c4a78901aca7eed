"""`meltano job` and `meltano schedule`, add, set and remove: edits of a Meltano project's files in place.

Meltano checks the same before it writes: names that are taken, jobs and plugins that are not there, intervals. It
writes the whole file again; here every line that is not part of the edit stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.project.document.change import FileChange
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, parse
from penstock.project.document.entries import Entries
from penstock.project.document.problems import nearest, shown
from penstock.project.document.yaml_meaning import YAML_1_2
from penstock.project.jobs import interval
from penstock.project.jobs.tasks import wrong_command
from penstock.project.meltano.files import read_all
from penstock.project.meltano.listing import entries
from penstock_runtime.errors import InputError

TRANSFORMS = ("skip", "only", "run")
_PLUGIN_KINDS = {"extractor": "extractors", "loader": "loaders"}

Tasks = list[str | list[str]]


@dataclass(frozen=True)
class Entry:
    """A job or a schedule, where it stands."""

    path: Path
    document: Document
    index: int
    node: Node

    @property
    def where(self) -> str:
        """`file:line:column`."""
        return self.document.where(self.node)


@dataclass(frozen=True)
class MeltanoFiles:
    """`meltano.yml`, and what it includes."""

    files: tuple[tuple[Path, Document], ...]

    @classmethod
    def read(cls, folder: Path, name: str, *, where: str) -> MeltanoFiles:
        """Read the files of a Meltano project.

        Args:
            name: the folder as errors show it.
            where: the place that names it.

        Raises:
            InputError: see `read_all`.
        """
        return cls(tuple(read_all(folder, name, where=where)))

    @property
    def documents(self) -> list[Document]:
        """The files, as read."""
        return [document for _, document in self.files]

    def find(self, kind: str, name: str) -> Entry | None:
        """The job or schedule (`kind` is `jobs` or `schedules`) that counts under a name: the first."""
        return next((entry for entry in self._all(kind) if str(entry.node.value["name"].value) == name), None)

    def names(self, kind: str) -> list[str]:
        """Of the jobs or schedules."""
        return [str(entry.node.value["name"].value) for entry in self._all(kind)]

    def add_job(self, name: str, tasks: Tasks) -> FileChange:
        """Write a job into `meltano.yml`.

        Raises:
            InputError: the name is taken, or a task is not a command line.
        """
        self._free("jobs", name)
        _check_tasks(tasks)
        return self._append("jobs", {"name": name, "tasks": tasks})

    def set_job(self, name: str, tasks: Tasks) -> FileChange:
        """Give a job other tasks.

        Raises:
            InputError: there is no such job, or a task is not a command line.
        """
        entry = self._known("jobs", name)
        _check_tasks(tasks)
        return self._change(entry, {"tasks": tasks})

    def remove_job(self, name: str) -> FileChange:
        """Remove a job that no schedule runs: Meltano lists no schedule at all if one names a missing job.

        Raises:
            InputError: there is no such job, or a schedule runs it.
        """
        entry = self._known("jobs", name)
        for schedule in self._all("schedules"):
            job = schedule.node.value.get("job")
            if job is not None and str(job.value) == name:
                runs = str(schedule.node.value["name"].value)
                raise InputError(
                    f"schedule {runs!r} runs job {name!r}",
                    fix=f"remove it first: penstock schedule remove {runs}",
                    where=schedule.where,
                )
        return self._without(entry, "jobs")

    def add_schedule(self, name: str, settings: Mapping[str, str]) -> FileChange:
        """Write a schedule into `meltano.yml`.

        Args:
            settings: `interval`, and either `job`, or `extractor`, `loader` and `transform`.

        Raises:
            InputError: the name is taken, or a setting is wrong.
        """
        self._free("schedules", name)
        self._check_settings(settings)
        return self._append("schedules", {"name": name, **settings})

    def set_schedule(self, name: str, settings: Mapping[str, str]) -> FileChange:
        """Change some of a schedule's settings.

        Raises:
            InputError: there is no such schedule, or a setting is wrong or not one of its kind.
        """
        entry = self._known("schedules", name)
        is_job = "job" in entry.node.value
        for key in settings:
            if key != "interval" and (key == "job") != is_job:
                kind = "a job" if is_job else "an extractor and a loader"
                raise InputError(
                    f"schedule {name!r} runs {kind}, so it has no {key}",
                    fix="remove it, and add one of the other kind",
                    where=entry.where,
                )
        self._check_settings(settings)
        return self._change(entry, settings)

    def remove_schedule(self, name: str) -> FileChange:
        """Remove a schedule.

        Raises:
            InputError: there is no such schedule.
        """
        return self._without(self._known("schedules", name), "schedules")

    def _all(self, kind: str) -> Iterator[Entry]:
        for path, document in self.files:
            yield from (Entry(path, document, index, node) for index, node in entries(document, kind))

    def _known(self, kind: str, name: str) -> Entry:
        entry = self.find(kind, name)
        if entry is None:
            noun = kind.removesuffix("s")
            fix = nearest(name, self.names(kind), kind=noun)
            raise InputError(f"there is no {noun} {name!r} in the Meltano project", fix=fix, where=self._main.name)
        return entry

    def _free(self, kind: str, name: str) -> None:
        if entry := self.find(kind, name):
            noun = kind.removesuffix("s")
            fix = f"use another name, or change it: penstock {noun} set {name}"
            raise InputError(f"there is a {noun} {name!r} already", fix=fix, where=entry.where)

    def _check_settings(self, settings: Mapping[str, str]) -> None:
        where = self._main.name
        if "interval" in settings:
            interval.cron(settings["interval"], where)
        if "job" in settings and self.find("jobs", settings["job"]) is None:
            fix = nearest(settings["job"], self.names("jobs"), kind="job")
            raise InputError(f"there is no job {settings['job']!r} in the Meltano project", fix=fix, where=where)
        for key, kind in _PLUGIN_KINDS.items():
            if key in settings and settings[key] not in (plugins := self._plugins(kind)):
                fix = nearest(settings[key], plugins, kind=key) if plugins else f"add it: meltano add {settings[key]}"
                raise InputError(f"there is no {key} {settings[key]!r} in the Meltano project", fix=fix, where=where)
        if settings.get("transform", "skip") not in TRANSFORMS:
            what = f"{shown(settings['transform'])} is not a transform"
            raise InputError(what, fix=f"use one of: {', '.join(TRANSFORMS)}", where=where)

    def _plugins(self, kind: str) -> list[str]:
        lists = (
            plugins.value.get(kind)
            for document in self.documents
            if (plugins := document.root.value.get("plugins")) is not None and isinstance(plugins.value, dict)
        )
        return [
            str(plugin.value["name"].value)
            for entry in lists
            if entry is not None and isinstance(entry.value, list)
            for plugin in entry.value
            if isinstance(plugin.value, dict) and "name" in plugin.value
        ]

    @property
    def _main(self) -> Document:
        return self.files[0][1]

    def _append(self, kind: str, entry: Mapping[str, Any]) -> FileChange:
        path, document = self.files[0]
        return FileChange(path, document.text, _editor(document).append(kind, entry))

    def _change(self, entry: Entry, settings: Mapping[str, Any]) -> FileChange:
        kind = "jobs" if "tasks" in settings else "schedules"
        document = entry.document
        for key, value in settings.items():
            text = _editor(document).assign((kind, entry.index, key), value)
            document = parse(text, document.name, meaning=YAML_1_2)
        return FileChange(entry.path, entry.document.text, document.text)

    def _without(self, entry: Entry, kind: str) -> FileChange:
        after = _editor(entry.document).remove((kind, entry.index))
        return FileChange(entry.path, entry.document.text, after)


def read_tasks(text: str) -> Tasks:
    """The tasks of `--tasks`: one command line, or YAML of a list of these, or of lists of these.

    Raises:
        InputError: it is neither.
    """
    if not text.strip():
        raise InputError("--tasks is empty", fix="--tasks 'tap-a target-b'", where="--tasks")
    data = parse(text, "--tasks", meaning=YAML_1_2).root.plain()
    tasks = [data] if isinstance(data, str) else data
    is_list = isinstance(tasks, list) and all(
        isinstance(task, str) or (isinstance(task, list) and all(isinstance(part, str) for part in task))
        for task in tasks
    )
    if not is_list or not tasks:
        raise InputError(
            f"{shown(text)} is not a list of tasks",
            fix="""write 'tap-a target-b', or '["tap-a target-b", "dbt:run"]'""",
            where="--tasks",
        )
    return list(tasks)


def _check_tasks(tasks: Tasks) -> None:
    for number, task in enumerate(tasks, start=1):
        if wrong := wrong_command(task if isinstance(task, list) else [task]):
            raise InputError(f"task {number} {wrong}", fix="write it as for meltano run", where="--tasks")


def _editor(document: Document) -> Entries:
    return Entries(document, YAML_1_2, text_keys=False)
