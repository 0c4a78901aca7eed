"""CloudWatch alarms: many failures, tasks out of memory, overdue schedules, an Airflow that does not keep up.

Each reads one metric as it is (an alarm cannot search), so their number is bounded: four, and one for each overdue
schedule that the project asks for. A Metrics Insights alarm over all schedules would see three hours back (CloudWatch,
"Metrics Insights alarms", limits): too little for a schedule that runs once a day.
"""

from __future__ import annotations

import hashlib
import math
import re

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from penstock_runtime import metrics
from penstock_runtime.plan import Overdue, Plan
from stacks.stopped_tasks import StoppedTasks

MWAA = "AmazonMWAA"
"""Namespace of Airflow's own metrics, by Function and Environment (MWAA User Guide, "Apache Airflow environment
metrics in CloudWatch")."""
_STEP = Duration.minutes(5)
_LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_SILENCE_IS_BAD = cloudwatch.TreatMissingData.BREACHING
_SILENCE_IS_GOOD = cloudwatch.TreatMissingData.NOT_BREACHING


def airflow_metric(environment: str, name: str, function: str, statistic: str) -> cloudwatch.Metric:
    """One of Airflow's own metrics, in steps of five minutes."""
    return cloudwatch.Metric(
        namespace=MWAA,
        metric_name=name,
        dimensions_map={"Function": function, "Environment": environment},
        statistic=statistic,
        period=_STEP,
    )


def rule_metric(rule: str, period: Duration) -> cloudwatch.Metric:
    """How many events a rule of the default bus has passed on (EventBridge, "Monitoring", `Invocations`)."""
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="Invocations",
        dimensions_map={"RuleName": rule},
        statistic="Sum",
        period=period,
    )


class Alarms(Construct):
    """The alarms that the plan asks for, all telling one topic."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        topic: str,
        stopped: StoppedTasks | None,
        airflow_name: str | None,
    ) -> None:
        """
        Args:
            stopped: counts the failures; needed for the alarms on them.
            airflow_name: the MWAA environment; None: there is none, and so no alarm on it.
        """
        super().__init__(scope, name)
        self._plan = plan
        self._action = actions.SnsAction(sns.Topic.from_topic_arn(self, "Topic", topic))
        wanted = plan.observability.alarms
        self.made: list[cloudwatch.Alarm] = []
        if stopped is not None and wanted.failed_tasks:
            text = "Fargate tasks failed or never started, within an hour. Read the messages on each."
            self._count("FailedTasks", stopped.failed.ref, Duration.hours(1), wanted.failed_tasks, text)
        if stopped is not None and wanted.out_of_memory:
            text = "Fargate tasks ran out of memory, within a day. Raise memory_mib of the tasks in the messages."
            self._count("OutOfMemory", stopped.out_of_memory.ref, Duration.days(1), wanted.out_of_memory, text)
        if airflow_name is not None:
            self._airflow(airflow_name)
        for one in wanted.overdue:
            self._overdue(one)

    def _count(self, name: str, rule: str, period: Duration, least: int, text: str) -> None:
        suffix = {"FailedTasks": "failed-tasks", "OutOfMemory": "out-of-memory"}[name]
        self._alarm(name, suffix, rule_metric(rule, period), least, 1, _AT_LEAST, _SILENCE_IS_GOOD, f"{least} {text}")

    def _airflow(self, name: str) -> None:
        wanted = self._plan.observability.alarms
        if wanted.scheduler_silent_minutes:
            heartbeat = airflow_metric(name, "SchedulerHeartbeat", "Scheduler", "Sum")
            periods = wanted.scheduler_silent_minutes // 5
            text = (
                f"Airflow's scheduler gave no heartbeat for {wanted.scheduler_silent_minutes} minutes: nothing is "
                "started. Read the scheduler's log; MWAA updates the environment, or its class is too small."
            )
            self._alarm("Scheduler", "scheduler", heartbeat, 1, periods, _LESS, _SILENCE_IS_BAD, text)
        if wanted.queued_tasks:
            queued = airflow_metric(name, "QueuedTasks", "Executor", "Minimum")
            text = (
                f"{wanted.queued_tasks} Airflow tasks wait for a worker, for half an hour. Allow more workers, take a "
                "larger class, or spread the schedules."
            )
            self._alarm("Queue", "queue", queued, wanted.queued_tasks, 6, _AT_LEAST, _SILENCE_IS_GOOD, text)

    def _overdue(self, one: Overdue) -> None:
        """No success in the window: every one of its steps is without one.

        Steps of five minutes, or of an hour where it is longer than a day: an alarm looks back one day in steps below
        an hour, else seven (CloudWatch, PutMetricAlarm). CloudWatch looks a few steps further back than asked before
        it takes missing data for bad ("Configuring how alarms treat missing data"): the alarm comes that much later.
        """
        period = _STEP if one.minutes <= 24 * 60 else Duration.hours(1)
        dimensions = dict(
            zip(metrics.BY_TASK, (self._plan.project, self._plan.environment, one.schedule, one.task), strict=True)
        )
        succeeded = cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name="Succeeded",
            dimensions_map=dimensions,
            statistic="Sum",
            period=period,
        )
        periods = max(1, math.ceil(one.minutes / period.to_minutes()))
        text = (
            f"Schedule {one.schedule} is overdue: its task {one.task} had no success for {one.minutes} minutes. See "
            "its last runs in Airflow; is it paused?"
        )
        plain = re.sub("[^A-Za-z0-9_.-]", "_", f"{one.schedule}-{one.task}")
        # Two pairs may read alike: the digest keeps them apart.
        digest = hashlib.sha256(f"{one.schedule}\n{one.task}".encode()).hexdigest()[:8]
        self._alarm(
            f"Overdue{digest}", f"overdue-{plain}-{digest}", succeeded, 1, periods, _LESS, _SILENCE_IS_BAD, text
        )  # fmt: skip

    def _alarm(
        self,
        name: str,
        suffix: str,
        metric: cloudwatch.Metric,
        threshold: int,
        periods: int,
        operator: cloudwatch.ComparisonOperator,
        silence: cloudwatch.TreatMissingData,
        text: str,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            # The topic's policy lets alarms of this prefix publish.
            alarm_name=f"{self._plan.prefix}-{suffix}"[:255],
            alarm_description=text,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=operator,
            treat_missing_data=silence,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.made.append(alarm)
