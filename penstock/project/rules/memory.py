"""What takes of a Fargate task's memory besides the task's own processes: /tmp, and the lines that wait for CloudWatch.

A file in /tmp is memory where the root is read-only, since /tmp is a tmpfs then (Amazon ECS API Reference, Tmpfs).
Lines wait in memory where the log driver does not block (Amazon ECS Developer Guide, "Send Amazon ECS logs to
CloudWatch", max-buffer-size).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.problem import DocumentPath, Problem
from penstock.project.jobs.tasks import BASE, TaskSettings
from penstock.project.schema.model import merge_layers
from penstock.project.settings import Settings

TMP: DocumentPath = ("ecs", "tmp_mib")
BUFFER: DocumentPath = ("logs", "max_buffer_mib")


def check_memory(settings: Settings) -> Iterator[Problem]:
    """The two leave something of each task's memory."""
    for what, memory, taken in _tasks(settings):
        if sum(taken.values()) < memory:
            continue
        place = max(taken, key=lambda path: taken[path])
        fix = f"use less than {memory - sum(taken.values()) + taken[place]}, or raise the task's memory_mib"
        yield Problem(f"{what} has {memory} MiB of memory, and {_told(taken)} can fill all of it", fix, place)


def warnings(settings: Settings) -> Iterator[tuple[str, DocumentPath]]:
    """Where half of a task's memory or more may go, once for all the tasks that have so little: (text, where)."""
    tight = [task for task in _tasks(settings) if task[1] <= 2 * sum(task[2].values())]
    if tight:
        what, memory, taken = min(tight, key=lambda task: task[1])
        more = f" (so for {len(tight) - 1} more)" if len(tight) > 1 else ""
        place = max(taken, key=lambda path: taken[path])
        text = f"{what} has {memory} MiB of memory, of which {_told(taken)} may take half or more{more}: "
        yield f"{text}lower {'.'.join(map(str, place))}, or raise its memory_mib", place


def _tasks(settings: Settings) -> Iterator[tuple[str, int, dict[DocumentPath, int]]]:
    """Each task, its memory, and what besides it may take of that, by the setting that says how much."""
    buffer = settings.logs.max_buffer_mib if settings.logs.mode == "non-blocking" else None
    runs: list[tuple[str, dict[str, Any], bool]] = []
    if settings.meltano is not None:
        runs.append(("a task of Meltano's own", merge_layers(TaskSettings, BASE, settings.defaults.task), True))
    for job in settings.jobs.values():
        for task in job.tasks:
            run = merge_layers(TaskSettings, BASE, settings.defaults.task, task)
            runs.append((f"task {task.name!r}", run, task.meltano is not None))
    for what, run, meltano in runs:
        taken: dict[DocumentPath, int] = {}
        if run["read_only_root"] and not meltano:
            taken[TMP] = settings.ecs.tmp_mib
        if buffer is not None:
            taken[BUFFER] = buffer
        if taken:
            memory = run["memory_mib"]
            yield what, memory if isinstance(memory, int) else memory.start, taken


def _told(taken: dict[DocumentPath, int]) -> str:
    names = {TMP: "/tmp", BUFFER: "the log's buffer"}  # noqa: S108  the container's
    return " and ".join(f"{names[place]} ({size} MiB)" for place, size in taken.items())
