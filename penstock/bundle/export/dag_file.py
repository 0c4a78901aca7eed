"""A schedule → the text of a DAG file."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from penstock.bundle.export import docker_tasks, ecs, python_tasks, shell_tasks
from penstock.bundle.export.literals import COLUMNS, Call, Code, assignment, identifier, text
from penstock.bundle.export.losses import losses, requisites
from penstock.bundle.export.target import Operator
from penstock.bundle.export.work import Parts, Source
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask, Schedule

Build = Callable[[Source, FargateTask, Parts], Call]


@dataclass(frozen=True)
class Exported:
    """A DAG file."""

    text: str
    notes: tuple[str, ...]
    """What it does not do, and what it needs, a sentence each; they are in the file, too."""


def pick(plan: Plan, name: str) -> Schedule:
    """The schedule of that name or DAG id.

    Raises:
        InputError: there is none.
    """
    for schedule in plan.schedules:
        if name in (schedule.name, schedule.dag_id):
            return schedule
    known = ", ".join(schedule.name for schedule in plan.schedules[:20]) or "none: add one first"
    raise InputError(f"there is no schedule {name[:60]!r}", fix=f"choose one of {known}")


def export(source: Source) -> Exported:
    """The DAG file of a schedule.

    Raises:
        InputError: a task has what the operator cannot bring at all: files, for example.
    """
    parts = Parts()
    tasks = [(task, _builder(source, task)(source, task, parts)) for task in source.tasks]
    notes = losses(source)
    needs = [
        *requisites(source),
        *(f"Set the Airflow variable {name}: {what}." for name, what in sorted(parts.settings.items())),
    ]
    return Exported(_joined(_blocks(source, parts, tasks, notes, needs)), (*notes, *needs))


def _blocks(
    source: Source, parts: Parts, tasks: list[tuple[FargateTask, Call]], notes: list[str], needs: list[str]
) -> Iterator[str]:
    yield _documentation(source, notes, needs)
    yield _imports(source, parts)
    yield "\n".join(assignment(name, value) for name, value in parts.constants.items())
    yield from parts.functions.values()
    yield "\n".join(assignment(name, Code(program)) for name, program in parts.programs.items())
    yield _dag(source, tasks)


def _joined(blocks: Iterable[str]) -> str:
    """With two blank lines around functions, one between all else."""
    kept = [block.strip("\n") for block in blocks if block]
    made = kept[0]
    for before, block in pairwise(kept):
        apart = any(one.startswith("def ") for one in (before, block))
        made += ("\n\n\n" if apart else "\n\n") + block
    return made + "\n"


def _builder(source: Source, task: FargateTask) -> Build:
    operator = source.target.operator
    if operator is Operator.ecs:
        return ecs.build
    if operator is Operator.docker:
        return docker_tasks.build
    if task.engine == "openmetadata" and operator is not Operator.bash:
        return python_tasks.build
    return shell_tasks.build


def _documentation(source: Source, notes: list[str], needs: list[str]) -> str:
    plan, schedule, target = source.plan, source.schedule, source.target
    first = (schedule.description or f"Runs the job {schedule.job}").splitlines()[0].rstrip(".")
    exported = (
        f"Schedule {schedule.name} of the project {plan.project} ({plan.environment}), as `penstock dags export` wrote "
        f"it for the operator {target.operator.value} and Airflow {target.line}."
    )
    lines = [_wrapped(f"{first}."), "", _wrapped(exported)]
    if needs:
        lines += ["", "Before it runs:", *(_wrapped(one, bullet=True) for one in needs)]
    lines += ["", "What Penstock's own DAG of this schedule does, and this one does not:"]
    lines += [_wrapped(one, bullet=True) for one in notes]
    inside = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{inside}\n"""'


