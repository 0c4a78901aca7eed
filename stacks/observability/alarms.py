"""CloudWatch alarms: many failures, tasks out of memory, overdue schedules, an Airflow that does not keep up.

An alarm cannot search: these read metrics of the whole project, so there are few, however many schedules.
"""

from __future__ import annotations

from collections.abc import Collection

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from penstock_runtime.container import metrics
from penstock_runtime.functions import overdue
from penstock_runtime.functions import stopped_tasks as stopped_code
from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan
from stacks.observability.overdue import Watch
from stacks.observability.reaper import Reaper
from stacks.observability.stopped_tasks import StoppedTasks

MWAA = "AmazonMWAA"
"""Namespace of Airflow's own metrics, by Function and Environment (MWAA User Guide, "Apache Airflow environment
metrics in CloudWatch")."""
FAILED, MEMORY, OVERDUE = "failed-tasks", "out-of-memory", "overdue"
SCHEDULER, QUEUE, DAG_FILES = "scheduler", "queue", "dag-files"
"""What an alarm is on; its name is the prefix with this."""
COUNTED = frozenset({FAILED, MEMORY})
"""Those on tasks that `StoppedTasks` counts."""
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


def of_project(plan: Plan, name: str, period: Duration, statistic: str) -> cloudwatch.Metric:
    """A metric of Penstock, over the whole project in this environment."""
    return cloudwatch.Metric(
        namespace=metrics.NAMESPACE,
        metric_name=name,
        dimensions_map=dict(zip(metrics.BY_PROJECT, (plan.project, plan.environment), strict=True)),
        statistic=statistic,
        period=period,
    )


def failures(stopped: StoppedTasks, period: Duration) -> cloudwatch.Metric:
    """Tasks that failed or never started: how often the rule has called (EventBridge, "Monitoring", `Invocations`)."""
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="Invocations",
        dimensions_map={"RuleName": stopped.failed.rule_name},
        statistic="Sum",
        period=period,
    )


def out_of_memory(plan: Plan, period: Duration) -> cloudwatch.Metric:
    """Those that ran out of memory: what the function has written."""
    return of_project(plan, stopped_code.OUT_OF_MEMORY, period, "Sum")


def wanted(plan: Plan, airflow_name: str | None) -> list[str]:
    """What the plan asks for an alarm on. Those on Penstock's functions come with these, without being asked for.

    Args:
        airflow_name: the MWAA environment; None: there is none, and so no alarm on it.
    """
    asked, airflow = plan.observability.alarms, airflow_name is not None
    enabled = {
        FAILED: asked.failed_tasks > 0,
        MEMORY: asked.out_of_memory > 0,
        SCHEDULER: airflow and asked.scheduler_silent_minutes > 0,
        QUEUE: airflow and asked.queued_tasks > 0,
        # In an environment of others they may be somebody else's files.
        DAG_FILES: airflow and asked.broken_dag_files > 0 and isinstance(plan.airflow, Airflow),
        OVERDUE: asked.overdue,
    }
    return [suffix for suffix, is_enabled in enabled.items() if is_enabled]


