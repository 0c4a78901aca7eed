"""The role that MWAA runs as: what MWAA itself asks for, and what the project permits besides. What our DAGs need is
granted by what they use."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.plan.airflow import Airflow
from stacks.nag import acknowledge_wildcards
from stacks.permitted import acknowledge_permitted, policies_of

ASKED_FOR = "MWAA will not create an environment with less."


def mwaa_role(scope: Construct, name: str, *, airflow: Airflow, bucket: s3.IBucket) -> iam.Role:
    """An execution role with the policy of the MWAA user guide, "Amazon MWAA execution role", and the project's own."""
    stack = cdk.Stack.of(scope)
    # MWAA user guide, "Cross-service confused deputy prevention": for this environment, and for no other's sake.
    only = {
        "StringEquals": {"aws:SourceAccount": stack.account},
        "ArnLike": {"aws:SourceArn": _environment_arn(stack, airflow.name)},
    }
    role = iam.Role(
        scope,
        name,
        assumed_by=iam.CompositePrincipal(
            *(
                iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=only)
                for service in ("airflow", "airflow-env")
            )
        ),
        inline_policies=policies_of(airflow.permissions) or None,
    )
    acknowledge_permitted(role, airflow.permissions)
    statements = mwaa_statements(stack, airflow, bucket)
    for statement in statements:
        role.add_to_policy(statement)
    acknowledge_wildcards(role, statements, ASKED_FOR)
    return role


def own_key(scope: Construct, name: str, airflow: Airflow) -> kms.IKey | None:
    """The key of the user's own, where the plan names one; its policy stays the user's."""
    return None if airflow.kms_key is None else kms.Key.from_key_arn(scope, name, airflow.kms_key)


def mwaa_statements(stack: cdk.Stack, airflow: Airflow, bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    """What MWAA asks of an execution role."""
    environment = airflow.name
    return [
        iam.PolicyStatement(
            actions=["airflow:PublishMetrics"],
            resources=[_environment_arn(stack, environment)],
        ),
        *_bucket_statements(airflow, bucket),
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
        _key_statement(stack, airflow.kms_key),
    ]


def _bucket_statements(airflow: Airflow, bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    """Of a bucket that is not ours the objects that are MWAA's only: its DAGs, and the files that it starts from."""
    if airflow.bucket is None:
        everything = [bucket.bucket_arn, bucket.arn_for_objects("*")]
        return [iam.PolicyStatement(actions=["s3:GetObject*", "s3:GetBucket*", "s3:List*"], resources=everything)]
    files = (airflow.requirements and airflow.requirements.key, airflow.plugins)
    folders = [airflow.dags, *dict.fromkeys(key.rsplit("/", 2)[0] for key in files if key)]
    return [
        iam.PolicyStatement(actions=["s3:GetBucket*", "s3:List*"], resources=[bucket.bucket_arn]),
        iam.PolicyStatement(
            actions=["s3:GetObject*"], resources=[bucket.arn_for_objects(f"{folder}/*") for folder in folders]
        ),
    ]


def _environment_arn(stack: cdk.Stack, name: str) -> str:
    return stack.format_arn(service="airflow", resource="environment", resource_name=name)


def _key_statement(stack: cdk.Stack, key: str | None) -> iam.PolicyStatement:
    """The key of the queue: any but this account's, as MWAA's own is in an account of its; or the user's, which is the
    DAG bucket's too. Only by way of the services that use it."""
    actions = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt"]
    queue, bucket = (f"{service}.{stack.region}.amazonaws.com" for service in ("sqs", "s3"))
    if key is not None:
        return iam.PolicyStatement(
            actions=actions, resources=[key], conditions={"StringLike": {"kms:ViaService": [queue, bucket]}}
        )
    return iam.PolicyStatement(
        actions=actions,
        not_resources=[stack.format_arn(service="kms", region="*", resource="key", resource_name="*")],
        conditions={"StringLike": {"kms:ViaService": [queue]}},
    )
