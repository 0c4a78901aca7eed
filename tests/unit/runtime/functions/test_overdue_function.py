"""When a schedule is overdue, by what the plan allows and what CloudWatch has seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.functions.overdue import State, Watched, begin, last_successes, late, message, watched
from tests.unit.project_files import loaded

HOUR, DAY = 3600, 86_400
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
OF = {"Project": "acme", "Environment": "dev"}
DAILY = Watched("daily", "load", 26 * 60, 0)
MONTHLY = Watched("monthly", "export", 33 * 24 * 60, 0)


class CloudWatch:
    """GetMetricData's answers: (schedule, task) → times of success and of failure."""

    def __init__(self, points: dict[tuple[str, str], list[tuple[float, float]]]) -> None:
        self.points, self.calls = points, list[dict[str, Any]]()

    def get_paginator(self, _name: str) -> CloudWatch:
        return self

    def paginate(self, **call: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(call)
        for query in call["MetricDataQueries"]:
            stat = query["MetricStat"]
            dimensions = {one["Name"]: one["Value"] for one in stat["Metric"]["Dimensions"]}
            assert {name: dimensions.pop(name) for name in OF} == OF
            steps: dict[float, float] = {}
            for at, value in self.points.get((dimensions["Schedule"], dimensions["Task"]), []):
                step = at // stat["Period"] * stat["Period"]
                if call["StartTime"] <= step < call["EndTime"]:
                    steps[step] = steps.get(step, 0) + value
            ordered = sorted(steps.items(), reverse=True)
            yield {
                "MetricDataResults": [
                    {
                        "Id": query["Id"],
                        "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in ordered],
                        "Values": [value for _, value in ordered],
                    }
                ]
            }


def seen(cloudwatch: CloudWatch, tasks: list[Watched], state: State) -> dict[str, float]:
    return last_successes(cloudwatch, tasks, state, NOW, namespace="Penstock", of=OF)


def test_the_last_tasks_of_each_schedule_are_watched() -> None:
    """Those that no other waits for, of schedules that may be overdue."""
    plan = {
        "schedules": [
            {
                "name": "daily",
                "start_date": "2026-01-02",
                "timezone": "UTC",
                "overdue_after_minutes": 90,
                "tasks": [
                    {"name": "load", "after": []},
                    {"name": "catalogue", "after": ["load"]},
                    {"name": "clean", "after": []},
                ],
            },
            {
                "name": "by-hand",
                "start_date": "2026-01-01",
                "timezone": "UTC",
                "overdue_after_minutes": None,
                "tasks": [],
            },
        ]
    }
    start = datetime(2026, 1, 2, tzinfo=UTC).timestamp()

    assert watched(plan) == [Watched("daily", "catalogue", 90, start), Watched("daily", "clean", 90, start)]


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("UTC", "2026-12-01T00:00+00:00"),
        ("America/Los_Angeles", "2026-12-01T08:00+00:00"),
        ("Asia/Tokyo", "2026-11-30T15:00+00:00"),
        # This system does not know it, as Lambda's may not: watched too late, rather than called late.
        ("Mars/Olympus_Mons", "2026-12-01T12:00+00:00"),
    ],
)
def test_a_schedule_starts_where_it_is(zone: str, start: str) -> None:
    """Its start date is one of its time zone."""
    tasks = [{"name": "load", "after": []}]
    schedule = {
        "name": "s", "start_date": "2026-12-01", "timezone": zone, "overdue_after_minutes": 60, "tasks": tasks,
    }  # fmt: skip
    (schedule_watched,) = watched({"schedules": [schedule]})

    assert schedule_watched.start == datetime.fromisoformat(start).timestamp()


def test_a_new_schedule_west_of_greenwich_is_not_late_before_its_first_run(tmp_path: Path) -> None:
    """By a project's own plan, with the grace that it has by default: seen before its start, looked at till then."""
    pacific = "timezone: America/Los_Angeles\n    start_date: 2026-12-01"
    plan = compile_plan(loaded(tmp_path, ("0 3 * * *", "0 23 * * *"), ("timezone: Europe/Berlin", pacific)))
    (schedule,) = [one for one in plan.schedules if one.start_date == "2026-12-01"]
    tasks = [one for one in watched(json.loads(plan.to_json())) if one.schedule == schedule.name]
    first_run = datetime(2026, 12, 2, 7, tzinfo=UTC).timestamp()
    state = begin(tasks, State(), first_run - 10 * DAY)

    assert tasks
    for at in range(int(first_run - 10 * DAY), int(first_run) + 1, 900):
        state = begin(tasks, state, at)
        assert late(tasks, state, at) == []


