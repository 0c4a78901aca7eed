"""One try of an Airflow task, from the first look at ECS to the verdict: exactly one Fargate task does the work.

    begin   look for what earlier tries left (`earlier`): adopt it, take its result, or start a task (`starts`)
    wait    until the task has stopped, or its deadline is past
    settle  show the rest of its log; then it has succeeded, another has taken its place, or it has failed
    kill    at any moment, also while RunTask's answer is on its way (`kill`)

It knows ECS and CloudWatch, but nothing of Airflow.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock_runtime import contract
from penstock_runtime.airflow.operators import earlier
from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.airflow.operators.ecs_calls import EcsCalls, Forgotten, Refused, back_off
from penstock_runtime.airflow.operators.kill import Kill, Silent
from penstock_runtime.airflow.operators.limits import LAST_LINES, START_MINUTES, Pace
from penstock_runtime.airflow.operators.starts import Counts, Starts
from penstock_runtime.airflow.operators.stopping import Stopping
from penstock_runtime.airflow.operators.task_log import TaskLog, end_in
from penstock_runtime.diagnosis.diagnose import diagnose, is_metric_line, reason_of
from penstock_runtime.diagnosis.reason import EXITED
from penstock_runtime.errors import FailedForGood, PenstockError
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources

MOST_LOOKS = 5
"""At what earlier tries left, while what they left comes to its end."""


class FargateRun:
    """See the module.

    Args:
        task: what to run.
        deployed: where.
        run: the try.
        facts: what is known of the run at parse time: project, environment, schedule, job.
        clients: makes boto3's client of `ecs`, `logs`, and `kill`: one of ECS that gives up soon.
        logger: Airflow's task log.
        known: ARNs of Fargate tasks that an earlier try is known to have started.
        on_start: hears the ARN of each task that this try starts or adopts.
        state: what `state` returned in the process that this one goes on from.
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
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._task, self._deployed, self._run = task, deployed, run
        self._clients, self._logger, self._pace = clients, logger, pace or Pace()
        self._known, self._on_start = tuple(known), on_start
        self.arn: str | None = state["arn"] if state else None
        self._kill = Kill(
            EcsCalls(clients("kill"), deployed.cluster, Silent(), time.sleep, self._pace.least / 4),
            run.started_by,
            self._known,
            arn=lambda: self.arn,
            asked=lambda: self._starts.asked,
        )
        self._pause = self._kill.pause
        self._calls = EcsCalls(clients("ecs"), deployed.cluster, logger, self._pause, self._pace.least)
        self._stopping = Stopping(self._calls, logger, self._pause, self._pace.poll)
        self._starts = Starts(
            task, deployed, run, facts, calls=self._calls, logger=logger, pace=self._pace, pause=self._pause
        )
        self._log: TaskLog | None = None
        self.ended: earlier.Described | None = None
        """A task of an earlier try that has succeeded: there is nothing to wait for."""
        self.asked_at = self.deadline = time.time()
        """When the task was asked for, and when it is stopped; in seconds since 1970, by ECS's clock."""
        if state:
            self.asked_at, self.deadline = state["asked_at"], state["deadline"]
            self._starts.counts = Counts(**state["counts"])
            self._follow(state["arn"])

    # What a try goes through.

    def begin(self) -> None:
        """Adopt or start a Fargate task, or find one that has succeeded; its ARN is in `arn`.

        Raises:
            PenstockError: none could be started.
        """
        for _ in range(MOST_LOOKS):
            tasks = self._look()
            decision = earlier.decide(tasks, self._run, reattach=self._task.reattach)
            for task in decision.stop:
                self._stopping.of_earlier_try(task["taskArn"])
            if not decision.wait_for:
                break
            # What stops may have succeeded all the same.
            for task in decision.wait_for:
                self._stopping.wait_for(task["taskArn"])
        self._pause(0)
        if decision.take:
            arn = decision.take["taskArn"]
            self._logger.info("%s of an earlier try has succeeded meanwhile: this is its result, and its log", arn)
            self._watch(decision.take)
            self.ended = decision.take
        elif decision.adopt:
            arn = decision.adopt["taskArn"]
            self._logger.info("%s of an earlier try still runs: waiting for it; its log from the beginning", arn)
            self._watch(decision.adopt)
        else:
            own = [task for task in tasks if earlier.facts_of(task).get("try") == self._run.try_number]
            self._starts.counts.attempt = len(own)
            self._starts.counts.shortages = earlier.short_of_memory(tasks, self._run)
            self._start(frozenset(task["taskArn"] for task in tasks))

    def wait(self) -> earlier.Described:
        """Wait until the task has stopped, showing its log; past its deadline it is stopped.

        Raises:
            PenstockError: ECS does not know the task, or cannot stop it.
        """
        arn = self._arn()
        troubles = 0
        while True:
            task = self._look_at(arn)
            self._pause(0)
            if task and earlier.has_stopped(task):
                return task
            if self._calls.clock.now() > self.deadline:
                return self._stopping.at_deadline(arn, self.deadline, lambda: self._look_at(arn))
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
        if self._starts.is_worth_another(task):
            self._start(frozenset({task["taskArn"]}))
            return False
        # One line more than is shown: the last one is for CloudWatch.
        raise self._failure(task, self._log.last(LAST_LINES + 1) if self._log else [])

    def kill(self) -> None:
        """Stop the task, and end whatever this object is waiting for. From a signal handler or another thread.

        Airflow 3 gives it five seconds. It logs nothing; see `kill.Silent`.

        Raises:
            PenstockError: ECS could not be asked in time, or refuses; `kill_trouble` says so, too.
        """
        self._kill.now()

    @property
    def kill_trouble(self) -> str:
        """Why a kill has not reached ECS; empty: it has, or there was none."""
        return self._kill.trouble

    @property
    def started_by(self) -> str:
        """Of all tasks of this Airflow task."""
        return self._run.started_by

    def state(self) -> dict[str, Any]:
        """What another process needs to go on, as plain data."""
        counts = dataclasses.asdict(self._starts.counts)
        return {"arn": self._arn(), "asked_at": self.asked_at, "deadline": self.deadline, "counts": counts}

    # The steps.

    def _look(self) -> list[earlier.Described]:
        until = time.time() + self._pace.start_again
        try:
            return self._calls.left_by(self._run.started_by, until, known=self._known)
        except Refused as error:
            if self._run.try_number > 1:
                raise PenstockError(
                    f"{error.what}: it is not known whether an earlier try's task still runs",
                    fix="deploy again, so that Airflow's role may list the cluster's tasks (docs/permissions.md)",
                ) from error
            self._logger.warning("%s: deploy again, or a retry cannot find what this try leaves", error.what)
            return []

    def _look_at(self, arn: str) -> earlier.Described | None:
        try:
            return self._calls.watch(arn, self.asked_at)
        except Forgotten:
            # ECS forgets a stopped task after an hour; its log says how it ended.
            code = end_in(self._log.last(LAST_LINES)) if self._log else None
            if code is None:
                raise
            container = {"name": contract.CONTAINER_NAME, "exitCode": code}
            facts = {"lastStatus": "STOPPED", "stopCode": EXITED, "startedAt": self.asked_at}
            return {"taskArn": arn, "containers": [container], **facts}

    def _start(self, seen: frozenset[str]) -> None:
        self.arn, self._log = None, None
        task = self._starts.start(seen)
        self.asked_at, self.deadline = self._starts.asked_at, self._starts.deadline
        self._follow(task["taskArn"])
        self._starts.asked = None

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
        self.asked_at = earlier.created(task) or self._calls.clock.now()
        stated = earlier.variable(task, contract.DEADLINE) or ""
        limit = self._calls.clock.now() + (self._task.timeout_minutes + START_MINUTES) * 60
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

    def _arn(self) -> str:
        assert self.arn is not None
        return self.arn
