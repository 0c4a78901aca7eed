"""The plan's part on dashboard, alarms and messages: which schedules are watched, and what Fargate costs."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.cost import prices
from penstock.project.jobs.interval import longest_gap_minutes
from penstock.project.observability.model import NONE, Alarms, Observability
from penstock.project.rules import own_images
from penstock_runtime.errors import InputError
from penstock_runtime.plan import observability as planned
from penstock_runtime.plan.schedule import Schedule
from penstock_runtime.plan.task_definition import TaskDefinition

Warnings = list[tuple[str, tuple[str, ...]]]
"""What to say, and the key of `observability` that it is about."""


def observability(
    settings: Observability, region: str, definitions: Sequence[TaskDefinition], airflow: str
) -> tuple[planned.Observability, Warnings]:
    """The plan's part, and what to warn of.

    Args:
        airflow: which way the project takes to one; CloudWatch has no metrics of an Airflow outside MWAA.
    """
    alarms = settings.alarms
    price_list, texts = _prices(settings, region, definitions)
    planned_part = planned.Observability(
        dashboard=settings.dashboard,
        stopped_tasks=settings.stopped_tasks,
        email=tuple(settings.email),
        topic=settings.topic,
        encryption=None if settings.encryption == NONE else settings.encryption,
        alarms=planned.Alarms(
            failed_tasks=alarms.failed_tasks,
            out_of_memory=alarms.out_of_memory,
            queued_tasks=alarms.queued_tasks,
            scheduler_silent_minutes=alarms.scheduler_silent_minutes,
            broken_dag_files=alarms.broken_dag_files,
            overdue=alarms.overdue_minutes > 0 or any(alarms.overdue.values()),
        ),
        prices=price_list if settings.dashboard else (),
        prices_checked=prices.CHECKED,
    )
    price_warnings = [(text, ()) for text in texts] if settings.dashboard else []
    return planned_part, [*price_warnings, *_no_recipient_warnings(planned_part, airflow)]


def _no_recipient_warnings(planned_part: planned.Observability, airflow: str) -> Warnings:
    """That what is to get messages gets none: an environment may have turned off what the others have."""
    alarms = planned_part.alarms
    of_tasks = planned_part.stopped_tasks or alarms.failed_tasks or alarms.out_of_memory or alarms.overdue
    of_airflow = airflow != "self_managed" and (alarms.queued_tasks or alarms.scheduler_silent_minutes)
    if of_tasks or of_airflow or (airflow == "create" and alarms.broken_dag_files):
        return []
    text = "nothing is ever sent here: stopped_tasks is false, and every alarm is off"
    return [(text, (key,)) for key in ("email", "topic") if getattr(planned_part, key)]


def overdue_after_minutes(settings: Alarms, schedule: Schedule, where: str) -> int | None:
    """How long a schedule may be without a success: its longest rest and its grace. None: it is not to be watched.

    Args:
        schedule: with its tasks.
        where: place of `alarms.overdue` in the project file.

    Raises:
        InputError: a schedule is to be watched by name, and runs by hand only or has no success that can be seen.
    """
    own = settings.overdue.get(schedule.name)
    if schedule.interval is None:
        if own:
            what = f"schedule {schedule.name!r} runs by hand only: it is never overdue"
            raise InputError(what, fix="remove it from overdue", where=where)
        return None
    if own and not own_images.seen(schedule.tasks):
        what = f"schedule {schedule.name!r} cannot be watched for being overdue: {own_images.UNSEEN}"
        fix = "say python: true in that task where the image has Python 3.10 or later, or remove it from overdue"
        raise InputError(what, fix=fix, where=where)
    grace = (0 if schedule.paused else settings.overdue_minutes) if own is None else own
    if not grace:
        return None
    if schedule.cron is None:
        return (schedule.every_minutes or 0) + grace
    return longest_gap_minutes(schedule.cron, schedule.timezone) + grace


def _prices(
    settings: Observability, region: str, definitions: Sequence[TaskDefinition]
) -> tuple[tuple[planned.Price, ...], list[str]]:
    price_list, warnings = [], []
    for architecture in sorted({definition.architecture for definition in definitions}):
        own = getattr(settings.fargate_prices, architecture)
        price = prices.fargate(region, architecture) if own is None else None
        if own is not None:
            price = planned.Price(architecture, own.vcpu_hour, own.gb_hour)
        if price is None:
            warnings.append(
                f"the price of Fargate on {architecture} in {region} is not known: the dashboard's cost leaves its "
                f"tasks out; set observability.fargate_prices.{architecture}"
            )
        else:
            price_list.append(price)
    return tuple(price_list), warnings
