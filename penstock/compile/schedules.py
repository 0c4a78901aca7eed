"""The schedules of a plan, the project's and then Meltano's, each with the drafts of its tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from penstock.compile.catalogue import catalogued, schedule_settings
from penstock.compile.inputs import Inputs
from penstock.compile.observability import overdue_after_minutes
from penstock.compile.task_definitions import Draft
from penstock.compile.tasks import (
    Step,
    WorkerDraft,
    catalogue_steps,
    draft,
    draft_problems,
    job_steps,
    meltano_job_steps,
    meltano_steps,
    pipeline_problems,
)
from penstock.compile.work import Work, arguments_of, meltano_work
from penstock.problem import Problem
from penstock.project.airflow.catalogue import JOB
from penstock.project.document.document import at
from penstock.project.document.problems import Problems
from penstock.project.jobs import interval, interval_warnings, schedules
from penstock.project.jobs.schedules import ScheduleSettings
from penstock.project.meltano.schedules import MeltanoSchedule
from penstock.project.rules import own_images
from penstock.project.schema.model import merge_layers
from penstock.versions import cron as cron_reading
from penstock_runtime.errors import InputError
from penstock_runtime.plan.schedule import Schedule

MAX_TASKS = 20_000
"""Tasks of all schedules together; the largest MWAA class takes about 4000 DAGs."""
MAX_DAG_ID = 250
"""Airflow: `ID_LEN`."""
MAX_TAG = 100
"""Airflow: `TAG_MAX_LEN`."""


@dataclass(frozen=True)
class DraftedSchedule:
    """A schedule without its tasks, and the drafts of them."""

    schedule: Schedule
    drafts: list[Draft | WorkerDraft]
    where: str
    warnings: list[str]
    is_unwatched: bool = False
    """Whether it is to be watched, and nothing reports its success."""


def drafted_schedules(inputs: Inputs, problems: Problems) -> list[DraftedSchedule]:
    """All schedules of the environment."""
    meltano = meltano_work(inputs)
    drafted, tasks = [], 0
    for schedule in chain(
        _own_schedules(inputs, meltano, problems),
        _meltano_schedules(inputs, meltano, problems),
        _catalogue_schedules(inputs, problems),
    ):
        tasks += len(schedule.drafts)
        if tasks > MAX_TASKS:
            what = f"the schedules up to this one have more than {MAX_TASKS} tasks"
            raise InputError(what, fix="split the project", where=schedule.where)
        drafted.append(_watched(inputs, schedule))
    return drafted


def _watched(inputs: Inputs, drafted: DraftedSchedule) -> DraftedSchedule:
    """With the time after which it is overdue."""
    alarms, place = inputs.settings.observability.alarms, inputs.where("observability", "alarms", "overdue")
    tasks = tuple(each.task for each in drafted.drafts)
    due = overdue_after_minutes(alarms, replace(drafted.schedule, tasks=tasks), place)
    is_unwatched = due is not None and not own_images.seen(tasks)
    schedule = replace(drafted.schedule, overdue_after_minutes=None if is_unwatched else due)
    return replace(drafted, schedule=schedule, is_unwatched=is_unwatched)


def id_problems(drafted: Iterable[DraftedSchedule]) -> Iterator[Problem]:
    """Every DAG id is one that Airflow takes, and belongs to one schedule."""
    first: dict[str, str] = {}
    for schedule in drafted:
        dag_id, where = schedule.schedule.dag_id, schedule.where
        # ASCII: schedule and task are dimensions of CloudWatch's, which takes no other (Amazon CloudWatch API
        # Reference, Dimension).
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", dag_id) or len(dag_id) > MAX_DAG_ID:
            what = f"{dag_id[:80]!r} cannot be a DAG id"
            fix = f"rename it: letters from A to Z, digits, `_`, `.` and `-`, at most {MAX_DAG_ID}"
            yield Problem(what, fix, where=where)
        if dag_id in first:
            what = f"DAG id {dag_id!r} is taken by the schedule at {first[dag_id]}"
            yield Problem(what, "rename one of the two", where=where)
        first.setdefault(dag_id, where)


def _drafts(
    inputs: Inputs, steps: Iterable[Step], env: Mapping[str, str], problems: Problems
) -> list[Draft | WorkerDraft]:
    """The steps of a schedule's job, as the schedule runs them."""
    drafts: list[Draft | WorkerDraft] = []
    for step in steps:
        drafted = draft(inputs, step, env)
        drafts.append(drafted)
        problems.add_all(draft_problems(inputs, step, drafted))
    return drafts


def _own_schedules(inputs: Inputs, meltano: Work | None, problems: Problems) -> Iterator[DraftedSchedule]:
    settings = inputs.settings
    # Many schedules may run one job.
    jobs = dict.fromkeys(schedule.job for schedule in settings.schedules if schedule.job in settings.jobs)
    problems.add_all(pipeline_problems(inputs, jobs))
    steps_of = {job: job_steps(inputs, meltano, job) for job in jobs}
    for index, schedule in enumerate(settings.schedules):
        node = at(inputs.root, ("schedules", index))
        where = inputs.project.document.where(node)
        steps = steps_of.get(schedule.job)
        if steps is None:
            steps = meltano_job_steps(inputs, meltano, schedule.job, where)
        run = _settled(settings.defaults.schedule, schedule)
        warnings: list[str] = []
        cron, every_minutes = interval.read(schedule.interval, where)
        if every_minutes is None:
            place = inputs.where("schedules", index, "interval")
            warnings = _interval_warnings(inputs, problems, cron, schedule.interval, run["timezone"], place)
        yield DraftedSchedule(
            _schedule(
                run,
                name=schedule.name,
                dag_id=settings.airflow.dag_id(schedule.name),
                job=schedule.job,
                cron=cron,
                every_minutes=every_minutes,
                description=schedule.description,
                source=inputs.project.document.source(node),
            ),
            _drafts(inputs, steps, schedule.env, problems),
            where,
            warnings,
        )


