"""The secret with the address of Airflow's own database, where `airflow.catalogue` takes it from there: a DAG writes
it, ECS hands it to the task that reads the database."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from penstock_runtime.plan.plan import Plan
from stacks.nag import Grantee, acknowledge, grant

WHY = "AWS's own six characters end the ARN of a secret."
_ROTATION = "Its content is MWAA's: a DAG writes it again when MWAA has changed it."
_KEY = "Secrets Manager's own key; whoever reads the secret must be granted it by name."


def database_secret(stack: cdk.Stack, plan: Plan, grantee: Grantee) -> None:
    """Make the secret, without a value, and let Airflow's role read and write it; none if the plan needs none."""
    name = plan.catalogue.secret if plan.catalogue is not None else None
    if name is None:
        return
    secret = secretsmanager.CfnSecret(
        stack,
        "AirflowDatabase",
        name=name,
        description="Host, port, database, user and password of Airflow's metadata database; written by a DAG",
    )
    acknowledge(
        secret,
        {
            "AwsSolutions-SMG4": _ROTATION,
            "NIST.800.53.R5-SecretsManagerRotationEnabled": _ROTATION,
            "NIST.800.53.R5-SecretsManagerUsingKMSKey": _KEY,
            "CKV_AWS_149": _KEY,
        },
    )
    # By name: the role comes before MWAA, and the secret need not.
    arn = stack.format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{name}-??????",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    statement = iam.PolicyStatement(
        actions=["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"], resources=[arn]
    )
    grant(grantee, [statement], WHY)