def test_a_new_schedule_has_all_its_time_from_when_it_is_first_seen() -> None:
    """And one that starts in the future from then on; what is gone is forgotten."""
    later = Watched("later", "load", 180, NOW + DAY)
    state = begin([DAILY, later], State({"gone/load": 1.0}, ["gone/load"]), NOW)

    assert state == State({"daily/load": NOW, "later/load": NOW + DAY}, [])
    assert late([DAILY, later], state, NOW + 26 * HOUR) == []
    assert late([DAILY, later], state, NOW + 26 * HOUR + 1) == [DAILY]


@pytest.mark.parametrize(
    ("points", "overdue"),
    [
        ([], True),
        ([(NOW - 2 * HOUR, 1)], False),
        ([(NOW - 2 * HOUR, 0)], True),
        ([(NOW - 25 * HOUR, 1), (NOW - HOUR, 0)], False),
        ([(NOW - 29 * HOUR, 1)], True),
    ],
    ids=["nothing", "success", "failure", "a success before a failure", "too long ago"],
)
def test_only_a_success_counts(points: list[tuple[float, float]], overdue: bool) -> None:
    state = State({DAILY.key: NOW - 30 * HOUR})
    state.since |= seen(CloudWatch({("daily", "load"): points}), [DAILY], state)

    assert bool(late([DAILY], state, NOW)) is overdue


def test_a_success_is_taken_for_the_end_of_its_step_and_never_for_later_than_now() -> None:
    """Steps of an hour make a schedule late by an hour at most; nothing is in the future."""
    state = State({DAILY.key: NOW - 30 * HOUR, "often/load": NOW - 2 * HOUR})
    often = Watched("often", "load", 60, 0)
    points = {("daily", "load"): [(NOW - 3.5 * HOUR, 1.0)], ("often", "load"): [(NOW - 1, 1.0)]}
    ages = seen(CloudWatch(points), [DAILY], state) | seen(CloudWatch(points), [often], state)

    assert ages == {DAILY.key: NOW - 3 * HOUR, "often/load": NOW}


def test_a_schedule_may_rest_longer_than_an_alarm_of_cloudwatch_looks_back() -> None:
    """In steps that CloudWatch has of that age, and no further back than it keeps any."""
    state = State({MONTHLY.key: NOW - 40 * DAY, "new/load": NOW - HOUR, "old/load": NOW - 600 * DAY})
    cloudwatch = CloudWatch({("monthly", "export"): [(NOW - 35 * DAY, 1.0)]})

    assert seen(cloudwatch, [MONTHLY], state) == {MONTHLY.key: NOW - 35 * DAY + HOUR}
    seen(cloudwatch, [Watched("new", "load", 30, 0)], state)
    seen(cloudwatch, [Watched("old", "load", 30, 0)], state)
    periods = [call["MetricDataQueries"][0]["MetricStat"]["Period"] for call in cloudwatch.calls]
    assert periods == [3600, 300, 3600]
    for call, period in zip(cloudwatch.calls, periods, strict=True):
        assert call["StartTime"] % period == 0
    assert NOW - cloudwatch.calls[-1]["StartTime"] <= 455 * DAY + HOUR


def test_many_are_asked_for_five_hundred_at_a_time() -> None:
    tasks = [Watched(f"s{number}", "load", 60, 0) for number in range(1201)]
    state = State({task.key: NOW - 2 * HOUR for task in tasks})
    cloudwatch = CloudWatch({(task.schedule, "load"): [(NOW - 600, 1.0)] for task in tasks})

    assert len(seen(cloudwatch, tasks, state)) == 1201
    assert [len(call["MetricDataQueries"]) for call in cloudwatch.calls] == [500, 500, 201]


def test_the_message_names_each_and_stays_small() -> None:
    """SNS takes 256 KiB, and subjects of 100 characters of ASCII."""
    tasks = [Watched(f"{number}" * 60, "täsk", 60, 0) for number in range(3000)]
    state = begin(tasks, State(), NOW)
    subject, text = message(tasks, state, of=OF, log_group="/penstock/acme-dev")
    data = json.loads(text)

    assert subject == "Penstock acme-dev: 3000 overdue"
    assert len(text.encode()) < 256 * 1024
    assert (len(data["tasks"]), data["more_tasks"]) == (100, 2900)
    assert data["tasks"][0] == {
        "schedule": tasks[0].schedule,
        "task": "täsk",
        "no_success_since": "2026-11-21T12:00+00:00",
        "allowed_minutes": 60,
    }
    assert len(message(tasks[:1], state, of={"Project": "ü" * 200, "Environment": "x"}, log_group="")[0]) <= 100


def test_the_state_is_read_as_it_was_written() -> None:
    state = State({DAILY.key: NOW}, [DAILY.key])

    assert State.from_json(state.to_json()) == state
    for text in ("[]", "{}", '{"format": 2}', "no JSON"):
        with pytest.raises(ValueError, match=r"format|JSON|Expecting"):
            State.from_json(text)
