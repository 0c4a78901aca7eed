"""Which schedules are overdue: a Lambda function looks every quarter of an hour, over the release that is live.

A CloudWatch alarm cannot do this: it looks back at most seven days, reads one metric, and treats a new schedule as a
late one. The function knows since when it has watched each schedule, however seldom that runs, and follows
`penstock push`. It asks CloudWatch only about the tasks whose time is up.

    artifacts bucket   release.json           names the plan of the live release
                       plans/<sha256>.json    the plan: `overdue_after_minutes` and last tasks of each schedule
                       watch/overdue.json     since when each task has had no success, and which were reported

This file stands alone: it needs the standard library and Lambda's boto3.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

STATE = "watch/overdue.json"
"""Key in the artifacts bucket."""
FORMAT = 1
EVERY_MINUTES = 15
METRIC = "OverdueTasks"
"""The number of overdue tasks, by project and environment."""
MOST_REPORTED = 100
"""Tasks named in one message. SNS takes 256 KiB."""
_QUERIES = 500
"""Of one call. Source, also of the two below: Amazon CloudWatch API Reference, GetMetricData."""
_OLDEST_SECONDS = 455 * 86_400
_LAST = timezone(timedelta(hours=-12))
_STEPS = ((86_400, 300), (_OLDEST_SECONDS, 3600))
"""Age of the oldest point in seconds → width of the steps: up to 63 days back CloudWatch has steps of five minutes,
and of an hour before that."""


@dataclass(frozen=True, order=True)
class Watched:
    """One of the last tasks of a schedule: without its success the schedule has not succeeded."""

    schedule: str
    task: str
    minutes: int
    """How long it may be without a success."""
    start: float
    """The schedule's start date, in seconds since 1970."""

    @property
    def key(self) -> str:
        """In the state. Names of tasks hold no slash."""
        return f"{self.schedule}/{self.task}"


