"""Reading a project: the one place that touches the disk."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from penstock.problem import Problem
from penstock.project.airflow import dag_files, loader_files, options
from penstock.project.airflow import files as mwaa_files
from penstock.project.airflow.dag_files import DagFolder
from penstock.project.airflow.files import MwaaFiles
from penstock.project.check import check
from penstock.project.document import files as folders
from penstock.project.document.document import read_document
from penstock.project.document.files import relative_path_problem
from penstock.project.document.problems import Problems, nearest
from penstock.project.document.report import Report
from penstock.project.environments import Environment, prefix_of, read_environments
from penstock.project.files import content
from penstock.project.loaded import Project, shown
from penstock.project.meltano import project as meltano
from penstock.project.meltano.project import MeltanoProject
from penstock.project.openmetadata import slim_image, worker_locks, workflow, workflow_class
from penstock.project.openmetadata.content import check as content_check
from penstock.project.openmetadata.content import collisions
from penstock.project.openmetadata.content.collisions import Used
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.openmetadata.shapes.check import ShapeCheck
from penstock.project.openmetadata.slim_image import SlimLock
from penstock.project.openmetadata.worker_locks import Refused, WorkerLock
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.rules import connections, pull_through
from penstock.project.rules.files import checks as files_checks
from penstock.project.rules.files.missing import Search
from penstock.project.rules.operators import check_installed, operator_of, worker_tasks
from penstock.project.rules.references import in_workflow
from penstock.project.settings import known_names
from penstock.versions.airflow import airflow_python
from penstock.versions.number import parse
from penstock_runtime.errors import InputError

OWN_FOLDER = Path(__file__).resolve().parents[2]
_NAMES_OF_SECRETS = frozenset({"secrets", "embedded", "ca_certificate"})
"""Keys of the project file with references to secrets, or their names, below them."""


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
    environments = read_environments(document, problems)
    problems.add_all(workflow.literals(document, skip=_has_no_literals))
    files = _Files(path, path.parent.absolute(), ShapeCheck(shapes))
    for name, environment in environments.items():
        _read_environment(files, name, environment, Report(document, problems, environment.root))
    roots = {name: (environment.settings, environment.root) for name, environment in environments.items()}
    problems.add_all(pull_through.check(roots, files.meltanos, document))
    dag_folder = _dag_folder(files, environments.values(), problems)
    problems.raise_all()
    return Project(
        path=path,
        folder=files.folder,
        document=document,
        environments=environments,
        workflows=files.workflows,
        meltanos=files.meltanos,
        mwaa_files=files.mwaa,
        dag_folder=dag_folder,
        files=files.contents,
        worker_locks=files.locks,
        notes=tuple(files.shapes.notes),
    )


@dataclass
class _Files:
    """What has been read so far: environments share files, and each is read once."""

    path: Path
    folder: Path
    shapes: ShapeCheck
    workflows: dict[str, Workflow] = field(default_factory=dict)
    meltanos: dict[str, MeltanoProject] = field(default_factory=dict)
    mwaa: MwaaFiles = field(default_factory=MwaaFiles)
    contents: dict[str, content.Content] = field(default_factory=dict)
    locks: dict[tuple[str, str | None], WorkerLock] = field(default_factory=dict)

    def shown(self, name: str) -> str:
        """A file of the project as errors show it."""
        return shown(self.path, posixpath.normpath(name))


def _has_no_literals(path: tuple[str, ...]) -> bool:
    """Whether what is below a key are names of secrets or of files, or options of MWAA's, which are checked as such."""
    if path[-1] == "files":
        return path[-2:-1] in (("task",), ("tasks",), ("meltano",)) or path[-3:-2] == ("jobs",)
    return path[-1] in _NAMES_OF_SECRETS or path[-3:] == (*options.HERE, options.KEY)


def _read_environment(files: _Files, name: str, environment: Environment, report: Report) -> None:
    settings = environment.settings
    meltano_project = _read_meltano(files, settings.meltano.project, report) if settings.meltano is not None else None
    report.add_all(check(settings, report, meltano_project))
    _read_mwaa(files, name, environment, report)
    _read_task_files(files, environment, report)
    lock = _read_slim_lock(files, environment, report)
    worker_lock = _read_worker_lock(files, environment, report)
    report.add_all(check_installed(settings, files.mwaa))
    used = []
    for job_name, job in settings.jobs.items():
        for index, task in enumerate(job.tasks):
            if task.openmetadata is None:
                continue
            here = ("jobs", job_name, "tasks", index, "openmetadata")
            read = _read_workflow(files, environment, report, task.openmetadata.type, task.openmetadata.config, here)
            if read is None:
                continue
            used.append(Used(f"{job_name}.{task.name}", task.openmetadata.type, read))
            report.add_all(connections.check(read, task))
            if settings.images.openmetadata.build is not None:
                build = settings.images.openmetadata.build
                name = f"{build}/{slim_image.LOCK}"
                report.add_all(slim_image.check_connector(name, lock.packages, read))
            if operator_of(settings, task) == "virtualenv" and worker_lock is not None:
                report.add_all(slim_image.check_connector(worker_lock.name, worker_lock.packages, read))
    report.add_all(collisions.check(used, settings.variables))
    search = Search(files.folder, report.document, environment.root, settings, files.workflows)
    for missing, where in search.run():
        if missing.certain:
            report.add(Problem(missing.what, missing.fix, where=where))


