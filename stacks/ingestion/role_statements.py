"""What the two roles of a task definition may do: what it reads, writes and logs, and no more."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from penstock_runtime import contract
from penstock_runtime.plan.task_definition import Secret, TaskDefinition
from stacks.ingestion import secret
from stacks.ingestion.container import keeps_state
from stacks.ingestion.image import ContainerImage

_STATE_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
_CACHE_ACTIONS = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
_PULL_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


def airflow_statements(stack: cdk.Stack, definition: TaskDefinition) -> list[iam.PolicyStatement]:
    """The task role's right to read the REST API of one MWAA environment, as Airflow's Viewer."""
    if definition.rest_api_of is None:
        return []
    # `rbac-role` (AWS, Service Authorization Reference, Amazon MWAA).
    role = stack.format_arn(service="airflow", resource="role", resource_name=f"{definition.rest_api_of}/Viewer")
    return [iam.PolicyStatement(actions=["airflow:InvokeRestApi"], resources=[role])]


def artifact_statements(definition: TaskDefinition, artifacts: s3.IBucket) -> list[iam.PolicyStatement]:
    """The task role's rights: fetch its code, its config and its files; Meltano also keeps its state.

    None if the container has nothing of Penstock's.
    """
    if not definition.runtime:
        return []
    prefixes = [contract.RUNTIME_PREFIX]
    if definition.engine == "openmetadata":
        prefixes.append(contract.CONFIGS_PREFIX)
    if definition.files:
        prefixes.append(contract.FILES_PREFIX)
    readable = [artifacts.arn_for_objects(f"{prefix}/*") for prefix in prefixes]
    statements = [iam.PolicyStatement(actions=["s3:GetObject"], resources=readable)]
    if keeps_state(definition):
        state = artifacts.arn_for_objects(f"{contract.STATE_PREFIX}/*")
        listable = [contract.STATE_PREFIX, f"{contract.STATE_PREFIX}/*"]
        statements += [
            iam.PolicyStatement(actions=list(_STATE_ACTIONS), resources=[state]),
            # Without it S3 answers 403 for state that does not exist yet, and the first run of a pipeline fails.
            # S3 takes the key for `s3:prefix` then (seen on AWS: ceph/ceph, pull request 68577).
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[artifacts.bucket_arn],
                conditions={"StringLike": {"s3:prefix": listable}},
            ),
        ]
    return statements


def start_statements(
    stack: cdk.Stack, definition: TaskDefinition, image: ContainerImage, log_group: str
) -> list[iam.PolicyStatement]:
    """The execution role's rights: what ECS's agent does before and beside the container."""
    statements = [
        iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[log_streams(stack, log_group)],
        )
    ]
    secrets = [*definition.secrets, *filter(None, [image.credentials])]
    statements += secret_statements(stack, secrets, definition.secret_kms_keys)
    if image.repository_arn:
        statements += [
            iam.PolicyStatement(actions=list(_PULL_ACTIONS), resources=[image.repository_arn]),
            # GetAuthorizationToken knows no resource (AWS, Service Authorization Reference, Amazon ECR).
            iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        ]
    if image.repository_arn and image.cached:
        # The first pull makes the repository (Amazon ECR User Guide, "IAM permissions … pull through cache").
        statements.append(iam.PolicyStatement(actions=list(_CACHE_ACTIONS), resources=[image.repository_arn]))
    return statements


def secret_statements(
    stack: cdk.Stack, secrets: Sequence[Secret], kms_keys: Sequence[str]
) -> list[iam.PolicyStatement]:
    """Read these secrets, and decrypt them with `kms_keys` if a key other than AWS's own encrypts them."""
    grants: dict[str, set[str]] = {}
    for each in secrets:
        action, resources = secret.readable(stack, each)
        grants.setdefault(action, set()).update(resources)
    statements = [
        iam.PolicyStatement(actions=[action], resources=sorted(granted)) for action, granted in sorted(grants.items())
    ]
    if kms_keys:
        # Whoever reads a secret decrypts it, by way of its store (AWS KMS Developer Guide, "kms:ViaService").
        statements.append(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=list(kms_keys),
                conditions={"StringEquals": {"kms:ViaService": secret.services(stack, secrets)}},
            )
        )
    return statements


def log_streams(stack: cdk.Stack, log_group: str) -> str:
    """The ARN pattern of the log streams that Penstock's containers write in a log group."""
    return stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{log_group}:log-stream:{contract.LOG_STREAM_PREFIX}/*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
