"""What types cannot say about schedules, and about what all of them have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.project.document.problems import nearest
from penstock.project.jobs import interval
from penstock.project.jobs.schedules import ScheduleSettings
from penstock.project.meltano.project import MeltanoProject
from penstock.project.schema.emails import check_addresses
from penstock_runtime.errors import InputError

if TYPE_CHECKING:
    from penstock.project.checks import Checks


def check_schedules(checks: Checks, meltano: MeltanoProject | None) -> None:
    """Names that are one schedule's, jobs that exist, intervals that come. `meltano` None: none, or unreadable."""
    settings = checks.settings
    _check_settings(checks, settings.defaults.schedule, "defaults", "schedule")
    known = {*settings.jobs, *(meltano.jobs if meltano else ())}
    seen: set[str] = set()
    for index, schedule in enumerate(settings.schedules):
        here = ("schedules", index)
        if schedule.name in seen:
            checks.add(f"two schedules are named {schedule.name!r}", "rename one", *here, "name")
        seen.add(schedule.name)
        if schedule.job not in known and not (settings.meltano and meltano is None):
            what = f"schedule {schedule.name!r} names job {schedule.job[:60]!r}, which does not exist"
            checks.add(what, nearest(schedule.job, known, kind="job"), *here, "job")
        if meltano is not None and schedule.job not in settings.jobs and schedule.job in meltano.faults:
            what, fix, where = meltano.faults[schedule.job]
            checks.problems.add(what, fix=fix, where=where)
        try:
            interval.read(schedule.interval, checks.where(*here, "interval"))
        except InputError as error:
            checks.problems.take(error)
        _check_settings(checks, schedule, *here)
        checks.env(schedule.env, *here, "env")


def _check_settings(checks: Checks, settings: ScheduleSettings, *path: Any) -> None:
    if settings.timezone is not None:
        try:
            interval.check_timezone(settings.timezone, checks.where(*path, "timezone"))
        except InputError as error:
            checks.problems.take(error)
    if settings.retry_delay_minutes is not None and settings.retry_delay_seconds is not None:
        what = "retry_delay_minutes and retry_delay_seconds are one setting in two units"
        checks.add(
            what,
            "keep one of them; in an environment that overrides the other one, set that to null",
            *path,
            "retry_delay_seconds",
            key=True,
        )
    check_addresses(checks, settings.email or [], *path, "email")
    for index, tag in enumerate(settings.tags or []):
        if not 0 < len(tag) <= 100:
            checks.add(f"tag {tag[:30]!r} wants 1 to 100 characters", "shorten it", *path, "tags", index)
