"""Reading a project: the one place that touches the disk, and the order of the checks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from penstock.project.airflow import dag_files, options
from penstock.project.airflow import files as mwaa_files
from penstock.project.airflow.dag_files import DagFolder
from penstock.project.airflow.files import MwaaFiles
from penstock.project.checks import Checks, known_names
from penstock.project.document import files as folders
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, read_document
from penstock.project.document.findings import report_errors
from penstock.project.document.problems import Problems, nearest
from penstock.project.environments import environment_root, prefix_of
from penstock.project.files import checks as files_checks
from penstock.project.files import content
from penstock.project.files.missing import Search
from penstock.project.files.named import Missing
from penstock.project.meltano import project as meltano
from penstock.project.meltano.project import MeltanoProject
from penstock.project.openmetadata import slim_image, workflow
from penstock.project.openmetadata.shapes import connections, shape_file
from penstock.project.openmetadata.shapes.check import ShapeCheck
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.rules import pull_through
from penstock.project.rules.references import in_workflow
from penstock.project.schema.explain import explain
from penstock.project.settings import ENVIRONMENT_NAME, MAX_ENVIRONMENT_NAME, Place, Settings
from penstock.versions.airflow import airflow_python
from penstock.versions.number import parse
from penstock_runtime.errors import InputError
from penstock_runtime.workflow_types import WORKFLOW_TYPES

OWN_FOLDER = Path(__file__).resolve().parents[2]
LOADER = "schedules.py"
"""In Penstock's own `dags/` this is the template of the loader files, and no DAG file of a project."""
MAX_NODES_OF_ALL = 400_000
"""Values of the project file times its environments: each is checked as a whole."""
_NAMES_OF_SECRETS = frozenset({"secrets", "embedded", "ca_certificate"})
"""Keys of the project file with references to secrets, or their names, below them."""


@dataclass(frozen=True, eq=False)
class Environment:
    """The project as one environment has it."""

    settings: Settings
    root: Node


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
    workflows: dict[str, Workflow] = field(default_factory=dict)
    """Path as in the project file → workflow file."""
    meltanos: dict[str, MeltanoProject] = field(default_factory=dict)
    """Folder as in the project file → Meltano project."""
    mwaa_files: MwaaFiles = field(default_factory=MwaaFiles)
    """Requirements, plugins and startup scripts of its MWAA environments."""
    dag_folder: DagFolder = field(default_factory=DagFolder)
    """Its own `dags/`."""
    files: dict[str, content.Content] = field(default_factory=dict)
    """Path as in the project file → what tasks get of the project."""
    shapes: ShapeCheck = field(default_factory=ShapeCheck)
    """Whether the workflow files are what OpenMetadata takes."""

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
        return where.removeprefix(_shown(self.path, ""))


def file_of(path: Path) -> Path:
    """The project file that a path means: itself, or the `penstock.yaml` of a folder."""
    return path / "penstock.yaml" if folders.is_folder(path) else path


def load(path: Path, *, shapes: shape_file.Source | None = None) -> Project:
    """Read a project file, or the `penstock.yaml` of a folder, and all that it names.

    Args:
        shapes: what a version of OpenMetadata takes; without it the shape of workflow files is not checked.

    Raises:
        InputError, InputErrors: all that is wrong with it.
    """
    path = file_of(path)
    document = read_document(path, str(path), text_keys=True)
    problems = Problems()
    environments = _environments(document, problems)
    workflow.check_literals(document, problems, skip=_has_no_literals)
    project = Project(path, path.parent.absolute(), document, environments, shapes=ShapeCheck(shapes))
    for environment in environments.values():
        _read_files(project, environment, problems)
    roots = {name: (one.settings, one.root) for name, one in environments.items()}
    pull_through.check(roots, project.meltanos, document, problems)
    dag_folder = _dag_folder(project, problems)
    problems.raise_all()
    return replace(project, dag_folder=dag_folder)


