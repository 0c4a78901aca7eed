"""`meltano job list` and `meltano schedule list` of a Meltano project's files, without starting Meltano.

Meltano lists what the files say, also where it could not run; of two jobs with one name the first counts. It has an ELT
schedule's last successful run from its own database: here it is null, since Airflow has the runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from penstock.project.document.composer import Node
from penstock.project.document.document import Document
from penstock.project.document.problems import nearest
from penstock.project.jobs.interval import PRESETS
from penstock_runtime.errors import InputError

_ELT_KEYS = ("extractor", "loader", "transform")
_TRANSFORM_MARKS = {"run": ("→", "→"), "only": ("×", "→"), "skip": ("→", "x")}  # noqa: RUF001  Meltano's own signs
"""Between extractor and loader, and before `transforms`, in `meltano schedule list`."""


def entries(document: Document, kind: str) -> Iterator[tuple[int, Node]]:
    """The named entries of a list at the top of a file, with their numbers, counted from 0."""
    node = document.root.value.get(kind)
    if node is None or not isinstance(node.value, list):
        return
    for index, entry in enumerate(node.value):
        if isinstance(entry.value, dict) and "name" in entry.value and entry.value["name"].value is not None:
            yield index, entry


def jobs(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """The `jobs` of `meltano job list --format json`."""
    return [
        {"job_name": str(entry.value["name"].value), "tasks": _plain(entry, "tasks")}
        for document in documents
        for _, entry in entries(document, "jobs")
    ]


def schedules(documents: Sequence[Document]) -> dict[str, list[dict[str, Any]]]:
    """The `schedules` of `meltano schedule list --format json`.

    Raises:
        InputError: a schedule has no interval, names a job that is not there, or lacks an extractor, a loader or a
            transform. Meltano itself lists nothing then.
    """
    tasks: dict[str, Any] = {}
    for job in jobs(documents):
        tasks.setdefault(job["job_name"], job["tasks"])
    listed: dict[str, list[dict[str, Any]]] = {"job": [], "elt": []}
    for document in documents:
        for _, entry in entries(document, "schedules"):
            kind = "job" if "job" in entry.value else "elt"
            listed[kind].append(_schedule(document, entry, tasks))
    return listed


def lines(listed: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """The text of `meltano schedule list`, for what `schedules` gives."""
    for schedule in listed["job"]:
        job = schedule["job"]
        yield f"[{schedule['interval']}] job {schedule['name']}: {job['name']} → {job['tasks']}"
    for schedule in listed["elt"]:
        first, second = _TRANSFORM_MARKS.get(schedule["transform"], ("→", "→"))
        flow = f"{schedule['extractor']} {first} {schedule['loader']} {second} transforms"
        yield f"[{schedule['interval']}] elt {schedule['name']}: {flow}"


def _schedule(document: Document, entry: Node, tasks: dict[str, Any]) -> dict[str, Any]:
    name = entry.value["name"].value
    needed = ("interval",) if "job" in entry.value else ("interval", *_ELT_KEYS)
    for key in needed:
        if key not in entry.value:
            what = f"schedule {str(name)!r} has no {key}"
            raise InputError(what, fix=f"add {key}, as Meltano needs it", where=document.where(entry))
    interval = _plain(entry, "interval")
    cron = PRESETS.get(interval, interval) if isinstance(interval, str) else interval
    env = _plain(entry, "env") or {}
    if "job" in entry.value:
        job = str(entry.value["job"].value)
        if job not in tasks:
            what = f"schedule {str(name)!r} names job {job!r}, which is in no file of the Meltano project"
            raise InputError(what, fix=nearest(job, tasks, kind="job"), where=document.where(entry.value["job"]))
        described = {"name": job, "tasks": tasks[job]}
        return {"name": name, "interval": interval, "cron_interval": cron, "env": env, "job": described}
    extractor, loader, transform = (_plain(entry, key) for key in _ELT_KEYS)
    return {
        "name": name,
        "extractor": extractor,
        "loader": loader,
        "transform": transform,
        "interval": interval,
        "env": env,
        "cron_interval": cron,
        "last_successful_run_ended_at": None,
        "elt_args": [extractor, loader, f"--transform={transform}", f"--state-id={name}"],
    }


def _plain(entry: Node, key: str) -> Any:
    return _data(entry.value[key]) if key in entry.value else None


def _data(node: Node) -> Any:
    """As JSON has it. Meltano's own listing ends with a TypeError where `env` holds a date; this gives its text."""
    if isinstance(node.value, dict):
        return {key: _data(value) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [_data(value) for value in node.value]
    return node.text if isinstance(node.value, date) else node.value
