"""What all exported tasks have in common: what they are made from, and texts that Airflow's templates leave alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from penstock.bundle.export.literals import Call, Code
from penstock.bundle.export.target import Target
from penstock.project.secrets import references
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask, Schedule
from penstock_runtime.plan.task_definition import Secret, TaskDefinition
from penstock_runtime.release.resources import Resources

START_MINUTES = 15
"""What Airflow adds to a container's own limit, for its start. As the operator `ecs` has it."""

_TEMPLATE = re.compile(r"\{(?=[{%#])")
_TEMPLATE_FILES = (".sh", ".bash", ".env", ".txt")
"""Airflow takes a templated text that ends so for the name of a file with the template."""


@dataclass(frozen=True)
class Source:
    """What a file is made from."""

    plan: Plan
    schedule: Schedule
    target: Target
    openmetadata: str = ""
    """The server's version, where the project has one."""
    resources: Resources | None = None
    """What the deploy made; ecs only."""

    @property
    def tasks(self) -> tuple[FargateTask, ...]:
        """The schedule's tasks.

        Raises:
            InputError: one runs in Airflow's worker, so that nothing of it is deployed in ECS.
        """
        for task in self.schedule.tasks:
            if not isinstance(task, FargateTask):
                raise InputError(
                    f"task {task.name!r} of schedule {self.schedule.name!r} runs in Airflow's worker (operator: "
                    f"{task.operator}), so that no task definition of it is deployed",
                    fix=f"export it with --operator {task.operator}",
                )
        return tuple(task for task in self.schedule.tasks if isinstance(task, FargateTask))

    def definition(self, task: FargateTask) -> TaskDefinition:
        """The task definition of a task."""
        return next(one for one in self.plan.task_definitions if one.family == task.family)

    def secrets(self, task: FargateTask) -> dict[str, str]:
        """The secrets that a task gets: variable → reference, as in `penstock.yaml`."""
        return {
            secret.name: references.written(secret) for secret in self.definition(task).secrets if _uses(task, secret)
        }

    def config(self, task: FargateTask) -> str:
        """The workflow file of a task, completed."""
        return next(one.text for one in self.plan.configs if one.sha256 == task.config)

    def source_type(self, task: FargateTask) -> str | None:
        """`source.type` of its workflow file."""
        source = yaml.safe_load(self.config(task)).get("source")
        return str(source["type"]) if isinstance(source, dict) and "type" in source else None


@dataclass
class Parts:
    """What a task adds to the file; the file has each of them once."""

    imports: set[str] = field(default_factory=set)
    constants: dict[str, object] = field(default_factory=dict)
    """Name → value (`literals`), or a `str` that is source already."""
    functions: dict[str, str] = field(default_factory=dict)
    """Name → source."""
    programs: dict[str, str] = field(default_factory=dict)
    """Name of a constant that holds a program, and follows the functions → its source."""
    settings: dict[str, str] = field(default_factory=dict)
    """Airflow variable that must be set → what it is."""


def environment(source: Source, task: FargateTask, parts: Parts) -> dict[str, str]:
    """The task's plain variables, as templated texts; those without a value come from Airflow's variables."""
    values = {name: literally(value) for name, value in task.environment.items()}
    given = {*values, *source.secrets(task)}
    for name in task.names:
        if name not in given:
            variable = name.lower()
            parts.settings[variable] = f"the value of {name}"
            values[name] = f"{{{{ var.value.{variable} }}}}"
    return dict(sorted(values.items()))


def constant(task: FargateTask, what: str) -> str:
    """The name of a constant of the file that belongs to a task."""
    return f"{re.sub('[^0-9A-Z]+', '_', task.name.upper()).strip('_')}_{what}"


def literally(text: str) -> str:
    """A text of the user's in which Airflow's templates find nothing to fill."""
    return _TEMPLATE.sub("{{ '{' }}", text)


def command_line(text: str) -> str:
    """A command line for a templated field; a space keeps Airflow from reading it as the name of a file."""
    return f"{text} " if text.endswith(_TEMPLATE_FILES) else text


def minutes(number: int) -> Code:
    """So many minutes, as a `timedelta`."""
    return Code(f"timedelta(minutes={number})")


def refuse_files(source: Source, task: FargateTask) -> None:
    """Only Penstock's runtime writes a task's files.

    Raises:
        InputError: the task has some.
    """
    if task.files:
        names = ", ".join(file.path for file in task.files[:3])
        raise InputError(
            f"task {task.name!r} of schedule {source.schedule.name!r} gets files ({names}), which no stock operator "
            "but ecs's can bring",
            fix="export it with --operator ecs, where the container's own program writes them",
        )


def operator(name: str, task: FargateTask, **named: object) -> Call:
    """A call that makes an Airflow task."""
    return Call(name, {"task_id": task.name, **named})


def _uses(task: FargateTask, secret: Secret) -> bool:
    """A definition's secrets are those of its tasks, all of which need all of them."""
    return secret.name not in task.environment
