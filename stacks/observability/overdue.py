"""The function that looks for overdue schedules, and the rule that wakes it.

Its code is `penstock_runtime.functions.overdue`.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime import contract
from penstock_runtime.container import metrics
from penstock_runtime.functions import overdue
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release.manifest import MANIFEST
from stacks.function import function_of
from stacks.nag import acknowledge_watch
from stacks.observability.clock import run_every
from stacks.observability.notifications import Topic


class Watch(Construct):
    """Looks every quarter of an hour, writes a metric, and notifies the topic of newly overdue schedules."""

    def __init__(self, scope: Construct, name: str, *, plan: Plan, artifacts: s3.IBucket, topic: Topic) -> None:
        """
        Args:
            artifacts: holds manifest, plans, and what the function remembers.
        """
        super().__init__(scope, name)
        self.function = function_of(
            self,
            overdue,
            [
                iam.PolicyStatement(
                    actions=["s3:ListBucket"],
                    resources=[artifacts.bucket_arn],
                    conditions={"StringEquals": {"s3:prefix": [MANIFEST, overdue.STATE]}},
                ),
                iam.PolicyStatement(
                    actions=["s3:GetObject"],
                    resources=[
                        artifacts.arn_for_objects(key)
                        for key in (MANIFEST, overdue.STATE, f"{contract.PLANS_PREFIX}/*")
                    ],
                ),
                iam.PolicyStatement(actions=["s3:PutObject"], resources=[artifacts.arn_for_objects(overdue.STATE)]),
                # Knows neither resources nor a condition on the namespace (Service Authorization Reference).
                iam.PolicyStatement(actions=["cloudwatch:GetMetricData"], resources=["*"]),
                *topic.publish(cdk.Stack.of(self)),
            ],
            description="Penstock: which schedules are overdue",
            wildcards="Plans of its own bucket; GetMetricData knows no resource; SNS's own use of the topic's key.",
            environment={
                "PROJECT": plan.project,
                "ENVIRONMENT": plan.environment,
                "ARTIFACTS": artifacts.bucket_name,
                "MANIFEST": MANIFEST,
                "PLANS": contract.PLANS_PREFIX,
                "NAMESPACE": metrics.NAMESPACE,
                "TOPIC": topic.arn,
                "LOG_GROUP": plan.log_group,
            },
        )
        acknowledge_watch(self.function)
        run_every(self, self.function, overdue.EVERY_MINUTES, "Time to look for overdue schedules")