def _has_no_literals(path: tuple[str, ...]) -> bool:
    """Whether what is below a key are names of secrets or of files, or options of MWAA's, which are checked as such."""
    if path[-1] == "files":
        return path[-2:-1] in (("task",), ("tasks",), ("meltano",)) or path[-3:-2] == ("jobs",)
    return path[-1] in _NAMES_OF_SECRETS or path[-3:] == (*options.HERE, options.KEY)


def _shown(path: Path, name: str) -> str:
    """A file of the project as errors show it: as the user would name it from where they are."""
    folder = str(path.parent)
    return name if folder == "." else f"{folder}/{name}"


def _environments(document: Document, problems: Problems) -> dict[str, Environment]:
    root = document.root
    if not isinstance(root.value, dict):
        kind = "a list" if isinstance(root.value, list) else "a single value"
        raise InputError(
            f"the file holds {kind}, not a project",
            fix="start with `name: …`; see schema/penstock.schema.json",
            where=document.where(root),
        )
    declared = root.value.get("environments")
    if declared is None or not isinstance(declared.value, dict) or not declared.value:
        raise InputError(
            "'environments' is missing or no mapping",
            fix="add environments: {dev: {region: eu-west-1}}",
            where=document.where(declared or root),
        )
    if len(declared.value) * root.weight > MAX_NODES_OF_ALL:
        problems.add(
            f"{len(declared.value)} environments are too many for a project of this size",
            fix="split the project",
            where=document.where(declared),
        )
        problems.raise_all()
    found = {}
    for name, overrides in declared.value.items():
        where = document.where(declared.keys[name])
        if not re.fullmatch(ENVIRONMENT_NAME, name) or len(name) > MAX_ENVIRONMENT_NAME:
            fix = f"use lower case, digits and dashes, at most {MAX_ENVIRONMENT_NAME} characters"
            problems.add(f"{name[:60]!r} cannot be an environment's name", fix=fix, where=where)
        if overrides.value is not None and not isinstance(overrides.value, dict):
            problems.add(f"environment {name[:60]!r} wants a mapping", fix="write {}", where=document.where(overrides))
            continue
        _check_overrides(document, name, overrides, problems)
        merged = environment_root(root, name)
        try:
            settings = Settings.model_validate(merged.plain())
        except ValidationError as error:
            explain(error, Settings, document, merged, problems)
        else:
            found[name] = Environment(settings, merged)
    if not found:
        problems.raise_all()
    return found


def _check_overrides(document: Document, environment: str, overrides: Node, problems: Problems) -> None:
    """An unknown key is reported once by the merged check; a known one may still not be the environment's to set."""
    for key in overrides.value or {}:
        if key in Settings.model_fields and key not in Place.model_fields:
            problems.add(
                f"environment {environment!r} cannot set {key!r}",
                fix=f"move it to the top level; an environment sets: {', '.join(Place.model_fields)}",
                where=document.where(overrides.keys[key]),
            )


def _read_files(project: Project, environment: Environment, problems: Problems) -> None:
    settings, root, document = environment.settings, environment.root, project.document
    checks = Checks(settings, document, root, problems)
    if settings.meltano is not None:
        _read_meltano(project, settings.meltano.project, checks.where("meltano", "project"), problems)
    checks.run(project.meltanos.get(settings.meltano.project) if settings.meltano else None)
    _read_mwaa(project, checks)
    _read_task_files(project, checks)
    slim = settings.images.openmetadata.build
    packages = slim_image.check(slim, project.folder, checks) if slim is not None else frozenset()
    for name, job in settings.jobs.items():
        for index, task in enumerate(job.tasks):
            if task.openmetadata is not None:
                here = ("jobs", name, "tasks", index, "openmetadata")
                read = _read_workflow(project, checks, task.openmetadata.type, task.openmetadata.config, here)
                if read is not None:
                    connections.check(read, task, problems)
                if slim is not None and read is not None:
                    slim_image.check_connector(slim, packages, read, problems)
    for missing, where in project.missing_files(environment):
        if missing.certain:
            problems.add(missing.what, fix=missing.fix, where=where)


