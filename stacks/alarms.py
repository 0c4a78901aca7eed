"""CloudWatch alarms: many failures, tasks out of memory, overdue schedules, an Airflow that does not keep up.

Each reads one metric as it is (an alarm cannot search), so there are six of them at most, however many schedules.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from penstock_runtime import metrics, overdue
from penstock_runtime.plan import Plan
from stacks.overdue import Watch
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
        watch: Watch | None,
        airflow_name: str | None,
    ) -> None:
        """
        Args:
            stopped: counts the failures; needed for the alarms on them.
            watch: counts overdue tasks; needed for the alarms on them.
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
        if watch is not None:
            self._overdue(watch)

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

    def _overdue(self, watch: Watch) -> None:
        """The function's count, and the function itself: a watch that fails must not look like good news."""
        count = cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=overdue.METRIC,
            dimensions_map=dict(zip(metrics.BY_PROJECT, (self._plan.project, self._plan.environment), strict=True)),
            statistic="Maximum",
            period=Duration.minutes(2 * overdue.EVERY_MINUTES),
        )
        text = "A schedule is overdue: the time in which it should have succeeded has passed. The messages name it."
        self._alarm("Overdue", "overdue", count, 1, 1, _AT_LEAST, _SILENCE_IS_GOOD, text)
        errors = watch.function.metric_errors(period=Duration.hours(1), statistic="Sum")
        text = "The function that looks for overdue schedules fails: until it works nobody hears of them. Read its log."
        self._alarm("Watch", "overdue-watch", errors, 1, 1, _AT_LEAST, _SILENCE_IS_GOOD, text)

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
