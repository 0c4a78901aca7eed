"""What types cannot say about schedules, and about what all of them have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.problem import Problem
from penstock.project.document.problems import nearest
from penstock.project.jobs import interval
from penstock.project.jobs.schedules import ScheduleSettings
from penstock.project.meltano.project import MeltanoProject
from penstock.project.rules.jobs import check_env
from penstock.project.schema.emails import check_addresses
from penstock.project.settings import Settings
from penstock_runtime.errors import InputError


def check_schedules(settings: Settings, meltano: MeltanoProject | None) -> Iterator[Problem]:
    """Names that are one schedule's, jobs that exist, intervals that come. `meltano` None: none, or unreadable."""
    yield from check_settings(settings.defaults.schedule, "defaults", "schedule")
    known = {*settings.jobs, *(meltano.jobs if meltano else ())}
    seen: set[str] = set()
    for index, schedule in enumerate(settings.schedules):
        here = ("schedules", index)
        if schedule.name in seen:
            yield Problem(f"two schedules are named {schedule.name!r}", "rename one", (*here, "name"))
        seen.add(schedule.name)
        if schedule.job not in known and not (settings.meltano and meltano is None):
            what = f"schedule {schedule.name!r} names job {schedule.job[:60]!r}, which does not exist"
            yield Problem(what, nearest(schedule.job, known, kind="job"), (*here, "job"))
        if meltano is not None and schedule.job not in settings.jobs and schedule.job in meltano.faults:
            yield meltano.faults[schedule.job]
        try:
            interval.read(schedule.interval, "")
        except InputError as error:
            yield Problem(error.what, error.fix, (*here, "interval"))
        yield from check_settings(schedule, *here)
        yield from check_env(settings, schedule.env, *here, "env")


def check_settings(settings: ScheduleSettings, *path: Any) -> Iterator[Problem]:
    """Time zone, delay, addresses and tags of a schedule, or of the defaults."""
    if settings.timezone is not None:
        try:
            interval.check_timezone(settings.timezone, "")
        except InputError as error:
            yield Problem(error.what, error.fix, (*path, "timezone"))
    if settings.retry_delay_minutes is not None and settings.retry_delay_seconds is not None:
        what = "retry_delay_minutes and retry_delay_seconds are one setting in two units"
        yield Problem(
            what,
            "keep one of them; in an environment that overrides the other one, set that to null",
            (*path, "retry_delay_seconds"),
            at_key=True,
        )
    yield from check_addresses(settings.email or [], *path, "email")
    for index, tag in enumerate(settings.tags or []):
        if not 0 < len(tag) <= 100:
            yield Problem(f"tag {tag[:30]!r} must have 1 to 100 characters", "shorten it", (*path, "tags", index))


def check_overdue(settings: Settings, meltano: MeltanoProject | None) -> Iterator[Problem]:
    if settings.meltano is not None and meltano is None:
        return
    known = {schedule.name for schedule in settings.schedules} | {
        schedule.name for schedule in (meltano.schedules if meltano else ())
    }
    for name in settings.observability.alarms.overdue:
        if name not in known:
            fix = nearest(name, known, kind="schedule")
            yield Problem(
                f"there is no schedule {name[:60]!r}", fix, ("observability", "alarms", "overdue", name), at_key=True
            )
