"""`annotations: {penstock: …}` of a job or a schedule in `meltano.yml`: what Meltano itself has no key for.

Meltano leaves annotations to other tools (Meltano 4.4.1, "Annotations"), and runs the same file unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document
from penstock.project.document.parts import entries, mapping
from penstock.project.document.problems import Problems
from penstock.project.jobs.schedules import ScheduleSettings
from penstock.project.jobs.tasks import MemoryGrowth, TaskSettings
from penstock.project.schema.explain import explain
from penstock.project.schema.model import Strict, merge_layers
from penstock_runtime.plan.task_definition import Architecture

KEY = "penstock"

_Kind = TypeVar("_Kind", bound=Strict)


class JobAnnotation(Strict):
    """How the tasks of a job run; each key as in a task of `penstock.yaml`."""

    cpu_units: int | None = None
    memory_mib: int | MemoryGrowth | None = None
    ephemeral_storage_gib: int | None = Field(None, ge=20, le=200)
    timeout_minutes: int | None = Field(None, ge=1, le=1440)
    spot: bool | None = None
    architecture: Architecture | None = None
    reattach: bool | None = None
    deferrable: bool | None = None
    secrets: list[str] = Field(default_factory=list)
    """Secrets that the tasks get besides those that Meltano's files name."""

    @property
    def task_settings(self) -> TaskSettings:
        """What it says of tasks."""
        return TaskSettings(**_said(self, TaskSettings))


class ScheduleAnnotation(JobAnnotation):
    """How a schedule runs, and its tasks; each key as in a schedule of `penstock.yaml`."""

    timezone: str | None = None
    paused: bool | None = None
    owner: str | None = Field(None, min_length=1, max_length=100)
    email: list[str] | None = None
    retries: int | None = Field(None, ge=0, le=100)
    retry_delay_minutes: int | None = Field(None, ge=0, le=1440)
    retry_delay_seconds: int | None = Field(None, ge=0, le=86_400)
    tags: list[str] | None = None

    @property
    def schedule_settings(self) -> ScheduleSettings:
        """What it says of the schedule."""
        return ScheduleSettings(**_said(self, ScheduleSettings))


def annotation(document: Document, entry: Node, kind: type[_Kind]) -> _Kind:
    """The annotation of a job or a schedule; an empty one where it has none.

    Raises:
        InputErrors: keys or values of it are wrong; each with its place.
    """
    node = mapping(entry.value.get("annotations")).get(KEY)
    if node is None or node.value is None:
        return kind()
    try:
        return kind.model_validate(node.plain())
    except ValidationError as error:
        problems = Problems()
        explain(error, kind, document, node, problems)
        problems.raise_all()
        raise


def layers(*annotations: JobAnnotation) -> TaskSettings:
    """What several say of tasks, the last one first."""
    return TaskSettings(**merge_layers(TaskSettings, *(one.task_settings for one in annotations)))


def unread(document: Document) -> Iterator[Problem]:
    """Annotations for Penstock where it reads none: of a plugin, of an environment, of the whole file."""
    root = document.root.value
    holders = [document.root, *entries(root.get("environments"))]
    holders += [plugin for listed in mapping(root.get("plugins")).values() for plugin in entries(listed)]
    for holder in holders:
        node = mapping(mapping(holder).get("annotations")).get(KEY)
        if node is not None:
            yield Problem(
                "annotations.penstock is read of jobs and schedules only",
                "write it into the job or the schedule that runs this",
                where=document.where(node),
                is_error=False,
            )


def _said(source: Strict, kind: type[Strict]) -> Mapping[str, Any]:
    return {name: value for name in kind.model_fields if (value := getattr(source, name, None)) is not None}
