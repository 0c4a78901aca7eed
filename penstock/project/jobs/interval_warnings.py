"""Intervals that are valid and may not be what is meant: cron's traps, and those of the Airflow that reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from croniter import croniter

from penstock.versions import cron as reading
from penstock.versions.number import parse

ONCE = (
    "@once is by hand only here, as in Meltano; Airflow's own @once starts one run by itself: "
    "write @manual and start that run with `penstock run`, or in Airflow"
)
_SIZES = (60, 24, 31, 12, 7)
_STEP = re.compile(r"(\*|[0-9]+-[0-9]+)/([0-9]+)")
_FIFTH = re.compile(r"([0-9A-Za-z]+)#5")
_ORDINALS = {1: "first", 8: "second", 15: "third", 22: "fourth"}
"""First day of a week of the month → which one it is."""
NEW_ZONES = {"America/Coyhaique": (2, 11)}
"""Time zone → the first Airflow whose tzdata has it. Compared on 2026-11-30: tzdata 2024.1 (Airflow 2.9.2), 2024.2
(2.10.3), 2025.2 (2.11.0 and 3.0.6), 2026.1 (3.2.1) and 2026.3 (3.3.1); no zone has gone."""


def warnings(cron: str, timezone: str, airflow_version: str) -> Iterator[str]:
    """What an interval does that nobody may mean, each with what to write.

    Args:
        cron: five fields that `interval.cron` and `versions.cron.refused` let through.
        timezone: IANA name.
    """
    fields = cron.split()
    yield from _either_day(cron, fields)
    for position, field in enumerate(fields):
        yield from _long_steps(position, field)
    for match in _FIFTH.finditer(fields[4]):
        yield f"{match[0]!r}: many months have no fifth such day; for the last one of each month write L{match[1]}"
    if fields[2] in ("29", "30", "31") and fields[3:] == ["*", "*"]:
        yield f"only in months that have a day {fields[2]}; for the last day of each month write L"
    for what, fix in reading.differences(cron, airflow_version):
        yield f"{what}: {fix}"
    since = NEW_ZONES.get(timezone)
    if since is not None and (parse(airflow_version) or since) < since:
        yield f"Airflow {airflow_version} comes with time zones that do not have {timezone} yet: use one with its clock"


def _either_day(cron: str, fields: list[str]) -> Iterator[str]:
    """cron(5): "if both fields are restricted, the command will be run when either field matches"."""
    expanded = croniter.expand(cron)[0]
    if "*" in expanded[2] or "*" in expanded[4]:
        return
    advice = "write * for one of the two"
    week = re.fullmatch(r"([0-9]+)-([0-9]+)", fields[2])
    one_day = re.fullmatch(r"[0-9]|[A-Za-z]{3}", fields[4])
    if week and one_day and int(week[1]) in _ORDINALS and int(week[2]) == int(week[1]) + 6:
        number = (int(week[1]) + 6) // 7
        meant = " ".join([*fields[:2], "*", fields[3], f"{fields[4]}#{number}"])
        advice = f'for the {_ORDINALS[int(week[1])]} such day of a month write "{meant}"'
    yield f"{fields[2]!r} and {fields[4]!r}: cron runs on a day that fits either field, not both; {advice}"


def _long_steps(position: int, field: str) -> Iterator[str]:
    for part in field.split(","):
        step = _STEP.fullmatch(part)
        if step is None or int(step[2]) <= _SIZES[position]:
            continue
        first = (0, 0, 1, 1, 0)[position] if step[1] == "*" else int(step[1].partition("-")[0])
        yield (
            f"the step of {part!r} is longer than its field, which has {_SIZES[position]} values: it leaves "
            f"{reading.FIELDS[position]} {first} and no other; write out the times, or use several schedules"
        )
