"""A module of the runtime as a Lambda function, with a role that may do what it needs and no more."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from penstock_runtime import package
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
    environment: Mapping[str, str] | None = None,
) -> lambda_.Function:
    """Make it in `scope`, with a log group of its own.

    Args:
        module: of the runtime; its `handler` is called. What it imports of the runtime goes along.
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
        _write(module, Path(place))
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


def _write(module: ModuleType, folder: Path) -> None:
    """Write the module and the modules of the runtime that it imports below `folder`."""
    runtime = package.files()
    for path in package.needed_by([f"{'/'.join(module.__name__.split('.')[1:])}.py"], runtime):
        target = folder / package.NAME / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(runtime[path])
