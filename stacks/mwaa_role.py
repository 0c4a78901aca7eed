"""The role that MWAA runs as: what MWAA itself asks for. What our DAGs need is granted by what they use."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.plan import Plan
from stacks.nag import acknowledge_wildcards


def mwaa_role(scope: Construct, name: str, *, plan: Plan, bucket: s3.IBucket) -> iam.Role:
    """An execution role with the policy of the MWAA user guide, "Amazon MWAA execution role", AWS-owned key."""
    role = iam.Role(
        scope,
        name,
        assumed_by=iam.CompositePrincipal(
            iam.ServicePrincipal("airflow.amazonaws.com"), iam.ServicePrincipal("airflow-env.amazonaws.com")
        ),
    )
    statements = _statements(cdk.Stack.of(scope), plan.airflow.name, bucket)
    for statement in statements:
        role.add_to_policy(statement)
    acknowledge_wildcards(role, statements, "MWAA will not create an environment with less.")
    return role


def _statements(stack: cdk.Stack, environment: str, bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            actions=["airflow:PublishMetrics"],
            resources=[stack.format_arn(service="airflow", resource="environment", resource_name=environment)],
        ),
        iam.PolicyStatement(
            actions=["s3:GetObject*", "s3:GetBucket*", "s3:List*"],
            resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
        ),
        iam.PolicyStatement(
            actions=[
                "logs:CreateLogStream",
                "logs:CreateLogGroup",
                "logs:PutLogEvents",
                "logs:GetLogEvents",
                "logs:GetLogRecord",
                "logs:GetLogGroupFields",
                "logs:GetQueryResults",
            ],
            resources=[
                stack.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=f"airflow-{environment}-*",
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
        ),
        # None of these three knows a resource.
        iam.PolicyStatement(
            actions=["logs:DescribeLogGroups", "cloudwatch:PutMetricData", "s3:GetAccountPublicAccessBlock"],
            resources=["*"],
        ),
        # Celery's queues are in an account of MWAA's own.
        iam.PolicyStatement(
            actions=[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            resources=[stack.format_arn(service="sqs", account="*", resource="airflow-celery-*")],
        ),
        # So is the key that encrypts them: any key but this account's, and only by way of SQS.
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt"],
            not_resources=[stack.format_arn(service="kms", region="*", resource="key", resource_name="*")],
            conditions={"StringLike": {"kms:ViaService": [f"sqs.{stack.region}.amazonaws.com"]}},
        ),
    ]
