"""The tasks of a plan, all but their families: each step of a job, drafted for each schedule that runs the job."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from penstock.compile import catalogue
from penstock.compile.catalogue import Catalogued
from penstock.compile.inputs import Inputs
from penstock.compile.network import place_of
from penstock.compile.overrides_room import room_problem
from penstock.compile.task_definitions import Draft
from penstock.compile.work import Work, arguments_of, meltano_command, pipeline_name, work_of
from penstock.problem import Problem
from penstock.project.airflow.catalogue import TASK
from penstock.project.iam.permissions import filled, wrong_permission
from penstock.project.jobs import tasks
from penstock.project.jobs.tasks import TaskSettings
from penstock.project.meltano.annotations import JobAnnotation, layers
from penstock.project.openmetadata import worker_locks
from penstock.project.rules.files import levels
from penstock.project.rules.files.levels import Given
from penstock.project.rules.operators import WORKER, operator_of
from penstock.project.schema.model import merge_layers
from penstock.project.secrets import references
from penstock_runtime.contract import MELTANO_STATE
from penstock_runtime.fill import PLACEHOLDER
from penstock_runtime.plan.plan import Config, ProjectFile
from penstock_runtime.plan.schedule import FargateTask, TaskFile, WorkerTask
from penstock_runtime.plan.task_definition import Secret


@dataclass(frozen=True)
class Step:
    """A task of a job, whatever schedule runs it."""

    name: str
    after: tuple[str, ...]
    work: Work
    settings: TaskSettings
    where: str
    """`file:line:column` of the task, or of the schedule for a task of Meltano's own."""
    env: Mapping[str, str]
    """The task's own variables; those of a schedule win over them."""
    operator: str = "ecs"


@dataclass(frozen=True)
class WorkerDraft:
    """A task that runs in Airflow's worker, and what the plan holds for it."""

    task: WorkerTask
    secrets: tuple[Secret, ...]
    config: Config
    requirements: Config | None
    """What its virtual environment holds."""


def job_steps(inputs: Inputs, meltano: Work | None, name: str) -> list[Step]:
    """The steps of a job of the project's; `meltano`: what all Meltano tasks do."""
    job = inputs.settings.jobs[name]
    steps = []
    for index, task in enumerate(job.tasks):
        before = [job.tasks[index - 1].name] if index else []
        after = tuple(before if task.after is None else task.after)
        where = inputs.where("jobs", name, "tasks", index)
        operator = "ecs" if inputs.only_ecs else operator_of(inputs.settings, task)
        steps.append(
            Step(
                task.name,
                after,
                work_of(inputs, meltano, name, index),
                task,
                where,
                task.env,
                operator,
            )
        )
    return steps


def meltano_job_steps(inputs: Inputs, meltano: Work | None, name: str, where: str) -> list[Step]:
    """The steps of a job of Meltano's own, which the schedule at `where` runs."""
    settings = inputs.settings.meltano
    assert settings is not None, "load has checked that it is there where it is needed"
    job = inputs.project.meltanos[settings.project].jobs[name]
    commands = {f"task{index}": ("run", *arguments_of(texts)) for index, texts in enumerate(job)}
    said = inputs.project.meltanos[settings.project].annotations[name]
    return meltano_steps(inputs, meltano, commands, where, [said])


def meltano_steps(
    inputs: Inputs,
    meltano: Work | None,
    commands: Mapping[str, tuple[str, ...]],
    where: str,
    annotations: Sequence[JobAnnotation],
) -> list[Step]:
    """Steps of Meltano's own, one after the other.

    Args:
        meltano: what all Meltano tasks do.
        commands: name of each step → arguments of `meltano`.
        annotations: what Meltano's files say of them; the last one wins.
    """
    assert meltano is not None, "load has checked that it is there where it is needed"
    secrets = (*meltano.secrets, *(name for one in annotations for name in one.secrets))
    work = replace(meltano, files=levels.of_meltano(inputs.settings), secrets=secrets)
    settings = layers(*annotations)
    names = list(commands)
    return [
        Step(
            name,
            tuple(names[max(index - 1, 0) : index]),
            meltano_command(inputs, work, command),
            settings,
            where,
            env={},
        )
        for index, (name, command) in enumerate(commands.items())
    ]


