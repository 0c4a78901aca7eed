"""The rows of the fault table that every Airflow plays. Tests import it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from penstock_runtime import contract
from penstock_runtime.contract import Exit
from penstock_runtime.diagnosis import reasons
from tests.functional import fault_acts as acts
from tests.functional.fault_project import NO_IMAGE
from tests.functional.fault_row import Row, Wanted

RUN_TASK, DESCRIBE, LOG = "ecs:RunTask", "ecs:DescribeTasks", "logs:GetLogEvents"
NO_ROOM = '{"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time. Please try again later."}]}'
NO_STREAM = {
    "status": 400,
    "code": "ResourceNotFoundException",
    "message": "The specified log stream does not exist.",
}
SKEWED = {
    "status": 403,
    "code": "InvalidSignatureException",
    "message": "Signature expired: 20261130T100000Z is now earlier than 20261130T105500Z",
}
"""AWS's answer where the caller's clock is off by more than five minutes."""
LATE = {"call": RUN_TASK, "fault": "late", "seconds": 15, "count": 1}
STOPPED = Wanted(state="failed", whole=False, quiet_seconds=30)
"""Somebody marks the task failed: it is stopped in time."""
ADOPTED = Wanted(tries=2)
"""The try is lost, and the next one goes on with its Fargate task."""
LOST = Wanted(state="failed", whole=False)
"""Airflow 3.0 does not try a task again whose process is killed while what supervises it lives: the Fargate task ends
by itself."""
FOR_GOOD = Wanted(state="failed", whole=False)
"""Not tried again, though there is a retry."""
LONGER_THAN_A_RESTART = 90
"""Seconds. Airflow's API server is gone for 40, and then starts."""
NO_RETRY = {"retries": 0}
HANG = "time.sleep(600)"
ANY_IMAGE: dict[str, Any] = {"python": False}
"""Without Penstock's runtime: nothing in the container knows of a deadline."""


CHOICE = "PENSTOCK_FAULTS"
"""Environment variable: `all` plays every row (`make faults`); names of rows, separated by commas, play these."""


def chosen(rows: Sequence[Row], short: Sequence[str]) -> tuple[Row, ...]:
    """The rows that are asked for; without a word those of the short form, which the whole test run has room for."""
    names = os.environ.get(CHOICE, ",".join(short)).split(",")
    return tuple(row for row in rows if names == ["all"] or row.name in names)


