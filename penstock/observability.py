"""The plan's part on dashboard, alarms and messages: which schedules are watched for how long, what Fargate costs."""

from __future__ import annotations

from collections.abc import Sequence

from penstock import prices
from penstock.project.gap import longest_gap_minutes
from penstock.project.observability import NONE, WEEK_MINUTES, Observability
from penstock_runtime import plan
from penstock_runtime.errors import InputError

MAX_OVERDUE = 200
"""Alarms on overdue schedules. CloudFormation takes 500 resources a stack (its quotas); the rest is for what comes."""


def observability(
    settings: Observability,
    region: str,
    schedules: Sequence[plan.Schedule],
    definitions: Sequence[plan.TaskDefinition],
    where: str,
) -> tuple[plan.Observability, list[str]]:
    """The plan's part, and what to warn of.

    Args:
        where: place of `alarms.overdue` in the project file.

    Raises:
        InputError: a schedule that cannot be watched, or too many of them.
    """
    watched = [
        one for name, grace in settings.alarms.overdue.items() for one in _watched(name, grace, schedules, where)
    ]
    if len(watched) > MAX_OVERDUE:
        what = f"{len(watched)} alarms on overdue schedules; at most {MAX_OVERDUE} are possible here"
        raise InputError(what, fix="watch fewer: a schedule has one for each of its last tasks", where=where)
    alarms = settings.alarms
    found, warnings = _prices(settings, region, definitions)
    made = plan.Observability(
        dashboard=settings.dashboard,
        stopped_tasks=settings.stopped_tasks,
        email=tuple(settings.email),
        topic=settings.topic,
        encryption=None if settings.encryption == NONE else settings.encryption,
        alarms=plan.Alarms(
            failed_tasks=alarms.failed_tasks,
            out_of_memory=alarms.out_of_memory,
            queued_tasks=alarms.queued_tasks,
            scheduler_silent_minutes=alarms.scheduler_silent_minutes,
            overdue=tuple(watched),
        ),
        prices=found if settings.dashboard else (),
        prices_checked=prices.CHECKED,
    )
    return made, warnings if settings.dashboard else []


def _watched(name: str, grace: int, schedules: Sequence[plan.Schedule], where: str) -> list[plan.Overdue]:
    found = []
    for schedule in schedules:
        if schedule.name != name:
            continue
        if schedule.cron is None:
            what = f"schedule {name!r} runs by hand only: it is never overdue"
            raise InputError(what, fix="remove it from overdue", where=where)
        minutes = longest_gap_minutes(schedule.cron, schedule.timezone) + grace
        if minutes > WEEK_MINUTES:
            # Period times evaluation periods: at most 604,800 seconds (CloudWatch, PutMetricAlarm).
            what = (
                f"schedule {name!r} may rest for {minutes - grace} minutes; with {grace} of grace that is more than "
                f"the {WEEK_MINUTES} (7 days) that a CloudWatch alarm looks back"
            )
            raise InputError(what, fix="lower its grace, or remove it from overdue", where=where)
        before = {after for task in schedule.tasks for after in task.after}
        found += [plan.Overdue(name, task.name, minutes) for task in schedule.tasks if task.name not in before]
    return found


def _prices(
    settings: Observability, region: str, definitions: Sequence[plan.TaskDefinition]
) -> tuple[tuple[plan.Price, ...], list[str]]:
    found, warnings = [], []
    for architecture in sorted({one.architecture for one in definitions}):
        own = getattr(settings.fargate_prices, architecture)
        price = prices.fargate(region, architecture) if own is None else None
        if own is not None:
            price = plan.Price(architecture, own.vcpu_hour, own.gb_hour)
        if price is None:
            warnings.append(
                f"the price of Fargate on {architecture} in {region} is not known: the dashboard's cost leaves its "
                f"tasks out; set observability.fargate_prices.{architecture}"
            )
        else:
            found.append(price)
    return tuple(found), warnings