@dataclass
class State:
    """What one call of the function leaves to the next."""

    since: dict[str, float] = field(default_factory=dict)
    """Task → its last success, or when it was first seen; in seconds since 1970."""
    reported: list[str] = field(default_factory=list)
    """Overdue tasks that a message has reported; `told` in JSON."""

    def to_json(self) -> str:
        """Deterministic JSON."""
        return (
            json.dumps({"format": FORMAT, "since": self.since, "told": self.reported}, indent=2, sort_keys=True) + "\n"
        )

    @classmethod
    def from_json(cls, text: str) -> State:
        """Read what `to_json` wrote.

        Raises:
            ValueError: the text is not a state of this format.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"not a state of format {FORMAT}")
        return cls(dict(data["since"]), list(data["told"]))


def watched(plan: Mapping[str, Any]) -> list[Watched]:
    """The tasks to watch of a plan, given as JSON data."""
    tasks = []
    for schedule in plan["schedules"]:
        minutes = schedule["overdue_after_minutes"]
        if minutes is None:
            continue
        start = _midnight(schedule["start_date"], schedule["timezone"])
        before = {name for task in schedule["tasks"] for name in task["after"]}
        tasks += [
            Watched(schedule["name"], task["name"], minutes, start)
            for task in schedule["tasks"]
            # Without the runtime it writes no metric, and would always be overdue.
            if task["name"] not in before and task.get("runtime", True)
        ]
    return tasks


def _midnight(date: str, zone: str) -> float:
    """When a date begins in a time zone, in seconds since 1970.

    The zone's rules are the system's. Lambda may lack them, at least those of a new zone: then the result is for the
    zone where the date begins last. A new schedule is then watched half a day late, not reported too early.
    """
    try:
        rules: tzinfo = timezone.utc if zone == "UTC" else ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        rules = _LAST
    return datetime.fromisoformat(date).replace(tzinfo=rules).timestamp()


def begin(tasks: Iterable[Watched], state: State, now: float) -> State:
    """The state with new tasks added, and removed ones gone."""
    keys = {task.key: max(state.since.get(task.key, now), task.start) for task in tasks}
    return State(keys, [key for key in state.reported if key in keys])


def late(tasks: Iterable[Watched], state: State, now: float) -> list[Watched]:
    """The tasks whose time is up, by the state."""
    return sorted(task for task in tasks if now - state.since[task.key] > 60 * task.minutes)


def last_successes(
    cloudwatch: Any, tasks: list[Watched], state: State, now: float, *, namespace: str, of: Mapping[str, str]
) -> dict[str, float]:
    """Task → the end of the step with its last success. Tasks that had none since the state's time are left out.

    Args:
        of: the dimensions that all tasks have.
    """
    successes: dict[str, float] = {}
    oldest_first = sorted(tasks, key=lambda task: state.since[task.key])
    for first in range(0, len(oldest_first), _QUERIES):
        some = oldest_first[first : first + _QUERIES]
        age = min(now - state.since[some[0].key], _OLDEST_SECONDS)
        step = next(step for limit, step in _STEPS if age <= limit)
        # A success of the same step may count again: a late report by a step is better than a false alarm.
        start = int((now - age) // step) * step
        queries = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": "Succeeded",
                        "Dimensions": [
                            {"Name": name, "Value": value}
                            for name, value in {**of, "Schedule": task.schedule, "Task": task.task}.items()
                        ],
                    },
                    "Period": step,
                    "Stat": "Sum",
                },
            }
            for number, task in enumerate(some)
        ]
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=start, EndTime=int(now) + step, ScanBy="TimestampDescending"
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                key = some[int(result["Id"][1:])].key
                ends = [
                    at.timestamp() + step
                    for at, value in zip(result["Timestamps"], result["Values"], strict=True)
                    if value > 0
                ]
                if ends:
                    successes[key] = max(successes.get(key, 0), min(now, max(ends)))
    return successes


def message(tasks: list[Watched], state: State, *, of: Mapping[str, str], log_group: str) -> tuple[str, str]:
    """Subject and text of the message about tasks that have become overdue."""
    schedules = sorted({task.schedule for task in tasks})
    prefix = f"{of['Project']}-{of['Environment']}"
    names = ", ".join(schedules[:3]) + (f" and {len(schedules) - 3} more" if len(schedules) > 3 else "")
    text = {
        "what": f"overdue in {prefix}: {names}",
        "fix": "see the last runs in Airflow: is the DAG paused, waiting for a worker, failing, or gone? If "
        "the schedule is to rest, write 0 for it in observability.alarms.overdue",
        "tasks": [
            {
                "schedule": task.schedule,
                "task": task.task,
                "no_success_since": _iso(state.since[task.key]),
                "allowed_minutes": task.minutes,
            }
            for task in tasks[:MOST_REPORTED]
        ],
        "more_tasks": max(0, len(tasks) - MOST_REPORTED),
        "log_group": log_group,
    }
    # SNS: a subject has at most 100 characters of ASCII, and no line break.
    subject = f"Penstock {prefix}: {len(schedules)} overdue".encode("ascii", "replace").decode()[:100]
    return subject, json.dumps(text, indent=2)


def handler(_event: Any, _context: Any) -> None:
    """Look once. Its settings are in its environment, see `stacks.observability.overdue`.

    Raises:
        Exception: any error of AWS; Lambda retries twice, and an alarm counts the errors.
    """
    import boto3

    setting = os.environ
    of = {"Project": setting["PROJECT"], "Environment": setting["ENVIRONMENT"]}
    s3, now = boto3.client("s3"), time.time()
    manifest = _read(s3, setting["ARTIFACTS"], setting["MANIFEST"])
    if manifest is None:
        print("no release is live yet")
        return
    sha256 = json.loads(manifest)["live"]["plan"]
    answer = s3.get_object(Bucket=setting["ARTIFACTS"], Key=f"{setting['PLANS']}/{sha256}.json")
    tasks = watched(json.loads(answer["Body"].read()))
    saved = _read(s3, setting["ARTIFACTS"], STATE)
    before = State() if saved is None else State.from_json(saved)
    state = begin(tasks, before, now)
    if due := late(tasks, state, now):
        cloudwatch = boto3.client("cloudwatch")
        state.since |= last_successes(cloudwatch, due, state, now, namespace=setting["NAMESPACE"], of=of)
    overdue = late(tasks, state, now)
    new = [task for task in overdue if task.key not in state.reported]
    if new and setting["TOPIC"]:
        subject, text = message(new, state, of=of, log_group=setting["LOG_GROUP"])
        boto3.client("sns").publish(TopicArn=setting["TOPIC"], Subject=subject, Message=text)
    state.reported = [task.key for task in overdue]
    if state != before:
        s3.put_object(Bucket=setting["ARTIFACTS"], Key=STATE, Body=state.to_json().encode())
    print(_metric_line(len(overdue), [task.key for task in overdue], now, namespace=setting["NAMESPACE"], of=of))


def _metric_line(count: int, keys: list[str], now: float, *, namespace: str, of: Mapping[str, str]) -> str:
    """In CloudWatch's embedded metric format, as `metrics.line`."""
    metric = {"Namespace": namespace, "Dimensions": [list(of)], "Metrics": [{"Name": METRIC, "Unit": "Count"}]}
    line = {"_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [metric]}, **of, METRIC: count}
    return json.dumps({**line, "overdue": keys[:MOST_REPORTED]})


def _read(s3: Any, bucket: str, key: str) -> str | None:
    """An object's text; None if it does not exist. Listed first: without ListBucket S3 answers 403."""
    objects = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    if not objects or objects[0]["Key"] != key:
        return None
    text: str = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return text


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="minutes")
