"""What a workflow file gets when it runs: from the task of the project that names it, or from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from penstock.home import REQUIREMENTS
from penstock.project.environments import prefix_of
from penstock.project.jobs.tasks import BASE, Task, TaskSettings
from penstock.project.loaded import Project
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.openmetadata.shapes.shape_file import lock_of
from penstock.project.rules.files import levels
from penstock.project.rules.files.levels import Given
from penstock.project.schema.model import merge_layers
from penstock.project.settings import Settings
from penstock_runtime.errors import InputError
from penstock_runtime.fill import PLACEHOLDER

DEFAULT_VERSION = "1.12.14"
"""Of the server, outside a project."""


@dataclass(frozen=True)
class Target:
    """What the file runs as."""

    openmetadata: OpenMetadata
    lock: Path
    """Of the packages that it runs with."""
    project: str = "none"
    environment: str = "here"
    job: str = "run"
    task: str = "run"
    prefix: str = "penstock"
    workflow_type: str | None = None
    """What the task says; None: the file alone says it."""
    timeout_minutes: int = 60
    variables: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    """The task's own environment variables."""
    secrets: tuple[str, ...] = ()
    """Secrets that the task gets besides those that its file names."""
    secret_names: frozenset[str] = frozenset()
    """All that the project declares."""
    files: Mapping[str, Given] = field(default_factory=dict)
    certificate: Given | None = None
    settings: Settings | None = None


def outside(version: str | None) -> Target:
    """Of a file that no project knows.

    Raises:
        InputError: there is no lock for this version of OpenMetadata.
    """
    version = version or DEFAULT_VERSION
    return Target(OpenMetadata(version=version), _stock_lock(version), timeout_minutes=_minutes(None, None))


def inside(project: Project, environment: str | None, file: Path, workflow_type: str | None) -> Target:
    """Of a file of a project: as the first task that names it, where one does.

    Args:
        workflow_type: only a task of this type; None: of any.

    Raises:
        InputError: the project has no server of OpenMetadata, or its version has no lock.
    """
    name = environment or project.default_environment
    settings = project.settings(name)
    if settings.openmetadata is None:
        raise InputError(
            "the project has no openmetadata block", fix="add openmetadata: {version: …}", where=project.document.name
        )
    build = settings.images.openmetadata.build
    lock = project.folder / build / "requirements.txt" if build else _stock_lock(settings.openmetadata.version)
    found = _task(project, settings, file, workflow_type)
    target = Target(
        settings.openmetadata,
        lock,
        project=settings.name,
        environment=name,
        prefix=prefix_of(settings.name, name),
        workflow_type=workflow_type,
        timeout_minutes=_minutes(settings, found[2] if found else None),
        variables=settings.variables,
        secret_names=frozenset(settings.secrets),
        certificate=levels.certificate(settings),
        settings=settings,
    )
    if found is None:
        return target
    job, index, task = found
    assert task.openmetadata is not None
    return replace(
        target,
        job=job,
        task=task.name,
        workflow_type=task.openmetadata.type,
        env={name: _filled(value, settings.variables) for name, value in task.env.items()},
        secrets=tuple(task.secrets),
        files=levels.of_task(settings, job, index),
    )


def _stock_lock(version: str) -> Path:
    lock = lock_of(version)
    if lock is None:
        known = sorted(path.stem.partition("-")[2] for path in (REQUIREMENTS / "images").glob("openmetadata-*.txt"))
        raise InputError(
            f"Penstock has no lock for OpenMetadata {version[:20]}, so it cannot run its package here",
            fix=f"name a version of {', '.join(known)}, or images.openmetadata.build with a lock of your own",
        )
    return lock


def _task(project: Project, settings: Settings, file: Path, workflow_type: str | None) -> tuple[str, int, Task] | None:
    for name, job in settings.jobs.items():
        for index, task in enumerate(job.tasks):
            work = task.openmetadata
            if work is None or workflow_type not in (None, work.type):
                continue
            if (project.folder / work.config).resolve() == file.resolve():
                return name, index, task
    return None


def _minutes(settings: Settings | None, task: Task | None) -> int:
    layers = [BASE, *([settings.defaults.task] if settings else []), *([task] if task else [])]
    return int(merge_layers(TaskSettings, *layers)["timeout_minutes"])


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), text)
