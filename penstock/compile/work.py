"""What a task does, whatever its size and place: which engine, which image, which config, which secrets."""

from __future__ import annotations

import hashlib
import posixpath
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from penstock.compile.inputs import Inputs
from penstock.project.ecs.image_names import located, rule
from penstock.project.ecs.images import ImageSource
from penstock.project.files.named import SERVER_CERTIFICATE
from penstock.project.iam.permissions import Permission
from penstock.project.jobs.tasks import Task
from penstock.project.openmetadata import workflow
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.rules import own_images
from penstock.project.rules.files import levels
from penstock.project.rules.files.levels import Given
from penstock.project.rules.meltano import overrides, usage
from penstock.project.rules.meltano import state as meltano_state
from penstock.project.secrets import references
from penstock_runtime.contract import SERVER_VARIABLE
from penstock_runtime.fill import names
from penstock_runtime.plan.plan import Config
from penstock_runtime.plan.schedule import Engine
from penstock_runtime.plan.task_definition import Image, PullThrough


@dataclass(frozen=True)
class Work:
    """What a task does, whatever its size and place."""

    engine: Engine
    image: Image
    names: set[str]
    pull_through: PullThrough | None = None
    """The rule that the image needs, where the deploy makes it."""
    default_image: bool = True
    command: tuple[str, ...] = ()
    workflow_type: str | None = None
    config: Config | None = None
    secrets: tuple[str, ...] = ()
    """Besides those among `names`."""
    permissions: tuple[Permission, ...] = ()
    runtime: bool = True
    files: Mapping[str, Given] = field(default_factory=dict)
    """By their paths in the container."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the engine always gets; the task's own variables win over it."""
    meltano_state: str | None = None
    """Where the Meltano project keeps its own state; None: Penstock keeps it."""
    rest_api_of: str | None = None
    """The MWAA environment whose REST API it reads."""
    runs_beside: Literal["airflow"] | None = None
    """As in the plan's task."""

    def of_airflow(self, **fields: Any) -> Work:
        """The same work, which reads Airflow's own metadata."""
        return replace(self, **fields)


def arguments_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts as a shell would split them; load has checked that it can be done."""
    return tuple(part for text in texts for part in shlex.split(text))


def pipeline_name(inputs: Inputs, job: str, task: str) -> str:
    """The name that OpenMetadata shows the runs of a task by."""
    return f"{inputs.prefix}-{job}-{task}"


def meltano_work(inputs: Inputs) -> Work | None:
    """What all Meltano tasks of the environment do, their commands left out; None: it has no Meltano project."""
    settings = inputs.settings.meltano
    if settings is None:
        return None
    project = inputs.project.meltanos[settings.project]
    image, pull_through = Image("built", "meltano", posixpath.normpath(settings.project)), None
    if settings.image is not None:
        image, pull_through = _located(inputs, settings.image, inputs.settings.images.meltano)
    # Always set: without it Meltano takes its own default, which the person at the desk may not see.
    name = settings.environment or project.default_environment
    environment = {"MELTANO_ENVIRONMENT": name} if name is not None else {}
    state = meltano_state.state_of(project, inputs.settings, inputs.variables)
    return Work(
        "meltano",
        image,
        set(),
        pull_through=pull_through,
        default_image=settings.image is None,
        secrets=tuple(settings.secrets),
        permissions=tuple(settings.permissions),
        environment={**environment, **overrides.environment(project, inputs.variables)},
        meltano_state=None if state is None or state.lost else state.address,
    )


def meltano_command(inputs: Inputs, meltano: Work, command: tuple[str, ...]) -> Work:
    """What the task of one command of Meltano's does.

    Args:
        meltano: what all Meltano tasks do.
        command: arguments of `meltano`.
    """
    settings = inputs.settings
    assert settings.meltano is not None, "load has checked that it is there where it is needed"
    names = usage.given_to(inputs.project.meltanos[settings.meltano.project], settings, command)
    return replace(meltano, command=command, names=names)


def work_of(inputs: Inputs, meltano: Work | None, job: str, index: int) -> Work:
    """What a task of a job of the project's does.

    Args:
        meltano: what all Meltano tasks do.
        index: the task's, in its job.
    """
    settings = inputs.settings.jobs[job]
    task = settings.tasks[index]
    work = _engine_work(inputs, meltano, job, task)
    return replace(
        work,
        secrets=(*work.secrets, *task.secrets),
        permissions=(*work.permissions, *settings.permissions, *task.permissions),
        files={**work.files, **levels.of_task(inputs.settings, job, index)},
    )


def _engine_work(inputs: Inputs, meltano: Work | None, job: str, task: Task) -> Work:
    if task.meltano is not None:
        assert meltano is not None, "load has checked that the project is there where it is needed"
        return meltano_command(inputs, meltano, ("run", *arguments_of([task.meltano])))
    if task.openmetadata is not None:
        data = inputs.project.workflows[task.openmetadata.config].document.root.plain()
        return workflow_work(inputs, task.openmetadata.type, data, pipeline_name(inputs, job, task.name))
    assert task.command is not None, "load has checked that it is one of the three"
    command = arguments_of([task.command]) if isinstance(task.command, str) else tuple(task.command)
    own_image = _located(inputs, task.image, inputs.settings.images.command) if task.image else None
    image, pull_through = own_image or _openmetadata_image(inputs)
    return Work(
        "command",
        image,
        set(names(list(command))) & {*inputs.settings.secrets, *inputs.variables},
        pull_through=pull_through,
        default_image=task.image is None,
        command=command,
        runtime=own_images.has_runtime(task),
    )


def workflow_work(inputs: Inputs, workflow_type: str, written: dict[Any, Any], pipeline: str) -> Work:
    """What a task does that runs an OpenMetadata workflow.

    Args:
        written: the workflow, as its file has it.
        pipeline: the name that OpenMetadata shows its runs by.
    """
    settings = _openmetadata(inputs)
    # A value that is given for the server's variable wins over the server that the project names.
    server = None if SERVER_VARIABLE in inputs.variables else settings.server
    data = workflow.completed(written, settings, server=server, pipeline=pipeline)
    text = workflow.text(data)
    certificate = levels.certificate(inputs.settings) if workflow.is_certified(data) else None
    image, pull_through = _openmetadata_image(inputs)
    return Work(
        "openmetadata",
        image,
        set(names(data)),
        pull_through=pull_through,
        workflow_type=workflow_type,
        config=Config(hashlib.sha256(text.encode()).hexdigest(), text),
        files={SERVER_CERTIFICATE: certificate} if certificate is not None else {},
    )


def _openmetadata_image(inputs: Inputs) -> tuple[Image, PullThrough | None]:
    stock = inputs.settings.images.openmetadata
    if stock.build is not None:
        return Image("built", "openmetadata", posixpath.normpath(stock.build)), None
    return _located(inputs, stock.named(_openmetadata(inputs).version), stock)


def _located(inputs: Inputs, reference: str, source: ImageSource) -> tuple[Image, PullThrough | None]:
    """Where an image is pulled from, and the rule that this needs."""
    pull_through = rule(source.pull_through, inputs.prefix) if source.pull_through is not None else None
    credentials = None
    if (name := source.credentials) is not None:
        credentials = references.parse(name, inputs.settings.secrets[name], "")
    return located(reference, source, credentials, inputs.prefix), pull_through


def _openmetadata(inputs: Inputs) -> OpenMetadata:
    settings = inputs.settings.openmetadata
    assert settings is not None, "load has checked that it is there where it is needed"
    return settings
