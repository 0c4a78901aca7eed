"""An alarm on the state machine of a shared VPC: nobody waits for it, so a failure would go unnoticed."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.nag import acknowledge


class EndpointsAlarm(Construct):
    """Goes off when an execution of the machine fails, or takes too long."""

    def __init__(self, scope: Construct, name: str, *, environment: str, machine: str, topic: str | None) -> None:
        """
        Args:
            environment: name of the MWAA environment.
            machine: ARN of the state machine.
            topic: ARN of the topic to notify; None: the alarm only shows its state.
        """
        super().__init__(scope, name)
        self._environment, self._machine = environment, machine
        self._topic = None if topic is None else sns.Topic.from_topic_arn(self, "Topic", topic)
        # AWS Step Functions Developer Guide, "Monitoring Step Functions metrics using Amazon CloudWatch".
        self._alarm("Alarm", "ExecutionsFailed")
        self._alarm("TimedOut", "ExecutionsTimedOut")

    def _alarm(self, name: str, metric: str) -> None:
        environment, topic = self._environment, self._topic
        failed = cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=metric,
            dimensions_map={"StateMachineArn": self._machine},
            statistic="Sum",
            period=Duration.minutes(5),
        )
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=(
                f"The VPC endpoints of MWAA environment {environment} were not made, or it failed all the same. The "
                "state machine's last execution says why; docs/shared-vpc.md says what to do. MWAA waits for 72 hours."
            ),
            metric=failed,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if topic is None:
            why = "The topic is made after Airflow. The alarm on Airflow's scheduler, which is silent then, tells it."
            acknowledge(alarm, {"NIST.800.53.R5-CloudWatchAlarmAction": why})
        else:
            alarm.add_alarm_action(actions.SnsAction(topic))
