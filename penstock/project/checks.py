"""What types cannot say about a project: names that must exist, pairs that must fit, files that must be there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from penstock.aws import arns, fargate
from penstock.problem import Problem
from penstock.project.airflow.checks import check_airflow_choice
from penstock.project.airflow.mwaa_checks import check_create
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, at
from penstock.project.document.findings import report_errors
from penstock.project.document.literals import references
from penstock.project.document.problems import Problems, nearest
from penstock.project.document.report import Report
from penstock.project.ecs.checks import check_ecs
from penstock.project.files.checks import check_certificate, check_files
from penstock.project.jobs import tasks
from penstock.project.jobs.tasks import BASE, EnvironmentName, TaskSettings
from penstock.project.meltano.checks import check_meltano
from penstock.project.meltano.project import MeltanoProject
from penstock.project.network.checks import check_network
from penstock.project.observability.checks import check_observability
from penstock.project.openmetadata.checks import check_openmetadata
from penstock.project.rules.memory import check_memory
from penstock.project.rules.references import in_tasks
from penstock.project.rules.schedules import check_schedules
from penstock.project.schema.model import settled
from penstock.project.secrets import references as secrets
from penstock.project.secrets.checks import check_secret_keys
from penstock.project.settings import Settings
from penstock_runtime.contract import SERVER_VARIABLE
from penstock_runtime.errors import InputError
from penstock_runtime.plan.schedule import ENGINES


class Checks:
    """The checks of one environment of a project. Each method reports and goes on."""

    def __init__(self, settings: Settings, document: Document, root: Node, problems: Problems) -> None:
        self.settings, self.problems = settings, problems
        self._document, self._root = document, root

    def where(self, *path: Any, key: bool = False) -> str:
        """The place of a part of the project file."""
        return self._document.where(at(self._root, path, key=key))

    def line(self, *path: Any) -> str:
        """The line of the project file that a part of it begins on, with its comment."""
        return self._document.line(at(self._root, path))

    @property
    def report(self) -> Report:
        """Where this environment's problems are collected."""
        return Report(self._document, self.problems, self._root)

    def add_all(self, problems: Iterable[Problem]) -> None:
        """Report what checks of the project file have found."""
        self.report.add_all(problems)

    def add(self, what: str, fix: str, *path: Any, key: bool = False) -> None:
        """Report an error at a part of the project file."""
        self.problems.add(what, fix=fix, where=self.where(*path, key=key))

    def run(self, meltano: MeltanoProject | None) -> None:
        """All of them. `meltano` None: the project has none, or it could not be read."""
        self._names()
        check_network(self)
        check_airflow_choice(self)
        if self.settings.airflow.create is not None:
            check_create(self, self.settings.airflow.create)
        check_ecs(self)
        check_memory(self)
        check_secret_keys(self)
        check_openmetadata(self)
        check_certificate(self)
        if meltano is not None:
            check_meltano(self, meltano)
        self._jobs()
        check_files(self)
        check_schedules(self, meltano)
        check_observability(self, meltano)
        report_errors(in_tasks(self), self.problems)

    def _names(self) -> None:
        settings = self.settings
        for kind in ("secrets", "variables"):
            for name in getattr(settings, kind):
                if not re.fullmatch(EnvironmentName, name) or name.startswith("PENSTOCK_"):
                    self.add(
                        f"{name[:60]!r} cannot be the name of an environment variable of a task",
                        "use letters, digits and _, and not the prefix PENSTOCK_",
                        kind,
                        name,
                        key=True,
                    )
        for name in settings.secrets.keys() & settings.variables.keys():
            self.add(f"{name!r} is both a secret and a variable", "rename one", "variables", name, key=True)
        for name, reference in settings.secrets.items():
            try:
                found = secrets.parse(name, reference, self.where("secrets", name))
            except InputError as error:
                self.problems.take(error)
                continue
            if found.id.startswith("arn:") and (wrong := arns.wrong_partition(found.id, settings.region)):
                self.add(*wrong, "secrets", name)
        for name, value in settings.variables.items():
            if references(value):
                self.add(
                    f"variable {name!r} names another; variables are taken as they are",
                    "write the value out",
                    "variables",
                    name,
                )
        warehouse = settings.embedded.warehouse if settings.embedded else None
        for part, name in (warehouse.model_dump() if warehouse else {}).items():
            self.known(name, "embedded", "warehouse", part)

    def known(self, name: str, *path: Any, only_secrets: bool = False) -> None:
        """A name that must be that of a secret, or of a secret or variable."""
        known = set(self.settings.secrets)
        if not only_secrets:
            known |= set(self.settings.variables)
        if name not in known:
            kind = "secret" if only_secrets else "secret or variable"
            self.add(f"there is no {kind} {name[:60]!r}", nearest(name, known, kind=kind), *path)

    def _jobs(self) -> None:
        for name, job in self.settings.jobs.items():
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
                fix = "use at most 64 letters, digits, `_`, `.` and `-`"
                self.add(f"{name[:80]!r} cannot be a job's name", fix, "jobs", name, key=True)
            seen: set[str] = set()
            for index, task in enumerate(job.tasks):
                here = ("jobs", name, "tasks", index)
                if task.name in seen:
                    self.add(f"job {name!r} has two tasks {task.name!r}", "rename one", *here, "name")
                seen.add(task.name)
                self._task(name, index)
            self._order(name)

    def _task(self, job: str, index: int) -> None:
        task = self.settings.jobs[job].tasks[index]
        here = ("jobs", job, "tasks", index)
        kinds = [kind for kind in ENGINES if getattr(task, kind) is not None]
        if len(kinds) != 1:
            has = " and ".join(kinds) if kinds else "none of them"
            fix = "keep one" if kinds else "add one of them"
            self.add(f"task {task.name!r} wants one of openmetadata, meltano, command, and has {has}", fix, *here)
        if task.meltano is not None and self.settings.meltano is None:
            self.add(f"task {task.name!r} needs a Meltano project", "add meltano: {project: …}", *here, "meltano")
        if task.openmetadata is not None and self.settings.openmetadata is None:
            fix = "add openmetadata: {server: …, version: …}"
            self.add(f"task {task.name!r} needs to know the OpenMetadata server", fix, *here, "openmetadata")
        if task.command is not None and task.image is None and self.settings.openmetadata is None:
            self.add(f"task {task.name!r} has no image", "add image: …", *here)
        for kind in ("meltano", "command"):
            said = getattr(task, kind)
            if said is not None and (wrong := tasks.wrong_line(said)):
                fix = "close its quotes" if "split" in wrong else "write a program and its arguments, no more"
                self.add(f"the command of task {task.name!r} {wrong}", fix, *here, kind)
        if task.image is not None and task.command is None:
            self.add(f"task {task.name!r}: only a plain command takes an image", "remove it", *here, "image", key=True)
        if task.python is not None and task.image is None:
            what = f"task {task.name!r}: python says what its image holds, and it names no image"
            fix = "remove it: in OpenMetadata's image, and in those that are built, the runtime always starts"
            self.add(what, fix, *here, "python", key=True)
        run = settled(TaskSettings, BASE, self.settings.defaults.task, task)
        if misfit := fargate.misfit(run["cpu_units"], run["memory_mib"]):
            what, fix = misfit
            self.add(f"task {task.name!r} wants {what}", fix, *self._size_place(here))
        for position, name in enumerate(task.secrets):
            self.known(name, *here, "secrets", position, only_secrets=True)
        self.env(task.env, *here, "env")

    def _size_place(self, here: tuple[Any, ...]) -> tuple[Any, ...]:
        """Where a size comes from: the task's own keys, else the defaults', else the task."""
        for path in (here, ("defaults", "task")):
            node = at(self._root, path)
            for key in ("memory_mib", "cpu_units"):
                if isinstance(node.value, dict) and key in node.value:
                    return (*path, key)
        return here

    def env(self, env: dict[str, str], *path: Any) -> None:
        """Environment variables that a task or a schedule sets."""
        for name, value in env.items():
            if not re.fullmatch(EnvironmentName, name) or name.startswith("PENSTOCK_"):
                fix = "use letters, digits and _, and not the prefix PENSTOCK_"
                self.add(f"{name[:60]!r} cannot be the name of an environment variable", fix, *path, name, key=True)
            for reference in references(value):
                if reference in self.settings.secrets:
                    fix = f"write secrets: [{reference}] in the task: the container gets it as ${reference}"
                    self.add(f"env {name!r} would show secret {reference!r}", fix, *path, name)
                else:
                    self.known(reference, *path, name)

    def _order(self, job: str) -> None:
        """`after` names tasks of the job, and leads nowhere back."""
        listed = self.settings.jobs[job].tasks
        names = [task.name for task in listed]
        known = set(names)
        waiting: dict[str, set[str]] = {}
        for index, task in enumerate(listed):
            for position, name in enumerate(task.after or []):
                if name in (task.after or [])[:position]:
                    path = ("jobs", job, "tasks", index, "after", position)
                    self.add(f"task {task.name!r} comes after {name[:60]!r} twice", "remove one", *path)
                    break
                if name not in known:
                    fix = nearest(name, known - {task.name}, kind="task")
                    path = ("jobs", job, "tasks", index, "after", position)
                    self.add(
                        f"task {task.name!r} comes after {name[:60]!r}, which job {job!r} does not have", fix, *path
                    )
            before = task.after if task.after is not None else names[max(index - 1, 0) : index]
            waiting[task.name] = set(before) & known
        while ready := [name for name, rest in waiting.items() if not rest]:
            for name in ready:
                del waiting[name]
            for rest in waiting.values():
                rest.difference_update(ready)
        if waiting and len(known) == len(names):
            index = names.index(next(iter(waiting)))
            what = f"tasks of job {job!r} wait for each other: {', '.join(waiting)[:100]}"
            self.add(what, "break the circle", "jobs", job, "tasks", index, "after")


def known_names(settings: Settings) -> set[str]:
    """What `${NAME}` may name in a workflow file."""
    return {*settings.secrets, *settings.variables, SERVER_VARIABLE}
