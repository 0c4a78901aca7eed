"""A message for each Fargate task that failed, with its cause and what to do.

One rule of the account's default event bus finds the failures of the environment's cluster, and calls a function with
each; `penstock_runtime.functions.stopped_tasks` is its code. What the rule has found is a metric of
EventBridge's own, whatever becomes of it. Messages are told once at best: see there what loses one.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from penstock_runtime.container import metrics
from penstock_runtime.contract import CONTAINER_NAME
from penstock_runtime.diagnosis.reason import FAILED_TO_START
from penstock_runtime.functions import stopped_tasks
from penstock_runtime.plan.plan import Plan
from stacks.function import function_of
from stacks.nag import acknowledge_listener
from stacks.observability.notifications import Topic

Pattern = dict[str, Any]
"""What an event's `detail` must hold, in EventBridge's language."""

_ABSENT = {"exists": False}

FAILURE: Pattern = {
    "lastStatus": ["STOPPED"],
    "$or": [
        # Penstock's container, not one that AWS puts beside it (GuardDuty's).
        {"containers": {"name": [CONTAINER_NAME], "exitCode": [{"anything-but": [0]}]}},
        {"containers": {"exitCode": [_ABSENT]}},
        {"stopCode": [FAILED_TO_START]},
    ],
}
"""A task that ended, and did not succeed."""


class StoppedTasks(Construct):
    """The rule and the function."""

    def __init__(self, scope: Construct, name: str, *, plan: Plan, topic: Topic | None) -> None:
        """
        Args:
            topic: to notify; None: failures are only counted.
        """
        super().__init__(scope, name)
        stack = cdk.Stack.of(self)
        self.function = function_of(
            self,
            stopped_tasks,
            topic.publish(stack) if topic is not None else [],
            description="Penstock: why a Fargate task failed",
            wildcards="SNS's own use of the topic's key; the streams of its own log group.",
            environment={
                "PROJECT": plan.project,
                "ENVIRONMENT": plan.environment,
                "NAMESPACE": metrics.NAMESPACE,
                "TOPIC": topic.arn if topic is not None else "",
                "LOG_GROUP": plan.log_group,
            },
        )
        acknowledge_listener(self.function)
        cluster = stack.format_arn(service="ecs", resource="cluster", resource_name=plan.cluster)
        self.failed = events.Rule(
            self,
            "AnyFailure",
            description="Fargate tasks that failed",
            event_pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Task State Change"],
                detail={"clusterArn": [cluster], **FAILURE},
            ),
            targets=[targets.LambdaFunction(self.function)],
        )
        """Its name is the dimension of its metric."""
