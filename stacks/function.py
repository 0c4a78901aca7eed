"""A module of the runtime as a Lambda function, with a role that may do what it needs and no more."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

import penstock_runtime
from stacks.nag import acknowledge_log_group, acknowledge_wildcards

MINUTES = 5
"""For copying the files of a release (one of 4,000 schedules has 128), and for a look at as many schedules."""


def function_of(
    scope: Construct,
    module: ModuleType,
    statements: Sequence[iam.PolicyStatement],
    *,
    description: str,
    wildcards: str,
    needs: Sequence[ModuleType] = (),
    environment: Mapping[str, str] | None = None,
) -> lambda_.Function:
    """Make it in `scope`, with a log group of its own.

    Args:
        module: its `handler` is called.
        needs: other modules of the runtime that it imports.
        wildcards: why those of the statements are as narrow as can be.
    """
    group = logs.LogGroup(
        scope, "Log", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
    )
    every = [
        *statements,
        iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn]),
    ]
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"Needs": iam.PolicyDocument(statements=every)},
    )
    acknowledge_wildcards(role, every, wildcards)
    acknowledge_log_group(group)
    with tempfile.TemporaryDirectory(prefix="penstock-function-") as place:
        package = Path(place) / penstock_runtime.__name__
        package.mkdir()
        for one in (penstock_runtime, module, *needs):
            shutil.copyfile(str(one.__file__), package / Path(str(one.__file__)).name)
        return lambda_.Function(
            scope,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler=f"{module.__name__}.handler",
            # Copied to the assembly at once.
            code=lambda_.Code.from_asset(place),
            timeout=cdk.Duration.minutes(MINUTES),
            memory_size=256,
            environment=dict(environment) if environment else None,
            role=role,
            log_group=group,
        )
