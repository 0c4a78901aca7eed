"""One try of an Airflow task, from the first look at ECS to the verdict: exactly one Fargate task does the work.

    begin   look for what earlier tries left (`earlier`): adopt it, take its result, or start a task
    wait    until the task has stopped, or its deadline is past
    settle  show the rest of its log; then it has succeeded, is started again within the try, or has failed
    kill    at any moment, also while RunTask's answer is on its way

It knows ECS and CloudWatch, but nothing of Airflow.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from penstock_runtime import contract
from penstock_runtime.airflow.operators import earlier, run_task
from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.airflow.operators.ecs_calls import (
    EcsCalls,
    NotPlaced,
    Refused,
    TokenInUse,
    back_off,
)
from penstock_runtime.airflow.operators.limits import (
    KILL_SECONDS,
    LAST_LINES,
    SPOT_INTERRUPTIONS,
    START_MINUTES,
    STOPPING_SECONDS,
    Pace,
)
from penstock_runtime.airflow.operators.task_log import TaskLog
from penstock_runtime.diagnosis import reasons
from penstock_runtime.diagnosis.diagnose import diagnose, is_metric_line, reason_of
from penstock_runtime.diagnosis.reason import FAILED_TO_START
from penstock_runtime.errors import FailedForGood, PenstockError
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources


class FargateRun:
    """See the module.

    Args:
        task: what to run.
        deployed: where.
        run: the try.
        facts: what is known of the run at parse time: project, environment, schedule, job.
        clients: makes boto3's client of a service: `ecs`, `logs`.
        logger: Airflow's task log.
        known: ARNs of Fargate tasks that an earlier try is known to have started.
        on_start: hears the ARN of each task that this try starts or adopts.
    """

    def __init__(
        self,
        task: FargateTask,
        deployed: Resources,
        run: AirflowRun,
        facts: Mapping[str, str],
        *,
        clients: Callable[[str], Any],
        logger: Any,
        pace: Pace | None = None,
        known: Sequence[str] = (),
        on_start: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._task, self._deployed, self._run, self._facts = task, deployed, run, facts
        self._clients, self._logger, self._pace = clients, logger, pace or Pace()
        self._known, self._on_start = tuple(known), on_start
        self._killed = threading.Event()
        self._calls = EcsCalls(clients("ecs"), deployed.cluster, logger, self._pause, self._pace.least)
        self._asked: dict[str, Any] | None = None
        """A call of RunTask whose answer is not known yet."""
        self._log: TaskLog | None = None
        self.arn: str | None = None
        self.asked_at = time.time()
        """When the task was asked for, in seconds since 1970, as is `deadline`."""
        self.deadline = 0.0
        self._attempt = 0
        self._unstarted = 0
        self._interruptions = 0
        self._again_until = time.time() + self._pace.start_again

    # What a try goes through.

    def begin(self) -> None:
        """Adopt or start a Fargate task, or find one that has succeeded; its ARN is in `arn`.

        Raises:
            PenstockError: none could be started.
        """
        found = self._look()
        decision = earlier.decide(found, self._run, reattach=self._task.reattach)
        self._attempt = sum(earlier.facts_of(task).get("try") == self._run.try_number for task in found)
        self._give_memory(earlier.short_of_memory(found, self._run))
        for task in decision.stop:
            self._logger.warning("%s of an earlier try still runs: stopping it", task["taskArn"])
            self._calls.stop(task["taskArn"], reasons.SUPERSEDED, time.time() + STOPPING_SECONDS)
        if decision.take:
            self._logger.info(
                "%s of an earlier try has succeeded meanwhile: this is its result, and its log",
                decision.take["taskArn"],
            )
            self._watch(decision.take)
        elif decision.adopt:
            self._logger.info(
                "%s of an earlier try still runs: waiting for it; its log from the beginning", decision.adopt["taskArn"]
            )
            self._watch(decision.adopt)
        else:
            self._wait_for_stop([task["taskArn"] for task in decision.wait_for])
            self._start()

    def wait(self) -> earlier.Described:
        """Wait until the task has stopped, showing its log; past its deadline it is stopped.

        Raises:
            PenstockError: ECS does not know the task, or cannot stop it.
        """
        arn = self._arn()
        troubles = 0
        while True:
            task = self._calls.watch(arn, self.asked_at)
            self._pause(0)
            if task and earlier.stopped([task]):
                return task
            if time.time() > self.deadline:
                return self._stop_at_deadline(arn)
            if self._log:
                self._log.follow()
            troubles = 0 if task else troubles + 1
            self._pause(back_off(troubles, self._pace.poll) if troubles else self._pace.poll)

    def settle(self, task: earlier.Described) -> bool:
        """What a stopped task means: True: it has succeeded; False: another one was started in its place.

        Raises:
            FailedForGood: it failed, and would again.
            PenstockError: it failed; says why and what to do.
        """
        code = earlier.exit_code(task)
        if self._log and task.get("startedAt"):
            # A container that was killed had no time for its last line.
            self._log.drain(has_last_line=self._task.runtime and code not in (None, contract.Exit.KILLED))
        if earlier.has_succeeded(task):
            self._logger.info("The Fargate task %s succeeded", self.arn)
            return True
        if self._is_worth_another(task):
            self._start()
            return False
        # One line more than is shown: the last one is for CloudWatch.
        raise self._failure(task, self._log.last(LAST_LINES + 1) if self._log else [])

    def kill(self) -> None:
        """Stop the task, and end whatever this object is waiting for. From a signal handler or another thread.

        Raises:
            PenstockError: ECS could not be asked.
        """
        self._killed.set()
        until = time.time() + KILL_SECONDS
        # A client of its own: the other one may be in the middle of a call that this interrupts.
        calls = EcsCalls(self._clients("ecs"), self._deployed.cluster, self._logger, time.sleep, self._pace.least)
        arns = [self.arn] if self.arn else []
        if asked := self._asked:
            try:
                # ECS answers a repeated call with the task that the first one has started, if it has.
                arns = [calls.start(asked, until)["taskArn"]]
            except TokenInUse:
                arns = [task["taskArn"] for task in calls.left_by(self._run.started_by, until)]
            except NotPlaced:
                arns = []
        for arn in arns:
            self._logger.info("Stopping the Fargate task %s", arn)
            calls.stop(arn, reasons.KILLED, until)

    # For a run that is continued by another process.

    def state(self) -> dict[str, Any]:
        """What `resume` needs, as plain data."""
        return {
            "arn": self._arn(),
            "asked_at": self.asked_at,
            "deadline": self.deadline,
            "attempt": self._attempt,
            "unstarted": self._unstarted,
            "interruptions": self._interruptions,
            "again_until": self._again_until,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on with what another process began."""
        self.asked_at, self.deadline = state["asked_at"], state["deadline"]
        self._attempt, self._unstarted = state["attempt"], state["unstarted"]
        self._interruptions, self._again_until = state["interruptions"], state["again_until"]
        self._follow(state["arn"])

    # The steps.

    def _look(self) -> list[earlier.Described]:
        until = time.time() + self._pace.start_again
        try:
            return self._calls.left_by(self._run.started_by, until, known=self._known)
        except Refused as error:
            if self._run.try_number > 1:
                raise FailedForGood(
                    f"{error.what}: it is not known whether an earlier try's task still runs",
                    fix="deploy again, so that Airflow's role may list the cluster's tasks (docs/permissions.md)",
                ) from error
            self._logger.warning("%s: deploy again, or a retry cannot find what this try leaves", error.what)
            return []

    def _give_memory(self, shortages: int) -> None:
        sizes = (self._task.memory_mib, *self._task.larger_memory_mib)
        size = sizes[min(shortages, len(sizes) - 1)]
        if size != self._task.memory_mib:
            self._logger.info("Earlier tries ran out of memory: this one has %d MiB", size)
            self._task = dataclasses.replace(self._task, memory_mib=size)

    def _start(self) -> None:
        """Start one, again and again while ECS has no room for it, on demand where Spot has none."""
        spot = self._task.spot and self._interruptions < SPOT_INTERRUPTIONS
        while True:
            self._attempt += 1
            self.arn, self._log = None, None
            self.asked_at = float(int(time.time()))
            self.deadline = self.asked_at + (self._task.timeout_minutes + START_MINUTES) * 60
            call = run_task.request(
                self._task, self._deployed, self._run, self._facts, int(self.deadline), attempt=self._attempt
            ) | run_task.placement(spot=spot)
            self._asked = call
            try:
                # A kill that came before this found nothing to stop.
                self._pause(0)
                task = self._calls.start(call, self._again_until)
            except TokenInUse:
                task = self._found_by_token()
            except NotPlaced as error:
                self._asked = None
                if spot:
                    self._logger.warning("Fargate Spot has no capacity (%s): starting the task on demand", error.reason)
                    spot = False
                    continue
                self._pause_before_restart(error)
                continue
            except Refused as error:
                self._asked = None
                raise FailedForGood(error.what, fix=error.fix) from error
            self._logger.info("The Fargate task %s was started%s", task["taskArn"], " on Spot" if spot else "")
            self._follow(task["taskArn"])
            self._asked = None
            return

    def _found_by_token(self) -> earlier.Described:
        """The task that another call with the same token has started."""
        until = time.time() + STOPPING_SECONDS
        while time.time() < until:
            found = [
                task
                for task in self._calls.left_by(self._run.started_by, until)
                if earlier.facts_of(task).get("try") == self._run.try_number and not earlier.stopped([task])
            ]
            if found:
                return found[0]
            self._pause(self._pace.poll)
        raise PenstockError(
            "another process has started this try's Fargate task, and ECS does not show it",
            fix="look for it in the console of ECS, then run the Airflow task again",
        )

    def _pause_before_restart(self, error: PenstockError) -> None:
        wait = back_off(self._unstarted, self._pace.restart)
        if time.time() + wait > self._again_until:
            raise error
        self._unstarted += 1
        self._logger.warning("%s; trying again in %.0f s", error.what, wait)
        self._pause(wait)

    def _is_worth_another(self, task: earlier.Described) -> bool:
        """Whether the try goes on with another Fargate task: this one was interrupted, or never came to run."""
        reason = reason_of(task)
        if reason is reasons.SPOT:
            self._interruptions += 1
            where = "on Spot" if self._interruptions < SPOT_INTERRUPTIONS else "on demand"
            self._logger.warning("AWS took back the Spot capacity of %s: starting the task again, %s", self.arn, where)
            return True
        if task.get("stopCode") != FAILED_TO_START or self._unstarted >= reason.restarts:
            return False
        wait = back_off(self._unstarted, self._pace.restart)
        if time.time() + wait > self._again_until:
            return False
        self._unstarted += 1
        self._logger.warning("%s did not start: %s; starting another in %.0f s", self.arn, reason.cause, wait)
        self._pause(wait)
        return True

    def _stop_at_deadline(self, arn: str) -> earlier.Described:
        self._logger.warning("%s still runs at its deadline, %s: stopping it", arn, _moment(self.deadline))
        self._calls.stop(arn, reasons.AT_DEADLINE, time.time() + STOPPING_SECONDS)
        until = time.time() + STOPPING_SECONDS
        while time.time() < until:
            task = self._calls.watch(arn, self.asked_at)
            if task and earlier.stopped([task]):
                return task
            self._pause(self._pace.poll)
        raise PenstockError(
            f"{arn} ran past its deadline, {_moment(self.deadline)}, was told to stop, and has not",
            fix="stop it in the console of ECS; raise timeout_minutes of the task if it needs longer",
        )

    def _failure(self, task: earlier.Described, lines: Sequence[str]) -> PenstockError:
        diagnosis = diagnose(task, lines)
        what = f"{diagnosis.summary}\n  cause: {diagnosis.cause}\n  Fargate task: {self.arn}"
        shown = [line for line in lines if not is_metric_line(line)][-LAST_LINES:]
        if shown:
            what += "\n  last lines of its log:\n" + "\n".join(f"  | {line}" for line in shown)
        kind = FailedForGood if reason_of(task, lines).for_good else PenstockError
        return kind(what, fix=diagnosis.fix)

    def _watch(self, task: earlier.Described) -> None:
        """Follow a task that an earlier try has started."""
        self.asked_at = earlier.created(task) or time.time()
        stated = earlier.variable(task, contract.DEADLINE) or ""
        limit = time.time() + (self._task.timeout_minutes + START_MINUTES) * 60
        self.deadline = float(stated) if stated.isdecimal() else limit
        self._follow(task["taskArn"])

    def _follow(self, arn: str) -> None:
        self.arn = arn
        self._log = TaskLog(
            self._clients("logs"),
            self._deployed.log_group,
            contract.log_stream(arn),
            self._logger,
            self._pause,
            self._pace.drain,
        )
        self._on_start(arn)

    def _wait_for_stop(self, arns: Sequence[str]) -> None:
        for arn in arns:
            until = time.time() + STOPPING_SECONDS
            while time.time() < until:
                task = self._calls.watch(arn, 0.0)
                if task and earlier.stopped([task]):
                    break
                self._pause(self._pace.poll)
            else:
                raise PenstockError(
                    f"{arn} of an earlier try was told to stop, and has not",
                    fix="stop it in the console of ECS, then run the Airflow task again",
                )

    def _pause(self, seconds: float) -> None:
        if self._killed.wait(seconds):
            raise PenstockError(
                f"Airflow stopped the task: {self.arn or 'no Fargate task had started'}",
                fix="run it again if that was a mistake",
            )

    def _arn(self) -> str:
        assert self.arn is not None
        return self.arn


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
