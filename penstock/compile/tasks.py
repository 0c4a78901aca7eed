"""The tasks of a plan, all but their families: which image, which environment, which secrets, which config."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial

from penstock.compile.inputs import Inputs
from penstock.compile.network import place_of
from penstock.compile.overrides_room import check_room
from penstock.compile.task_definitions import Draft
from penstock.compile.work import Work, arguments_of
from penstock.project.document.document import at
from penstock.project.document.problems import Problems
from penstock.project.ecs.image_names import located, rule
from penstock.project.ecs.images import ImageSource
from penstock.project.environments import prefix_of
from penstock.project.files.model import File
from penstock.project.files.named import SERVER_CERTIFICATE
from penstock.project.iam.permissions import Permission, filled, wrong_permission
from penstock.project.jobs import tasks
from penstock.project.jobs.tasks import TaskSettings
from penstock.project.meltano.model import Meltano
from penstock.project.meltano.project import MeltanoProject
from penstock.project.openmetadata import workflow
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.rules import own_images
from penstock.project.rules.files import levels
from penstock.project.rules.files.levels import Given
from penstock.project.rules.meltano import overrides, usage
from penstock.project.rules.meltano import state as meltano_state
from penstock.project.schema.model import merge_layers
from penstock.project.secrets import references
from penstock_runtime.contract import MELTANO_STATE, SERVER_VARIABLE
from penstock_runtime.fill import PLACEHOLDER, names
from penstock_runtime.plan import task_definition as planned
from penstock_runtime.plan.plan import Config, ProjectFile
from penstock_runtime.plan.schedule import FargateTask, TaskFile
from penstock_runtime.plan.task_definition import Image, PullThrough


class Drafting:
    """Drafts the tasks of one environment of a project."""

    def __init__(self, inputs: Inputs, problems: Problems) -> None:
        self._project, self._name = inputs.project, inputs.name
        self._settings, self._root = inputs.settings, inputs.root
        self._variables, self._problems = inputs.variables, problems
        self.configs: dict[str, Config] = {}
        """By SHA-256: those of the tasks drafted so far."""
        self.pull_through: dict[str, PullThrough] = {}
        """By prefix: the rules that the images of the tasks drafted so far need."""
        self.files: dict[str, ProjectFile] = {}
        """By path in the project: those of the tasks drafted so far."""
        self._images = self._settings.images
        self._pipelines: dict[str, tuple[str, str]] = {}
        """Name in OpenMetadata → the job and task that it is of."""
        self._given: dict[tuple[str, int], dict[str, Given]] = {}
        self._completed: dict[tuple[tasks.OpenMetadataTask, str], tuple[str, set[str], bool]] = {}

    def job(self, name: str, env: Mapping[str, str], where: str) -> list[Draft]:
        """The tasks of a job of the project's, or else of Meltano's, with `env` over their own."""
        job = self._settings.jobs.get(name)
        if job is None:
            _, found = self._meltano()
            ids = [f"task{index}" for index in range(len(found.jobs[name]))]
            return [
                self.meltano(id_, tuple(ids[max(index - 1, 0) : index]), ("run", *arguments_of(task)), env, where)
                for index, (id_, task) in enumerate(zip(ids, found.jobs[name], strict=True))
            ]
        drafts = []
        for index, task in enumerate(job.tasks):
            before = [job.tasks[index - 1].name] if index else []
            after = tuple(before if task.after is None else task.after)
            place = self._project.document.where(at(self._root, ("jobs", name, "tasks", index)))
            work = self._work(name, task, place)
            work = replace(
                work,
                permissions=(*work.permissions, *job.permissions, *task.permissions),
                files={**work.files, **self._files_of(name, index)},
            )
            drafts.append(self._draft(task.name, after, work, {**task.env, **env}, task, place))
        return drafts

    def _files_of(self, job: str, index: int) -> Mapping[str, Given]:
        """The files of a task; a job may have many schedules."""
        if (job, index) not in self._given:
            self._given[job, index] = levels.of_task(self._settings, job, index)
        return self._given[job, index]

    def meltano(
        self, name: str, after: tuple[str, ...], command: tuple[str, ...], env: Mapping[str, str], where: str
    ) -> Draft:
        """A task of Meltano's own."""
        work = replace(self._meltano_work(command), files=levels.of_meltano(self._settings))
        return self._draft(name, after, work, env, TaskSettings(), where)

    def _pipeline(self, job: str, task: str, where: str) -> str:
        """The name that OpenMetadata shows the runs of a task by: of one task only."""
        name = f"{self._settings.name}-{self._name}-{job}-{task}"
        first_job, first_task = self._pipelines.setdefault(name, (job, task))
        if (first_job, first_task) != (job, task):
            what = f"OpenMetadata would show the runs of this task and of {first_task!r} of job {first_job!r} as one "
            self._problems.add(f"{what}pipeline: {name}", fix="rename one of the two tasks", where=where)
        return name

    def _work(self, job: str, task: tasks.Task, where: str) -> Work:
        if task.meltano is not None:
            return self._meltano_work(("run", *arguments_of([task.meltano])), task.secrets)
        if task.openmetadata is not None:
            return self._workflow_work(task.openmetadata, self._pipeline(job, task.name, where))
        assert task.command is not None, "load has checked that it is one of the three"
        command = arguments_of([task.command]) if isinstance(task.command, str) else tuple(task.command)
        image = self._located(task.image, self._images.command) if task.image else self._openmetadata_image()
        named = set(names(list(command))) & self._known()
        runtime = own_images.has_runtime(task)
        return Work("command", image, named, default_image=task.image is None, command=command, runtime=runtime)

    def _meltano_work(self, command: tuple[str, ...], more: Iterable[str] = ()) -> Work:
        settings, _ = self._meltano()
        image = Image("built", "meltano", posixpath.normpath(settings.project))
        if settings.image is not None:
            image = self._located(settings.image, self._images.meltano)
        return Work(
            "meltano",
            image,
            self._meltano_names,
            default_image=settings.image is None,
            command=command,
            secrets=(*settings.secrets, *more),
            permissions=tuple(settings.permissions),
        )

    def _workflow_work(self, task: tasks.OpenMetadataTask, pipeline: str) -> Work:
        if (task, pipeline) not in self._completed:
            self._completed[task, pipeline] = self._complete(task, pipeline)
        config, named, certified = self._completed[task, pipeline]
        certificate = levels.certificate(self._settings) if certified else None
        files = {SERVER_CERTIFICATE: certificate} if certificate is not None else {}
        image = self._openmetadata_image()
        return Work("openmetadata", image, named, workflow_type=task.type, config=config, files=files)

    def _complete(self, task: tasks.OpenMetadataTask, pipeline: str) -> tuple[str, set[str], bool]:
        """A workflow's config, kept under its SHA-256, the names in it, and whether the server's certificate is."""
        settings = self._openmetadata()
        # A value that is given for the server's variable wins over the server that the project names.
        server = None if SERVER_VARIABLE in self._variables else settings.server
        data = workflow.completed(self._project.workflows[task.config], settings, server=server, pipeline=pipeline)
        text = workflow.text(data)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        self.configs[sha256] = Config(sha256, text)
        return sha256, set(names(data)), workflow.is_certified(data)

    def _draft(
        self,
        name: str,
        after: tuple[str, ...],
        work: Work,
        env: Mapping[str, str],
        settings: TaskSettings,
        where: str,
    ) -> Draft:
        run = merge_layers(TaskSettings, tasks.BASE, self._settings.defaults.task, settings)
        architecture, read_only = run.pop("architecture"), run.pop("read_only_root")
        place = place_of(self._settings.network, run.pop("subnets", None))
        more = settings.secrets if isinstance(settings, tasks.Task) else []
        run.pop("files", None)
        files = tuple(self._file(path, given.file) for path, given in sorted(work.files.items()))
        used = {*(work.names & self._settings.secrets.keys()), *work.secrets, *more}
        used |= {file.secret for file in files if file.secret is not None}
        environment = self._environment(work, env)
        for key in environment.keys() & used:
            what = f"task {name!r} gets {key} from env and from a secret"
            self._problems.add(what, fix="remove it from env", where=where)
        # Meltano's own database is beside its project.
        read_only = read_only and work.engine != "meltano"
        state = self._meltano_state if work.engine == "meltano" else None
        of_the_definition = {MELTANO_STATE} if work.engine == "meltano" and state is None else set()
        of_the_definition |= {"HOME"} if read_only and work.runtime else set()
        for key in sorted(of_the_definition & used):
            # ECS refuses a definition with both ("The secret name must be unique and not shared with …").
            what = f"task {name!r} gets {key} from a secret, and Penstock sets that itself"
            self._problems.add(what, fix="take the secret from the task, or rename it", where=where)
        task = FargateTask(
            name=name,
            after=after,
            engine=work.engine,
            family="",
            environment=environment,
            names=tuple(sorted(work.names)),
            command=self._command(work, environment),
            workflow_type=work.workflow_type,
            config=work.config,
            runtime=work.runtime,
            files=files,
            **place,
            **run,
        )
        check_room(task, where, self._problems)
        return Draft(
            task,
            work.image,
            work.default_image,
            architecture,
            tuple(sorted(used)),
            self._filled(work.permissions, where),
            read_only,
            state,
        )

    def _file(self, path: str, file: File) -> TaskFile:
        """A file of a task's; one of the project is kept for the artifacts bucket."""
        if file.file is None:
            return TaskFile(path, file.mode_or_default, secret=file.secret, base64=file.base64)
        content = self._project.files[file.file]
        name = posixpath.normpath(file.file)
        self.files[name] = ProjectFile(name, content.sha256, content.size_bytes)
        return TaskFile(path, file.mode_or_default, sha256=content.sha256)

    @cached_property
    def _meltano_state(self) -> str | None:
        """Where the Meltano project keeps its own state; None: Penstock keeps it."""
        found = meltano_state.state_of(self._meltano()[1], self._settings, self._variables)
        return None if found is None or found.lost else found.address

    @cached_property
    def _meltano_names(self) -> set[str]:
        return usage.given(self._meltano()[1], self._settings)

    @cached_property
    def _meltano_log_settings(self) -> dict[str, str]:
        return overrides.environment(self._meltano()[1], self._variables)

    def _filled(self, permissions: Sequence[Permission], where: str) -> tuple[planned.Permission, ...]:
        """With their variables in. `load` has checked them with the project's; others' values may ask for too much."""
        if self._variables != self._settings.variables:
            for one in permissions:
                for problem in wrong_permission(one, self._variables, self._settings.region):
                    self._problems.add(problem.what, fix=problem.fix, where=where)
        return tuple(filled(one, self._variables) for one in permissions)

    def _environment(self, work: Work, env: Mapping[str, str]) -> dict[str, str]:
        """The variables that the files name, then the task's own; `${NAME}` of a variable is filled in those."""
        found = {name: self._variables[name] for name in work.names if name in self._variables}
        if work.engine == "meltano":
            settings, project = self._meltano()
            # Always set: without it Meltano takes its own default, which the person at the desk may not see.
            if (name := settings.environment or project.default_environment) is not None:
                found["MELTANO_ENVIRONMENT"] = name
            found.update(self._meltano_log_settings)
        for key, value in env.items():
            # A name that is not a variable is in text that the user has marked as such.
            found[key] = PLACEHOLDER.sub(lambda match: self._variables.get(match[1], match[0]), value)
        return dict(sorted(found.items()))

    def _command(self, work: Work, environment: Mapping[str, str]) -> tuple[str, ...]:
        """A plain command with its variables filled. A secret stays `${NAME}`, for a shell in the container."""
        if work.engine != "command":
            return work.command
        fill = partial(PLACEHOLDER.sub, lambda match: environment.get(match[1], match[0]))
        return tuple(fill(argument) for argument in work.command)

    def _known(self) -> set[str]:
        return {*self._settings.secrets, *self._variables}

    def _openmetadata_image(self) -> Image:
        stock = self._images.openmetadata
        if stock.build is not None:
            return Image("built", "openmetadata", posixpath.normpath(stock.build))
        return self._located(stock.named(self._openmetadata().version), stock)

    def _located(self, reference: str, source: ImageSource) -> Image:
        prefix = prefix_of(self._settings.name, self._name)
        if source.pull_through is not None and (made := rule(source.pull_through, prefix)):
            self.pull_through[made.prefix] = made
        credentials = None
        if (name := source.credentials) is not None:
            credentials = references.parse(name, self._settings.secrets[name], "")
        return located(reference, source, credentials, prefix)

    def _openmetadata(self) -> OpenMetadata:
        settings = self._settings.openmetadata
        assert settings is not None, "load has checked that it is there where it is needed"
        return settings

    def _meltano(self) -> tuple[Meltano, MeltanoProject]:
        settings = self._settings.meltano
        assert settings is not None, "load has checked that it is there where it is needed"
        return settings, self._project.meltanos[settings.project]