def _read_meltano(project: Project, folder: str, where: str, problems: Problems) -> None:
    if folder in project.meltanos:
        return
    if _escapes(folder):
        problems.add(f"{folder[:60]!r} is no relative path", fix="write it relative to the project file", where=where)
        return
    shown = _shown(project.path, posixpath.normpath(folder))
    found = meltano.read(project.folder / folder, shown, problems, where=where)
    if found is not None:
        project.meltanos[folder] = found


def _read_task_files(project: Project, checks: Checks) -> None:
    """The files that tasks get."""
    for place, source in files_checks.sources(checks.settings):
        if source.file is None or source.file in project.files:
            continue
        if _escapes(source.file):
            checks.add(f"{source.file[:60]!r} is not a relative path", "write it relative to the project file", *place)
            continue
        shown = _shown(project.path, posixpath.normpath(source.file))
        try:
            project.files[source.file] = content.read(project.folder / source.file, shown, checks.where(*place))
        except InputError as error:
            checks.problems.take(error)
    files_checks.check_contents(checks, project.files)


def _read_mwaa(project: Project, checks: Checks) -> None:
    """The files of the environment that Penstock creates."""
    create = checks.settings.airflow.create
    if create is not None and parse(create.version) is not None:
        named = lambda path: _shown(project.path, posixpath.normpath(path))  # noqa: E731
        name = next(name for name, one in project.environments.items() if one.settings is checks.settings)
        dags = prefix_of(checks.settings.name, name)
        mwaa_files.read(project.mwaa_files, project.folder, create, checks, named, dags)


def _read_workflow(
    project: Project, checks: Checks, kind: str, config: str, here: tuple[str | int, ...]
) -> Workflow | None:
    problems = checks.problems
    if kind not in WORKFLOW_TYPES:
        what, fix = workflow.unknown_type(kind)
        checks.add(what, fix, *here, "type")
        return None
    if _escapes(config):
        checks.add(f"{config[:60]!r} is no relative path", "write it relative to the project file", *here, "config")
        return None
    if config not in project.workflows:
        shown = _shown(project.path, posixpath.normpath(config))
        try:
            place = checks.where(*here, "config")
            document = read_document(project.folder / config, shown, where=place, max_nodes=workflow.MAX_NODES)
        except InputError as error:
            problems.take(error)
            return None
        read = workflow.read(document, problems)
        if read is None:
            return None
        project.workflows[config] = read
    found = project.workflows[config]
    workflow.check(found, kind, problems)
    project.shapes.check(found, kind, checks.settings.openmetadata, problems)
    known = known_names(checks.settings)
    for name, node in found.names.items():
        if name not in known:
            problems.add(
                f"${{{name[:60]}}} is neither a secret nor a variable of the project",
                fix=nearest(name, known, kind="name"),
                where=found.document.where(node),
            )
    report_errors(in_workflow(found, checks.settings), problems)
    return found


def _escapes(path: str) -> bool:
    """Whether a path names a place of this machine and not of the project."""
    return path.startswith(("/", "~")) or "\\" in path or not path


def _dag_folder(project: Project, problems: Problems) -> DagFolder:
    """The user's own `dags/`."""
    folder = project.folder / "dags"
    template = OWN_FOLDER / "dags"
    own = template.is_dir() and folder.is_dir() and folder.samefile(template)
    airflows = [one.settings.airflow for one in project.environments.values()]
    versions = [chosen.version for one in airflows if (chosen := one.create or one.use or one.self_managed)]
    newest = max((parsed for version in versions if (parsed := parse(version))), default=(3, 0, 0))
    return dag_files.read(
        folder,
        _shown(project.path, "dags"),
        problems,
        leave_out=LOADER if own else None,
        python=airflow_python(".".join(str(part) for part in newest)),
        airflow=newest[0],
    )
