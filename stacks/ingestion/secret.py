"""A plan's secret in the forms of ECS and IAM."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk

from penstock_runtime.plan.task_definition import Secret


def value_from(stack: cdk.Stack, secret: Secret) -> str:
    """ECS's `valueFrom`: where the agent reads the value when the container starts.

    A secret that is given by name gets a partial ARN, without the six random characters. Secrets Manager takes both;
    ECS's reference asks for the full ARN (Amazon ECS API Reference, Secret, valueFrom), which only its owner knows.
    """
    if secret.store == "ssm":
        return _parameter_arn(stack, secret.id)
    arn = secret.id if secret.id.startswith("arn:") else _secret_arn(stack, secret.id)
    # <ARN>:<JSON field>:<version stage>:<version id> (Amazon ECS Developer Guide, "Pass Secrets Manager secrets")
    return f"{arn}:{secret.key}::" if secret.key else arn


def readable(stack: cdk.Stack, secret: Secret) -> tuple[str, tuple[str, ...]]:
    """The IAM action, and the resources that let the execution role read this secret and no other.

    A secret that is given by name has two: its full ARN, which ends in a dash and six random characters, and the
    partial ARN that ECS passes on. Reports disagree about which of them Secrets Manager checks: tasks have been refused
    on the partial one although the full one was granted (aws-cdk #18555, #20744).
    """
    if secret.store == "ssm":
        return "ssm:GetParameters", (_parameter_arn(stack, secret.id),)
    if secret.id.startswith("arn:"):
        return "secretsmanager:GetSecretValue", (secret.id,)
    return "secretsmanager:GetSecretValue", (_secret_arn(stack, secret.id), _secret_arn(stack, f"{secret.id}-??????"))


def services(stack: cdk.Stack, secrets: Iterable[Secret]) -> list[str]:
    """The services that read these secrets for ECS, as KMS's condition key `kms:ViaService` names them, sorted."""
    regions = {
        (secret.store, secret.id.split(":")[3] if secret.id.startswith("arn:") else stack.region) for secret in secrets
    }
    return sorted(f"{store}.{region}.amazonaws.com" for store, region in regions)


def log_in(secret: Secret) -> str:
    """ECS's `credentialsParameter`: a secret of the same region goes by its name, too (ECS, RepositoryCredentials)."""
    return secret.id


def _secret_arn(stack: cdk.Stack, name: str) -> str:
    return stack.format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def _parameter_arn(stack: cdk.Stack, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return stack.format_arn(service="ssm", resource="parameter", resource_name=name.removeprefix("/"))
