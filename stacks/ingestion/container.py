"""The one container of a task definition: its entry point, environment, secrets, log."""

from __future__ import annotations

import json
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_s3 as s3

from penstock_runtime import contract
from penstock_runtime.container import bootstrap
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import TaskDefinition
from stacks.ingestion import secret
from stacks.ingestion.image import ContainerImage

_TMP = "/tmp"  # noqa: S108  the container's


@dataclass(frozen=True)
class Surroundings:
    """What all task definitions of a project share."""

    plan: Plan
    artifacts: s3.IBucket
    runtime_sha256: str


def container_of(
    stack: cdk.Stack, definition: TaskDefinition, image: ContainerImage, surroundings: Surroundings
) -> ecs.CfnTaskDefinition.ContainerDefinitionProperty:
    """The container, as ECS's task definition has it."""
    plan = surroundings.plan
    container = ecs.CfnTaskDefinition
    return container.ContainerDefinitionProperty(
        name=contract.CONTAINER_NAME,
        image=image.uri,
        essential=True,
        entry_point=list(bootstrap.ENTRY_POINT) if definition.runtime else None,
        environment=[
            container.KeyValuePairProperty(name=name, value=value)
            for name, value in sorted(_environment(stack, definition, surroundings).items())
        ]
        or None,
        secrets=[
            container.SecretProperty(name=each.name, value_from=secret.value_from(stack, each))
            for each in definition.secrets
        ]
        or None,
        linux_parameters=_linux_parameters(definition, plan.ecs.tmp_mib),
        readonly_root_filesystem=definition.read_only_root or None,
        repository_credentials=container.RepositoryCredentialsProperty(
            credentials_parameter=secret.log_in(image.credentials)
        )
        if image.credentials
        else None,
        stop_timeout=plan.ecs.stop_timeout_seconds,
        log_configuration=container.LogConfigurationProperty(
            log_driver="awslogs",
            options=_log_options(stack, plan),
        ),
    )


def keeps_state(definition: TaskDefinition) -> bool:
    """Whether Meltano's state is in the artifacts bucket. For a backend of its own the project grants the access."""
    return definition.engine == "meltano" and definition.meltano_state is None


def _linux_parameters(definition: TaskDefinition, tmp_mib: int) -> ecs.CfnTaskDefinition.LinuxParametersProperty | None:
    if not (definition.runtime or definition.read_only_root):
        return None
    return ecs.CfnTaskDefinition.LinuxParametersProperty(
        # An init process reaps what the engine's own children leave, and hands SIGTERM on. An image's own entry
        # point may insist on being process 1 itself (just-containers/s6-overlay, issue 535).
        init_process_enabled=definition.runtime or None,
        tmpfs=[_tmp(tmp_mib)] if definition.read_only_root else None,
    )


def _tmp(size_mib: int) -> ecs.CfnTaskDefinition.TmpfsProperty:
    """Memory, not a volume: Fargate's volumes belong to root, and the images run as another user.

    Fargate has had tmpfs since January 2026 (AWS, "Amazon ECS supports tmpfs mounts on AWS Fargate"). Everybody may
    write there by default: 1777 is the mode of a tmpfs (Linux, Documentation/filesystems/tmpfs.rst), and Docker's
    too. ECS lists `mode` among the options, and does not say how to give a value.
    """
    return ecs.CfnTaskDefinition.TmpfsProperty(container_path=_TMP, size=size_mib)


def _log_options(stack: cdk.Stack, plan: Plan) -> dict[str, str]:
    options = {
        "awslogs-group": plan.log_group,
        "awslogs-region": stack.region,
        "awslogs-stream-prefix": contract.LOG_STREAM_PREFIX,
        # Always set: ECS's own default drops lines when CloudWatch is slow, and an account may change it.
        "mode": plan.logs.mode,
    }
    if plan.logs.max_buffer_mib is not None:
        options["max-buffer-size"] = f"{plan.logs.max_buffer_mib}m"
    return options


def _environment(stack: cdk.Stack, definition: TaskDefinition, surroundings: Surroundings) -> dict[str, str]:
    if not definition.runtime:
        return {}
    bucket, sha256 = surroundings.artifacts.bucket_name, surroundings.runtime_sha256
    environment = {
        contract.ARTIFACTS_BUCKET: bucket,
        contract.RUNTIME_URI: f"s3://{bucket}/{contract.runtime_key(sha256)}",
        contract.RUNTIME_SHA256: sha256,
        contract.ARTIFACTS_REGION: stack.region,
        # So that the runtime knows what to mask in the log.
        contract.SECRET_NAMES: json.dumps([each.name for each in definition.secrets]),
        contract.STOP_TIMEOUT_SECONDS: str(surroundings.plan.ecs.stop_timeout_seconds),
    }
    if definition.read_only_root:
        # For the caches and settings of libraries. Not as HOME: Python finds packages that OpenMetadata's image
        # installed for its user (`pip install`) below the image's own home.
        environment[contract.HOME] = _TMP
    if keeps_state(definition):
        environment[contract.MELTANO_STATE] = f"s3://{bucket}/{contract.STATE_PREFIX}"
    return environment
