"""The rows of the fault table that every Airflow plays. Tests import it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tests.functional import fault_acts as acts
from tests.functional.fault_row import Row, Wanted
from tests.functional.fault_table import NO_IMAGE

RUN_TASK, DESCRIBE, LOG = "ecs:RunTask", "ecs:DescribeTasks", "logs:GetLogEvents"
NO_ROOM = '{"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time. Please try again later."}]}'
NO_STREAM = {
    "status": 400,
    "code": "ResourceNotFoundException",
    "message": "The specified log stream does not exist.",
}
LATE = {"call": RUN_TASK, "fault": "late", "seconds": 15, "count": 1}
STOPPED = Wanted(state="failed", whole=False, quiet_seconds=30)
"""Somebody marks the task failed: it is stopped in time."""
ADOPTED = Wanted(tries=2)
"""The try is lost, and the next one goes on with its Fargate task."""
FOR_GOOD = Wanted(state="failed", whole=False)
"""Not tried again, though there is a retry."""


CHOICE = "PENSTOCK_FAULTS"
"""Environment variable: `all` plays every row (`make faults`)."""


def chosen(rows: Sequence[Row], short: Sequence[str]) -> tuple[Row, ...]:
    """All rows where that is asked for; otherwise those of the short form, which the whole test run has room for."""
    return tuple(row for row in rows if os.environ.get(CHOICE) == "all" or row.name in short)


def starting() -> tuple[Row, ...]:
    """What goes wrong with RunTask; the longest first."""
    return (
        Row("error-500", [{"call": RUN_TASK, "fault": "error", "lasting": 60}]),
        Row("answer-lost", [{"call": RUN_TASK, "fault": "lost", "count": 3}]),
        Row("answer-late", [{"call": RUN_TASK, "fault": "late", "seconds": 22, "count": 1}]),
        Row("refused", [{"call": RUN_TASK, "fault": "refused", "lasting": 15}]),
        Row("throttled", [{"call": RUN_TASK, "fault": "throttled", "count": 6}]),
        Row("throttled-hidden", [{"call": RUN_TASK, "fault": "throttled", "hidden": True, "count": 3}]),
        Row("no-capacity", [{"call": RUN_TASK, "fault": "answered", "body": NO_ROOM, "count": 1}]),
        Row(
            "failed-while-starting",
            [LATE],
            act=acts.mark_failed,
            act_on="known",
            act_after=1,
            seconds=90,
            wanted=STOPPED,
        ),
    )


def running(describe_seconds: float) -> tuple[Row, ...]:
    """What goes wrong while a Fargate task runs.

    Args:
        describe_seconds: how long DescribeTasks fails.
    """
    silent = [{"call": call, "fault": "silent", "seconds": 20, "after": 1, "lasting": 22} for call in (DESCRIBE, LOG)]
    return (
        Row("no-fault", seconds=12),
        Row("silent-at-end", watching=silent),
        Row("describe-fails", watching=[{"call": DESCRIBE, "fault": "error", "lasting": describe_seconds}]),
        Row("log-throttled", watching=[{"call": LOG, "fault": "throttled", "lasting": 20}]),
        Row("log-late", watching=[{"call": LOG, "fault": "error", "lasting": 15, **NO_STREAM}]),
        Row("marked-failed", act=acts.mark_failed, seconds=90, wanted=STOPPED),
        Row("triggered-twice", runs=2, seconds=5, wanted=Wanted(started=2)),
        Row("spot", act=acts.interrupt_spot, task={"spot": True}, wanted=Wanted(started=2, once=False)),
    )


def ending() -> tuple[Row, ...]:
    """Containers that fail, and those that never start."""
    tried_again = Wanted(state="failed", tries=2, started=2)
    return (
        Row("exit-1", ends="sys.exit(1)", seconds=2, wanted=tried_again),
        Row("exit-2", ends="sys.exit(2)", seconds=2, wanted=tried_again),
        Row("exit-143", ends="sys.exit(143)", seconds=2, wanted=tried_again),
        Row("killed-command", ends="os.kill(os.getpid(), 9)", seconds=2, wanted=tried_again),
        Row("no-program", task={"command": ["no-such-program"]}, wanted=FOR_GOOD),
        Row("no-image", task={"image": NO_IMAGE, "command": ["true"]}, wanted=FOR_GOOD),
        Row("no-secret", task={"secrets": ["GONE"]}, wanted=FOR_GOOD),
    )
