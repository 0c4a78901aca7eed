"""Jobs and their tasks: names, one kind of work each, sizes that exist, an order without circles, variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from penstock.aws import fargate
from penstock.problem import DocumentPath, Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import at
from penstock.project.document.literals import references
from penstock.project.document.problems import nearest
from penstock.project.jobs import tasks
from penstock.project.jobs.tasks import BASE, TaskSettings
from penstock.project.schema.model import merge_layers
from penstock.project.schema.names import VARIABLE_NAME_PATTERN
from penstock.project.secrets.checks import unknown_name, unknown_secret
from penstock.project.settings import Settings
from penstock_runtime.plan.schedule import ENGINES


def check_jobs(settings: Settings, root: Node) -> Iterator[Problem]:
    for name, job in settings.jobs.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
            fix = "use at most 64 letters, digits, `_`, `.` and `-`"
            yield Problem(f"{name[:80]!r} cannot be a job's name", fix, ("jobs", name), at_key=True)
        seen: set[str] = set()
        for index, task in enumerate(job.tasks):
            here = ("jobs", name, "tasks", index)
            if task.name in seen:
                yield Problem(f"job {name!r} has two tasks {task.name!r}", "rename one", (*here, "name"))
            seen.add(task.name)
            yield from _check_task(settings, root, name, index)
        yield from _check_order(settings, name)


def _check_task(settings: Settings, root: Node, job: str, index: int) -> Iterator[Problem]:
    task = settings.jobs[job].tasks[index]
    here = ("jobs", job, "tasks", index)
    kinds = [kind for kind in ENGINES if getattr(task, kind) is not None]
    if len(kinds) != 1:
        has = " and ".join(kinds) if kinds else "none of them"
        fix = "keep one" if kinds else "add one of them"
        yield Problem(f"task {task.name!r} must have one of openmetadata, meltano, command, and has {has}", fix, here)
    if task.meltano is not None and settings.meltano is None:
        yield Problem(f"task {task.name!r} needs a Meltano project", "add meltano: {project: …}", (*here, "meltano"))
    if task.openmetadata is not None and settings.openmetadata is None:
        fix = "add openmetadata: {server: …, version: …}"
        yield Problem(f"task {task.name!r} needs to know the OpenMetadata server", fix, (*here, "openmetadata"))
    if task.command is not None and task.image is None and settings.openmetadata is None:
        yield Problem(f"task {task.name!r} has no image", "add image: …", here)
    for kind in ("meltano", "command"):
        said = getattr(task, kind)
        if said is not None and (wrong := tasks.wrong_line(said)):
            fix = "close its quotes" if "split" in wrong else "write a program and its arguments, no more"
            yield Problem(f"the command of task {task.name!r} {wrong}", fix, (*here, kind))
    if task.image is not None and task.command is None:
        yield Problem(
            f"task {task.name!r}: only a plain command takes an image", "remove it", (*here, "image"), at_key=True
        )
    if task.python is not None and task.image is None:
        what = f"task {task.name!r}: python says what its image holds, and it names no image"
        fix = "remove it: in OpenMetadata's image, and in those that are built, the runtime always starts"
        yield Problem(what, fix, (*here, "python"), at_key=True)
    for key in ("fail_on_warnings", "min_success_percent"):
        if task.openmetadata is None and getattr(task, key) is not None:
            what = f"task {task.name!r}: {key} is about the results of an OpenMetadata workflow, and it runs none"
            yield Problem(what, "remove it", (*here, key), at_key=True)
    run = merge_layers(TaskSettings, BASE, settings.defaults.task, task)
    yield from size_problems(task.name, run, _size_path(root, here))
    for position, name in enumerate(task.secrets):
        yield from unknown_secret(name, settings.secrets, *here, "secrets", position)
    yield from check_env(settings, task.env, *here, "env")


def size_problems(name: str, run: Mapping[str, Any], path: DocumentPath = ()) -> Iterator[Problem]:
    """What is wrong with the size of a task, of its settings as `merge_layers` returns them."""
    memory = run["memory_mib"]
    growth = [memory] if isinstance(memory, int) else [memory.start, memory.max]
    for size in growth:
        if misfit := fargate.misfit(run["cpu_units"], size):
            yield replace(misfit, what=f"task {name!r} has {misfit.what}", path=path)
            return
    if len(growth) == 2 and growth[0] >= growth[1]:
        what = f"the memory of task {name!r} cannot grow from {growth[0]} to {growth[1]} MiB"
        yield Problem(what, "make max larger than start, or write one number", path)


def _size_path(root: Node, here: DocumentPath) -> DocumentPath:
    """Where a size comes from: the task's own keys, otherwise the defaults', otherwise the task."""
    for path in (here, ("defaults", "task")):
        node = at(root, path)
        for key in ("memory_mib", "cpu_units"):
            if isinstance(node.value, dict) and key in node.value:
                return (*path, key)
    return here


def check_env(settings: Settings, env: Mapping[str, str], *path: str | int) -> Iterator[Problem]:
    """Environment variables that a task or a schedule sets."""
    for name, value in env.items():
        if not re.fullmatch(VARIABLE_NAME_PATTERN, name) or name.startswith("PENSTOCK_"):
            fix = "use letters, digits and _, and not the prefix PENSTOCK_"
            yield Problem(
                f"{name[:60]!r} cannot be the name of an environment variable", fix, (*path, name), at_key=True
            )
        for reference in references(value):
            if reference in settings.secrets:
                fix = f"write secrets: [{reference}] in the task: the container gets it as ${reference}"
                yield Problem(f"env {name!r} would show secret {reference!r}", fix, (*path, name))
            else:
                yield from unknown_name(reference, {*settings.secrets, *settings.variables}, *path, name)


def _check_order(settings: Settings, job: str) -> Iterator[Problem]:
    """`after` names tasks of the job, and leads nowhere back."""
    listed = settings.jobs[job].tasks
    names = [task.name for task in listed]
    known = set(names)
    waiting: dict[str, set[str]] = {}
    for index, task in enumerate(listed):
        for position, name in enumerate(task.after or []):
            if name in (task.after or [])[:position]:
                path = ("jobs", job, "tasks", index, "after", position)
                yield Problem(f"task {task.name!r} comes after {name[:60]!r} twice", "remove one", path)
                break
            if name not in known:
                fix = nearest(name, known - {task.name}, kind="task")
                path = ("jobs", job, "tasks", index, "after", position)
                yield Problem(
                    f"task {task.name!r} comes after {name[:60]!r}, which job {job!r} does not have", fix, path
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
        yield Problem(what, "break the circle", ("jobs", job, "tasks", index, "after"))
