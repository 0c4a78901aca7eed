"""Jobs and schedules of a project, in whichever file they stand: `penstock.yaml`, or those of its Meltano project."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from penstock.project.document.change import FileChange
from penstock.project.document.composer import Node
from penstock.project.document.problems import nearest
from penstock.project.jobs.edit import ProjectFile
from penstock.project.meltano.edit import MeltanoFiles
from penstock_runtime.errors import InputError

MELTANO_SETTINGS = frozenset({"job", "interval", "extractor", "loader", "transform"})
"""What a schedule of `meltano.yml` can hold; the others are for `penstock.yaml`."""


@dataclass(frozen=True)
class ProjectFiles:
    """The project's files, as they can be edited. None of them need be right, but for what an edit touches."""

    path: Path
    """Of the project file."""
    environment: str | None
    """Whose Meltano project it is; None: the one at the top level, or of the first environment."""

    @cached_property
    def own(self) -> ProjectFile:
        """`penstock.yaml`."""
        return ProjectFile.read(self.path)

    @cached_property
    def meltano(self) -> MeltanoFiles | None:
        """The Meltano project; None: there is none.

        Raises:
            InputError: its files cannot be read.
        """
        node = self._meltano_folder()
        if node is None or not isinstance(node.value, str):
            return None
        return MeltanoFiles.read(self.path.parent / node.value, node.value, where=self.own.document.where(node))

    def add_schedule(self, name: str, settings: dict[str, str]) -> FileChange:
        """Write a schedule: into `meltano.yml` if it is of Meltano's kind and runs something of Meltano's.

        Raises:
            InputError: the name is taken, what it runs is not there, or a setting is wrong.
        """
        self._free(name)
        if "job" not in settings:
            return self.needed_meltano().add_schedule(name, settings)
        job = settings["job"]
        meltanos = self.meltano.names("jobs") if self.meltano else []
        if job not in self.own.jobs and job not in meltanos:
            fix = nearest(job, [*self.own.jobs, *meltanos], kind="job")
            raise InputError(f"there is no job {job!r}", fix=fix, where=self.own.document.name)
        every = settings["interval"].split()[:1] == ["every"]
        if self.meltano and job not in self.own.jobs and MELTANO_SETTINGS.issuperset(settings) and not every:
            return self.meltano.add_schedule(name, settings)
        return self.own.add_schedule(name, settings)

    def set_schedule(self, name: str, settings: dict[str, str]) -> FileChange:
        """Change a schedule, where it stands.

        Raises:
            InputError: there is no such schedule, or a setting is wrong or not one that its file knows.
        """
        if not self._is_meltanos(name):
            if other := sorted(settings.keys() & {"extractor", "loader", "transform"}):
                what = f"schedule {name!r} runs a job, so it has no {other[0]}"
                raise InputError(what, fix="give it another job with --job", where=self._where(name))
            return self.own.set_schedule(name, settings)
        if other := sorted(settings.keys() - MELTANO_SETTINGS):
            raise InputError(
                f"schedule {name!r} is Meltano's, and meltano.yml has no {other[0]}",
                fix=f"remove it, and add it with --{other[0].replace('_', '-')}: it goes into penstock.yaml then",
                where=self._where(name),
            )
        return self.needed_meltano().set_schedule(name, settings)

    def remove_schedule(self, name: str) -> FileChange:
        """Remove a schedule, where it stands.

        Raises:
            InputError: there is no such schedule.
        """
        return (
            self.needed_meltano().remove_schedule(name) if self._is_meltanos(name) else self.own.remove_schedule(name)
        )

    def remove_job(self, name: str) -> FileChange:
        """Remove a job, where it stands.

        Raises:
            InputError: there is no such job, or a schedule runs it.
        """
        if name in self.own.jobs:
            return self.own.remove_job(name)
        for schedule, _, node in self.own.schedules:
            if self.meltano and "job" in node.value and node.value["job"].value == name:
                raise InputError(
                    f"schedule {schedule!r} runs job {name!r}",
                    fix=f"remove it first: penstock schedule remove {schedule}",
                    where=self.own.document.where(node),
                )
        if self.meltano is None or name not in self.meltano.names("jobs"):
            names = [*self.own.jobs, *(self.meltano.names("jobs") if self.meltano else [])]
            fix = nearest(name, names, kind="job")
            raise InputError(f"there is no job {name!r}", fix=fix, where=self.own.document.name)
        return self.meltano.remove_job(name)

    def needed_meltano(self) -> MeltanoFiles:
        """The Meltano project, for what needs one.

        Raises:
            InputError: there is none.
        """
        if self.meltano is None:
            raise InputError(
                "the project has no Meltano project",
                fix="name its folder: meltano: {project: <folder of meltano.yml>}",
                where=self.own.document.name,
            )
        return self.meltano

    def _is_meltanos(self, name: str) -> bool:
        """Whether a schedule stands in the Meltano project. A name that is in both is an error."""
        in_meltano = self.meltano is not None and self.meltano.find("schedules", name) is not None
        in_own = self.own.schedule(name) is not None
        if in_meltano and in_own:
            what = f"there are two schedules {name!r}, one in penstock.yaml and one in the Meltano project"
            raise InputError(what, fix="edit one of them by hand", where=self._where(name))
        if not in_meltano and not in_own:
            names = [own for own, _, _ in self.own.schedules]
            names += self.meltano.names("schedules") if self.meltano else []
            fix = nearest(name, names, kind="schedule")
            raise InputError(f"there is no schedule {name!r}", fix=fix, where=self.own.document.name)
        return in_meltano

    def _free(self, name: str) -> None:
        known = self.own.schedule(name) or (self.meltano and self.meltano.find("schedules", name))
        if known:
            fix = f"use another name, or change it: penstock schedule set {name}"
            raise InputError(f"there is a schedule {name!r} already", fix=fix, where=self._where(name))

    def _where(self, name: str) -> str:
        if known := self.own.schedule(name):
            return self.own.document.where(known[1])
        entry = self.meltano.find("schedules", name) if self.meltano else None
        return entry.where if entry else self.own.document.name

    def _meltano_folder(self) -> Node | None:
        root = self.own.document.root
        environments = _value(root, "environments")
        names = [self.environment] if self.environment else list(environments)[:1]
        for place in (*(environments[name] for name in names if name in environments), root):
            meltano = _value(place, "meltano")
            if "project" in meltano:
                return meltano["project"]
        return None


def _value(node: Node, key: str) -> dict[str, Node]:
    """A mapping's entries; none where it is missing or not one."""
    inner = node.value.get(key) if isinstance(node.value, dict) else None
    return inner.value if inner is not None and isinstance(inner.value, dict) else {}
