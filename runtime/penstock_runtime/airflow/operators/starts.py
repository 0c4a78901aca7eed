"""Starting Fargate tasks within a try: RunTask's call, its repetition, and when another task takes a task's place."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock_runtime.airflow.operators import earlier, run_task
from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.airflow.operators.ecs_calls import EcsCalls, NotPlaced, Refused, TokenInUse, back_off
from penstock_runtime.airflow.operators.limits import SPOT_INTERRUPTIONS, START_MINUTES, STOPPING_SECONDS, Pace
from penstock_runtime.diagnosis import reasons
from penstock_runtime.diagnosis.diagnose import reason_of
from penstock_runtime.diagnosis.reason import FAILED_TO_START
from penstock_runtime.errors import FailedForGood, PenstockError
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources

MOST_TAKEN_DOWN = 2
"""So often a try starts another task because an older process of its Airflow task has stopped the one they shared."""


@dataclass
class Counts:
    """What a try has been through; another process goes on from it."""

    attempt: int = 0
    """Of RunTask; see `AirflowRun.client_token`."""
    unstarted: int = 0
    """Tasks that did not come to run."""
    interruptions: int = 0
    """By Spot."""
    taken_down: int = 0
    shortages: int = 0
    """Tasks of earlier tries that ran out of memory."""


class Starts:
    """Starts the tasks of one try.

    Args:
        pause: waits so many seconds; may raise.
    """

    def __init__(
        self,
        task: FargateTask,
        deployed: Resources,
        run: AirflowRun,
        facts: Mapping[str, str],
        *,
        calls: EcsCalls,
        logger: Any,
        pace: Pace,
        pause: Callable[[float], None],
    ) -> None:
        self._task, self._deployed, self._run, self._facts = task, deployed, run, facts
        self._calls, self._logger, self._pace, self._pause = calls, logger, pace, pause
        self._again_until = 0.0
        self.counts = Counts()
        self.asked: dict[str, Any] | None = None
        """A call of RunTask whose answer is not known yet."""
        self.asked_at = self.deadline = 0.0
        """When the last task was asked for, and when it is to be stopped; in seconds since 1970, by ECS's clock."""

    def start(self, seen: frozenset[str]) -> earlier.Described:
        """Start a task, again and again while ECS has no room for it, on demand where Spot has none.

        `asked` stays set: the caller clears it once it holds the ARN.

        Args:
            seen: ARNs of tasks that are known not to be the one.

        Raises:
            FailedForGood: ECS refuses it, and would again.
            PenstockError: there was no room for it for too long, or ECS could not be asked.
        """
        self._again_until = time.time() + self._pace.start_again
        task = self._sized()
        spot = task.spot and self.counts.interruptions < SPOT_INTERRUPTIONS
        while True:
            self.counts.attempt += 1
            self.asked_at = float(int(self._calls.clock.now()))
            self.deadline = self.asked_at + (task.timeout_minutes + START_MINUTES) * 60
            call = run_task.request(
                task, self._deployed, self._run, self._facts, int(self.deadline), attempt=self.counts.attempt
            ) | run_task.placement(spot=spot)
            self.asked = call
            try:
                # A kill that came before this found nothing to stop.
                self._pause(0)
                started = self._calls.start(call, self._again_until)
            except TokenInUse as error:
                started = self._of_the_token(error, seen)
            except NotPlaced as error:
                self.asked = None
                if spot:
                    self._logger.warning("Fargate Spot has no capacity (%s): starting the task on demand", error.reason)
                    spot = False
                else:
                    self._wait_for_room(error)
                continue
            except Refused as error:
                self.asked = None
                raise FailedForGood(error.what, fix=error.fix) from error
            self._logger.info("The Fargate task %s was started%s", started["taskArn"], " on Spot" if spot else "")
            return started

    def is_worth_another(self, task: earlier.Described) -> bool:
        """Whether the try goes on with another Fargate task: this one was taken away, or never came to run."""
        arn, reason, counts = task["taskArn"], reason_of(task), self.counts
        if reason is reasons.SPOT:
            counts.interruptions += 1
            where = "on Spot" if counts.interruptions < SPOT_INTERRUPTIONS else "on demand"
            self._logger.warning("AWS took back the Spot capacity of %s: starting the task again, %s", arn, where)
            return True
        if task.get("stoppedReason") == reasons.KILLED and counts.taken_down < MOST_TAKEN_DOWN:
            counts.taken_down += 1
            self._logger.warning(
                "an earlier try's process, which Airflow has given up, stopped %s: starting another", arn
            )
            return True
        if task.get("stopCode") != FAILED_TO_START or counts.unstarted >= reason.restarts:
            return False
        counts.unstarted += 1
        wait = back_off(counts.unstarted, self._pace.restart)
        self._logger.warning("%s did not start: %s; starting another in %.0f s", arn, reason.cause, wait)
        self._pause(wait)
        return True

    def _sized(self) -> FargateTask:
        sizes = (self._task.memory_mib, *self._task.larger_memory_mib)
        size = sizes[min(self.counts.shortages, len(sizes) - 1)]
        if size != self._task.memory_mib:
            self._logger.info("Earlier tries ran out of memory: this one has %d MiB", size)
        return dataclasses.replace(self._task, memory_mib=size)

    def _wait_for_room(self, error: NotPlaced) -> None:
        wait = back_off(self.counts.unstarted, self._pace.restart)
        if time.time() + wait > self._again_until:
            raise error
        self.counts.unstarted += 1
        self._logger.warning("%s; trying again in %.0f s", error.what, wait)
        self._pause(wait)

    def _of_the_token(self, error: TokenInUse, seen: frozenset[str]) -> earlier.Described:
        """The task that another call with the same token has started; it may have ended since."""
        until = time.time() + STOPPING_SECONDS
        while time.time() < until:
            for task in self._calls.left_by(self._run.started_by, until, known=error.arns):
                named = task["taskArn"] in error.arns
                ours = earlier.facts_of(task).get("try") == self._run.try_number and task["taskArn"] not in seen
                if named or (ours and not error.arns):
                    return task
            self._pause(self._pace.poll)
        raise PenstockError(
            "another process has started this try's Fargate task, and ECS does not show it",
            fix="look for it in the console of ECS, then run the Airflow task again",
        )
