"""A schedule of `meltano.yml`. As Meltano has it, `job` wins over `extractor`.

What Meltano lists without looking (a bad interval, a schedule of an empty job) is left out here, because a DAG is made
of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document
from penstock.project.document.literals import ALLOW, literal_secret, scalars
from penstock.project.document.parts import mapping
from penstock.project.document.problems import nearest, shown
from penstock.project.jobs.interval import cron
from penstock.project.jobs.schedules import EARLIEST, LATEST
from penstock.project.meltano.annotations import JobAnnotation, ScheduleAnnotation, annotation
from penstock.project.meltano.variables import names_in
from penstock.project.schema.names import VARIABLE_NAME_PATTERN
from penstock_runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class MeltanoSchedule:
    """One schedule: of a job (`job` and `tasks`), or of an extractor and a loader (`elt`)."""

    name: str
    cron: str | None
    """Of its interval; None: by hand only."""
    job: str | None
    tasks: tuple[tuple[str, ...], ...]
    """Per task the texts that its `meltano run` gets; a nested list is one task."""
    elt: tuple[str, ...]
    """Arguments of `meltano elt`; empty for a job."""
    env: dict[str, str]
    start_date: date | None
    where: str
    source: str
    annotation: ScheduleAnnotation
    """What `annotations.penstock` says of it."""
    job_annotation: JobAnnotation
    """And of its job."""
    env_nodes: tuple[tuple[str, Document, Node], ...] = ()
    """Where each of `env` stands."""

    @property
    def dag_id(self) -> str:
        """The id that Meltano's own generator (files-airflow) gives."""
        return f"meltano_{self.name}_{self.job}" if self.job is not None else f"meltano_{self.name}"


def read_schedule(
    document: Document,
    node: Node,
    jobs: Mapping[str, tuple[tuple[str, ...], ...]],
    faults: Mapping[str, Problem],
    annotations: Mapping[str, JobAnnotation],
) -> MeltanoSchedule:
    """The schedule at `node`.

    Args:
        jobs: name → its tasks.
        faults: name → what is wrong with a job that cannot run.
        annotations: name → what a job says of its tasks.

    Raises:
        InputError: nothing would run at its time.
    """
    keys: dict[str, Node] = node.value
    name = str(keys["name"].value)
    if "interval" not in keys:
        raise InputError(
            f"schedule {name!r} has no interval", fix='add interval: "@daily", or null', where=document.where(node)
        )
    interval = keys["interval"]
    job: str | None = None
    tasks: tuple[tuple[str, ...], ...] = ()
    elt: tuple[str, ...] = ()
    if "job" in keys:
        job = str(keys["job"].value)
        if job not in jobs:
            raise InputError(
                f"schedule {name!r} names job {job!r}, which is in no file of the Meltano project",
                fix=nearest(job, jobs, kind="job"),
                where=document.where(keys["job"]),
            )
        if job in faults:
            raise faults[job].error()
        tasks = jobs[job]
    else:
        for key in ("extractor", "loader", "transform"):
            if key not in keys or not keys[key].text:
                raise InputError(
                    f"schedule {name!r} has no {key}",
                    fix=f"add {key}, or name a job instead",
                    where=document.where(node),
                )
        extractor, loader, transform = (str(keys[key].value) for key in ("extractor", "loader", "transform"))
        elt = (extractor, loader, f"--transform={transform}", f"--state-id={name}")
    return MeltanoSchedule(
        name=name,
        cron=None if interval.value is None else cron(interval.value, document.where(interval)),
        job=job,
        tasks=tasks,
        elt=elt,
        env=_env(document, keys.get("env")),
        start_date=_date(document, keys.get("start_date")),
        where=document.where(node),
        source=document.source(node),
        env_nodes=tuple((str(key), document, value) for key, value in mapping(keys.get("env")).items()),
        annotation=annotation(document, node, ScheduleAnnotation),
        job_annotation=annotations.get(job or "", JobAnnotation()),
    )


def left_out_because(node: Node, error: InputError) -> Problem:
    """That the schedule at `node` is not among those that run, as a warning."""
    head = f"schedule {str(node.value['name'].value)!r}"
    what = error.what.removeprefix(f"{head} ")
    return Problem(
        f"{head} is left out: {'it ' if what != error.what else ''}{what}", error.fix, where=error.where, is_error=False
    )


def secrets_in_env(document: Document, schedule: Node) -> Iterator[Problem]:
    """Secrets in plain text: they would be in every run's overrides, for all to read."""
    node = schedule.value.get("env")
    for key, value in scalars(node) if node is not None and isinstance(node.value, dict) else ():
        # What names another: `rules/meltano/references.py`.
        if (
            not names_in(str(value.value))
            and (what := literal_secret(key, value.value))
            and ALLOW not in document.line(value)
        ):
            yield Problem(what, _secret_fix(key), where=document.where(value))


def _env(document: Document, node: Node | None) -> dict[str, str]:
    """Environment variables are text: numbers as Meltano reads them, lists and mappings as JSON."""
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise InputError("env must be a mapping", fix="write NAME: value", where=document.where(node))
    for key, named in node.keys.items():
        if not re.fullmatch(VARIABLE_NAME_PATTERN, str(key)) or str(key).startswith("PENSTOCK_"):
            raise InputError(
                f"{shown(str(key))} cannot be the name of an environment variable",
                fix="use letters, digits and _, and not the prefix PENSTOCK_",
                where=document.where(named),
            )
    return {str(key): _value(value) for key, value in node.value.items() if value.value is not None}


def _secret_fix(variable: str) -> str:
    """How a process of Meltano's gets a secret under the name of an environment variable."""
    return (
        f"declare it in penstock.yaml: secrets: {{{variable[:60]}: secretsmanager:<name>}}, list {variable[:60]} in "
        f"meltano.secrets and remove it here; or end the line with `{ALLOW}`"
    )


def _value(node: Node) -> str:
    """An environment variable's text. Meltano gives a number's value: 123 for `0123`."""
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return str(node.value)
    return node.text if node.text is not None else json.dumps(node.plain(), default=str)


def _date(document: Document, node: Node | None) -> date | None:
    """A start date, in quotes or without; with a time, as Meltano itself once wrote it, or without."""
    if node is None or node.value is None:
        return None
    day = node.value
    try:
        day = datetime.fromisoformat(day.strip()) if isinstance(day, str) else day
        day = day.date() if isinstance(day, datetime) else day
    except ValueError:
        day = None
    if not isinstance(day, date):
        what, fix = f"start_date {shown(node.text)} is not a date", "write it as 2027-03-01"
        raise InputError(what, fix=fix, where=document.where(node))
    if not EARLIEST <= day <= LATEST:
        raise InputError(
            f"start_date must be a day from {EARLIEST} to {LATEST}, not {day}",
            fix="name the day on which the schedule begins",
            where=document.where(node),
        )
    return day
