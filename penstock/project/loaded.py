"""A project that has been read and checked: `load` makes it, everything else takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.project.airflow.dag_files import DagFolder
from penstock.project.airflow.files import MwaaFiles
from penstock.project.document.document import Document
from penstock.project.document.problems import nearest
from penstock.project.environments import Environment
from penstock.project.files import content
from penstock.project.files.named import Missing
from penstock.project.meltano.project import MeltanoProject
from penstock.project.openmetadata.worker_locks import WorkerLock
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.rules.files.missing import Search
from penstock.project.settings import Settings
from penstock_runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class Project:
    """One `penstock.yaml` and the files that it names, all read and checked."""

    path: Path
    """As it was given."""
    folder: Path
    """Absolute: where the paths in the project file start."""
    document: Document
    environments: dict[str, Environment]
    """In the file's order; the first is the default."""
    workflows: dict[str, Workflow]
    """Path as in the project file → workflow file."""
    meltanos: dict[str, MeltanoProject]
    """Folder as in the project file → Meltano project."""
    mwaa_files: MwaaFiles
    """Requirements, plugins and startup scripts of its MWAA environments."""
    dag_folder: DagFolder
    """Its own `dags/`."""
    worker_locks: dict[tuple[str, str | None], WorkerLock]
    """By version and path as `worker_locks.key` has them → what tasks with `operator: virtualenv` install."""
    files: dict[str, content.Content]
    """Path as in the project file → what tasks get of the project."""
    notes: tuple[InputError, ...]
    """What could not be checked, or is wrong for a neighbouring version of OpenMetadata only."""

    @property
    def name(self) -> str:
        """The project's name."""
        return next(iter(self.environments.values())).settings.name

    @property
    def default_environment(self) -> str:
        """The environment that is meant where none is named."""
        return next(iter(self.environments))

    def environment(self, name: str | None = None) -> Environment:
        """One environment.

        Raises:
            InputError: there is none of that name.
        """
        name = self.default_environment if name is None else name
        if name not in self.environments:
            fix = nearest(name, self.environments, kind="environment")
            raise InputError(f"there is no environment {name[:60]!r}", fix=fix, where=self.document.name)
        return self.environments[name]

    def settings(self, name: str | None = None) -> Settings:
        """The settings of one environment; raises as `environment` does."""
        return self.environment(name).settings

    def missing_files(self, environment: Environment) -> Iterator[tuple[Missing, str]]:
        """Paths that tasks name and their containers do not have, each with its `file:line:column`."""
        search = Search(self.folder, self.document, environment.root, environment.settings, self.workflows)
        yield from search.run()

    def place(self, where: str) -> str:
        """A `file:line:column` without the folder that the project happens to be in."""
        return where.removeprefix(shown(self.path, ""))


def shown(path: Path, name: str) -> str:
    """A file of the project as errors show it: as the user would name it from where they are."""
    folder = str(path.parent)
    return name if folder == "." else f"{folder}/{name}"
