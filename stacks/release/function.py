"""`penstock_runtime.release.activation` as the function of a custom resource."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.plan.plan import Plan
from penstock_runtime.release import activation, infrastructure, manifest
from stacks.function import MINUTES, function_of
from stacks.nag import acknowledge_function
from stacks.release.source import Source


def release_function(scope: Construct, statements: Sequence[iam.PolicyStatement]) -> lambda_.Function:
    """`activation.py` as a Lambda function with these permissions."""
    function = function_of(
        scope,
        activation,
        statements,
        description="Penstock: which release of the DAGs is live",
        wildcards="Below one folder of each of its own buckets, and the streams of its own log group.",
    )
    acknowledge_function(function)
    return function


def release_resource(
    scope: Construct,
    function: lambda_.Function,
    action: str,
    plan: Plan,
    release: str,
    source: Source,
    *,
    artifacts: s3.IBucket,
    bucket: s3.IBucket | None = None,
    folder: str = "",
) -> cdk.CustomResource:
    """The custom resource, with the properties that `activation.handler` reads."""
    resource = cdk.CustomResource(
        scope,
        "Resource",
        resource_type="Custom::PenstockRelease",
        service_token=function.function_arn,
        service_timeout=cdk.Duration.minutes(MINUTES + 1),
        properties={
            "Do": action,
            "Artifacts": artifacts.bucket_name,
            "Bucket": bucket.bucket_name if bucket else "",
            "Folder": folder,
            "Release": release,
            "Plan": infrastructure.plan_sha256(plan),
            # Text: CloudFormation hands numbers and booleans to functions as text anyway.
            "Order": str(source.order),
            "Committed": str(source.committed),
            "Revision": source.revision,
            "Replace": source.replace or "false",
        },
    )
    # Its permissions first.
    resource.node.add_dependency(function)
    return resource


def manifest_statements(artifacts: s3.IBucket, *, write: bool) -> list[iam.PolicyStatement]:
    """Read the manifest, or also write it."""
    key = manifest.MANIFEST
    return [
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[artifacts.bucket_arn],
            conditions={"StringEquals": {"s3:prefix": key}},
        ),
        iam.PolicyStatement(
            actions=["s3:GetObject", "s3:PutObject"] if write else ["s3:GetObject"],
            resources=[artifacts.arn_for_objects(key)],
        ),
    ]


def own_stack_statement(stack: cdk.Stack) -> iam.PolicyStatement:
    """Lets the function distinguish a roll-back from a deploy."""
    return iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id])