class Alarms(Construct):
    """The alarms that the plan asks for, and one on each of Penstock's functions, all notifying one topic."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        topic: str,
        stopped: StoppedTasks | None,
        watch: Watch | None,
        reaper: Reaper | None,
        airflow_name: str | None,
    ) -> None:
        """
        Args:
            stopped: counts the failures; needed for the alarms on them.
            watch: counts overdue tasks; needed for the alarm on them.
            reaper: stops tasks after their deadline.
            airflow_name: the MWAA environment; None: there is none, and so no alarm on it.
        """
        super().__init__(scope, name)
        self._plan = plan
        self._action = actions.SnsAction(sns.Topic.from_topic_arn(self, "Topic", topic))
        self.alarms: list[cloudwatch.Alarm] = []
        asked = wanted(plan, airflow_name)
        if stopped is not None:
            self._stopped(stopped, asked)
        if airflow_name is not None:
            self._airflow(airflow_name, asked)
        if watch is not None:
            self._overdue()
            self._function("OverdueWatch", "overdue-watch", watch.function, "looks for overdue schedules")
        if reaper is not None:
            does, without = "stops tasks after their deadline", "those that Airflow has lost run on"
            self._function("Reaper", "reaper", reaper.function, does, without)

    def _stopped(self, stopped: StoppedTasks, asked: Collection[str]) -> None:
        limits = self._plan.observability.alarms
        if FAILED in asked:
            text = "Fargate tasks failed or never started, within an hour. Read the messages on each."
            self._count("FailedTasks", FAILED, failures(stopped, Duration.hours(1)), limits.failed_tasks, text)
        # Whatever else is asked for: who counts on its messages must hear that there are none.
        self._function("FailedTasksWatch", "failed-tasks-watch", stopped.function, "reports failed tasks")
        if MEMORY in asked:
            text = "Fargate tasks ran out of memory, within a day. Raise memory_mib of the tasks in the messages."
            memory = out_of_memory(self._plan, Duration.days(1))
            self._count("OutOfMemory", MEMORY, memory, limits.out_of_memory, text)

    def _count(self, name: str, suffix: str, metric: cloudwatch.IMetric, least: int, text: str) -> None:
        self._alarm(name, suffix, metric, least, 1, _AT_LEAST, _SILENCE_IS_GOOD, f"{least} {text}")

    def _airflow(self, name: str, asked: Collection[str]) -> None:
        limits = self._plan.observability.alarms
        if SCHEDULER in asked:
            heartbeat = airflow_metric(name, "SchedulerHeartbeat", "Scheduler", "Sum")
            periods = limits.scheduler_silent_minutes // 5
            text = (
                f"Airflow's scheduler gave no heartbeat for {limits.scheduler_silent_minutes} minutes: nothing is "
                "started. Read the scheduler's log; MWAA updates the environment, or its class is too small."
            )
            self._alarm("Scheduler", SCHEDULER, heartbeat, 1, periods, _LESS, _SILENCE_IS_BAD, text)
        if QUEUE in asked:
            queued = airflow_metric(name, "QueuedTasks", "Executor", "Minimum")
            text = (
                f"{limits.queued_tasks} Airflow tasks wait for a worker, for half an hour. Allow more workers, take a "
                "larger class, or spread the schedules."
            )
            self._alarm("Queue", QUEUE, queued, limits.queued_tasks, 6, _AT_LEAST, _SILENCE_IS_GOOD, text)
        if DAG_FILES in asked:
            broken = airflow_metric(name, "ImportErrors", "DAG Processing", "Minimum")
            text = "DAG files cannot be read, for half an hour: their DAGs do not run. Airflow's home page says why."
            self._alarm("DagFiles", DAG_FILES, broken, limits.broken_dag_files, 6, _AT_LEAST, _SILENCE_IS_GOOD, text)

    def _overdue(self) -> None:
        count = of_project(self._plan, overdue.METRIC, Duration.minutes(2 * overdue.EVERY_MINUTES), "Maximum")
        text = "A schedule is overdue: the time in which it should have succeeded has passed. The messages name it."
        self._alarm("Overdue", OVERDUE, count, 1, 1, _AT_LEAST, _SILENCE_IS_GOOD, text)

    def _function(
        self, name: str, suffix: str, function: lambda_.Function, does: str, without: str = "nobody hears of them"
    ) -> None:
        """A watch that fails must not look like good news."""
        errors = function.metric_errors(period=Duration.hours(1), statistic="Sum")
        text = f"The function that {does} fails: until it works {without}. Read its log."
        self._alarm(name, suffix, errors, 1, 1, _AT_LEAST, _SILENCE_IS_GOOD, text)

    def _alarm(
        self,
        name: str,
        suffix: str,
        metric: cloudwatch.IMetric,
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
        self.alarms.append(alarm)