def catalogue_steps(inputs: Inputs, found: Catalogued, where: str) -> list[Step]:
    """The one step that catalogues MWAA's own metadata."""
    work = replace(catalogue.work(inputs, found), files=levels.of_all(inputs.settings))
    return [Step(TASK, (), work, TaskSettings(operator="ecs"), where, env={})]


def pipeline_problems(inputs: Inputs, jobs: Iterable[str]) -> Iterator[Problem]:
    """Tasks of these jobs whose runs OpenMetadata could not tell apart."""
    first: dict[str, tuple[str, str]] = {}
    for job in jobs:
        for index, task in enumerate(inputs.settings.jobs[job].tasks):
            if task.openmetadata is None:
                continue
            name = pipeline_name(inputs, job, task.name)
            first_job, first_task = first.setdefault(name, (job, task.name))
            if (first_job, first_task) != (job, task.name):
                yield Problem(
                    f"OpenMetadata would show the runs of this task and of {first_task!r} of job {first_job!r} as one "
                    f"pipeline: {name}",
                    "rename one of the two tasks",
                    where=inputs.where("jobs", job, "tasks", index),
                )


def draft(inputs: Inputs, step: Step, env: Mapping[str, str]) -> Draft | WorkerDraft:
    """A step as the schedule with these variables runs it."""
    if step.operator in WORKER:
        return _worker_draft(inputs, step, env)
    work = step.work
    run = merge_layers(TaskSettings, tasks.BASE, inputs.settings.defaults.task, step.settings)
    architecture, read_only = run.pop("architecture"), run.pop("read_only_root")
    subnets = run.pop("subnets", None)
    place = {} if work.runs_beside == "airflow" else place_of(inputs.settings.network, subnets)
    run.pop("files", None)
    run["operator"] = "ecs"
    if work.engine != "openmetadata":
        run.pop("fail_on_warnings")
        run.pop("min_success_percent", None)
    run["memory_mib"], *larger = tasks.memory_sizes(run)
    files = [_task_file(inputs, path, given) for path, given in sorted(work.files.items())]
    secrets = {*(work.names & inputs.settings.secrets.keys()), *work.secrets}
    secrets |= {file.secret for file, _ in files if file.secret is not None}
    environment = _environment(inputs, work, {**step.env, **env})
    task = FargateTask(
        name=step.name,
        after=step.after,
        engine=work.engine,
        family="",
        environment=environment,
        names=tuple(sorted(work.names)),
        command=_command(work, environment),
        workflow_type=work.workflow_type,
        config=work.config.sha256 if work.config is not None else None,
        runtime=work.runtime,
        files=tuple(file for file, _ in files),
        larger_memory_mib=tuple(larger),
        runs_beside=work.runs_beside,
        **place,
        **run,
    )
    return Draft(
        task,
        work.image,
        work.default_image,
        architecture,
        tuple(sorted(secrets)),
        tuple(filled(permission, inputs.variables) for permission in work.permissions),
        # Meltano's own database is beside its project.
        read_only and work.engine != "meltano",
        work.meltano_state,
        rest_api_of=work.rest_api_of,
        config=work.config,
        pull_through=work.pull_through,
        project_files=tuple(project_file for _, project_file in files if project_file is not None),
    )


