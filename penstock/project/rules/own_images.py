"""Plain commands in images of the user's own: whether Penstock's runtime can start there, and what is missing if not.

Of such an image nothing is known: `busybox` has no Python, a Java program's image neither. So the runtime starts in it
only where the task says that it can (ADR 11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from penstock.problem import DocumentPath
from penstock.project.jobs.tasks import Task
from penstock.project.settings import Settings
from penstock_runtime.plan import schedule as planned

_OPENMETADATA = re.compile(r"(^|/)openmetadata/ingestion(-base)?([:@]|$)")
"""Also in a mirror."""


def has_runtime(task: Task) -> bool:
    """Whether the runtime starts the task's command: not in an image of which nobody says that it has Python."""
    if task.command is None or task.image is None:
        return True
    return is_openmetadata(task.image) if task.python is None else task.python


def is_openmetadata(reference: str) -> bool:
    """Whether an image is one of OpenMetadata's own, by its name."""
    return _OPENMETADATA.search(reference) is not None


def unmasked(settings: Settings) -> Iterator[tuple[str, DocumentPath]]:
    """Tasks that get secrets, and whose log nobody masks, reported once for all: (text, where)."""
    unmasked_tasks = [
        (task, ("jobs", job, "tasks", index))
        for job, settings_of_job in settings.jobs.items()
        for index, task in enumerate(settings_of_job.tasks)
        if not has_runtime(task) and _secrets(task, settings)
    ]
    if unmasked_tasks:
        task, place = unmasked_tasks[0]
        more = f" (so for {len(unmasked_tasks) - 1} more)" if len(unmasked_tasks) > 1 else ""
        text = (
            f"task {task.name!r} gets secrets, and nothing masks them in its log, since its image's own entry point "
            f"runs{more}: say python: true where the image has Python 3.10 or later, or see that it prints none"
        )
        yield text, place


def _secrets(task: Task, settings: Settings) -> bool:
    command = [task.command] if isinstance(task.command, str) else task.command or []
    return bool(task.secrets) or any(f"${{{name}}}" in text for name in settings.secrets for text in command)


def seen(tasks: Sequence[planned.FargateTask | planned.WorkerTask]) -> bool:
    """Whether the success of a schedule with these tasks is seen: one of its last ones writes metrics."""
    before = {name for task in tasks for name in task.after}
    last = [task for task in tasks if task.name not in before]
    return any(isinstance(task, planned.FargateTask) and task.runtime for task in last)


UNSEEN = "its last task runs by its image's own entry point, or in Airflow's worker, which write no metrics"
"""Why a schedule cannot be watched."""


def unwatched(names: Sequence[str]) -> str:
    """That these schedules, which are to be watched, are not; and what to do."""
    more = f" (so for {len(names) - 1} more: {', '.join(names[1:4])}…)" if len(names) > 1 else ""
    return (
        f"nobody is notified when schedule {names[0]!r} is overdue, since {UNSEEN}{more}: say python: true in that "
        f"task where the image has Python 3.10 or later, or {names[0]}: 0 in observability.alarms.overdue"
    )
