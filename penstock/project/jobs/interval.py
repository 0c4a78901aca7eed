"""Intervals and time zones."""

from __future__ import annotations

import functools
import itertools
import re
import zoneinfo
from datetime import UTC, datetime, timedelta

from croniter import CroniterBadDateError, croniter

from penstock.project.document.problems import nearest, shown
from penstock.project.document.yaml_fixes import without_curly_quotes
from penstock_runtime.errors import InputError
from penstock_runtime.plan.schedule import MINUTES_OF

PRESETS: dict[str, str | None] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@manual": None,
    "@none": None,
    "@once": None,
}
"""As Meltano has them; None: runs by hand only. `@once` is by hand too: Meltano's listing gives it no cron."""

_FIELD = re.compile(r"[0-9A-Za-z*,/?#-]{1,80}")
_LONG_NUMBER = re.compile("[0-9]{5}")
_RANDOM = re.compile(r"(?i)(?:^|[\s,])[rh](?:[\s,/]|$)")
"""`R` and `H`: croniter takes them for a random time, drawn again each time that somebody looks."""
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)


_EVERY = re.compile(r"every\s+(?:(?P<count>[0-9]{1,6})\s+)?(?P<unit>[a-z]+?)s?", re.IGNORECASE)
MOST_MINUTES = 366 * 24 * 60
"""Of an interval of so many minutes; ours, a year."""


def every_minutes(interval: object, where: str) -> int | None:
    """The minutes of an interval such as `every 90 minutes`; None: it is of another kind.

    Raises:
        InputError: it begins so, and is not a whole number of minutes, hours, days or weeks, from a minute to a year.
    """
    if not isinstance(interval, str) or not re.match(r"every\b", interval.strip(), re.IGNORECASE):
        return None
    match = _EVERY.fullmatch(interval.strip())
    size = MINUTES_OF.get(match["unit"].lower()) if match else None
    if match is None or size is None:
        raise InputError(
            f"{shown(interval)} is not an interval",
            fix='write every 90 minutes (or hours, days, weeks), or five fields, such as "0 3 * * *"',
            where=where,
        )
    minutes = int(match["count"] or 1) * size
    if not 1 <= minutes <= MOST_MINUTES:
        raise InputError(
            f"{shown(interval)} is {minutes} minutes", fix="use at least 1 minute and at most 366 days", where=where
        )
    return minutes


def read(interval: object, where: str) -> tuple[str | None, int | None]:
    """An interval of the project file: its cron expression, or its minutes; neither: by hand only.

    Raises:
        InputError: see `cron` and `every_minutes`.
    """
    minutes = every_minutes(interval, where)
    return (cron(interval, where, or_else=" or every 90 minutes,"), None) if minutes is None else (None, minutes)


def cron(interval: object, where: str, *, or_else: str = "") -> str | None:
    """The cron expression of an interval, as Meltano has them; None: by hand only.

    Args:
        or_else: what may be written besides, in the words of a fix.

    Raises:
        InputError: neither a known preset nor a valid cron expression of five fields that ever fires.
    """
    fix = f'write five fields, such as "0 3 * * *",{or_else} or a preset such as @daily, or @manual'
    if not isinstance(interval, str):
        raise InputError(f"the interval {shown(interval)} is not text", fix=fix, where=where)
    if interval in PRESETS:
        return PRESETS[interval]
    if interval.startswith("@"):
        raise InputError(
            f"unknown preset {shown(interval)}", fix=nearest(interval, PRESETS, kind="preset"), where=where
        )
    if (inner := without_curly_quotes(interval.strip())) is not None:
        what = f"{shown(interval)} is in typographic quotes, which are text to YAML"
        raise InputError(what, fix=f'type straight ones: "{inner[:60]}"', where=where)
    fields = interval.split()
    if len(fields) != 5:
        raise InputError(f"cron expression {shown(interval)} has {len(fields)} fields, not 5", fix=fix, where=where)
    odd = _LONG_NUMBER.search(interval) or _RANDOM.search(interval)
    if odd or not all(_FIELD.fullmatch(field) for field in fields):
        raise InputError(f"{shown(interval)} is not a cron expression", fix=fix, where=where)
    expression = " ".join(fields)
    try:
        croniter(expression, _ANY_DAY).get_next(datetime)
    except (ValueError, LookupError, ArithmeticError, TypeError, AttributeError) as error:
        if isinstance(error, CroniterBadDateError):
            what = f"{shown(interval)} never fires: none of its months has such a day"
            raise InputError(what, fix="correct the day of the month, or write L for its last", where=where) from None
        reason = str(error).removeprefix(f"[{expression}] ")
        raise InputError(f"{shown(interval)} is not a cron expression: {reason[:120]}", fix=fix, where=where) from None
    return expression


_OF_A_MACHINE = frozenset({"localtime", "posixrules", "Factory"})
"""Files beside those of the zones: what this machine is set to, and what one is set to before anyone has."""
_OTHER_FORMS = ("posix/", "right/")
"""The same zones once more, without and with leap seconds; Airflow's image need not have them."""


@functools.cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - _OF_A_MACHINE


def check_timezone(name: str, where: str) -> None:
    """Raise an InputError where `name` is not an IANA time zone."""
    try:
        if name in _OF_A_MACHINE or name.startswith(_OTHER_FORMS):
            raise ValueError(name)
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        fix = nearest(name.removeprefix("posix/").removeprefix("right/"), _timezones(), kind="time zone")
        fix = fix if fix.startswith("did") else "use an IANA name, such as Europe/Berlin or UTC"
        raise InputError(f"unknown time zone {shown(name)}", fix=fix, where=where) from None


_MONDAY = datetime(2024, 1, 1)
_WATCHED = timedelta(days=400)
DAY = 24 * 60
SHIFT = 60
"""Minutes by which a day is longer where clocks are set back."""


def longest_gap_minutes(cron: str, timezone: str) -> int:
    """Minutes between two runs, at most. More than a year counts as a year.

    Args:
        cron: five fields, checked.
        timezone: IANA name; any but UTC may have days of 25 hours.
    """
    minute, hour, *days = cron.split()
    times = sorted(60 * h + m for h in _values(hour, 1) for m in _values(minute, 0))
    within = max((later - earlier for earlier, later in itertools.pairwise(times)), default=0)
    night = DAY - times[-1] + times[0]
    longest = max(within, (_longest_rest(*days) - 1) * DAY + night)
    return longest + (0 if timezone == "UTC" else SHIFT)


def _values(field: str, position: int) -> list[int]:
    """The values that a minute (position 0) or an hour (1) takes."""
    parts = ["*"] * 5
    parts[position] = field
    values = croniter.expand(" ".join(parts))[0][position]
    return list(range((60, 24)[position])) if "*" in values else [int(value) for value in values]


@functools.cache
def _longest_rest(*days: str) -> int:
    """Days from one day with runs to the next, at most. Most schedules of a project have the same days."""
    dates = croniter(" ".join(["0", "0", *days]), _MONDAY - timedelta(minutes=1), ret_type=datetime)
    before, longest = dates.get_next(), 1
    while before < _MONDAY + _WATCHED:
        after = dates.get_next()
        longest = max(longest, (after - before).days)
        before = after
    return min(longest, 366)
