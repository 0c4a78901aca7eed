"""How long a schedule may rest: the longest time between two of its runs."""

from __future__ import annotations

import functools
import itertools
from datetime import datetime, timedelta

from croniter import croniter

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
    found = croniter.expand(" ".join(parts))[0][position]
    return list(range((60, 24)[position])) if "*" in found else [int(value) for value in found]


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