def starting() -> tuple[Row, ...]:
    """What goes wrong with RunTask; the longest first."""
    return (
        Row("error-500", [{"call": RUN_TASK, "fault": "error", "lasting": 60}]),
        Row("answer-lost", [{"call": RUN_TASK, "fault": "lost", "count": 3}]),
        Row("answer-late", [{"call": RUN_TASK, "fault": "late", "seconds": 22, "count": 1}]),
        Row("refused", [{"call": RUN_TASK, "fault": "refused", "lasting": 15}]),
        Row("throttled", [{"call": RUN_TASK, "fault": "throttled", "count": 6}]),
        Row("throttled-hidden", [{"call": RUN_TASK, "fault": "throttled", "hidden": True, "count": 3}]),
        Row("clock-refused", [{"call": RUN_TASK, "fault": "error", "lasting": 20, **SKEWED}]),
        Row("no-capacity", [{"call": RUN_TASK, "fault": "answered", "body": NO_ROOM, "count": 1}]),
        Row(
            "failed-while-starting",
            [LATE],
            act=acts.mark_failed,
            act_on="known",
            act_after=0,
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
        Row("describe-fails", seconds=40, watching=[{"call": DESCRIBE, "fault": "error", "lasting": describe_seconds}]),
        Row("log-throttled", watching=[{"call": LOG, "fault": "throttled", "lasting": 20}]),
        Row("log-late", watching=[{"call": LOG, "fault": "error", "lasting": 15, **NO_STREAM}]),
        Row("marked-failed", act=acts.mark_failed, seconds=90, wanted=STOPPED),
        Row("triggered-twice", runs=2, seconds=5, wanted=Wanted(started=2)),
        Row("spot", act=acts.interrupt_spot, holds=True, task={"spot": True}, wanted=Wanted(started=2, once=False)),
    )


def ending() -> tuple[Row, ...]:
    """Containers that fail, and those that never start."""
    return (
        # The longest first.
        Row(
            "hangs",
            ends=HANG,
            seconds=2,
            task={"timeout_minutes": 1},
            schedule=NO_RETRY,
            wanted=timed_out(Exit.TIMED_OUT),
        ),
        Row(
            "hangs-in-any-image",
            ends=HANG,
            seconds=2,
            task={"timeout_minutes": 1, **ANY_IMAGE},
            schedule=NO_RETRY,
            wanted=replace(timed_out(Exit.STOPPED), stopped_for=reasons.AT_DEADLINE),
        ),
        Row("exit-1", ends="sys.exit(1)", seconds=2, wanted=tried_again(1)),
        Row("exit-2", ends="sys.exit(2)", seconds=2, wanted=tried_again(2)),
        Row("exit-137", ends="sys.exit(137)", seconds=2, wanted=tried_again(137)),
        Row("exit-143", ends="sys.exit(143)", seconds=2, wanted=tried_again(143)),
        Row("killed-command", ends="os.kill(os.getpid(), 9)", seconds=2, wanted=tried_again(137)),
        Row("killed-in-any-image", ends="os.kill(os.getpid(), 9)", seconds=2, task=ANY_IMAGE, wanted=tried_again(137)),
        Row("no-program", task={"command": ["no-such-program"]}, wanted=FOR_GOOD),
        Row("no-image", task={"image": NO_IMAGE, "command": ["true"]}, wanted=FOR_GOOD),
        Row("no-secret", task={"secrets": ["GONE"]}, wanted=FOR_GOOD),
    )


def alone() -> tuple[Row, ...]:
    """What befalls all runs of a system, one after the other."""
    return (
        Row("redeployed", act=acts.redeploy, holds=True),
        Row(
            "log-group-gone",
            act=acts.delete_log_group,
            holds=True,
            within=acts.log_group_there_again,
            wanted=Wanted(whole=False, says="the end of the log has not come"),
        ),
        Row(
            "no-log-group",
            within=acts.no_log_group,
            schedule=NO_RETRY,
            wanted=Wanted(state="failed", whole=False, exits=(None,), says="The specified log group does not exist"),
        ),
    )


def lost_worker() -> tuple[Row, ...]:
    """The worker is killed with everything on it; what goes on has a clock that is an hour off, or is nobody."""
    return (
        *(
            Row(name, act=acts.kill_worker_for_a_retry, holds=True, wanted=replace(ADOPTED, says=acts.STILL_RUNS))
            for name in ("killed-worker", "clock-ahead", "clock-behind")
        ),
        Row(
            "reaped",
            act=acts.reaped,
            ends=HANG,
            task=ANY_IMAGE,
            schedule=NO_RETRY,
            wanted=Wanted(
                state="failed",
                whole=False,
                exits=(Exit.STOPPED,),
                quiet_seconds=30,
                stopped_for=contract.REAPER_REASON,
            ),
        ),
    )


def sync_together(version: str) -> tuple[Row, ...]:
    """All that is played at the same time where the operator waits in the worker of this Airflow."""
    three = version.startswith("3")
    killed = LOST if three else ADOPTED
    # Airflow 3.0 leaves a running task that is cleared in the state `restarting` for ever.
    clear = acts.mark_failed_and_clear if three else acts.clear
    return (
        *lost_worker(),
        *starting(),
        *running(describe_seconds=60),
        *ending(),
        Row("killed-task", act=acts.kill_task, seconds=15, wanted=killed),
        Row("killed-while-starting", [LATE], act=acts.kill_task, act_on="known", act_after=0, wanted=killed),
        Row("cleared", act=clear, seconds=12, wanted=Wanted(tries=2, started=2, quiet_seconds=30)),
    )


def sync_alone(version: str) -> tuple[Row, ...]:
    """What is played alone then: it would befall the others, too."""
    # Airflow 3.0's supervisor dies of it after a few seconds, and a retry that comes while it is gone is lost, too.
    # Airflow 2's talks to the database.
    gone = ADOPTED if version.startswith("3") else Wanted()
    return (
        Row(
            "api-server-gone",
            act=acts.api_server_gone,
            seconds=15,
            schedule={"retry_delay_seconds": LONGER_THAN_A_RESTART},
            wanted=gone,
        ),
        Row("scheduler-killed", act=acts.kill_scheduler, seconds=15, wanted=ADOPTED),
        *alone(),
    )


def tried_again(code: int) -> Wanted:
    """The command has failed with this exit code, and the next try fails as well."""
    return Wanted(state="failed", tries=2, started=2, exits=(code, code), says=f"exit code {code}")


def timed_out(code: int) -> Wanted:
    """A command that hangs is ended; all that it had said is in the log."""
    return Wanted(state="failed", exits=(code,))