def _meltano_schedules(inputs: Inputs, meltano: Work | None, problems: Problems) -> Iterator[DraftedSchedule]:
    for schedule in _meltano_listing(inputs):
        said = schedule.annotation.schedule_settings
        tags = [*(inputs.settings.defaults.schedule.tags or []), *_meltano_tags(schedule), *(said.tags or [])]
        # Meltano's intervals are in UTC and never catch up, whatever the project's defaults say; an annotation may name
        # another time zone.
        own = ScheduleSettings(timezone="UTC", catchup=False, tags=tags)
        if schedule.start_date is not None:
            own = own.model_copy(update={"start_date": schedule.start_date})
        run = _settled(inputs.settings.defaults.schedule, own, said.model_copy(update={"tags": None}))
        warnings = _interval_warnings(inputs, problems, schedule.cron, schedule.source, run["timezone"], schedule.where)
        dag_id = inputs.settings.airflow.dag_id(schedule.dag_id)
        commands = {f"{dag_id}_task{index}": ("run", *arguments_of(task)) for index, task in enumerate(schedule.tasks)}
        if schedule.job is None:
            commands = {"extract_load": ("elt", *schedule.elt)}
        annotations = [schedule.job_annotation, schedule.annotation]
        steps = meltano_steps(inputs, meltano, commands, schedule.where, annotations)
        yield DraftedSchedule(
            _schedule(
                run,
                name=schedule.name,
                dag_id=dag_id,
                job=schedule.job if schedule.job is not None else schedule.name,
                cron=schedule.cron,
                description=f"Meltano schedule {schedule.name}",
                source=schedule.source,
            ),
            _drafts(inputs, steps, schedule.env, problems),
            schedule.where,
            warnings,
        )


def _catalogue_schedules(inputs: Inputs, problems: Problems) -> Iterator[DraftedSchedule]:
    """The schedule that `airflow.catalogue` adds, if any."""
    found = catalogued(inputs)
    if found is None:
        return
    place = inputs.where("airflow", "catalogue")
    run = _settled(inputs.settings.defaults.schedule, schedule_settings(found))
    cron, every_minutes = interval.read(found.settings.interval, inputs.where("airflow", "catalogue", "interval"))
    warnings: list[str] = []
    if every_minutes is None:
        warnings = _interval_warnings(inputs, problems, cron, found.settings.interval, run["timezone"], place)
    yield DraftedSchedule(
        _schedule(
            run,
            name=JOB,
            dag_id=inputs.settings.airflow.dag_id(JOB),
            job=JOB,
            cron=cron,
            every_minutes=every_minutes,
            description=f"Catalogue the DAGs of {found.environment} in OpenMetadata",
            source=f"catalogue: {{way: {found.choice.way}}}\n",
        ),
        _drafts(inputs, catalogue_steps(inputs, found, place), {}, problems),
        place,
        warnings,
    )


def _meltano_listing(inputs: Inputs) -> tuple[MeltanoSchedule, ...]:
    settings = inputs.settings.meltano
    return inputs.project.meltanos[settings.project].schedules if settings else ()


def _interval_warnings(
    inputs: Inputs, problems: Problems, cron: str | None, written: str, timezone: str, where: str
) -> list[str]:
    """What the environment's Airflow makes of an interval; `written`: it, or the schedule that it stands in."""
    if cron is None:
        texts = [interval_warnings.ONCE] if "@once" in written else []
    elif refused := cron_reading.refused(cron, inputs.airflow_version):
        problems.add(refused.what, fix=refused.fix, where=where)
        return []
    else:
        texts = list(interval_warnings.warnings(cron, timezone, inputs.airflow_version))
    return [f"{inputs.project.place(where)}: {text}" for text in texts]


def _settled(*layers: ScheduleSettings) -> dict[str, Any]:
    """What holds for a schedule: each setting from the last layer that has it, the delay between tries in seconds."""
    layers = (schedules.BASE, *layers)
    run = merge_layers(ScheduleSettings, *layers)
    run.pop("retry_delay_minutes", None)
    return {**run, "retry_delay_seconds": schedules.retry_delay_seconds(*layers)}


def _schedule(run: dict[str, Any], **fields: Any) -> Schedule:
    """A schedule without its tasks."""
    run = {**run, "start_date": run["start_date"].isoformat(), "email": tuple(run["email"]), "tags": tuple(run["tags"])}
    return Schedule(**run, **fields, overdue_after_minutes=None, tasks=())


def _meltano_tags(schedule: MeltanoSchedule) -> list[str]:
    """The tags that Meltano's own generator (files-airflow) gives."""
    tags = ["meltano", f"schedule:{schedule.name}"]
    tags += [f"job:{schedule.job}"] if schedule.job is not None else []
    return [tag[:MAX_TAG] for tag in tags]
