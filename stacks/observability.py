"""What watches: a dashboard, alarms, and a topic that hears of every Fargate task that failed or never started."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.airflow_environment import Airflow
from penstock_runtime.plan import Plan
from stacks.alarms import Alarms
from stacks.dashboard import dashboard
from stacks.notifications import topic_of
from stacks.overdue import Watch
from stacks.stopped_tasks import StoppedTasks


def watches(plan: Plan, *, airflow_name: str | None) -> bool:
    """Whether there is anything to make: all can be turned off."""
    settings = plan.observability
    return settings.dashboard or settings.stopped_tasks or _alarms(plan, airflow_name)


def _counts(plan: Plan) -> bool:
    return plan.observability.alarms.failed_tasks > 0 or plan.observability.alarms.out_of_memory > 0


def _alarms(plan: Plan, airflow_name: str | None) -> bool:
    wanted = plan.observability.alarms
    of_airflow = airflow_name is not None and (
        wanted.queued_tasks > 0
        or wanted.scheduler_silent_minutes > 0
        or (wanted.broken_dag_files > 0 and isinstance(plan.airflow, Airflow))
    )
    return _counts(plan) or of_airflow or wanted.overdue


class ObservabilityStack(cdk.Stack):
    """Failures as they happen, from ECS itself: whoever started the task, and whether or not Airflow noticed."""

    def __init__(
        self, scope: Construct, name: str, *, plan: Plan, artifacts: str, airflow_name: str | None, **stack: Any
    ) -> None:
        """
        Args:
            artifacts: name of the artifacts bucket.
            airflow_name: the MWAA environment that runs the schedules; None: an Airflow that CloudWatch does not know.
        """
        super().__init__(scope, name, **stack)
        settings = plan.observability
        alarms = _alarms(plan, airflow_name)
        topic = None
        if alarms or settings.stopped_tasks:
            topic = topic_of(self, plan)
            cdk.CfnOutput(self, "FailureTopic", value=topic.arn)
        stopped = watch = None
        if settings.stopped_tasks or _counts(plan):
            told = topic if settings.stopped_tasks else None
            stopped = StoppedTasks(self, "Stopped", plan=plan, topic=told)
        if settings.alarms.overdue and topic is not None:
            bucket = s3.Bucket.from_bucket_name(self, "Artifacts", artifacts)
            watch = Watch(self, "Overdue", plan=plan, artifacts=bucket, topic=topic)
        made = (
            Alarms(self, "Alarms", plan=plan, topic=topic.arn, stopped=stopped, watch=watch, airflow_name=airflow_name)
            if topic is not None
            else None
        )
        if settings.dashboard:
            dashboard(
                self, plan, airflow_name=airflow_name, stopped=stopped, alarms=made.made if made is not None else []
            )