def _wrapped(sentence: str, *, bullet: bool = False) -> str:
    first, rest = ("- ", "  ") if bullet else ("", "")
    return textwrap.fill(
        sentence, COLUMNS, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _imports(source: Source, parts: Parts) -> str:
    schedule = source.schedule
    imports = {*parts.imports, "from datetime import timedelta", "import pendulum", source.target.dag}
    if schedule.cron is not None and schedule.every_minutes is None:
        imports.add("from airflow.timetables.trigger import CronTriggerTimetable")
    standard = {one for one in imports if one.split()[1] in ("datetime", "inspect", "json")}
    return "\n".join([*_sorted(standard), "", *_sorted(imports - standard)])


def _sorted(imports: set[str]) -> list[str]:
    """As isort has them: `import …` first, each by its module."""
    return sorted(imports, key=lambda line: (line.startswith("from"), line.split()[1]))


def _dag(source: Source, tasks: list[tuple[FargateTask, Call]]) -> str:
    schedule = source.schedule
    opening = text(Call("DAG", _dag_arguments(schedule)), before=len("with "), after=1)
    names: list[str] = []
    taken = ["dag", "overrides", "timedelta", "pendulum", *_KEYWORDS]
    for task, _ in tasks:
        names.append(identifier(task.name, [*taken, *names]))
    variable = dict(zip((task.name for task, _ in tasks), names, strict=True))
    needs_names = any(task.after for task, _ in tasks)
    body = []
    for task, call in tasks:
        if needs_names:
            body.append(assignment(variable[task.name], call, indent=4))
        else:
            body.append(" " * 4 + text(call, indent=4))
    if order := _order([task for task, _ in tasks], variable):
        body += ["", *order]
    return f"with {opening}:\n" + "\n".join(body) + "\n"


_KEYWORDS = (
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield", "inspect", "json", "run_workflow", "run_command",
)  # fmt: skip


def _dag_arguments(schedule: Schedule) -> dict[str, object]:
    year, month, day = (int(part) for part in schedule.start_date.split("-"))
    defaults: dict[str, object] = {
        "owner": schedule.owner,
        "retries": schedule.retries,
        "retry_delay": Code(_delta(schedule.retry_delay_seconds)),
    }
    if schedule.email:
        defaults |= {"email": list(schedule.email), "email_on_failure": True, "email_on_retry": False}
    timetable: object = None
    if schedule.every_minutes is not None:
        timetable = Code(f"timedelta(minutes={schedule.every_minutes})")
    elif schedule.cron is not None:
        timetable = Call("CronTriggerTimetable", {"timezone": schedule.timezone}, (schedule.cron,))
    return {
        "dag_id": schedule.dag_id,
        **({"description": schedule.description} if schedule.description else {}),
        "schedule": timetable,
        "start_date": Call("pendulum.datetime", {"tz": schedule.timezone}, (year, month, day)),
        "catchup": schedule.catchup,
        "is_paused_upon_creation": schedule.paused,
        "max_active_runs": 1,
        "default_args": defaults,
        **({"tags": list(schedule.tags)} if schedule.tags else {}),
        "doc_md": Code("__doc__"),
    }


def _delta(seconds: int) -> str:
    return f"timedelta(minutes={seconds // 60})" if seconds % 60 == 0 else f"timedelta(seconds={seconds})"


def _order(tasks: list[FargateTask], variable: dict[str, str]) -> list[str]:
    """Lines such as `load >> catalogue >> profile`, or one for each task that waits for others."""
    waiting = [task for task in tasks if task.after]
    if not waiting:
        return []
    is_chain = all(task.after == (tasks[number].name,) for number, task in enumerate(tasks[1:]))
    chain = "    " + " >> ".join(variable[task.name] for task in tasks)
    if is_chain and not tasks[0].after and len(chain) <= COLUMNS:
        return [chain]
    lines = []
    for task in waiting:
        before = [variable[name] for name in task.after]
        left = before[0] if len(before) == 1 else text([Code(name) for name in before], indent=4, after=40)
        lines.append(f"    {left} >> {variable[task.name]}")
    return lines
