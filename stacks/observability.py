"""Who gets told: a topic that hears of every Fargate task of the cluster that failed or never started."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from penstock_runtime.plan import Plan


class ObservabilityStack(cdk.Stack):
    """Failures as they happen, from ECS itself: whoever started the task, and whether or not Airflow noticed."""

    def __init__(self, scope: Construct, name: str, *, plan: Plan, **stack: Any) -> None:
        super().__init__(scope, name, **stack)
        topic = sns.Topic(self, "Failures", display_name=f"{plan.prefix}: failed tasks", enforce_ssl=True)
        # Two rules: a task that never started has no exit code to match.
        failures: dict[str, dict[str, Any]] = {
            "Failed": {"containers": {"exitCode": events.Match.anything_but(0)}},
            "NotStarted": {"stopCode": ["TaskFailedToStart"]},
        }
        for rule, detail in failures.items():
            events.Rule(
                self,
                rule,
                event_pattern=events.EventPattern(
                    source=["aws.ecs"],
                    detail_type=["ECS Task State Change"],
                    detail={"clusterArn": [self._cluster_arn(plan)], "lastStatus": ["STOPPED"], **detail},
                ),
                targets=[targets.SnsTopic(topic)],
            )
        cdk.CfnOutput(self, "FailureTopic", value=topic.topic_arn)

    def _cluster_arn(self, plan: Plan) -> str:
        return self.format_arn(service="ecs", resource="cluster", resource_name=plan.cluster)
