"""How each Airflow's croniter reads a cron expression, where it differs from the desk's.

Airflow hands cron expressions to croniter, and each version of Airflow comes with another one. All that differs between
2.0.5, 5.0.1, 6.0.0, 6.2.2, 6.2.4 and 7.0.0 was measured: 43,000 expressions, the first six runs of each (2026-11-30);
releases between these were then tried for the version that each difference came with. `R` and `H` are random times,
and Penstock takes neither. Nothing else differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from penstock.problem import Problem
from penstock.versions.number import Version, parse

CRONITER: dict[str, str] = {
    "2.9.2": "2.0.5",
    "2.10.3": "5.0.1",
    "2.11.0": "6.0.0",
    "3.0.6": "6.0.0",
    "3.2.1": "6.2.2",
    "3.3.1": "6.2.4",
}
"""Airflow → its croniter. Source: MWAA's constraints (aws/amazon-mwaa-docker-images, `airflow_constraints.txt`)."""
_NEWEST = (9999, 0, 0)
"""What an Airflow newer than all of these has is not known: it takes what the desk's croniter takes."""

_VALUE = r"(?:[0-9]+|[A-Za-z]{3})"
_NEAREST_WEEKDAY = re.compile(r"(?i)(?:^|,)(?:[0-9]+w|w[0-9]+)(?:,|$)")
_RANGE = re.compile(rf"({_VALUE})-({_VALUE})(?:/[0-9]+)?")
_START = re.compile(rf"({_VALUE})/[0-9]+")
_NAMES = (
    {name: number for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun"), 1)}
    | {name: number for number, name in enumerate(("jul", "aug", "sep", "oct", "nov", "dec"), 7)},
    {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))},
)
"""Of months, and of days of the week."""
FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
LAST = (59, 23, 31, 12, 6)
"""The last value of each field; 7 is Sunday too."""


def croniter_of(airflow_version: str) -> Version:
    """The version of croniter in an Airflow: of one that the table does not have, that of the next older one."""
    version = parse(airflow_version) or _NEWEST
    known = [(parse(airflow) or (), parse(croniter) or ()) for airflow, croniter in CRONITER.items()]
    if version > known[-1][0]:
        return _NEWEST
    return next((croniter for airflow, croniter in reversed(known) if airflow <= version), known[0][1])


def shown(croniter: Version) -> str:
    """`6.0.0`."""
    return ".".join(str(part) for part in croniter)


def refused(cron: str, airflow_version: str) -> Problem | None:
    """What an expression has that the croniter of that Airflow does not take, and the fix; None: it takes all of it.

    Args:
        cron: five fields that the desk's croniter takes.
    """
    croniter, fields = croniter_of(airflow_version), cron.split()
    reader = f"Airflow {airflow_version} (croniter {shown(croniter)})"
    if croniter < (6, 2) and _NEAREST_WEEKDAY.search(fields[2]):
        what = f"{reader} cannot read {fields[2]!r}, the weekday nearest to a day: that came with croniter 6.2"
        return Problem(what, "name the day itself, and let the command skip weekends; or use Airflow 3.2 or later")
    if croniter >= (5,):
        return None
    for position, match in _parts(fields, _RANGE):
        first, last = (number(position, group, fold=False) for group in match.groups())
        if position == 4 and last == 0:
            continue  # To Sunday, which is 7 as well.
        if first > last:
            what = f"{reader} cannot read {match[0]!r}, a range that starts behind its end: that came with croniter 5"
            return Problem(what, f"write two ranges: {_two_ranges(position, match)}")
    if "?" in cron and croniter <= (2, 0, 5):
        return Problem(f"{reader} cannot read '?'", "write * for it")
    return None


def differences(cron: str, airflow_version: str) -> Iterator[tuple[str, str]]:
    """What the croniter of that Airflow reads otherwise than it is written: (what, what to write)."""
    croniter, fields = croniter_of(airflow_version), cron.split()
    reader = f"Airflow {airflow_version} (croniter {shown(croniter)})" if croniter != _NEWEST else "croniter"
    if croniter >= (4,):
        for position, match in _parts(fields, _RANGE):
            first, last = (number(position, group) for group in match.groups())
            if first == last and number(position, match[1], fold=False) >= number(position, match[2], fold=False):
                yield f"{reader} takes {match[0]!r} for every {FIELDS[position]}", f"write {match[1]}"
    if (5,) <= croniter < (7,):
        for position, match in _parts(fields, _START):
            if number(position, match[1]) == LAST[position]:
                what = f"{reader} starts {match[0]!r} at the first {FIELDS[position]}, not at {match[1]}"
                yield what, f"write {match[1]}"
    if croniter < (5,) and (start := _START.fullmatch(fields[4])):
        step = int(start[0].partition("/")[2])
        if step and (7 - number(4, start[1])) % step == 0:
            yield f"{reader} goes on to Sunday in {fields[4]!r}", f"write {start[1]}-6/{step}"
    through_march = fields[4] == "*" and {2, 3} <= _numbers(fields[3])
    if croniter < (6, 2) and through_march and (skipped := _skipped_in_march(fields[2])):
        days = f"{skipped} March"
        yield (
            f"{reader} leaves out the run of {days} when it counts on from February",
            "use days up to the 28th, or a schedule of its own for the last days of a month",
        )


def number(position: int, text: str, *, fold: bool = True) -> int:
    """The number of a value of a field, which may be a name; Sunday is 0, unless not folded: then 7 stays 7."""
    names = _NAMES[position - 3] if position >= 3 else {}
    value = names.get(text.lower(), int(text) if text.isdigit() else -1)
    return 0 if fold and position == 4 and value == 7 else value


def _parts(fields: list[str], pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    for position, field in enumerate(fields):
        for part in field.split(","):
            if match := pattern.fullmatch(part):
                yield position, match


def _two_ranges(position: int, match: re.Match[str]) -> str:
    first = (0, 0, 1, 1, 0)[position]
    step = match[0].partition("/")[2]
    behind = f"/{step}" if step else ""
    return f"{match[1]}-{LAST[position]}{behind},{first}-{match[2]}{behind}"


def _skipped_in_march(field: str) -> str:
    """The days of March that croniter before 6.2 skips: from the last match in February it goes on by the days to its
    next match above 28 or 29, as if February had that day, and so lands behind the first of March."""
    days = _numbers(field)
    skipped: set[int] = set()
    for length in (28, 29):
        within = [day for day in days if day <= length]
        beyond = min((day for day in days if day > length), default=None)
        if within and beyond is not None and max(within) < length:
            skipped |= {day for day in days if day < beyond - length}
    return " and ".join(str(day) for day in sorted(skipped))


def _numbers(field: str) -> set[int]:
    """The days of the month (or months) that a field names; none, where it has something else than numbers."""
    days: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(?:(\*)|([0-9]+)(?:-([0-9]+))?)(?:/([0-9]+))?", part)
        if match is None:
            return set()
        first = 1 if match[1] else int(match[2])
        last = int(match[3]) if match[3] else first if match[2] and not match[4] else 31
        days |= set(_every(first, last, int(match[4] or 1)))
    return days


def _every(first: int, last: int, step: int) -> Iterable[int]:
    if first <= last:
        return range(first, last + 1, max(step, 1))
    return (*range(first, 32, max(step, 1)), *range(1, last + 1, max(step, 1)))
