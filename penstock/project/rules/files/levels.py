"""Which files each task gets. `defaults.task`, Meltano, job, task: of one path the innermost level wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from penstock.problem import DocumentPath
from penstock.project.files.model import File, Source
from penstock.project.files.named import normal
from penstock.project.jobs.tasks import Task
from penstock.project.rules import own_images
from penstock.project.settings import Settings

_Levels = list[tuple[DocumentPath, Mapping[str, File]]]
DEFAULTS: DocumentPath = ("defaults", "task", "files")
MELTANO: DocumentPath = ("meltano", "files")
CERTIFICATE: DocumentPath = ("openmetadata", "ca_certificate")


@dataclass(frozen=True)
class Given:
    """A file that a task gets, and the place in the project file that says so."""

    file: File
    place: DocumentPath


def has_runtime(task: Task | None) -> bool:
    """Whether Penstock's runtime, which writes the files, runs in a task's container. None: a task of Meltano's own."""
    return task is None or own_images.has_runtime(task)


def declared(settings: Settings) -> Iterator[tuple[DocumentPath, Mapping[str, File]]]:
    """All levels of the project that name files, the certificate of the server left out."""
    yield DEFAULTS, settings.defaults.task.files or {}
    if settings.meltano is not None:
        yield MELTANO, settings.meltano.files
    for name, job in settings.jobs.items():
        yield ("jobs", name, "files"), job.files
        for index, task in enumerate(job.tasks):
            yield ("jobs", name, "tasks", index, "files"), task.files or {}


def of_task(settings: Settings, job: str, index: int) -> dict[str, Given]:
    """What a task of the project's gets, by its path in the container; a workflow's certificate left out."""
    task = settings.jobs[job].tasks[index]
    levels: _Levels = [(("jobs", job, "files"), settings.jobs[job].files)] if has_runtime(task) else []
    levels.append((("jobs", job, "tasks", index, "files"), task.files or {}))
    return {**_common(settings, meltano=task.meltano is not None, runtime=has_runtime(task)), **_merged(levels)}


def of_all(settings: Settings) -> dict[str, Given]:
    """What every task gets in whose container Penstock's runtime is."""
    return _common(settings, meltano=False, runtime=True)


def of_meltano(settings: Settings) -> dict[str, Given]:
    """What a task of Meltano's own gets."""
    return _common(settings, meltano=True, runtime=has_runtime(None))


def certificate(settings: Settings) -> Given | None:
    """The certificate of the OpenMetadata server, as a file."""
    source: Source | None = settings.openmetadata.ca_certificate if settings.openmetadata is not None else None
    if source is None:
        return None
    return Given(File(file=source.file, secret=source.secret, mode="0644"), CERTIFICATE)


def _common(settings: Settings, *, meltano: bool, runtime: bool) -> dict[str, Given]:
    """What a level says that is not about one task: it leaves out those that cannot have it."""
    levels: _Levels = [(DEFAULTS, settings.defaults.task.files or {})] if runtime else []
    if meltano and settings.meltano is not None:
        levels.append((MELTANO, settings.meltano.files))
    return _merged(levels)


def _merged(levels: _Levels) -> dict[str, Given]:
    return {normal(path): Given(file, (*place, path)) for place, files in levels for path, file in files.items()}