def draft_problems(inputs: Inputs, step: Step, drafted: Draft | WorkerDraft) -> Iterator[Problem]:
    """What is wrong with a step as a schedule runs it."""
    if isinstance(drafted, WorkerDraft):
        for key in sorted(drafted.task.environment.keys() & drafted.task.secrets.keys()):
            what = f"task {drafted.task.name!r} gets {key} from env and from a secret"
            yield Problem(what, "remove it from env", where=step.where)
        return
    task, secrets = drafted.task, {*drafted.secrets}
    for key in sorted(task.environment.keys() & secrets):
        what = f"task {task.name!r} gets {key} from env and from a secret"
        yield Problem(what, "remove it from env", where=step.where)
    of_the_definition = {MELTANO_STATE} if task.engine == "meltano" and drafted.meltano_state is None else set()
    of_the_definition |= {"HOME"} if drafted.read_only_root and task.runtime else set()
    for key in sorted(of_the_definition & secrets):
        # ECS refuses a definition with both ("The secret name must be unique and not shared with …").
        what = f"task {task.name!r} gets {key} from a secret, and Penstock sets that itself"
        yield Problem(what, "take the secret from the task, or rename it", where=step.where)
    if problem := room_problem(task):
        yield replace(problem, where=step.where)
    # `load` has checked permissions with the project's variables; others' values may ask for too much.
    if inputs.variables != inputs.settings.variables:
        for permission in step.work.permissions:
            for problem in wrong_permission(permission, inputs.variables, inputs.settings.region):
                yield replace(problem, where=step.where)


def _worker_draft(inputs: Inputs, step: Step, env: Mapping[str, str]) -> WorkerDraft:
    work, server = step.work, inputs.settings.openmetadata
    assert server is not None, "load has checked that it is there where it is needed"
    assert work.config is not None, "load has checked that it is a workflow"
    run = merge_layers(TaskSettings, tasks.BASE, inputs.settings.defaults.task, step.settings)
    names = sorted({*(work.names & inputs.settings.secrets.keys()), *work.secrets})
    secrets = {name: references.parse(name, inputs.settings.secrets[name], "") for name in names}
    requirements = None
    if step.operator == "virtualenv":
        text = inputs.project.worker_locks[worker_locks.key(server)].text
        requirements = Config(hashlib.sha256(text.encode()).hexdigest(), text)
    task = WorkerTask(
        name=step.name,
        after=step.after,
        operator="virtualenv" if requirements is not None else "python",
        engine=work.engine,
        timeout_minutes=run["timeout_minutes"],
        environment=_environment(inputs, work, {**step.env, **env}),
        names=tuple(sorted(work.names)),
        workflow_type=work.workflow_type,
        config=work.config.sha256,
        secrets={name: references.written(secret) for name, secret in secrets.items()},
        requirements=requirements.sha256 if requirements is not None else None,
    )
    return WorkerDraft(task, tuple(secrets.values()), work.config, requirements)


def _task_file(inputs: Inputs, path: str, given: Given) -> tuple[TaskFile, ProjectFile | None]:
    """A file of a task's, and the file of the project that it is."""
    file = given.file
    if file.file is None:
        return TaskFile(path, file.mode_or_default, secret=file.secret, base64=file.base64), None
    content = inputs.project.files[file.file]
    project_file = ProjectFile(posixpath.normpath(file.file), content.sha256, content.size_bytes)
    return TaskFile(path, file.mode_or_default, sha256=content.sha256), project_file


def _environment(inputs: Inputs, work: Work, env: Mapping[str, str]) -> dict[str, str]:
    """The variables that the files name, then the task's own; `${NAME}` of a variable is filled in those."""
    variables = inputs.variables
    environment = {name: variables[name] for name in work.names if name in variables}
    environment.update(work.environment)
    for key, value in env.items():
        # A name that is not a variable is in text that the user has marked as such.
        environment[key] = PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), value)
    return dict(sorted(environment.items()))


def _command(work: Work, environment: Mapping[str, str]) -> tuple[str, ...]:
    """A plain command with its variables filled. A secret stays `${NAME}`, for a shell in the container."""
    if work.engine != "command":
        return work.command
    fill = partial(PLACEHOLDER.sub, lambda match: environment.get(match[1], match[0]))
    return tuple(fill(argument) for argument in work.command)
