"""Jobs and schedules of `penstock.yaml`: added, changed and removed in place.

The file need not be a valid project: an edit may be what mends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.project.document.change import FileChange
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, parse, read_document
from penstock.project.document.entries import Entries
from penstock.project.document.problems import nearest, shown
from penstock.project.jobs import interval
from penstock_runtime.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class ProjectFile:
    """`penstock.yaml` as text."""

    path: Path
    document: Document

    @classmethod
    def read(cls, path: Path) -> ProjectFile:
        """Read the file.

        Raises:
            InputError: it is missing, not YAML, or not a mapping.
        """
        document = read_document(path, str(path), text_keys=True)
        if not isinstance(document.root.value, dict):
            raise InputError(f"{path} is not a project", fix="write a mapping", where=document.where(document.root))
        return cls(path, document)

    @property
    def jobs(self) -> dict[str, Node]:
        """Its jobs."""
        node = self.document.root.value.get("jobs")
        return node.value if node is not None and isinstance(node.value, dict) else {}

    @property
    def schedules(self) -> list[tuple[str, int, Node]]:
        """Its schedules: name, number in the list, node."""
        node = self.document.root.value.get("schedules")
        entries = node.value if node is not None and isinstance(node.value, list) else []
        return [
            (str(entry.value["name"].value), index, entry)
            for index, entry in enumerate(entries)
            if isinstance(entry.value, dict) and "name" in entry.value
        ]

    def schedule(self, name: str) -> tuple[int, Node] | None:
        """The schedule of that name."""
        return next(((index, node) for own, index, node in self.schedules if own == name), None)

    def add_job(self, name: str, tasks: list[dict[str, Any]]) -> FileChange:
        """Write a job.

        Raises:
            InputError: the name is taken, or cannot be a job's.
        """
        self._check_name(name)
        if name in self.jobs:
            raise InputError(
                f"there is a job {name!r} already",
                fix="use another name",
                where=self.document.where(self.document.root.value["jobs"].keys[name]),
            )
        return self._changed(self._edit.assign(("jobs", name), {"tasks": tasks}))

    def remove_job(self, name: str) -> FileChange:
        """Remove a job that no schedule of the file runs.

        Raises:
            InputError: there is no such job, or a schedule runs it.
        """
        if name not in self.jobs:
            fix = nearest(name, self.jobs, kind="job")
            raise InputError(f"there is no job {name!r}", fix=fix, where=self.document.name)
        for schedule, _, node in self.schedules:
            if "job" in node.value and node.value["job"].value == name:
                raise InputError(
                    f"schedule {schedule!r} runs job {name!r}",
                    fix=f"remove it first: penstock schedule remove {schedule}",
                    where=self.document.where(node),
                )
        return self._changed(self._edit.remove(("jobs", name)))

    def add_schedule(self, name: str, settings: Mapping[str, str]) -> FileChange:
        """Write a schedule.

        Args:
            settings: `job`, `interval`, and others of a schedule.

        Raises:
            InputError: the name is taken, or cannot be a schedule's, or the interval is wrong.
        """
        self._check_name(name)
        if known := self.schedule(name):
            fix = f"use another name, or change it: penstock schedule set {name}"
            raise InputError(f"there is a schedule {name!r} already", fix=fix, where=self.document.where(known[1]))
        self._check_interval(settings)
        return self._changed(self._edit.append("schedules", {"name": name, **settings}))

    def set_schedule(self, name: str, settings: Mapping[str, str]) -> FileChange:
        """Change some of a schedule's settings.

        Raises:
            InputError: there is no such schedule, or the interval is wrong.
        """
        index, _ = self._known(name)
        self._check_interval(settings)
        document = self.document
        for key, value in settings.items():
            text = Entries(document).assign(("schedules", index, key), value)
            document = parse(text, document.name, text_keys=True)
        return self._changed(document.text)

    def remove_schedule(self, name: str) -> FileChange:
        """Remove a schedule.

        Raises:
            InputError: there is no such schedule.
        """
        return self._changed(self._edit.remove(("schedules", self._known(name)[0])))

    def _known(self, name: str) -> tuple[int, Node]:
        known = self.schedule(name)
        if known is None:
            fix = nearest(name, [own for own, _, _ in self.schedules], kind="schedule")
            raise InputError(f"there is no schedule {name!r}", fix=fix, where=self.document.name)
        return known

    def _check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{shown(name)} cannot be a name",
                fix="use letters, digits, `_`, `.` and `-`, a letter or digit first, at most 64 characters",
                where=self.document.name,
            )

    def _check_interval(self, settings: Mapping[str, str]) -> None:
        if "interval" in settings:
            interval.read(settings["interval"], "--interval")

    @property
    def _edit(self) -> Entries:
        return Entries(self.document)

    def _changed(self, text: str) -> FileChange:
        return FileChange(self.path, self.document.text, text)
