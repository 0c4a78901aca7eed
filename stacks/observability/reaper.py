"""The function that stops tasks after their deadline, and the rule that wakes it.

Its code is `penstock_runtime.functions.reaper`.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from penstock_runtime.container import metrics
from penstock_runtime.functions import reaper
from penstock_runtime.plan.plan import Plan
from stacks.function import function_of
from stacks.nag import acknowledge_reaper
from stacks.observability.clock import run_every
from stacks.observability.notifications import Topic


class Reaper(Construct):
    """Looks every five minutes, stops what nothing else stops, counts it, and notifies the topic."""

    def __init__(self, scope: Construct, name: str, *, plan: Plan, topic: Topic | None) -> None:
        """
        Args:
            topic: to notify; None: what is stopped is only counted.
        """
        super().__init__(scope, name)
        stack = cdk.Stack.of(self)
        cluster = stack.format_arn(service="ecs", resource="cluster", resource_name=plan.cluster)
        tasks = stack.format_arn(service="ecs", resource="task", resource_name=f"{plan.cluster}/*")
        self.function = function_of(
            self,
            reaper,
            [
                # Without a container instance in the call AWS checks it on `*` (Amazon ECS Developer Guide, "List and
                # describe tasks"); the cluster is a condition key (Service Authorization Reference).
                iam.PolicyStatement(
                    actions=["ecs:ListTasks"], resources=["*"], conditions={"ArnEquals": {"ecs:cluster": cluster}}
                ),
                iam.PolicyStatement(actions=["ecs:DescribeTasks", "ecs:StopTask"], resources=[tasks]),
                *(topic.publish(stack) if topic is not None else []),
            ],
            description="Penstock: stop Fargate tasks after their deadline",
            wildcards="Tasks of its own cluster, and ListTasks there: it knows no resource; SNS's own use of the "
            "topic's key.",
            environment={
                "PROJECT": plan.project,
                "ENVIRONMENT": plan.environment,
                "CLUSTER": plan.cluster,
                "NAMESPACE": metrics.NAMESPACE,
                "TOPIC": topic.arn if topic is not None else "",
                "LOG_GROUP": plan.log_group,
            },
        )
        acknowledge_reaper(self.function)
        run_every(self, self.function, reaper.EVERY_MINUTES, "Time to look for tasks after their deadline")
