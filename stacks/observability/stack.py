"""What watches: a dashboard, alarms, a topic with a message for every Fargate task that failed or never started, and
the function that stops tasks which nothing else stops."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.plan.plan import Plan
from stacks.observability.alarms import COUNTED, OVERDUE, Alarms, wanted
from stacks.observability.dashboard import dashboard
from stacks.observability.notifications import topic_of
from stacks.observability.overdue import Watch
from stacks.observability.reaper import Reaper
from stacks.observability.stopped_tasks import StoppedTasks


def watches(plan: Plan, *, airflow_name: str | None) -> bool:
    """Whether there is anything to make: all can be turned off."""
    settings = plan.observability
    return settings.dashboard or settings.stopped_tasks or reaps(plan) or bool(wanted(plan, airflow_name))


def reaps(plan: Plan) -> bool:
    """Whether tasks are stopped after their deadline: where the plan has any that run on Fargate."""
    return plan.ecs.reaper and bool(plan.task_definitions)


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
        asked = wanted(plan, airflow_name)
        topic = None
        if asked or settings.stopped_tasks:
            topic = topic_of(self, plan)
            cdk.CfnOutput(self, "FailureTopic", value=topic.arn)
        stopped = watch = None
        if settings.stopped_tasks or not COUNTED.isdisjoint(asked):
            notified = topic if settings.stopped_tasks else None
            stopped = StoppedTasks(self, "Stopped", plan=plan, topic=notified)
        if OVERDUE in asked and topic is not None:
            bucket = s3.Bucket.from_bucket_name(self, "Artifacts", artifacts)
            watch = Watch(self, "Overdue", plan=plan, artifacts=bucket, topic=topic)
        reaper = Reaper(self, "Reaper", plan=plan, topic=topic) if reaps(plan) else None
        alarms = (
            Alarms(
                self,
                "Alarms",
                plan=plan,
                topic=topic.arn,
                stopped=stopped,
                watch=watch,
                reaper=reaper,
                airflow_name=airflow_name,
            )
            if topic is not None
            else None
        )
        if settings.dashboard:
            dashboard(
                self,
                plan,
                airflow_name=airflow_name,
                stopped=stopped,
                alarms=alarms.alarms if alarms is not None else [],
            )