def _read_meltano(files: _Files, folder: str, report: Report) -> MeltanoProject | None:
    here = ("meltano", "project")
    if folder not in files.meltanos:
        if problem := relative_path_problem(folder, may_be_the_folder=True):
            report.add(problem.at(*here))
            return None
        where = report.place(*here)
        read = meltano.read(files.folder / folder, files.shown(folder), report.problems, where=where)
        if read is None:
            return None
        files.meltanos[folder] = read
    return files.meltanos[folder]


def _read_task_files(files: _Files, environment: Environment, report: Report) -> None:
    """The files that tasks get."""
    for path, source in files_checks.sources(environment.settings):
        if source.file is None or source.file in files.contents:
            continue
        if problem := relative_path_problem(source.file):
            report.add(problem.at(*path))
            continue
        try:
            name, where = files.shown(source.file), report.place(*path)
            files.contents[source.file] = content.read(files.folder / source.file, name, where)
        except InputError as error:
            report.problems.take(error)
    report.add_all(files_checks.check_contents(environment.settings, report, files.contents))


def _read_mwaa(files: _Files, name: str, environment: Environment, report: Report) -> None:
    """The files of the environment that Penstock creates."""
    settings = environment.settings
    create = settings.airflow.create
    if create is not None and parse(create.version) is not None:
        dags = prefix_of(settings.name, name)
        mwaa_files.read(files.mwaa, files.folder, create, settings.network, report, files.shown, dags)


def _read_slim_lock(files: _Files, environment: Environment, report: Report) -> SlimLock:
    settings = environment.settings
    if settings.images.openmetadata.build is None:
        return SlimLock()
    server = settings.openmetadata.version if settings.openmetadata is not None else None
    lock = slim_image.read(settings.images.openmetadata.build, files.folder, server)
    report.add_all(lock.problems)
    return lock


def _read_worker_lock(files: _Files, environment: Environment, report: Report) -> WorkerLock | None:
    """What tasks with `operator: virtualenv` install; None: there are none, or it could not be read."""
    settings = environment.settings
    users = [here for task, _, here in worker_tasks(settings) if operator_of(settings, task) == "virtualenv"]
    if not users or settings.openmetadata is None:
        return None
    try:
        lock = worker_locks.read(settings.openmetadata, files.folder, files.shown)
    except Refused as refused:
        report.add(refused.problem if refused.problem.path else refused.problem.at(*users[0]))
        return None
    report.add_all(lock.problems)
    files.locks[worker_locks.key(settings.openmetadata)] = lock
    return lock


def _read_workflow(
    files: _Files, environment: Environment, report: Report, kind: str, config: str, here: tuple[str | int, ...]
) -> Workflow | None:
    if problem := workflow_class.check_type(kind, environment.settings.openmetadata):
        report.add(problem.at(*here, "type"))
        return None
    if problem := relative_path_problem(config):
        report.add(problem.at(*here, "config"))
        return None
    if config not in files.workflows:
        try:
            where = report.place(*here, "config")
            name = files.shown(config)
            document = read_document(files.folder / config, name, where=where, max_nodes=workflow.MAX_NODES)
            files.workflows[config] = workflow.read(document)
        except InputError as error:
            report.problems.take(error)
            return None
        report.add_all(workflow.text_problems(document))
    read = files.workflows[config]
    report.add_all(workflow.check(read, kind))
    report.add_all(content_check.check(read, kind, environment.settings.openmetadata, environment.settings.variables))
    report.add_all(workflow_class.check_source(read, kind))
    files.shapes.check(read, kind, environment.settings.openmetadata, report.problems)
    report.add_all(_unknown_names(read, known_names(environment.settings)))
    report.add_all(in_workflow(read, environment.settings))
    return read


def _unknown_names(read: Workflow, known: set[str]) -> Iterator[Problem]:
    for name, node in read.names.items():
        if name not in known:
            what = f"${{{name[:60]}}} is neither a secret nor a variable of the project"
            yield Problem(what, nearest(name, known, kind="name"), where=read.document.where(node))


def _dag_folder(files: _Files, environments: Iterable[Environment], problems: Problems) -> DagFolder:
    """The user's own `dags/`."""
    folder = files.folder / "dags"
    template = OWN_FOLDER / "dags"
    own = template.is_dir() and folder.is_dir() and folder.samefile(template)
    airflows = [environment.settings.airflow for environment in environments]
    versions = [
        chosen.version for airflow in airflows if (chosen := airflow.create or airflow.use or airflow.self_managed)
    ]
    newest = max((parsed for version in versions if (parsed := parse(version))), default=(3, 0, 0))
    return dag_files.read(
        folder,
        files.shown("dags"),
        problems,
        leave_out=loader_files.TEMPLATE if own else None,
        python=airflow_python(".".join(str(part) for part in newest)),
        airflow=newest[0],
    )
