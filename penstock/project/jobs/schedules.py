"""Schedules, as the project file has them."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from penstock.project.schema.model import Strict
from penstock.project.schema.names import VARIABLE_NAME_PATTERN, Name, Value

START_DATE = date(2024, 1, 1)
"""Where no start date is given. It must be fixed: a date that moves would give a DAG another schedule at each build.
Without `catchup` it only has to lie in the past."""

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
"""Ours, so that no time zone and no search for the next run leaves the years 1 to 9999 that Python counts: Airflow's
`CronTriggerTimetable` raises for 0001-01-01 and for 9999-12-30 (2.10.3, 3.0.6 and 3.3.1)."""


class ScheduleSettings(Strict):
    """How schedules run. In `defaults.schedule` for all of them, in a schedule for that one."""

    timezone: str | None = None
    """IANA name, such as `Europe/Berlin`, in which the interval is read. Default `UTC`."""
    start_date: date | None = Field(None, ge=EARLIEST, le=LATEST)
    """First day, in `timezone`: 2024-01-31, without quotes, from 1900-01-01 to 2199-12-31. Default 2024-01-01."""
    catchup: bool | None = None
    """Whether Airflow runs the intervals that lie between `start_date` and now. Default false."""
    paused: bool | None = None
    """Whether the DAG is paused when Airflow first sees it. Default false."""
    owner: str | None = Field(None, min_length=1, max_length=100)
    """Who owns the DAG. Default `penstock`."""
    email: list[str] | None = None
    """Addresses that Airflow writes to when a task fails. Default none."""
    retries: int | None = Field(None, ge=0, le=100)
    """How often a failed task is tried again. Default 1."""
    retry_delay_minutes: int | None = Field(None, ge=0, le=1440)
    """Minutes between tries, or `retry_delay_seconds`, never both. Default 5."""
    retry_delay_seconds: int | None = Field(None, ge=0, le=86_400)
    """Seconds between tries, in place of `retry_delay_minutes`."""
    tags: list[str] | None = None
    """Tags of the DAG, at most 100 characters each. Default none."""


BASE = ScheduleSettings(
    timezone="UTC",
    start_date=START_DATE,
    catchup=False,
    paused=False,
    owner="penstock",
    email=[],
    retries=1,
    retry_delay_minutes=5,
    tags=[],
)
"""What holds where neither the schedule nor `defaults.schedule` says anything."""


def retry_delay_seconds(*layers: ScheduleSettings) -> int:
    """From the last of `layers` that says something about it; `BASE` does."""
    for layer in reversed(layers):
        if layer.retry_delay_seconds is not None:
            return layer.retry_delay_seconds
        if layer.retry_delay_minutes is not None:
            return 60 * layer.retry_delay_minutes
    raise AssertionError("the first layer is BASE")


class Schedule(ScheduleSettings):
    """When a job runs. One schedule becomes one DAG."""

    name: Name
    """Unique in the project; the DAG's id."""
    job: str
    """A job of this file, or of `meltano.yml`."""
    interval: str
    """A cron expression of five fields; a preset: `@hourly`, `@daily` (or `@midnight`), `@weekly`, `@monthly`,
    `@yearly` (or `@annually`); `every 90 minutes` (or hours, days, weeks: Airflow's `timedelta`); `@manual` (or
    `@none`): by hand only. `@once` is by hand only too, as Meltano has it: Airflow's own would start one run by itself.
    What cron expressions know depends on the environment's Airflow: `15W` needs 3.2."""
    description: str = Field("", max_length=1000)
    """One line that Airflow shows beside the DAG."""
    env: dict[str, Value] = Field(
        default_factory=dict, json_schema_extra={"propertyNames": {"pattern": VARIABLE_NAME_PATTERN}}
    )
    """Environment variables for all tasks of this schedule; they win over a task's own. Nothing secret."""
